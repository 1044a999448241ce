"""Each reason is one sentence with the certificate, its place and the value."""

import pytest

from harness.certificates.chain_problems import Link, Problem, Reading, Reason, Role
from harness.certificates.name_constraints import Violation
from harness.certificates.parsed import parsed
from harness.certificates.placed import Origin, Placed
from harness.explain.chain_sentences import Sides, counted, first_of, further, named, place, sentence, titled
from tests.certificate_issuer import issue

CLIENT = Sides(owner="board", verifier="server")


@pytest.fixture(scope="module")
def links():
    """A leaf as sent, an intermediate in a file with two certificates, and the board's CA."""
    root = issue("Root", ca=True)
    inter = issue("X", root, ca=True)
    leaf = issue("tls.test", inter, dns=("a.test", "b.test", "c.test", "d.test", "e.test"))
    places = {
        "leaf": Placed(der=leaf.der, origin=Origin.SENT, number=1, count=2),
        "inter": Placed(der=inter.der, origin=Origin.NEARBY, file="int.pem", number=2, count=2),
        "root": Placed(der=root.der, origin=Origin.TRUSTED, file="ca.pem"),
    }
    return {name: Link(parsed=parsed(at.der), at=at) for name, at in places.items()}


LEAF = "the server's certificate (first of 2 that were sent)"
INTER = "the intermediate 'X' (int.pem, second certificate)"
ROOT = "the CA 'Root' (ca.pem)"


