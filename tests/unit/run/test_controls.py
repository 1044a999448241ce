"""Positive controls; tests with a real board are in tests/unit/run/test_case_runner.py."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.cases import find_case
from harness.expectations.builders import refused
from harness.model import ClientApi, ClientReport, Observation, Outcome, Verdict, VerdictWord
from harness.run.controls import Controls, control_of, slack_bytes


@pytest.mark.parametrize(
    ("free", "slack"), [(0, 1024), (20_479, 1024), (20_480, 1024), (20_500, 1025), (200_000, 10_000)]
)
def test_f5_slack(free, slack):
    """The slack is a twentieth of the free memory, but at least one kilobyte."""
    assert slack_bytes(free) == slack


def seen(**memory):
    """Return an observation with this much memory."""
    return Observation(outcome=Outcome.CONNECTED, stage=None, ended_by=None, server=None, client=None, **memory)


def test_f5_rb08_what_counts_on_an_esp32():
    """TLS lives in ESP-IDF's heap there: its largest block counts, and gc.mem_free() does not."""
    assert seen(free_before=90_000, idf_largest=31_000).free_for_tls == 31_000
    assert seen(free_before=90_000).free_for_tls == 90_000
    assert seen().free_for_tls is None
    assert ClientReport(done=True, failure=None).idf_largest is None


@pytest.mark.parametrize(
    ("word", "reason", "expected"),
    [
        (VerdictWord.ERROR, "the refusal proves nothing: positive control x had 7 more bytes of memory", True),
        (VerdictWord.FAIL, "the refusal proves nothing: x", False),
        (VerdictWord.ERROR, "the line dropped", False),
        (VerdictWord.PASS, None, False),
    ],
)
def test_is_inconclusive(word, reason, expected):
    """Only a case with this reason of the control is run once more."""
    assert Controls.is_inconclusive(Verdict(word=word, reason=reason)) is expected


CONTROL = find_case("key/rsa2048")


def test_a_control_has_the_settings_of_its_case():
    """The limits of versions, suites and groups are the case's; certificates, names and trusted CAs stay the control's."""
    case = find_case("cert/md5-rsa-leaf-sec0")
    made = control_of(case, CONTROL)
    assert (made.server.ciphers, made.server.certificates) == ("ALL:@SECLEVEL=0", ("server-rsa2048",))
    limits = {"minimum_version": "TLSv1.2", "maximum_version": "TLSv1.2", "curve": "prime256v1"}
    limited = replace(case, server=replace(case.server, **limits), client=replace(case.client, suites=("TLS_X",)))
    made = control_of(limited, CONTROL)
    assert {name: getattr(made.server, name) for name in limits} == limits
    assert (made.client.suites, made.client.ca, made.id) == (("TLS_X",), CONTROL.client.ca, CONTROL.id)
    assert control_of(find_case("cert/rsa-expired"), CONTROL) == CONTROL


def test_a_session_counts_for_its_own_settings():
    """A control that connected with other suites does not show that the case's suites leave enough memory. It uses the API of its case."""
    made = []

    class Handshakes:
        """Handshakes that connect; the server's suites are recorded."""

        def make(self, server, _plan, *, api):
            made.append((server.ciphers, api))
            return SimpleNamespace(observation=seen(free_before=50_000), missing_api=None)

    controls, observed = Controls(Handshakes(), api=ClientApi.ASYNCIO), seen(free_before=50_000)
    controls.remember(CONTROL, observed)
    limited = control_of(find_case("cert/md5-rsa-leaf-sec0"), CONTROL)
    for control in (CONTROL, limited, limited):
        assert controls.check(control, observed, unmet=lambda _case: None, configured=lambda *_: None) is None
    assert made == [("ALL:@SECLEVEL=0", ClientApi.ASYNCIO)]


@pytest.mark.parametrize(
    ("refusal", "word", "reason"),
    [
        (
            refused(by="server", server="NO_SHARED_CIPHER", alert=40, client=-30592),
            VerdictWord.UNSUPPORTED,
            "the positive control key/rsa2048 cannot run here: this server's OpenSSL is configured to refuse it (NO_SHARED_CIPHER)",
        ),
        (
            None,
            VerdictWord.ERROR,
            "the refusal proves nothing: positive control key/rsa2048 did not connect: too little memory looks the same",
        ),
    ],
)
def test_a_control_that_the_server_is_configured_to_refuse(refusal, word, reason):
    """It cannot run with this server, which says nothing about the board; any other control that does not connect proves nothing."""

    class Handshakes:
        """Handshakes that end in a refusal."""

        def make(self, _server, _plan, *, api):
            return SimpleNamespace(observation=replace(seen(), outcome=Outcome.REFUSED), missing_api=None)

    verdict = Controls(Handshakes()).check(
        CONTROL, seen(), unmet=lambda _case: None, configured=lambda _case, _handshake: refusal
    )
    assert (verdict.word, verdict.reason) == (word, reason)
