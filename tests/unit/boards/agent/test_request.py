"""A client plan as the agent's request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.boards.agent.protocol import RunRequest
from harness.boards.agent.request import build_request
from harness.certificates import Certificates
from harness.errors import UsageError
from harness.model import BoardInfo, ClientPlan, Verify

QUESTION = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
QUESTION_MBEDTLS = "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256"
CAN_CHOOSE = ("tls.SSLContext.set_ciphers",)


@pytest.fixture(scope="module")
def certificates() -> Iterator[Certificates]:
    """Return a certificate factory that is removed at the end."""
    made = Certificates()
    yield made
    made.close()


def suites_of(plan: ClientPlan, info: BoardInfo, certificates: Certificates) -> bytes | None:
    """Return the blob with the suites, None if the request has none."""
    request, blobs = build_request(plan, certificates, info=info, timeout_multiplier=1.0)
    return None if request.suites is None else blobs[request.suites]


def test_blobs_are_named(certificates: Certificates) -> None:
    """The request names its blobs by their content, both CA and own certificate."""
    plan = ClientPlan(verify=Verify.REQUIRED, ca=("ca-p256",), certificate="client-p256")
    request, blobs = build_request(plan, certificates, info=BoardInfo(), timeout_multiplier=1.0)
    assert (request.verify, request.blobs()) == (2, (*request.ca, request.cert, request.key))
    assert set(blobs) == set(request.blobs())


@pytest.mark.parametrize(
    ("plan", "expected_ms"), [(ClientPlan(), 25_000), (ClientPlan(timeout_s=2.0), 5_000)], ids=["default", "own"]
)
def test_time_limit(certificates: Certificates, plan: ClientPlan, expected_ms: int) -> None:
    """A slow board gets more time than the plan says."""
    request, _blobs = build_request(plan, certificates, info=BoardInfo(), timeout_multiplier=2.5)
    assert request.timeout_ms == expected_ms


@pytest.mark.parametrize(
    ("plan", "info", "expected"),
    [
        (ClientPlan(suites=(QUESTION,)), BoardInfo(api=CAN_CHOOSE), QUESTION_MBEDTLS.encode()),
        (ClientPlan(suites=(QUESTION,)), BoardInfo(), None),
        (
            ClientPlan(suites=(QUESTION, "TLS_AES_128_GCM_SHA256")),
            BoardInfo(api=CAN_CHOOSE, suites=(QUESTION_MBEDTLS,)),
            QUESTION_MBEDTLS.encode(),
        ),
        (ClientPlan(suite_words=("right", "WRONG")), BoardInfo(), b"right,WRONG"),
        (ClientPlan(), BoardInfo(api=CAN_CHOOSE), None),
    ],
    ids=["chosen", "no choice here", "unknown ones left out", "words as they are", "not asked for"],
)
def test_suites(certificates: Certificates, plan: ClientPlan, info: BoardInfo, expected: bytes | None) -> None:
    """Suites are spelled as in mbedTLS and reduced to those of the firmware; other names are sent unchanged."""
    assert suites_of(plan, info, certificates) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256",
            "suites: 'TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256' is not an IANA cipher suite name; "
            "did you mean TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256?",
        ),
        (
            "best",
            "suites: 'best' is not an IANA cipher suite name (e.g. TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)",
        ),
    ],
)
def test_unknown_suite(certificates: Certificates, name: str, message: str) -> None:
    """A misspelled suite is an error, not a suite that the firmware lacks."""
    with pytest.raises(UsageError) as raised:
        suites_of(ClientPlan(suites=(name,)), BoardInfo(), certificates)
    assert str(raised.value) == message


def test_a_program_has_its_own_time_limits(certificates: Certificates) -> None:
    """The agent passes no time limit on to a program, so a slow board is asked for none: its answer would lack it."""
    plan = ClientPlan(program="requests")
    request, _blobs = build_request(plan, certificates, info=BoardInfo(), timeout_multiplier=2.5)
    assert request.timeout_ms == RunRequest().timeout_ms
