"""How a predicted handshake is refused: by the server, with its reason and alert, or by the client."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import Expectation, ExpectedAlert, Outcome, Side, Source, Stage
from harness.wire.alerts import alert_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """OpenSSL's `SSLfatal(s, alert, reason)`; `reason` is `SSLError.reason` in Python, None if Python has no name for it."""

    reason: str | None
    alert: int


def refused_by_client(alert: int, *, reason: str, number: int, note: str | None = None) -> Expectation:
    """Return a refusal by the client as an expectation of both sides and the wire.

    Args:
        alert: the code of the alert that the client sends.
        reason: what the server then raises, as `SSLError.reason`.
        number: what the client raises.
        note: why, for the report.
    """
    return Expectation(
        source=Source.PREDICTED,
        outcome=Outcome.REFUSED,
        stage=Stage.HANDSHAKE,
        ended_by=Side.CLIENT,
        server_type="SSLError",
        server_reason=reason,
        client_type="OSError",
        client_number=number,
        alert=ExpectedAlert(sender=Side.CLIENT, code=alert, name=alert_name(alert)),
        note=note,
    )
