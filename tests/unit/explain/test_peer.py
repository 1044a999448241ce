"""Peers that are not proper TLS servers: each rule matches only its own failure and gives the stored text."""

import dataclasses

import pytest

from harness.explain import candidates
from harness.model import Alert, ClientPlan, ServerProfile, Side
from harness.wire.insistence import Addition, Insistence
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


ALERT = Alert(sender="server", level="fatal", code=40, name="handshake_failure")


def insisting(result, *additions, **words):
    """Return the evidence with what the server insists on."""
    return dataclasses.replace(result, insists=Insistence(additions=additions, **words))


def test_alpn_required(made, stored):
    """A server that closes without ALPN (tests/real_servers has a real one)."""
    stored("peer/alpn-required", insisting(made("OSError", -29312, by=Side.SERVER), Addition.ALPN, alpn="mqtt"))


def test_more_required(made, stored):
    """A server that signs with RSA-PSS only; the alert alone would say less."""
    result = made("OSError", -30592, by=Side.SERVER, alerts=(ALERT,))
    stored("peer/more-required", insisting(result, Addition.SIGNATURES, signature="rsa_pss_rsae_sha256"))


@pytest.mark.parametrize(
    ("additions", "rule", "fixes"),
    [
        ((Addition.GROUPS,), "peer/more-required", ["let the server use P-256 for the key exchange"]),
        (
            (Addition.EXTENDED_MASTER_SECRET,),
            "peer/more-required",
            [
                "let the server accept clients without extended_master_secret (RFC 7627): servers in FIPS mode require it",
            ],
        ),
        (
            (Addition.GROUPS, Addition.SIGNATURES),
            "peer/more-required",
            [
                "let the server use P-256 for the key exchange",
                "let the server sign with ECDSA or RSA PKCS#1 and SHA-256, too",
            ],
        ),
        (
            (Addition.ALPN, Addition.GROUPS),
            "peer/alpn-required",
            [
                "connect to a port that needs no ALPN: 8883 for MQTT (AWS IoT requires it on 443 only)",
                "let the server accept clients without it",
            ],
        ),
    ],
)
@pytest.mark.parametrize(
    "result",
    [
        {"kind": "OSError", "number": -30592, "alerts": (ALERT,)},
        {"kind": "OSError", "number": 104},
        {"kind": "OSError", "number": -29312},
    ],
    ids=["alert", "reset", "closed"],
)
def test_each_requirement(made, additions, rule, fixes, result):
    """However the server refused, exactly one rule matches, and its fixes fit what is required."""
    kind, number, alerts = result["kind"], result["number"], result.get("alerts", ())
    (said,) = candidates(insisting(made(kind, number, by=Side.SERVER, alerts=alerts), *additions))
    assert (said.rule, [fix.title for fix in said.fixes]) == (rule, fixes)
    assert said.why[0] == f"this machine sent what the board sends: refused; accepted with {' and '.join(additions)}"
