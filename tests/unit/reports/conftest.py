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
from harness.reports.record.run_types import RunRecord
from harness.reports.record.trend import TrendBuilder

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


def a_result(case, verdict="pass", *, ms=None, heap=None, board="lab-1", **more):
    """Return one result in JSON; its `observed` may be given."""
    return {
        "board": board, "server": "s", "case": case, "verdict": verdict, "attempt": 1, "outcome": "not-run", "observed": None,
        "expected": None, "stage": None, "ended_by": None, "reason": None, "mismatches": [], "explanation": None,
        "timing_ms": {"handshake_board": ms, "handshake_server": None, "case": None},
        "memory_bytes": {"free_before": heap, "free_low": None, "free_after": None}, "artifacts": {}, **more,
    }  # fmt: skip


@pytest.fixture
def a_run():
    """Return a function that makes a record of results, of the night with a number."""

    def make(night, *results, firmware="1.28", python="3.11.7", **more):
        boards = [
            {
                "board": name,
                "spec": "u0",
                "kind": "serial",
                "firmware": firmware,
                "error": None,
                "notes": [],
                "facts": None,
            }
            for name in dict.fromkeys(item["board"] for item in results)
        ]
        server = {
            "server": "s",
            "python": python,
            "platform": "linux",
            "openssl": "OpenSSL 3.0.1 x",
            "default_suites": [],
        }
        started, finished = (f"2026-03-{night:02}T0{hour}:00:00+00:00" for hour in (1, 2))
        about = {
            "harness": "0.1",
            "cases": "core",
            "started": started,
            "finished": finished,
            "arguments": [],
            "id": f"id-{night}",
        }
        host = {"python": "3.11.7", "openssl": "OpenSSL 3.0.1 x", "default_suites": [], "security_level": 1}
        return RunRecord.of_json(
            {
                "schema": "tls-harness/run/2", "run": about, "host": {**host, "platform": "linux", "implementation": "CPython"},
                "boards": boards, "servers": [server], "cases": [], "results": list(results), **more,
            }
        )  # fmt: skip

    make.result = a_result
    return make


@pytest.fixture
def trend_of():
    """Return a function that makes the trend of some runs."""

    def trend(*runs):
        builder = TrendBuilder()
        for number, run in enumerate(runs):
            builder.add(run, file=f"{number}.json")
        return builder.finish()

    return trend
