"""What a case needs, decided by probed facts."""

import pytest

from harness.expectations.needs import (
    CHECKS_CERTIFICATES,
    LEGACY_WRAP_SOCKET,
    LOADS_CLIENT_CERTIFICATE,
    OFFERS_ECDHE_ECDSA,
    OFFERS_ECDHE_RSA,
    OFFERS_TLS_RSA,
    READS_DER_ONLY,
    can_offer_exactly,
    unmet,
)
from harness.model import BoardInfo, HelloFacts

ECDHE_ECDSA, ECDHE_RSA, TLS_RSA, TLS13 = "c02b", "c02f", "003c", "1301"


def info(*suites, **facts):
    """A board that offers these suites."""
    hello = HelloFacts(
        record_version="0303",
        versions=("0303",),
        suites=suites,
        groups=(),
        signature_algorithms=(),
        extensions=(),
        sni=None,
    )
    return BoardInfo(hello=hello, **facts)


@pytest.mark.parametrize(
    ("suites", "expected"),
    [
        ((ECDHE_ECDSA,), (True, False, False)),
        ((ECDHE_RSA,), (False, True, False)),
        ((TLS_RSA,), (False, False, True)),
        ((TLS13,), (True, True, False)),
        (("ffff", "00ff"), (False, False, False)),
    ],
)
def test_offers(suites, expected):
    """Offers are read from the ClientHello; unknown suites do not count; TLS 1.3 suites work with any key."""
    needs = (OFFERS_ECDHE_ECDSA, OFFERS_ECDHE_RSA, OFFERS_TLS_RSA)
    assert tuple(need.met(info(*suites), {}) for need in needs) == expected


def test_nothing_known():
    """Before the first ClientHello the need counts as met."""
    assert all(need.met(BoardInfo(), {}) for need in (OFFERS_ECDHE_ECDSA, OFFERS_ECDHE_RSA, OFFERS_TLS_RSA))


def test_can_offer_exactly():
    """A client that can be restricted, or one that offers nothing else; the SCSV 00ff is no suite."""
    need = can_offer_exactly(("TLS_RSA_WITH_AES_128_CBC_SHA256",))
    assert need.met(info(ECDHE_RSA, api=("tls.SSLContext.set_ciphers",)), {})
    assert need.met(info(TLS_RSA, "00ff"), {})
    assert not need.met(info(TLS_RSA, ECDHE_RSA), {})
    assert not need.met(info("00ff"), {})
    assert not need.met(BoardInfo(), {})


def test_api():
    """Functions that were found on the board."""
    new = BoardInfo(api=("tls.SSLContext.load_verify_locations", "tls.SSLContext.load_cert_chain"))
    assert CHECKS_CERTIFICATES.met(new, {})
    assert LOADS_CLIENT_CERTIFICATE.met(new, {})
    assert not CHECKS_CERTIFICATES.met(BoardInfo(), {})
    assert not LOADS_CLIENT_CERTIFICATE.met(BoardInfo(), {})


@pytest.mark.parametrize(("reads", "expected"), [(None, False), (True, False), (False, True)])
def test_der_only(reads, expected):
    """Only a board that was seen to refuse PEM refuses PEM."""
    assert READS_DER_ONLY.met(BoardInfo(reads_pem=reads), {}) is expected


def test_server_need():
    """A need may be the server's."""
    assert LEGACY_WRAP_SOCKET.met(BoardInfo(), {"has_wrap_socket": True})
    assert not LEGACY_WRAP_SOCKET.met(BoardInfo(), {})


def test_unmet():
    """The first one that is missing is named; none is None."""
    board = info(ECDHE_RSA)
    assert unmet((OFFERS_ECDHE_RSA, OFFERS_ECDHE_ECDSA, OFFERS_TLS_RSA), board, {}) is OFFERS_ECDHE_ECDSA
    assert unmet((OFFERS_ECDHE_RSA,), board, {}) is None
    assert unmet((), BoardInfo(), {}) is None