@pytest.mark.parametrize(
    ("reason", "which", "other", "detail", "expected"),
    [
        (Reason.SELF_SIGNED, "leaf", None, "", f"{LEAF} is self-signed, and the board does not have it"),
        (
            *(Reason.LEAF_TRUSTED, "leaf", None, "Root"),
            f"the board trusts {LEAF} itself, but needs the CA that issued it ('Root')",
        ),
        (Reason.NOT_CA, "inter", None, "", f"{INTER} has CA:FALSE, so it may not issue certificates"),
        (Reason.NO_BASIC_CONSTRAINTS, "inter", None, "", f"{INTER} has no CA:TRUE, so it may not issue certificates"),
        (
            *(Reason.NO_CERT_SIGN, "root", None, ""),
            f"{ROOT} may not issue certificates: its KeyUsage has no keyCertSign",
        ),
        (
            *(Reason.PATH_LENGTH, "root", None, "0"),
            f"{ROOT} allows 0 CAs below it (pathlen:0), and this chain has more",
        ),
        (
            *(Reason.WRONG_ORDER, "inter", "leaf", ""),
            f"the chain is in the wrong order: {INTER} comes before the server's certificate, which it issued",
        ),
        (
            *(Reason.NOT_LOADED, "inter", "leaf", ""),
            f"the board does not get {INTER}: of several DER certificates in one file MicroPython reads only the first",
        ),
        (
            *(Reason.OTHER_KEY, "leaf", "root", ""),
            f"{ROOT} has the right name but not the key that signed {LEAF}: the CA was generated again",
        ),
        (
            *(Reason.OTHER_KEY, "leaf", "root", "new.pem"),
            f"{ROOT} has the right name but not the key that signed {LEAF}: the CA was generated again; "
            "the right one is in new.pem",
        ),
        (
            *(Reason.MISSING, "inter", "leaf", ""),
            "the server does not send the intermediate 'X'; it is in int.pem, second certificate",
        ),
        (
            *(Reason.OTHER_CA, "root", "inter", ""),
            f"{ROOT} issued 'X', but the board does not trust it",
        ),
        (
            *(Reason.UNKNOWN_ISSUER, "leaf", None, "X"),
            f"{LEAF} was issued by 'X', which is neither sent nor trusted",
        ),
        (Reason.UNTRUSTED_ROOT, "root", None, "", f"{ROOT} is the end of the chain, and the board does not trust it"),
        (
            *(Reason.NO_ROOT, "root", None, "Top"),
            f"{ROOT} is trusted, but the root 'Top' is missing: OpenSSL needs it as well",
        ),
        (
            *(Reason.NO_ROOT, "root", "inter", "Top"),
            f"{ROOT} is trusted, but the root 'Top' is missing: OpenSSL needs it as well; it is in int.pem, second certificate",
        ),
        (Reason.UNCHECKED_SIGNATURE, "leaf", None, "", f"{LEAF} has a signature that cannot be checked here"),
        (
            *(Reason.EXTENSION, "inter", None, "2.5.29.30"),
            f"{INTER} has a critical extension that the board does not know: nameConstraints",
        ),
        (
            *(Reason.EXTENSION, "inter", None, "1.2.3"),
            f"{INTER} has a critical extension that the board does not know: 1.2.3",
        ),
        (
            *(Reason.SIGNATURE_ALGORITHM, "leaf", None, "RSA-PSS"),
            f"{LEAF} is signed with RSA-PSS, which the board cannot read",
        ),
        (
            *(Reason.KEY_TOO_SHORT, "root", None, "1024"),
            f"{ROOT} has an RSA key of 1024 bits, which the board refuses as too short",
        ),
        (
            *(Reason.CURVE, "leaf", None, "secp224r1"),
            f"{LEAF} has a key on the curve secp224r1, which the board refuses as too short",
        ),
        (
            *(Reason.EXPLICIT_CURVE, "leaf", None, ""),
            f"{LEAF} has a key that spells out its curve instead of naming it",
        ),
        (Reason.HASH, "inter", None, "sha1", f"{INTER} is signed with SHA-1, which the board refuses"),
        (Reason.HASH, "inter", None, "sha3-256", f"{INTER} is signed with SHA3-256, which the board refuses"),
        (Reason.EXPIRED, "inter", None, "2026-05-31", f"{INTER} expired on 2026-05-31"),
        (
            *(Reason.EXPIRED, "root", "inter", "2026-05-31"),
            f"{ROOT} expired on 2026-05-31; the renewed one is in int.pem, second certificate",
        ),
        (Reason.NOT_YET_VALID, "leaf", None, "2026-06-02", f"{LEAF} is not valid before 2026-06-02"),
        (
            *(Reason.CA_PURPOSE, "inter", None, "clientAuth"),
            f"{INTER} may not issue for this use: its ExtendedKeyUsage has no clientAuth",
        ),
        (
            *(Reason.PURPOSE, "leaf", None, "serverAuth"),
            f"{LEAF} is not for servers: its ExtendedKeyUsage has no serverAuth",
        ),
        (
            *(Reason.KEY_USAGE, "leaf", None, "digitalSignature"),
            f"{LEAF} may not sign: its KeyUsage has no digitalSignature",
        ),
        (
            *(Reason.KEY_USAGE, "leaf", None, "keyEncipherment"),
            f"{LEAF} may not encrypt keys: its KeyUsage has no keyEncipherment",
        ),
        (Reason.NO_NAME, "leaf", None, "x.test", f"{LEAF} has no name, so it is for no host"),
        (
            *(Reason.ADDRESS_NAME, "leaf", None, "192.0.2.1"),
            f"{LEAF} has the address 192.0.2.1 only as a name of type IP, which this firmware does not compare",
        ),
        (
            *(Reason.OTHER_NAME, "leaf", None, "x.test"),
            f"{LEAF} is for a.test, b.test, c.test, d.test and 1 more, not for x.test",
        ),
    ],
)
def test_sentences(links, reason, which, other, detail, expected):
    """One certificate, one reason."""
    role = {"leaf": Role.LEAF, "inter": Role.INTERMEDIATE, "root": Role.ROOT}[which]
    link = links[which]
    found = Problem(
        reason=reason, role=role, at=link.at, link=link, other=links[other] if other else None, detail=detail
    )
    assert sentence(found) == expected


def test_every_reason_has_a_sentence_and_a_test():
    """A new reason without a sentence would be a KeyError in front of a user."""
    from harness.explain.chain_sentences import _SENTENCES

    tested = {row[0] for mark in test_sentences.pytestmark for row in mark.args[1]}
    assert set(_SENTENCES) == set(Reason)
    assert tested == set(Reason) - {Reason.UNREADABLE, Reason.NAME_CONSTRAINT}


