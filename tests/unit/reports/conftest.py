"""Provide invented records of a diagnosis, for its text and its JSON."""

from types import SimpleNamespace

import pytest

from harness.expectations.builders import connected
from harness.model import (
    Alert,
    CaseResult,
    Change,
    ClientFailure,
    Diagnosis,
    Explanation,
    Fix,
    Negotiated,
    Observation,
    Outcome,
    ServerFailure,
    Side,
    Stage,
    Verdict,
    VerdictWord,
    WireStep,
)

ALERT = Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure", at_ms=2.0)
REFUSED = Observation(
    outcome=Outcome.REFUSED,
    stage=Stage.HANDSHAKE,
    ended_by=Side.SERVER,
    server=ServerFailure(type="SSLError", reason="NO_SHARED_CIPHER"),
    client=ClientFailure(
        type="OSError",
        args=(-30592, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE\x1b[31m"),
        number=-30592,
        flags=None,
        name="MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE",
        stage=Stage.HANDSHAKE,
    ),
    alerts=(ALERT,),
)
CONNECTED = Observation(
    outcome=Outcome.CONNECTED,
    stage=None,
    ended_by=None,
    server=None,
    client=None,
    negotiated=Negotiated(version="TLSv1.2", suite="TLS_X", group="secp256r1"),
)
EC_KEY = Fix(
    title="give the server an EC key",
    proved=True,
    server_lines=('context.load_cert_chain("ec.pem", "ec-key.pem")',),
    change=Change(server={"certificates": ("server-p256",)}),
)


def result(seen, explanation=None, word=VerdictWord.FAIL):
    """Return the result of a case."""
    return CaseResult(
        board="unix",
        server="in-process",
        case="diagnose/as-it-is",
        attempt=1,
        verdict=Verdict(word=word, reason=None if word is VerdictWord.PASS else "it did not connect"),
        expected=connected(),
        observation=seen,
        explanation=explanation,
    )


def diagnosis(**words):
    """Return the diagnosis of the seed case."""
    explanation = Explanation(rule="ciphers/key-type", title="the key does not fit", why=("a  b",), fixes=(EC_KEY,))
    made = {
        "board": "unix",
        "info": None,
        "server": "Python 3.11.7",
        "server_lines": ("context = ...",),
        "client_lines": ("import tls",),
        "result": result(REFUSED, explanation),
        "wire": (
            WireStep(sender=Side.CLIENT, at_ms=0.0, name="ClientHello", detail="TLSv1.2"),
            WireStep(sender=Side.SERVER, at_ms=2.0, name="Alert(handshake_failure)"),
        ),
    }
    return Diagnosis(**{**made, **words})


@pytest.fixture
def sample():
    """Provide the seed case's diagnosis and its parts."""
    return SimpleNamespace(diagnosis=diagnosis, result=result, CONNECTED=CONNECTED, REFUSED=REFUSED, EC_KEY=EC_KEY)
