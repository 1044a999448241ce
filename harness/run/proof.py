"""Whether a handshake says something about this board and this plan: it must be the board's own, made as it was asked to. Pure.

Compares the board's answer, the server's record, the ClientHello and the plan. Must not know cases, expectations or verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.boards.agent.echo import echo_differences, planned_echo
from harness.boards.agent.protocol import Answer, AnswerKind, RunRequest, own_text
from harness.boards.agent.surroundings import CLOCK_TOLERANCE_S
from harness.errors import FaultKind
from harness.model import ClientFailure, HelloFacts, ServerReport, Side, Stage
from harness.oracle.own_hello import HelloPlan, Part, hello_differences
from harness.run.observe import SERVER_GONE
from harness.wire.mbedtls_numbers import SSL_FATAL_ALERT_MESSAGE
from harness.wire.reading import read_wire
from harness.wire.versions import TLS13, version_name

# An unexpected text is shown up to this length.
SHOWN_CHARACTERS = 60
# What a board says that the server did not serve, by the stage in which its attempt ended.
_NOT_SERVED: Mapping[Stage | None, str] = {
    Stage.CONNECT: "could not connect",
    Stage.CONFIG: "refused its own settings before it connected",
    Stage.HANDSHAKE: "lost its connection before the server received anything",
}
# The part of a hello that shows a setting -> the letters of the agent's note about it, and the name in messages.
_SHOWN_IN_HELLO = {Part.SUITES: ("sip", "set_ciphers"), Part.SERVER_NAME: ("n", "server_hostname")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the board was asked for in one handshake.

    `request` names `blobs`; `check_kind` is the board's kind of checksums. `unrestricted` is the board's ClientHello without any setting,
    None before it is known. `numbered`: its text must have the number of the exec. `peers` are the addresses that may connect.
    """

    request: RunRequest = field(default_factory=RunRequest)
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    check_kind: str = "c"
    unrestricted: HelloFacts | None = None
    numbered: bool = False
    peers: tuple[str, ...] = ()

    @property
    def hello(self) -> HelloPlan:
        """What the ClientHello must have because of it."""
        suites = self.blobs[self.request.suites].decode("ascii") if self.request.suites is not None else None
        return HelloPlan(
            suites=None if suites is None else tuple(word for word in suites.split(",") if word),
            server_name=self.request.name,
            psk=self.request.psk_identity is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a handshake says nothing about TLS: `peer`, `lying` or `plan`, and a sentence."""

    kind: FaultKind
    text: str


def doubt(
    answer: Answer | None,
    report: ServerReport,
    hello: HelloFacts | None,
    *,
    asked: Asked,
    failure: ClientFailure | None = None,
) -> Doubt | None:
    """Return why a handshake cannot be trusted; None if it can be trusted.

    Args:
        answer: of the board; None if it was not asked.
        report: the server's record.
        hello: the ClientHello in that record.
        asked: what the board was asked for.
        failure: the board's error, named; None if it has none.
    """
    if answer is None or answer.missing:
        return None
    return (
        _other_client(answer, report, asked, failure=failure)
        or _contradiction(answer, report, asked)
        or _injected_alert(answer, report, asked)
        or _not_as_asked(answer, report, hello, asked)
    )


def is_taken(answer: Answer | None, report: ServerReport, failure: ClientFailure | None) -> bool:
    """Whether the connection that the server accepted is not the board's: the board made none, or its own did not get that far."""
    if answer is None or not report.accepted:
        return False
    if answer.stage is Stage.CONNECT or (answer.stage is Stage.CONFIG and answer.connect_ms is None):
        return True
    return failure is not None and failure.name in SERVER_GONE and _was_never_served(failure, report)


def _was_never_served(failure: ClientFailure, report: ServerReport) -> bool:
    """Whether the board's peer ended the handshake although the server received nothing and did not end the connection first.

    A TLS client speaks first. The board's connection waited behind the accepted one, and the kernel reset it with the listener.
    """
    if failure.stage is not Stage.HANDSHAKE or any(chunk.sender is Side.CLIENT for chunk in report.wire):
        return False
    return report.timed_out or (bool(report.tcp_ends) and report.tcp_ends[0].sender is Side.CLIENT)


def _other_client(answer: Answer, report: ServerReport, asked: Asked, *, failure: ClientFailure | None) -> Doubt | None:
    """Whether the connection that the server recorded is another client's."""
    server, peer = f"{asked.request.host}:{report.local_port}", f"{report.peer}:{report.peer_port}"
    in_its_place = "program at that address connected in the board's place"
    if is_taken(answer, report, failure):
        text = (
            f"the board {_NOT_SERVED[answer.stage]}, but the server at {server} accepted a connection from {peer}"
            f"{' that sent nothing' if answer.stage is Stage.HANDSHAKE else ''}: another {in_its_place}"
        )
        return Doubt(kind=FaultKind.PEER, text=text)
    number, received = has_number(answer, report, asked), report.received_text
    if number is False:
        text = (
            f"the server at {server} received {(received or '')[:SHOWN_CHARACTERS]!r} from {peer}, without the number of this exec, "
            f"{answer.number}: another board or {in_its_place}"
        )
        return Doubt(kind=FaultKind.PEER, text=text)
    if report.contested and not number:
        text = (
            f"the server at {server} served {peer}, and {report.contested} more connected from that address at the same time: "
            "it is unknown which of them is the board's"
        )
        return Doubt(kind=FaultKind.PEER, text=text)
    return None


def has_number(answer: Answer, report: ServerReport, asked: Asked) -> bool | None:
    """Return whether the server received the number of this exec; None if it received too little to tell, or none was to come."""
    got = report.received_text
    if not asked.numbered or answer.number is None or not got:
        return None
    text = own_text(answer.number)
    if got.startswith(text):
        return True
    return None if text.startswith(got) else False


def _contradiction(answer: Answer, report: ServerReport, asked: Asked) -> Doubt | None:
    """Whether the board reports a connection that the server did not have."""
    connected = answer.kind is AnswerKind.RESULT or answer.stage not in (Stage.CONNECT, Stage.CONFIG, None)
    said = "reports an exchange" if answer.kind is AnswerKind.RESULT else "connected to a server"
    if connected and not report.accepted:
        text = f"the board {said}, but no connection reached the server at {asked.request.host}:{report.local_port}: "
        if report.strangers:
            text += f"it dropped one from {', '.join(report.stranger_addresses)}, because only {', '.join(asked.peers)} may connect"
        else:
            text += "another server answers at that address, or the agent on the board is not ours"
        return Doubt(kind=FaultKind.CONTRADICTION, text=text)
    if answer.kind is AnswerKind.RESULT and answer.received_bytes and not report.handshake_done:
        text = (
            "the board reports an exchange, but the server completed no handshake with it: the agent on the board is not ours, "
            "or it answered for another connection"
        )
        return Doubt(kind=FaultKind.CONTRADICTION, text=text)
    return None


def _injected_alert(answer: Answer, report: ServerReport, asked: Asked) -> Doubt | None:
    """Whether the board received a fatal alert that the server did not send. TLS 1.3 encrypts alerts: there it cannot be told."""
    if answer.args[:1] != (SSL_FATAL_ALERT_MESSAGE,) or report.message_alerts:
        return None
    wire = read_wire(report.wire)
    sent = any(item.sender is Side.SERVER and "Alert" in item.name for item in wire.messages)
    if (
        sent
        or wire.negotiated.version == version_name(TLS13)
        or wire.retry
        or wire.server_wrong
        or wire.server_truncated
    ):
        return None
    text = (
        f"the board received a fatal alert, but the server at {asked.request.host}:{report.local_port} sent none: something between "
        "them injects alerts"
    )
    return Doubt(kind=FaultKind.PEER, text=text)


def _not_as_asked(answer: Answer, report: ServerReport, hello: HelloFacts | None, asked: Asked) -> Doubt | None:
    """Whether the ClientHello, or what the agent passed on, differs from what the board was asked for."""
    noted = echo_differences(answer, planned_echo(asked.request, asked.blobs, kind=asked.check_kind))
    texts = []
    if hello is not None:
        found = hello_differences(hello, plan=asked.hello, unrestricted=asked.unrestricted)
        if found and not _is_explained(hello, asked, noted):
            why = "; ".join(difference.text for difference in found)
            text = (
                f"the ClientHello from {report.peer}:{report.peer_port} is not this board's: {why}: another program connected in the "
                "board's place, or something in between changes it"
            )
            return Doubt(kind=FaultKind.PEER, text=text)
        for difference in found:
            letters, name = _SHOWN_IN_HELLO.get(difference.part, ("", ""))
            name = "psk_key" if difference.part is Part.SUITES and asked.hello.suites is None else name
            texts.append(f"{difference.text}: the board ignored {name}" if name else difference.text)
            noted = {letter: text for letter, text in noted.items() if letter not in letters}
    texts += _conditions(answer, asked.request)
    if noted:
        texts.append("the board used settings other than those requested: " + "; ".join(noted.values()))
    return Doubt(kind=FaultKind.PLAN, text="; ".join(texts)) if texts else None


def _conditions(answer: Answer, request: RunRequest) -> list[str]:
    """Return what was not as requested during the attempt, besides TLS: the board's clock and its free heap."""
    texts = []
    if abs(answer.clock_off_s or 0) > CLOCK_TOLERANCE_S:
        texts.append(f"the board's clock was {answer.clock_off_s:+d} s from the requested time after the attempt")
    free, limit = answer.free_before, request.heap_bytes
    if limit is not None and free is not None and free > limit:
        texts.append(f"{free} bytes of heap were free before the handshake, at most {limit} were requested")
    return texts


def _is_explained(hello: HelloFacts, asked: Asked, noted: Mapping[str, str]) -> bool:
    """Whether a hello that does not follow from the plan may still be this board's.

    It may if it is the board's unrestricted one, so that settings were ignored, or if the agent says that it passed on others.
    """
    if any(letter in noted for letter in "sipn"):
        return True
    ignored = HelloPlan(server_name=hello.sni)
    return not hello_differences(hello, plan=ignored, unrestricted=asked.unrestricted)