@pytest.mark.parametrize(
    ("above", "is_excluded", "text"),
    [
        (
            "inter",
            False,
            f"the board's certificate is for a.test, but {INTER} may issue only below 'x' (nameConstraints)",
        ),
        ("root", True, f"the board's certificate is for a.test, but {ROOT} may not issue below 'x' (nameConstraints)"),
    ],
)
def test_name_constraints(links, above, is_excluded, text):
    """The name, the CA that may not issue for it, and its limit."""
    leaf = links["leaf"]
    found = Problem(
        reason=Reason.NAME_CONSTRAINT,
        role=Role.LEAF,
        at=leaf.at,
        link=leaf,
        other=links[above],
        violation=Violation(name="a.test", limit="x", is_excluded=is_excluded),
    )
    place = LEAF.removeprefix("the server's certificate")
    expected = text.replace("the board's certificate", f"the board's certificate{place}")
    assert sentence(found, sides=Sides(owner="board", verifier="server")) == expected


def test_a_certificate_that_cannot_be_read():
    """Only its place is known."""
    at = Placed(der=b"x", origin=Origin.SENT, number=2, count=3)
    found = Problem(reason=Reason.UNREADABLE, role=Role.INTERMEDIATE, at=at)
    assert sentence(found) == "the second certificate that the server sends cannot be read"


def test_a_regenerated_root_that_is_sent(links):
    """Both are CAs of one name."""
    found = Problem(
        reason=Reason.OTHER_KEY, role=Role.ROOT, at=links["root"].at, link=links["root"], other=links["root"]
    )
    assert sentence(found) == f"{ROOT} and {ROOT} have the same name, but different keys"


def test_the_boards_own_certificate(links):
    """The same sentences with the sides exchanged."""
    found = Problem(reason=Reason.SELF_SIGNED, role=Role.LEAF, at=links["leaf"].at, link=links["leaf"])
    said = "the board's certificate (first of 2 that were sent) is self-signed, and the server does not have it"
    assert sentence(found, sides=CLIENT) == said


def test_places():
    """A file, its number in the file, or its number in what was sent; a single one that was sent needs no place."""
    assert place(Placed(der=b"", origin=Origin.TRUSTED, file="ca.pem")) == "ca.pem"
    assert place(Placed(der=b"", origin=Origin.SENT, file="s.pem", number=3, count=3)) == "s.pem, third certificate"
    assert place(Placed(der=b"", origin=Origin.SENT, number=3, count=3)) == "third of 3 that were sent"
    assert place(Placed(der=b"", origin=Origin.SENT)) == ""
    assert place(Placed(der=b"", origin=Origin.TRUSTED, number=2, count=2)) == ""
    assert [counted(number) for number in (1, 10, 11)] == ["first", "tenth", "11th"]


def test_names(links):
    """A leaf needs no name of its own."""
    assert named(links["root"], Role.INTERMEDIATE, owner="server") == "the intermediate 'Root' (ca.pem)"
    assert named(links["leaf"], Role.LEAF, owner="board") == "the board's certificate (first of 2 that were sent)"


def test_the_first_and_the_further_ones(links):
    """The first of a group, and all others in their order."""
    one, two, three = (
        Problem(reason=reason, role=Role.LEAF, at=links["leaf"].at, link=links["leaf"])
        for reason in (Reason.SELF_SIGNED, Reason.EXPLICIT_CURVE, Reason.NO_NAME)
    )
    reading = Reading(path=(), problems=(one, two, three))
    assert first_of(reading, {Reason.NO_NAME, Reason.EXPLICIT_CURVE}) is two
    assert first_of(reading, {Reason.HASH}) is None
    assert further(reading, two) == (f"also: {sentence(one)}", f"also: {sentence(three)}")
    assert (titled(two), titled(None)) == (sentence(two), "")
