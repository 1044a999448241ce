"""The facts of a text: signs, the side of the log, alerts and their senders, and limits."""

import time

import pytest

from harness.explain.catalogue.facts import facts_of
from harness.explain.catalogue.signs import LogSide


def signs(text):
    """Return the signs of a text with the sides of their logs."""
    return {fact.sign.id: fact.side for fact in facts_of(text).facts}


@pytest.mark.parametrize(
    "text",
    [
        "TLSv1.2 61 Alert (Level: Fatal, Description: Handshake Failure)",
        "Received fatal alert: handshake_failure",
        "remote error: tls: handshake failure",
        "sslv3 alert handshake failure",
        "ssl/tls alert handshake failure",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "SSL alert number 40",
        "got an alert message, type: [2:40]",
        "received CLIENT ALERT: Fatal - Handshake Failure",
        "handshake failure",
        "error:14094410:lib(20)::reason(1040)",
    ],
)
def test_a_alerts_in_every_wording(text):
    """a: Wireshark, Java, Go, OpenSSL 1 to 4, mbedTLS's debug output, Erlang, plain words and packed codes name the same alert."""
    assert "alert-handshake-failure" in signs(text)


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("nginx: sslv3 alert bad certificate", LogSide.SERVER),
        ("curl: sslv3 alert bad certificate", LogSide.CLIENT),
        ("esp-tls: got an alert message, type: [2:42]", LogSide.BOARD),
        ("ssl_tls.c: send alert level=2 message=42", LogSide.SERVER),
        ("TLS server: generated SERVER ALERT: Fatal - Bad Certificate", LogSide.CLIENT),
        ("Alert (Level: Fatal, Description: Bad Certificate)", LogSide.UNKNOWN),
    ],
)
def test_the_side_that_received_an_alert(text, side):
    """A log's own side received an alert, unless the line says that it sent it."""
    assert signs(text)["alert-bad-certificate"] is side


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("unexpected eof while reading", "client-left"),
        ("legacy sigalg disallowed or unsupported", "legacy-signature"),
        ("[SSL: CA_KEY_TOO_SMALL] ca key too small", "ca-key-too-short"),
        ("[EVP: BAD_DECRYPT] bad decrypt", "bad-password"),
        ("[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found", "ca-file-empty"),
        ("ssl.SSLError: [X509] PEM lib (_ssl.c:4293)", "pem-lib"),
        ("bad key share", "no-key-share"),
        ("unknown protocol", "not-a-tls-record"),
        ("no application protocol", "alert-no-application-protocol"),
        ("record layer failure", "damaged-record"),
        ("unknown error (_ssl.c:3622)", "ca-file-empty"),
        ("400 No required SSL certificate was sent", "no-client-certificate"),
        ('Unable to load server certificate "x"', "pem-lib"),
        ('Unable to load server key file "x"', "pem-lib"),
        ("umqtt.simple2.MQTTException: 30", "mqtt-time-out"),
        ("Wifi Internal Error", "wifi-busy"),
        ("MemoryError:", "out-of-memory"),
    ],
)
def test_a_b_wordings_without_brackets(text, sign):
    """a, b: every wording that was not recognised before."""
    assert sign in signs(text)


def test_d_a_callback_is_not_always_the_server_name_callback():
    """d: `callback failed` counts in OpenSSL's words only."""
    assert "callback-failed" not in signs(
        "X509 - A fatal error occurred, eg the chain is too long or the vrfy callback failed"
    )
    assert "callback-failed" in signs("[SSL: CALLBACK_FAILED] callback failed (_ssl.c:1006)")
    assert "callback-failed" in signs("error:0A0000EA:SSL routines::callback failed")


