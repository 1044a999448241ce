"""The groups of reasons, and what a reading answers."""

from harness.certificates.chain_problems import KEYS, NAMES, TRUST, USES, Link, Problem, Reading, Reason, Role
from harness.certificates.parsed import parsed
from harness.certificates.placed import Origin, Placed
from tests.certificate_issuer import issue


def test_every_reason_is_in_one_group():
    """Dates, hashes, extensions, algorithms and limits of a CA are the rest."""
    rest = {
        Reason.NAME_CONSTRAINT,
        *(Reason.EXPIRED, Reason.NOT_YET_VALID, Reason.HASH, Reason.EXTENSION, Reason.SIGNATURE_ALGORITHM),
    }
    groups = [TRUST, KEYS, NAMES, USES, rest]
    assert sorted(reason for group in groups for reason in group) == sorted(Reason)


def test_problems_of_a_group():
    """In their order."""
    at = Placed(der=b"", origin=Origin.SENT)
    found = [Problem(reason=reason, role=Role.LEAF, at=at) for reason in (Reason.MISSING, Reason.CURVE, Reason.NO_NAME)]
    reading = Reading(path=(), problems=tuple(found))
    assert reading.of({*NAMES, *TRUST}) == (found[0], found[2])
    assert reading.of(USES) == ()


def test_the_chain_to_send():
    """Without the root; a self-signed leaf stays."""
    root = issue("Root", ca=True)
    links = [
        Link(parsed=parsed(one.der), at=Placed(der=one.der, origin=Origin.SENT)) for one in (issue("x", root), root)
    ]
    assert Reading(path=tuple(links), problems=()).complete == (links[0],)
    assert Reading(path=(links[1],), problems=()).complete == (links[1],)


def test_a_certificate_that_is_not_used_is_not_trusted():
    """Only the first certificate of a DER file."""
    made = issue("Root", ca=True)
    for unused, expected in ((True, False), (False, True)):
        at = Placed(der=made.der, origin=Origin.TRUSTED, unused=unused)
        assert Link(parsed=parsed(made.der), at=at).trusted is expected
