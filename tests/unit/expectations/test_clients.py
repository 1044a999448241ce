"""Facts about a client's TLS library: from captured ClientHellos and texts of real firmware, never from a version number."""

from __future__ import annotations

import json
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from harness.expectations.clients import (
    broken_hashes,
    certificate_alert,
    checks_dates,
    gave_up,
    has_full_configuration,
    is_axtls,
    is_before,
    is_mbedtls_2,
    is_mbedtls_2_16,
    left_silently,
    library_version,
    noticed_bad_record,
    offers_tls13,
    received_alert,
    refused_by_client,
    refuses_certificate,
    refuses_own_settings,
)
from harness.model import BoardInfo, ServerFacts, Side, Stage
from harness.wire.alerts import alert_code, alert_name
from harness.wire.handshake import read_client_hello
from harness.wire.mbedtls_numbers import X509_CERT_VERIFY_FAILED

DATA = json.loads((Path(__file__).parents[2] / "data" / "client_hellos.json").read_text())["hellos"]
HELLOS = {name: read_client_hello(bytes.fromhex(entry["hex"])) for name, entry in DATA.items()}
SERVER = ServerFacts(python="3.11.7", openssl="OpenSSL 3.0.19", openssl_number=0x30000130, suites=())
# 2026-11-23 12:00:00 UTC, and the same time in seconds since 2000-01-01, as rp2 and esp32 count.
NOW, NOW_2000 = 0x6B042AC0, 0x6B042AC0 - 946684800
NEW_API = ("tls.SSLContext.load_verify_locations",)


def board(hello="1.23.0-stm32", *, random=None, **facts):
    """Return a board with a captured ClientHello and other facts."""
    sent = HELLOS[hello] if random is None else replace(HELLOS[hello], random=random)
    return BoardInfo(**{"hello": sent, "hello_unix_s": NOW, **facts})


def distribution(**facts):
    """A board with a distribution's mbedTLS: TLS 1.3 and the extended master secret."""
    sent = replace(HELLOS["1.23.0-stm32"], versions=("0304", "0303"), extensions=(0, 23, 43))
    return BoardInfo(hello=sent, hello_unix_s=NOW, **facts)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("mbed TLS 2.28.3", (2, 28, 3)),
        ("Mbed TLS 3.6.6", (3, 6, 6)),
        ("mbedTLS 3.0", (3, 0)),
        ("axTLS", None),
        (None, None),
    ],
)
def test_the_library_s_own_text(text, version):
    """The version is read from the library's own text, in the spellings of its releases."""
    assert library_version(BoardInfo(tls_version=text)) == version


@pytest.mark.parametrize(
    ("hello", "library", "second"),
    [
        ("1.19.1-stm32", "mbedTLS", True),
        ("1.20.0-stm32", "mbedTLS", True),
        ("1.20.0-rp2", "mbedTLS", True),
        ("1.23.0-stm32", "mbedTLS", False),
        ("1.20.0-axtls", "axTLS", False),
    ],
)
def test_mbedtls_2_shows_in_the_first_record(hello, library, second):
    """The version of its first record distinguishes firmware without a version text; axTLS is neither."""
    info = board(hello, tls_library=library)
    assert is_mbedtls_2(info) is second
    assert is_axtls(info) is (library == "axTLS")


def test_the_text_takes_precedence_over_the_record():
    """The record only permits a conclusion, the text is the library's own."""
    assert is_mbedtls_2(board("1.20.0-stm32", tls_version="Mbed TLS 3.6.6")) is False
    assert is_mbedtls_2(board("1.23.0-stm32", tls_version="mbed TLS 2.28.1")) is True


@pytest.mark.parametrize(
    ("text", "before"),
    [("Mbed TLS 3.6.2", True), ("Mbed TLS 3.6.3", False), ("mbed TLS 2.28.10", True), ("Mbed TLS 4.0.0", False)],
)
def test_versions_are_compared_as_numbers(text, before):
    """Versions such as 3.6.3 and 2.28.10 are compared by their numbers."""
    assert is_before(board(tls_version=text), 3, 6, 3) is before


def test_a_silent_mbedtls_is_an_old_one():
    """Only firmware older than `MBEDTLS_VERSION` has no text; axTLS and a board without a ClientHello do not count as mbedTLS."""
    assert is_before(board("1.23.0-stm32", tls_library="mbedTLS"), 3, 5) is True
    assert is_before(board("1.20.0-axtls", tls_library="axTLS"), 3, 5) is False
    assert is_before(BoardInfo(), 3, 5) is False
    assert is_mbedtls_2(BoardInfo()) is False


