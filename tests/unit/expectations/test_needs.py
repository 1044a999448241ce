"""The needs of a case, decided by probed facts."""

import pytest

from harness.expectations.needs import (
    CHECKS_CERTIFICATES,
    LEGACY_WRAP_SOCKET,
    LIMITS_HEAP,
    LOADS_CLIENT_CERTIFICATE,
    OFFERS_ECDHE_ECDSA,
    OFFERS_ECDHE_RSA,
    OFFERS_RSA,
    OFFERS_TLS_RSA,
    READS_DER_ONLY,
    READS_EC_KEYS,
    SETS_CLOCK,
    can_offer_exactly,
    has_one_of,
    unmet,
)
from harness.model import BoardInfo, HelloFacts

ECDHE_ECDSA, ECDHE_RSA, TLS_RSA, TLS13 = "c02b", "c02f", "003c", "1301"


def info(*suites, **facts):
    """Return a board that offers these suites."""
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
        ((ECDHE_ECDSA,), (True, False, False, False)),
        ((ECDHE_RSA,), (False, True, False, True)),
        ((TLS_RSA,), (False, False, True, True)),
        ((TLS13,), (True, True, False, True)),
        (("ffff", "00ff"), (False, False, False, False)),
    ],
)
def test_offers(suites, expected):
    """Offers are read from the ClientHello; unknown suites do not count; TLS 1.3 suites work with any key."""
    needs = (OFFERS_ECDHE_ECDSA, OFFERS_ECDHE_RSA, OFFERS_TLS_RSA, OFFERS_RSA)
    assert tuple(need.met(info(*suites), {}) for need in needs) == expected


def test_nothing_known():
    """Before the first ClientHello the need counts as met."""
    assert all(need.met(BoardInfo(), {}) for need in (OFFERS_ECDHE_ECDSA, OFFERS_ECDHE_RSA, OFFERS_TLS_RSA))


def test_can_offer_exactly():
    """The need is met by a client that can be restricted, or one that offers nothing else; the SCSV 00ff is not a suite."""
    need = can_offer_exactly(("TLS_RSA_WITH_AES_128_CBC_SHA256",))
    assert need.met(info(ECDHE_RSA, api=("tls.SSLContext.set_ciphers",)), {})
    assert need.met(info(TLS_RSA, "00ff"), {})
    assert not need.met(info(TLS_RSA, ECDHE_RSA), {})
    assert not need.met(info("00ff"), {})
    assert not need.met(BoardInfo(), {})


@pytest.mark.parametrize(
    ("board", "expected"),
    [
        (info(TLS_RSA, suites=("TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256", "TLS-PSK-WITH-AES-128-GCM-SHA256")), True),
        (info(ECDHE_RSA, suites=("TLS-RSA-WITH-AES-128-CBC-SHA256",)), False),
        (info(ECDHE_RSA), True),
        (info(TLS_RSA, ECDHE_ECDSA), False),
        (BoardInfo(), True),
    ],
)
def test_f16_has_one_of(board, expected):
    """get_ciphers() decides whether the firmware has one of the suites, else its ClientHello; if both are unknown, the case runs."""
    need = has_one_of(("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"))
    assert need.met(board, {}) is expected
    assert need.reason == (
        "this firmware was built with none of the cipher suites TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"
    )


def test_f16_a_long_list_of_suites():
    """The reason names three suites. A misspelled name does not count as a missing suite: the request refuses it."""
    suites = tuple(
        f"TLS_RSA_WITH_{cipher}" for cipher in ("AES_128_CBC_SHA", "AES_256_CBC_SHA", "NULL_SHA", "NULL_MD5")
    )
    need = has_one_of(suites)
    assert need.reason.endswith(
        "TLS_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_256_CBC_SHA, TLS_RSA_WITH_NULL_SHA and 1 more"
    )
    assert not need.met(info(ECDHE_RSA), {})
    assert has_one_of((*suites, "best")).met(info(ECDHE_RSA), {})


def test_api():
    """Needs depend on the functions that were found on the board."""
    new = BoardInfo(api=("tls.SSLContext.load_verify_locations", "tls.SSLContext.load_cert_chain"))
    assert CHECKS_CERTIFICATES.met(new, {})
    assert LOADS_CLIENT_CERTIFICATE.met(new, {})
    assert not CHECKS_CERTIFICATES.met(BoardInfo(), {})
    assert not LOADS_CLIENT_CERTIFICATE.met(BoardInfo(), {})


@pytest.mark.parametrize(("reads", "expected"), [(None, False), (True, False), (False, True)])
def test_der_only(reads, expected):
    """Only a board that has refused PEM counts as one that refuses PEM."""
    assert READS_DER_ONLY.met(BoardInfo(reads_pem=reads), {}) is expected


@pytest.mark.parametrize(("reads", "expected"), [(None, True), (True, True), (False, False)])
def test_ec_keys(reads, expected):
    """Only a board that has refused an EC key counts as one that reads none."""
    assert READS_EC_KEYS.met(BoardInfo(reads_ec_keys=reads), {}) is expected


@pytest.mark.parametrize(("sets", "expected"), [(None, True), (True, True), (False, False)])
def test_settable_clock(sets, expected):
    """Only a board whose clock was tried and did not change counts as one without an RTC."""
    assert SETS_CLOCK.met(BoardInfo(sets_clock=sets), {}) is expected


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("rp2", True),
        ("pyboard", True),
        ("esp8266", True),
        ("esp32", False),
        ("linux", False),
        ("darwin", False),
        ("", False),
    ],
)
def test_heap_limit(platform, expected):
    """TLS uses malloc on a hosted port, and ESP-IDF's heap on an ESP32: there a full heap of MicroPython says nothing about TLS."""
    assert LIMITS_HEAP.met(BoardInfo(platform=platform), {}) is expected


def test_server_need():
    """A need may apply to the server."""
    assert LEGACY_WRAP_SOCKET.met(BoardInfo(), {"has_wrap_socket": True})
    assert not LEGACY_WRAP_SOCKET.met(BoardInfo(), {})


def test_unmet():
    """The first missing one is named; if none is missing the result is None."""
    board = info(ECDHE_RSA)
    assert unmet((OFFERS_ECDHE_RSA, OFFERS_ECDHE_ECDSA, OFFERS_TLS_RSA), board, {}) is OFFERS_ECDHE_ECDSA
    assert unmet((OFFERS_ECDHE_RSA,), board, {}) is None
    assert unmet((), BoardInfo(), {}) is None
