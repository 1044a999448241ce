"""The chains of a result: what was sent, what is trusted, which files they are in, and what each side checks."""

import dataclasses
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from harness.certificates.chain_problems import Reason
from harness.certificates.placed import Origin, Placed, placed
from harness.explain.chain_evidence import board_rules, client_chain, own_chain, server_chain, trusted_texts
from harness.explain.evidence import Evidence
from harness.model import ClientPlan, Negotiated, ServerFacts, Verify
from harness.wire.reading import WireReading
from tests.certificate_issuer import NOW, issue

PLAN = ClientPlan(verify=Verify.REQUIRED, ca=("x",), server_hostname="tls.test")


@pytest.fixture(scope="module")
def root():
    """A CA."""
    return issue("Root", ca=True)


@pytest.fixture
def info(made):
    """A board with a clock."""
    seconds = int(NOW.timestamp())
    return made.board("1.24.0", tls_version="Mbed TLS 3.6.0", clock_unix_s=seconds, hello_unix_s=seconds)


def reasons(reading):
    """Return the reasons in order."""
    return [problem.reason for problem in reading.problems]


def test_the_wire_is_what_was_sent(made, root, info):
    """The files name the places; without a recording the server's own file counts."""
    leaf, other = issue("tls.test", root), issue("other.test", root)
    files = (
        *placed((other.der,), origin=Origin.SENT, file=Path("s.pem")),
        *placed((root.der,), origin=Origin.TRUSTED, file=Path("ca.pem")),
        *placed((b"", leaf.der), origin=Origin.NEARBY, file=Path("near.pem")),
    )
    found = server_chain(made(info=info, client=PLAN, server_places=files, wire=WireReading(certificates=(leaf.der,))))
    assert [(link.at.file, link.at.number) for link in found.path] == [("near.pem", 2), ("ca.pem", 1)]
    assert reasons(found) == []
    assert reasons(server_chain(made(info=info, client=PLAN, server_places=files))) == [Reason.OTHER_NAME]


def test_what_the_board_got_is_trusted(made, root, info):
    """Without places: the authorities that were sent to the board, DER or PEM."""
    wire = WireReading(certificates=(issue("tls.test", root).der,))
    result = made(info=info, client=PLAN, wire=wire)
    assert reasons(server_chain(result)) == [Reason.UNKNOWN_ISSUER]
    for data in (root.der, root.pem, issue("Other", ca=True).pem + root.pem):
        with_ca = Evidence(result.case, result.seen, result.info, wire=wire, authorities=(data,))
        assert reasons(server_chain(with_ca)) == []


def test_names_are_compared_only_by_a_board_that_verifies(made, root, info):
    """CERT_NONE compares none."""
    wire = WireReading(certificates=(issue("other.test", root).der,))
    trusted = placed((root.der,), origin=Origin.TRUSTED)
    for verify, expected in ((Verify.REQUIRED, [Reason.OTHER_NAME]), (Verify.OPTIONAL, []), (Verify.NONE, [])):
        plan = dataclasses.replace(PLAN, verify=verify)
        assert reasons(server_chain(made(info=info, client=plan, wire=wire, server_places=trusted))) == expected


def test_the_boards_clock_decides(made, root, info):
    """Not this machine's, which counts only where the board's is not known."""
    wire = WireReading(certificates=(issue("tls.test", root, days=(-1, 1)).der,))
    trusted = placed((root.der,), origin=Origin.TRUSTED)
    day = 86400
    for clock, here, expected in (
        (0, 0, []),
        (2 * day, 0, [Reason.EXPIRED]),
        (-2 * day, 0, [Reason.NOT_YET_VALID]),
        (0, 2 * day, []),
        (None, 2 * day, [Reason.EXPIRED]),
    ):
        known = dataclasses.replace(
            info,
            clock_unix_s=None if clock is None else info.clock_unix_s + clock,
            hello_unix_s=info.hello_unix_s + here,
        )
        assert reasons(server_chain(made(info=known, client=PLAN, wire=wire, server_places=trusted))) == expected
    unknown = dataclasses.replace(info, clock_unix_s=None, hello_unix_s=None)
    assert reasons(server_chain(made(info=unknown, client=PLAN, wire=wire, server_places=trusted))) == []