def test_a_distribution_shows_in_the_hello():
    """It has TLS 1.3 in supported_versions, or the extended master secret, which MicroPython's configuration omits."""
    assert [(offers_tls13(each), has_full_configuration(each)) for each in (distribution(), board(), BoardInfo())] == [
        (True, True),
        (False, False),
        (False, False),
    ]


@pytest.mark.parametrize(
    ("info", "checks"),
    [
        (board(random=f"{NOW:08x}" + "11" * 28), True),
        (board(random=f"{NOW_2000:08x}" + "11" * 28), True),
        (board(random=f"{NOW - 3600:08x}" + "11" * 28), True),
        (board(random=f"{0x12345678:08x}" + "11" * 28), False),
        (board(random=f"{NOW - 10**8:08x}" + "11" * 28, clock_unix_s=NOW - 10**8 + 5), True),
        (board(random="", tls_library="mbedTLS"), True),
        (board(random="12345678" + "11" * 28, hello_unix_s=None), True),
        (BoardInfo(tls_library="axTLS"), False),
    ],
    ids=["unix", "2000", "an hour off", "random", "own clock", "no random", "unknown time", "axTLS"],
)
def test_a_clock_shows_in_the_random(info, checks):
    """The first four bytes may be a clock of either epoch, the machine's or the board's; without a ClientHello mbedTLS has one."""
    assert checks_dates(info) is checks


@pytest.mark.parametrize(
    ("hello", "refuses", "checks"),
    [("esp32", None, True), ("esp32", True, True), ("esp32", False, False), ("common", False, True)],
)
def test_a_clock_of_esp_idf_needs_an_expired_certificate(hello, refuses, checks):
    """ESP-IDF 4 and 5 have a clock and may check no dates, so the answer of the board counts; MicroPython's configuration sets both."""
    info = board(random=f"{NOW:08x}" + "11" * 28, refuses_expired=refuses)
    if hello == "esp32":
        info = replace(info, hello=replace(info.hello, extensions=(0, 10, 11, 13, 22, 23, 35)))
    assert checks_dates(info) is checks


@pytest.mark.parametrize("alerts", [None, False, True])
@pytest.mark.parametrize(("record", "version_2"), [("0301", True), ("0303", False)])
def test_mbedtls_2_16_is_asked(alerts, record, version_2):
    """Only an mbedTLS 2 that answered an unknown record with an alert is a 2.16."""
    sent = replace(HELLOS["1.23.0-stm32"], record_version=record)
    assert is_mbedtls_2_16(BoardInfo(hello=sent, alerts_unknown_record=alerts)) is (version_2 and alerts is True)


def test_tls13_shows_no_clock():
    """In RFC 8446 section 4.1.2 all 32 bytes are random, so they show no clock."""
    assert checks_dates(distribution()) is True


# ------------------------------------------------------------------------------------------------ what a server sees


@pytest.fixture(scope="module")
def material(certificates):
    """Return a certificate for a real server."""
    return certificates.make("server-p256")