@pytest.mark.parametrize(
    ("size", "reading", "plain"),
    [
        (
            20527,
            "record size 20527: no TLS record is that long; as text it is 'P/' of HTTP/1.1; the peer speaks plain text",
            True,
        ),
        (18433, "record size 18433: no TLS record is that long; the peer speaks plain text", True),
        (18432, "record size 18432: a real record larger than the client's buffer", False),
        (
            8307,
            "record size 8307: a real record larger than the client's buffer, or plain text (' s', as in '220 ...' of SMTP)",
            False,
        ),
        (5296, "record size 5296: a real record larger than the client's buffer", False),
        (12593, "record size 12593: a real record larger than the client's buffer", False),
    ],
)
def test_g_record_sizes(size, reading, plain):
    """g: two printable bytes are no proof of plain text; a size that no record can have is."""
    found = facts_of(f"TLS buffer overflow, record size: {size} (+5)")
    assert found.readings == (reading,)
    assert ("impossible-record-size" in {fact.sign.id for fact in found.facts}) is plain


@pytest.mark.parametrize(
    ("text", "sign", "corrections"),
    [
        ("no shared chiper", "no-shared-cipher", (("chiper", "cipher"),)),
        ("NO_SHARED_CIPER", "no-shared-cipher", (("CIPER", "CIPHER"),)),
        ("OSErrro: -202", "name-lookup", (("OSErrro", "OSError"),)),
        ("OSError: (-30952, ...)", "fatal-alert", (("-30952", "-30592"),)),
        ("no shared cipher", "no-shared-cipher", ()),
        ("no shared cipher, says my freind", "no-shared-cipher", ()),
    ],
)
def test_i_typing_errors(text, sign, corrections):
    """i: a word or number with one typing error is read, and the answer says so; words that complete nothing are left alone."""
    found = facts_of(text)
    assert sign in {fact.sign.id for fact in found.facts}
    assert found.corrections == corrections


def test_i_a_number_with_a_name_is_no_typing_error():
    """A number that a library has is left alone, also where no sign knows it."""
    found = facts_of("OSError: -21376")
    assert (found.corrections, found.facts) == ((), ())
    assert found.readings == ("-21376 = -0x5380 is MBEDTLS_ERR_PKCS7_FEATURE_UNAVAILABLE in mbedTLS 3.6",)


def test_only_the_beginning_of_a_long_text_counts():
    """A sign after the limit is not read."""
    assert "no-shared-cipher" in signs("x" * 19980 + " NO_SHARED_CIPHER")
    assert signs("x" * 20000 + " NO_SHARED_CIPHER") == {}


def test_plain_words_are_no_alerts():
    """Names of alerts that are ordinary words count only with a word such as `alert` or `fatal` before them."""
    assert signs("HTTP 500: internal error; access denied; protocol version 2") == {}
    assert set(signs("fatal alert: internal error")) == {"alert-internal-error"}


def test_axtls_says_more_than_an_alert():
    """Alert 40 on axTLS has one reason, so the general sign of the alert does not count."""
    assert set(signs("OSError: -40")) == {"axtls-alert-40"}
    assert set(signs("OSError: -48")) == {"alert-unknown-ca"}


def test_esp_idf_and_other_programs():
    """The same number in esp-idf, in another C program, and from MicroPython has different signs."""
    assert set(signs("E (1) esp-tls: returned -0x7780")) == {"fatal-alert-idf"}
    assert set(signs("mbedtls_ssl_read returned -0x7780")) == {"fatal-alert"}
    assert set(signs("OSError: -30592")) == {"fatal-alert"}
    assert set(signs("mbedtls_ssl_read returned -0x7200")) == {"invalid-record-mcu"}
    assert set(signs("OSError: -29184")) == {"invalid-record"}


@pytest.mark.parametrize(
    "text",
    [
        "OSError: -1 ",
        "error ",
        "a-",
        "(",
        "no shared ",
        "1.2.3.",
        "error:",
        "alert fatal ",
        "x",
        "\n",
        "Exception a ",
        "OSError ",
        "host=",
    ],
)
def test_bounded(text):
    """Hostile text of any length takes the time of its first 20000 characters, in which every pattern is linear."""
    started = time.process_time()
    facts_of(text * (1_000_000 // len(text)))
    assert time.process_time() - started < 10
