"""The subject of a case: derived from its declaration, and the point that an expectation requires."""

from dataclasses import replace

import pytest

from harness.cases import find_case
from harness.expectations.builders import connected, hung, refused
from harness.expectations.subjects import NEGOTIATION_REASONS, point_of, subject_of
from harness.model import ClientPlan, ServerProfile, Source, Stage, Subject, Verify

CONFIG_REFUSAL = refused(by="server", stage="config", server="EE_KEY_TOO_SMALL")
NO_SHARED_CIPHER = refused(by="server", server="NO_SHARED_CIPHER", alert=40, client=-30592)
UNKNOWN_CA = refused(by="client", server="TLSV1_ALERT_UNKNOWN_CA", alert="unknown_ca", flags=("not_trusted",))
VERIFIES = {"client": ClientPlan(verify=Verify.REQUIRED)}
REQUESTS = {"server": ServerProfile(verify=Verify.OPTIONAL)}


def behaving(name):
    """Settings of a server with this behaviour."""
    return {"server": ServerProfile(behaviour={"name": name})}


@pytest.mark.parametrize(
    ("sides", "expect", "subject"),
    [
        ({}, None, "negotiation"),
        (VERIFIES, None, "negotiation"),
        (VERIFIES, CONFIG_REFUSAL, "config"),
        ({"client": ClientPlan(receive_bytes=1)}, connected(), "data"),
        ({"client": ClientPlan(send_bytes=1)}, connected(), "data"),
        (behaving("not-tls.silent"), hung(), "hello"),
        (behaving("records.one-byte-records"), connected(), "data"),
        (behaving("close.rst"), connected(), "close"),
        (behaving("sni.record"), connected(), "finished"),
        (REQUESTS, connected(), "client-certificate"),
        ({**REQUESTS, **VERIFIES}, connected(), "client-certificate"),
        (VERIFIES, UNKNOWN_CA, "server-certificate"),
        (VERIFIES, lambda board, server: UNKNOWN_CA, "server-certificate"),
        ({"client": ClientPlan(verify=Verify.OPTIONAL)}, connected(), "finished"),
        ({}, connected(), "finished"),
    ],
)
def test_derived(sides, expect, subject):
    """The stage of a failure comes first, then what the server does, then what is verified."""
    given = {"server": ServerProfile(), "client": ClientPlan(), **sides}
    assert subject_of(given["server"], given["client"], expect=expect, stated=None) == subject


def test_a_stated_subject_counts():
    """A declaration that names its subject knows better."""
    found = subject_of(ServerProfile(), ClientPlan(), expect=CONFIG_REFUSAL, stated=Subject.CLOSE)
    assert found is Subject.CLOSE


@pytest.mark.parametrize(
    ("subject", "expected", "point"),
    [
        ("server-certificate", connected(), "server-certificate"),
        ("server-certificate", UNKNOWN_CA, "server-certificate"),
        ("server-certificate", CONFIG_REFUSAL, "config"),
        ("server-certificate", replace(UNKNOWN_CA, stage=Stage.CONNECT), "config"),
        ("server-certificate", NO_SHARED_CIPHER, "negotiation"),
        ("server-certificate", replace(UNKNOWN_CA, source=Source.PREDICTED), "negotiation"),
        ("hello", NO_SHARED_CIPHER, "hello"),
        ("data", hung(stage="read"), "data"),
        ("data", refused(by="client", stage="read", server="NO_SHARED_CIPHER", client=-1), "data"),
    ],
)
def test_point(subject, expected, point):
    """A refusal that is expected before the subject is what the case is about on this board."""
    assert point_of(Subject(subject), expected) == point


def test_every_predicted_reason_is_one_of_a_negotiation(predicted_reasons):
    """A reason that the prediction can give belongs to the negotiation, or a stated refusal with it would need a certificate."""
    assert predicted_reasons <= NEGOTIATION_REASONS


@pytest.fixture
def predicted_reasons():
    """The reasons in the source of the prediction."""
    import re
    from pathlib import Path

    import harness.oracle.predict as module

    folder = Path(module.__file__).parent
    sources = [folder / "predict.py", *(folder / "prediction").glob("*.py")]
    texts = "".join(file.read_text(encoding="utf-8") for file in sources)
    return set(re.findall(r'Refusal\(\s*reason="([A-Z_0-9]+)"', texts))


@pytest.mark.parametrize(
    ("case", "subject"),
    [
        ("cert/expired", "server-certificate"),
        ("cert/expired-verify-none", "server-certificate"),
        ("mtls/untrusted", "client-certificate"),
        ("mtls/not-requested-but-loaded", "finished"),
        ("key/rsa2048", "server-certificate"),
        ("key/ed25519", "negotiation"),
        ("pairs/p256-default-both-any", "negotiation"),
        ("not-tls/http-400", "hello"),
        ("records/recv-16384", "data"),
        ("close/rst", "close"),
        ("timing/no-answer", "data"),
        ("seed/rsa-1024-key", "config"),
    ],
)
def test_cases(case, subject):
    """A few cases of each kind."""
    assert find_case(case).subject == subject
