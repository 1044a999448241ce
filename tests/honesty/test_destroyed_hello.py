"""A TCP proxy that replaces the suites of every ClientHello by an unknown one: no certificate was seen, so no certificate case passes."""

from __future__ import annotations

import pytest

TOPICS = ("cert", "key", "chain", "mtls")
SELECTED = " or ".join(f"{topic}/" for topic in TOPICS)
# The server refuses its own settings before the board connects: the proxy is not involved.
OWN_SETTINGS = {"cert/sha1-leaf", "key/rsa1024"}
slow = pytest.mark.slow


@pytest.mark.parametrize(("tier", "cases"), [("smoke", 5), pytest.param("core", 60, marks=slow)])
def test_from_the_start(destroying_proxy, run_behind, tier, cases):
    """No certificate case passes, the reason names what was not reached, and the run does not end with 0."""
    proxy = destroying_proxy()
    run = run_behind(proxy, "--cases", tier, "-k", SELECTED)
    verdicts = run.verdicts(*TOPICS)
    assert len(verdicts) > cases
    assert proxy.hellos >= cases
    assert {case for case, verdict in verdicts.items() if verdict == "pass"} <= OWN_SETTINGS
    assert run.status == 10, run.output[-3000:]
    seen = run.result("cert/expired")
    assert (seen["verdict"], seen["reason"]) == ("unsupported", "never got as far as the certificate: NO_SHARED_CIPHER")
    assert "certificate seen by the board in 0 of " in run.output


@pytest.mark.parametrize("topic", [pytest.param(topic, marks=slow) for topic in ("chain", "mtls")])
def test_a_single_topic(destroying_proxy, run_behind, topic):
    """A run of one topic does not end with 0 either."""
    run = run_behind(destroying_proxy(), "--cases", "core", "-k", f"{topic}/")
    assert "pass" not in run.verdicts(topic).values()
    assert run.status == 10, run.output[-3000:]


@slow
def test_from_the_middle_of_the_run(destroying_proxy, run_behind):
    """A board that connected before does not lack a suite: what it does now is `fail`, or `error`."""
    run = run_behind(destroying_proxy(intact=20), "--cases", "core", "-k", "cert/")
    verdicts = list(run.verdicts("cert").items())
    before, after = verdicts[:10], verdicts[20:]
    assert {verdict for _case, verdict in before} == {"pass"}
    assert {case for case, verdict in after if verdict not in ("fail", "error")} <= OWN_SETTINGS
    assert run.status in (1, 10), run.output[-3000:]
