"""Time limits of a handshake behind a slow network: each grows by what that network may add to the session."""

from __future__ import annotations

import pytest

from harness.links.profiles import LinkProfile
from harness.model import ClientPlan
from harness.run.handshake import PERMISSIVE_SERVER, Handshakes

SLOW = LinkProfile(name="slow", about="a test", source="this file", latency_ms=100, up_kbit=1000, down_kbit=1000)


@pytest.fixture
def limits(lab, spec, monkeypatch):
    """Return a function that makes a handshake with a plan and returns its time limits in seconds; only the limits know of the network."""
    known = lab.runner(spec, "in-process").handshakes

    def of(plan: ClientPlan, link: LinkProfile | None) -> dict[str, float]:
        made = Handshakes(
            known.board, known.server, certificates=known.certificates, addresses=known.addresses, link=link
        )
        seen: dict[str, float] = {}
        opened, connected, finished = made.server.open, made.board.connect, made.server.finish

        def spy_open(profile, serving):
            seen.update(handshake=serving.handshake_timeout_s, idle=serving.idle_timeout_s)
            return opened(profile, serving)

        def spy_connect(request, blobs, *, deadline):
            seen.update(socket=request.timeout_ms / 1000, session=deadline.timeout_s)
            return connected(request, blobs, deadline=deadline)

        def spy_finish(deadline):
            seen.update(report=deadline.timeout_s)
            return finished(deadline)

        with monkeypatch.context() as patch:
            patch.setattr(made.server, "open", spy_open)
            patch.setattr(made.server, "finish", spy_finish)
            patch.setattr(made.board, "connect", spy_connect)
            assert made.make(PERMISSIVE_SERVER, plan).connected
        return seen

    return of


@pytest.mark.parametrize("plan", [ClientPlan(), ClientPlan(send_bytes=2000, receive_bytes=3000)])
def test_every_limit_grows(limits, plan) -> None:
    """Those of the server, of the board's socket, of the session and of the report, by the session's data too."""
    usual, slow = limits(plan, None), limits(plan, SLOW)
    longer_s = SLOW.session_s((plan.send_bytes or 0) + (plan.receive_bytes or 0))
    assert set(slow) == {"handshake", "idle", "socket", "session", "report"}
    for name, limit_s in slow.items():
        assert limit_s - usual[name] == pytest.approx(longer_s, abs=0.002), name


def test_a_limit_of_the_plan_is_kept(limits) -> None:
    """A time limit that belongs to a case is what the case is about."""
    assert limits(ClientPlan(timeout_s=5.0), SLOW)["socket"] == 5.0
