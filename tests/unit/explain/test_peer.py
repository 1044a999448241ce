"""Peers that are not proper TLS servers: each rule matches only its own failure and gives the stored text."""

import dataclasses

from harness.explain import candidates
from harness.model import Alert, ClientPlan, ServerProfile, Side
from harness.wire.reading import WireReading


def test_pre_shared_key_differs(made, stored):
    """Different PSKs: the server cannot read the first encrypted record (invented: PSK needs Python 3.13)."""
    plan = ClientPlan(psk_identity="board-1", psk_key="00" * 16)
    failure = {"type": "SSLError", "reason": "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"}
    stored("peer/pre-shared-key-differs", made("OSError", -30592, by=Side.SERVER, server=failure, client=plan))


def test_plain_text_to_axtls(made):
    """axTLS prints the first bytes as a size; only the explanation for axTLS decodes it."""
    info = made.board("1.22.0", tls_library="axTLS", platform="esp8266")
    wire = WireReading(server_plain=b"HTTP/1.1 400 Bad Request")
    said = candidates(made("OSError", -257, "RECORD_OVERFLOW", info=info, wire=wire))
    assert [item.rule for item in said] == ["peer/plain-text"]
    assert any("20527 is 0x502F" in line for line in said[0].why)


def test_ciphertext_read_as_plaintext(made):
    """Without ChangeCipherSpec, mbedTLS before 3.6.3 takes the Finished for a message that spans records; the table says so."""
    profile = ServerProfile(behaviour={"name": "tampered.ccs-missing"})
    result = made("OSError", -28800, profile=profile, info=made.board("1.24.0", hello=made.hello))
    result.case = dataclasses.replace(result.case, id="tampered/ccs-missing")
    (said,) = candidates(result)
    assert said.rule == "peer/broken-messages"
    assert said.why[2:] == ("the encrypted Finished, read as plaintext, seems to span records",)


def test_only_handshake_failure_means_no_shared_cipher(made):
    """An alert with another code says nothing about suites."""
    for code, name, count in ((40, "handshake_failure", 2), (255, "unknown(255)", 1)):
        alert = Alert(sender="server", level="fatal", code=code, name=name)
        (said,) = candidates(made("OSError", -30592, by=Side.SERVER, alerts=(alert,)))
        assert (said.rule, len(said.why)) == ("peer/alert-only", count)