def test_what_a_board_checks(made):
    """mbedTLS 2 accepts every curve and SHA-224, and MicroPython's build no names of type IP; RSA suites need another usage."""
    new = board_rules(made(info=made.board("1.24.0", tls_version="Mbed TLS 3.6.0")))
    old = board_rules(made(info=made.board("1.22.0", tls_version="mbed TLS 2.28.3")))
    assert (new.ec_bits, new.addresses, new.key_usage, "sha224" in new.hashes) == (256, True, True, False)
    assert (old.ec_bits, old.addresses, old.key_usage, "sha224" in old.hashes) == (0, False, False, True)
    assert board_rules(made(info=made.board("1.23.0", tls_version="Mbed TLS 3.4.9"))).addresses is False
    assert (new.signatures, new.usage) == ({"RSA", "EC"}, "digitalSignature")
    hello = dataclasses.replace(made.hello, extensions=(23,))
    full = board_rules(made(info=made.board("1.22.0", tls_version="mbed TLS 2.28.3", hello=hello)))
    assert ("RSA-PSS" in full.signatures, full.key_usage) == (True, True)
    for suite, usage in (
        ("TLS_RSA_WITH_AES_128_CBC_SHA", "keyEncipherment"),
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "digitalSignature"),
    ):
        assert board_rules(made(negotiated=Negotiated(suite=suite))).usage == usage


def test_the_boards_own_chain(made, root, info):
    """OpenSSL's rules, at the server's security level, with this machine's clock; the order does not matter."""
    short = issue("board", root, key="RSA-1024", purposes=("clientAuth",))
    files = (*placed((short.der,), origin=Origin.SENT), *placed((root.der,), origin=Origin.TRUSTED))
    for level, expected in ((1, []), (2, [Reason.KEY_TOO_SHORT])):
        facts = ServerFacts(python="3", openssl="", openssl_number=0, suites=(), security_level=level)
        assert reasons(client_chain(made(info=info, client_places=files, server_facts=facts))) == expected
    late = dataclasses.replace(info, hello_unix_s=info.hello_unix_s + 400 * 86400)
    assert reasons(client_chain(made(info=late, client_places=files)))[-2:] == [Reason.EXPIRED, Reason.EXPIRED]
    sent = WireReading(client_certificates=(issue("board", root, purposes=("serverAuth",)).der,))
    assert reasons(client_chain(made(info=info, client_places=files, wire=sent))) == [Reason.PURPOSE]


def test_what_is_within_reach(made, root, info):
    """A certificate of the folder completes the chain and is not trusted."""
    inter = issue("Inter", root, ca=True)
    near = (Placed(der=inter.der, origin=Origin.NEARBY, file="i.pem"),)
    wire = WireReading(certificates=(issue("tls.test", inter).der,))
    places = (*placed((root.der,), origin=Origin.TRUSTED), *near)
    assert reasons(server_chain(made(info=info, client=PLAN, wire=wire, server_places=places))) == [Reason.MISSING]
    wire = WireReading(client_certificates=(issue("b", inter).der,))
    assert reasons(client_chain(made(info=info, wire=wire, client_places=places))) == [Reason.MISSING]


@pytest.mark.parametrize(
    ("hashed", "expected"), [(hashes.SHA256(), []), (hashes.SHA3_256(), [Reason.HASH]), (hashes.SHA224(), [])]
)
def test_a_board_that_does_not_verify(made, info, hashed, expected):
    """Only what it cannot read stops it; the chain of a board that verifies is known nevertheless."""
    wire = WireReading(certificates=(issue("tls.test", purposes=("clientAuth",), hashed=hashed).der,))
    result = made(info=info, client=ClientPlan(verify=Verify.NONE), wire=wire)
    assert reasons(server_chain(result)) == expected
    assert reasons(own_chain(result))[0] is Reason.SELF_SIGNED
    assert reasons(own_chain(result))[-1] is Reason.PURPOSE


def test_a_certificate_in_two_files(made, root, info):
    """The first place is shown."""
    leaf = issue("tls.test", root)
    files = tuple(Placed(der=leaf.der, origin=Origin.NEARBY, file=name) for name in ("a.pem", "b.pem"))
    wire = WireReading(certificates=(leaf.der,))
    assert server_chain(made(info=info, client=PLAN, wire=wire, server_places=files)).path[0].at.file == "a.pem"


def test_openssl_wants_the_root_and_no_order(made, root, info):
    """The board's chain in any order; a trusted intermediate alone is not enough."""
    upper = issue("Upper", root, ca=True)
    lower = issue("Lower", upper, ca=True)
    own = issue("board", lower, purposes=("clientAuth",))
    wire = WireReading(client_certificates=(own.der, upper.der, lower.der))
    for trusted, expected in ((root, []), (upper, [Reason.NO_ROOT])):
        places = placed((trusted.der,), origin=Origin.TRUSTED)
        assert reasons(client_chain(made(info=info, wire=wire, client_places=places))) == expected


def test_what_is_trusted(made, root):
    """Subject, dates and file; what the board does not get is not listed."""
    day = "2026-05-02 to 2027-03-28"
    places = (
        Placed(der=root.der, origin=Origin.TRUSTED, file="ca.der"),
        Placed(der=issue("Other", ca=True).der, origin=Origin.TRUSTED, file="ca.der", number=2, unused=True),
        Placed(der=b"damaged", origin=Origin.TRUSTED),
    )
    assert trusted_texts(made(server_places=places)) == (f"CN=Root, {day} (ca.der)",)
