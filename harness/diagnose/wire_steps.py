"""The wire in brief: the messages of a recorded connection with what counts in each, in order. Pure."""

from __future__ import annotations

from harness.model import HelloFacts, Observation, Side, WireStep
from harness.wire.groups import group_name
from harness.wire.last_word import TLS13_ALERT_BYTES
from harness.wire.reading import WireMessage, WireReading
from harness.wire.suites import is_signal
from harness.wire.versions import version_name

_SHOWN_GROUPS = 4
_FIRST_BYTES = 40


def wire_steps(wire: WireReading, seen: Observation) -> tuple[WireStep, ...]:
    """Name every message; runs of one kind from one side become one step.

    Args:
        wire: the reading of the recorded bytes.
        seen: of the same connection; it knows alerts that only the session's secrets reveal.
    """
    steps: list[WireStep] = []
    for message in wire.messages:
        if steps and steps[-1].name == message.name and steps[-1].sender is message.sender:
            continue
        steps.append(
            WireStep(sender=message.sender, at_ms=message.at_ms, name=message.name, detail=_detail(message, wire))
        )
    for side, start in ((Side.CLIENT, wire.client_plain), (Side.SERVER, wire.server_plain)):
        if start is not None:
            steps.append(
                WireStep(sender=side, at_ms=0.0, name="no TLS", detail=f"begins with {start[:_FIRST_BYTES]!r}")
            )
    steps += [
        WireStep(sender=alert.sender, at_ms=alert.at_ms or 0.0, name=f"Alert({alert.name})", detail="encrypted")
        for alert in seen.alerts
        if alert.encrypted
    ]
    return tuple(steps)


def _detail(message: WireMessage, wire: WireReading) -> str:
    if message.name == "ClientHello" and wire.client_hello is not None:
        return hello_text(wire.client_hello)
    if message.name == "ServerHello" and wire.server_hello is not None:
        chosen = wire.negotiated
        return " ".join(item for item in (chosen.version, chosen.suite, chosen.group) if item)
    if message.name == "Certificate":
        sent = wire.certificates if message.sender is Side.SERVER else wire.client_certificates or ()
        return f"{len(sent)} certificate{'' if len(sent) == 1 else 's'}, {sum(map(len, sent))} bytes"
    if message.name == "ApplicationData" and message.length in TLS13_ALERT_BYTES and message.sender is Side.SERVER:
        return "the length of an encrypted alert"
    return ""


def hello_text(hello: HelloFacts) -> str:
    """What a client offers, in one line."""
    suites = [code for code in hello.suites if not is_signal(int(code, 16))]
    groups = [group_name(int(code, 16)) for code in hello.groups]
    shown = ", ".join(groups[:_SHOWN_GROUPS]) + (
        f" and {len(groups) - _SHOWN_GROUPS} more" if len(groups) > _SHOWN_GROUPS else ""
    )
    versions = "/".join(version_name(int(code, 16)) for code in hello.versions)
    return f"{versions}, {len(suites)} suites, groups {shown or 'none'}, " + (
        f"SNI {hello.sni}" if hello.sni else "no SNI"
    )
