"""Builders of expectations."""

import pytest

from harness.expectations.builders import after_negotiation, connected, fatal_alert_number, refused, with_end_of_stream
from harness.model import BoardInfo, ExpectedAlert, Outcome, ServerFacts, Side, Stage


def test_connected():
    """A session requires that neither side has an error and no alert is sent; other fields are open."""
    wanted = connected(version="TLSv1.2", suite="X", group="secp256r1")
    assert (wanted.outcome, wanted.version, wanted.suite, wanted.group) == (
        Outcome.CONNECTED,
        "TLSv1.2",
        "X",
        "secp256r1",
    )
    assert (wanted.no_server_error, wanted.no_client_error, wanted.no_alert) == (True, True, True)


def test_refused_by_the_server():
    """Types follow from reason and number; the alert is the ender's."""
    wanted = refused(by="server", server="NO_SHARED_CIPHER", alert="handshake_failure", client=-30592)
    assert (wanted.stage, wanted.ended_by) == (Stage.HANDSHAKE, Side.SERVER)
    assert (wanted.server_type, wanted.client_type, wanted.client_number) == ("SSLError", "OSError", -30592)
    assert wanted.alert == ExpectedAlert(sender=Side.SERVER, code=40, name="handshake_failure")
    assert (wanted.no_server_error, wanted.no_client_error, wanted.no_alert) == (False, False, False)


def test_refused_by_the_client():
    """Verification reasons are a set: their order does not count."""
    wanted = refused(by=Side.CLIENT, server="TLSV1_ALERT_UNKNOWN_CA", alert=48, flags=("not_trusted", "expired"))
    assert (wanted.client_type, wanted.client_flags) == ("ValueError", ("expired", "not_trusted"))


def test_a_side_that_is_not_named_has_no_error():
    """A side that is not named must have no error, unless a race is cited."""
    strict = refused(by="server", stage="config", server="EE_KEY_TOO_SMALL")
    assert (strict.no_client_error, strict.no_alert, strict.client_type) == (True, True, None)
    open_ = refused(by="server", server="X", open_because="the reset may overtake the alert")
    assert (open_.no_client_error, open_.no_alert) == (False, False)


@pytest.mark.parametrize(("library", "number"), [("mbedTLS", -30592), (None, -30592), ("axTLS", -40)])
def test_fatal_alert_number(library, number):
    """mbedTLS has one number for every fatal alert, axTLS the alert's own."""
    assert fatal_alert_number(BoardInfo(tls_library=library), "handshake_failure") == number


def test_after_negotiation_a_session_has_the_computed_values():
    """Version, suite and group come from the computation; a stated value stays, and so does who stated the outcome."""
    computed = connected(version="TLSv1.2", suite="TLS_RSA_WITH_AES_128_CBC_SHA", source="predicted")
    joined = after_negotiation(computed, connected(group="secp256r1"))
    assert (joined.source, joined.version, joined.suite, joined.group) == (
        "stated",
        "TLSv1.2",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "secp256r1",
    )


def test_the_end_of_the_stream_has_this_pythons_name():
    """A client that disconnects in the handshake has one of three names, by the server's Python; other errors are unchanged."""
    facts = ServerFacts(
        python="3.8.18", openssl="", openssl_number=0, suites=(), eof=("SSLZeroReturnError", "SSL_ERROR_ZERO_RETURN")
    )
    left = refused(by="client", server_type="SSLEOFError", server="UNEXPECTED_EOF_WHILE_READING", client=-28928)
    said = with_end_of_stream(left, facts)
    assert (said.server_type, said.server_reason, said.client_number) == (
        "SSLZeroReturnError",
        "SSL_ERROR_ZERO_RETURN",
        -28928,
    )
    other = refused(by="server", server="NO_SHARED_CIPHER", alert=40, client=-30592)
    assert with_end_of_stream(other, facts) == other