def openssl_reason(material, code):
    """Return the name in Python's ssl of a fatal alert instead of the client's second flight; None if it has no name."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(material.chain_file, material.key_file)
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_side.check_hostname, client_side.verify_mode = False, ssl.CERT_NONE
    client_side.maximum_version = ssl.TLSVersion.TLSv1_2
    incoming, hello = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(ssl.MemoryBIO(), hello)
    server = server_side.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    incoming.write(hello.read())
    with pytest.raises(ssl.SSLWantReadError):
        server.do_handshake()
    incoming.write(bytes((21, 3, 3, 0, 2, 2, code)))
    with pytest.raises(ssl.SSLError) as caught:
        server.do_handshake()
    return caught.value.reason


# close_notify ends a stream and is not a refusal.
NAMED = [code for code in range(1, 256) if alert_code(alert_name(code)) is not None]


@pytest.mark.parametrize("code", NAMED, ids=alert_name)
def test_the_reason_of_a_received_alert(material, code):
    """`SSLError.reason` is spelled as in this OpenSSL, both by number and by name."""
    reason = openssl_reason(material, code)
    if reason is None:
        pytest.skip("this Python's ssl module has no name for it")
    assert received_alert(code) == received_alert(alert_name(code)) == reason


def test_clients_with_and_without_an_alert():
    """With an alert the server names it; without one it sees the end of the stream; a peer that is not a TLS server sees nothing."""
    loud = refused_by_client(client=-1, alert="illegal_parameter")
    assert (loud.server_reason, loud.alert.name, loud.ended_by) == (
        "SSLV3_ALERT_ILLEGAL_PARAMETER",
        "illegal_parameter",
        Side.CLIENT,
    )
    assert refused_by_client(client=-1, alert="decode_error", server="OTHER").server_reason == "OTHER"
    silent = left_silently(-2)
    assert (silent.server_type, silent.server_reason, silent.no_alert) == (
        "SSLEOFError",
        "UNEXPECTED_EOF_WHILE_READING",
        True,
    )
    nobody = gave_up(-3)
    assert (nobody.no_server_error, nobody.no_alert, nobody.client_number) == (True, True, -3)
    assert gave_up(-3, alert="decode_error").alert.sender is Side.CLIENT


@pytest.mark.parametrize(
    ("flags", "alert"),
    [
        (("expired", "cn_mismatch"), "bad_certificate"),
        (("cn_mismatch", "other"), "access_denied"),
        (("not_trusted", "expired"), "certificate_expired"),
        (("not_trusted", "bad_key"), "unsupported_certificate"),
        (("not_trusted",), "unknown_ca"),
        (("future",), "certificate_unknown"),
    ],
)
def test_one_alert_for_several_reasons(flags, alert):
    """mbedTLS sends one alert; the library's own order decides which of several reasons it names."""
    assert certificate_alert(flags) == certificate_alert(flags[::-1]) == alert


def test_a_refused_certificate_by_api():
    """Since `load_verify_locations` exists, a ValueError has the reasons; before, one number covers all."""
    rule = refuses_certificate("not_trusted", "expired")
    clock = f"{NOW:08x}" + "11" * 28
    new, old = rule(board(random=clock, api=NEW_API), SERVER), rule(board(random=clock), SERVER)
    assert (new.client_type, new.client_flags, new.client_number) == ("ValueError", ("expired", "not_trusted"), None)
    assert (old.client_type, old.client_flags, old.client_number) == ("OSError", None, X509_CERT_VERIFY_FAILED)
    assert new.server_reason == old.server_reason == "SSLV3_ALERT_CERTIFICATE_EXPIRED"


def test_a_client_without_a_clock():
    """Dates are removed from the reasons; if they are the only reason the expectation is kept, so that accepting is insecure."""
    blind = board(random="00000000" + "11" * 28, api=NEW_API)
    both = refuses_certificate("not_trusted", "expired")(blind, SERVER)
    assert (both.client_flags, both.alert.name) == (("not_trusted",), "unknown_ca")
    only = refuses_certificate("expired")(blind, SERVER)
    assert (only.client_flags, only.alert.name) == (("expired",), "certificate_expired")
    assert "MBEDTLS_HAVE_TIME_DATE" in only.note


def test_own_settings_are_refused_before_the_wire():
    """The stage is `config`: without a ClientHello the server and the wire have no error."""
    expected = refuses_own_settings(client=-5)
    assert (expected.stage, expected.ended_by, expected.client_number) == (Stage.CONFIG, Side.CLIENT, -5)
    assert (expected.no_server_error, expected.no_alert) == (True, True)


def test_hashes_that_differ():
    """With RFC 7627 the keys depend on the hash, so the server cannot decrypt Finished. Without it Finished decrypts and is wrong."""
    with_ems, without = broken_hashes(distribution(), SERVER), broken_hashes(board(), SERVER)
    assert (with_ems.server_reason, with_ems.alert.name) == ("DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "bad_record_mac")
    assert (without.server_reason, without.alert.name) == ("DIGEST_CHECK_FAILED", "decrypt_error")
    assert {with_ems.ended_by, without.ended_by} == {Side.SERVER}


def test_a_bad_record_is_an_error_for_all_clients():
    """Every client stops reading with the same number; only builds with all alerts send one."""
    loud, silent = noticed_bad_record(distribution(), SERVER), noticed_bad_record(board(), SERVER)
    assert (loud.stage, loud.client_number) == (silent.stage, silent.client_number) == (Stage.READ, -0x7180)
    assert loud.alert.name == "bad_record_mac"
    assert silent.no_alert is True
