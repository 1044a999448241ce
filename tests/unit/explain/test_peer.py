"""Peers that are no proper TLS server: each rule fits its own failure alone, and says it in the stored words."""

import pytest

from harness.model import ClientPlan, Side
from harness.wire.reading import WireReading

REAL = {
    "peer/plain-text": "not-tls/http-400",
    "peer/plain-text-in-session": "close/plaintext-after-handshake",
    "peer/fragments-too-small": "fragments/hs-records-1",
    "peer/record-too-large": "not-tls/record-too-long",
    "peer/broken-messages": "tampered/ske-missing",
    "peer/damaged-data": "tampered/appdata-bad-mac",
    "peer/wrong-signature": "tampered/sh-unsolicited-alpn",
    "peer/alert-only": "alert/handshake-failure",
    "peer/early-goodbye": "alert/close-notify-warning",
}


@pytest.mark.parametrize("rule", REAL)
def test_real(rule, real, stored):
    """What the virtual board and a real server did, explained."""
    stored(rule, real(REAL[rule]))


def test_pre_shared_key_differs(made, stored):
    """PSK with two keys: the server cannot read the first encrypted record (hand-made: Python 3.13 has PSK, this one need not)."""
    plan = ClientPlan(psk_identity="board-1", psk_key="00" * 16)
    failure = {"type": "SSLError", "reason": "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"}
    stored("peer/pre-shared-key-differs", made("OSError", -30592, by=Side.SERVER, server=failure, client=plan))


def test_plain_text_to_axtls(made):
    """axTLS prints the first bytes as a size; the line that decodes it is for axTLS only."""
    info = made.board("1.22.0", tls_library="axTLS", platform="esp8266")
    wire = WireReading(server_plain=b"HTTP/1.1 400 Bad Request")
    said = made("OSError", -257, "RECORD_OVERFLOW", info=info, wire=wire).fitting()
    assert [item.rule for item in said] == ["peer/plain-text"]
    assert any("20527 is 0x502F" in line for line in said[0].why)
