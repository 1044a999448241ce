"""Convert plain dicts of the engine to records and back: names are IANA's, and engine faults are not TLS verdicts."""

from __future__ import annotations

import base64
import json

import pytest

from harness.certificates import Certificates
from harness.errors import ServerError
from harness.model import ServerFailure, ServerProfile, Side, Stage, TcpEnd, TcpEndKind, Verify
from harness.server import Serving
from harness.server.engine.engine_jobs import Job
from harness.server.engine_records import (
    EngineAdapter,
    description_of,
    facts_of,
    failure_of,
    report_of,
    settings_of,
    start_of,
)

FACTS = {
    "python": "3.8.18",
    "openssl": "OpenSSL 3.0.19 27 Jan 2026",
    "openssl_number": 0x300000130,
    "suites": [[0x1301, "TLSv1.3", "TLS_AES_128_GCM_SHA256"]],
    "minimum_version": None,
    "maximum_version": "TLSv1.2",
    "groups": ["prime256v1", "X25519"],
    "found": None,
    "security_level": None,
    "eof": ["SSLEOFError", "UNEXPECTED_EOF_WHILE_READING"],
    "checks_own_signature": False,
    "server_preference": False,
    "verify": "optional",
    "behaviour": {},
}


def test_settings_survive_json(certificates: Certificates) -> None:
    """Settings are JSON-safe, name files for certificates and hold the client CA as text."""
    profile = ServerProfile(
        certificates=("server-p256",),
        client_ca=("ca-p256",),
        verify=Verify.REQUIRED,
        alpn=("http/1.1",),
        behaviour={"name": "sni.swap", "certificate": "server-p384"},
    )
    settings = settings_of(profile, Serving(ports=(1, 2), peers=("127.0.0.1",)), materials=certificates.make)
    assert json.loads(json.dumps(settings)) == settings
    assert settings["certificates"][0]["chain_file"] == str(certificates.make("server-p256").chain_file)
    assert settings["client_ca"][0].startswith("-----BEGIN CERTIFICATE-----")
    assert settings["behaviour"]["files"]["key_file"] == str(certificates.make("server-p384").key_file)
    assert "certificate" not in settings["behaviour"]


def test_facts_use_iana_names() -> None:
    """OpenSSL's group names become IANA's; an attribute that this Python lacks is None."""
    facts = facts_of(FACTS, keys=(), behaviour={})
    assert facts is not None
    assert facts.groups == ("secp256r1", "x25519")
    assert facts.suite_codes == {0x1301}
    assert (facts.verify, facts.security_level, facts.server_preference) == (Verify.OPTIONAL, None, False)
    assert facts_of(None, keys=(), behaviour={}) is None


def test_default_suites_get_iana_names() -> None:
    """The interpreter's description is unchanged, except for the names of its default suites."""
    raw = {"python": "3.8.18", "default_suites": [[0x003C, "TLSv1.2", "AES128-SHA256"], [0xFFFE, "TLSv1.2", "new"]]}
    assert description_of(raw) == {
        "python": "3.8.18",
        "default_suites": [[0x003C, "TLSv1.2", "TLS_RSA_WITH_AES_128_CBC_SHA256"], [0xFFFE, "TLSv1.2", "0xFFFE"]],
        "found": None,
    }


def test_report_over_the_pipe_and_in_process() -> None:
    """The wire arrives as bytes or as base64 and gives the same record; the suite is named by its code."""
    raw = Job({}, facts={}).report
    raw.update(negotiated_suite="AES128-SHA256", suite_code=0x003C)
    raw["message_alerts"] = [{"from": "server", "level": 2, "code": 40, "encrypted": False}]
    raw["wire"] = [["client", 1.5, b"\x16"]]
    raw["tcp_ends"] = [["server", 2.5, "FIN"]]
    piped = {**raw, "wire": [["client", 1.5, base64.b64encode(b"\x16").decode()]]}
    report = report_of(raw, facts=None)
    assert report_of(piped, facts=None) == report
    assert report.wire[0].sender is Side.CLIENT
    assert report.tcp_ends == (TcpEnd(sender=Side.SERVER, at_ms=2.5, how=TcpEndKind.FIN),)
    assert report.negotiated_suite == "TLS_RSA_WITH_AES_128_CBC_SHA256"
    assert (report.message_alerts[0].name, report.message_alerts[0].level) == ("handshake_failure", "fatal")


def test_failures() -> None:
    """A failure keeps type, reason, number, verify code and stage."""
    raw = {"type": "SSLError", "reason": "NO_SHARED_CIPHER", "errno": 1, "stage": "handshake"}
    expected = ServerFailure(type="SSLError", reason="NO_SHARED_CIPHER", errno=1, stage=Stage.HANDSHAKE)
    assert failure_of({**raw, "verify_code": None, "verify_message": None}) == expected
    assert failure_of(None) is None


def test_faults_of_the_engine_are_server_errors(certificates: Certificates) -> None:
    """An error that does not concern TLS never becomes a report."""
    with pytest.raises(ServerError, match="the server engine failed: KeyError: 'x'"):
        report_of({"error": "KeyError: 'x'"}, facts=None)
    with pytest.raises(ServerError, match="cannot listen"):
        start_of({"ok": False, "error": "the TLS server cannot listen"}, profile=ServerProfile(), keys=())
    with pytest.raises(ServerError, match="no TLS server is open"):
        _ = EngineAdapter(materials=certificates.make).refused
