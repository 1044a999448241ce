"""Simulate every firmware against one server: one connection per distinct ClientHello, one judgement per firmware, equal ones folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.diagnose.simulation.connection import Unreachable
from harness.diagnose.simulation.judging import Answered, LookedUp, Question, explained, judged
from harness.diagnose.simulation.targets import Target
from harness.firmware.fingerprint import with_fingerprint
from harness.firmware.table import Firmware
from harness.model import Explanation, HelloFacts, Outcome, ServerFacts, Simulated
from harness.oracle.prediction.client import oldest_version
from harness.wire.hello_replay import ReplayedHello
from harness.wire.reading import read_wire

__all__ = ["LookedUp", "Question", "folded", "simulate"]

# So many hellos without any answer show that a server answers none.
_SILENT = 2


def simulate(target: Target, firmwares: Iterable[Firmware], *, question: Question) -> tuple[Simulated, ...]:
    """Simulate firmwares against one server, one connection after the other.

    Args:
        target: the server.
        firmwares: rows of the table.
        question: what is simulated.

    Raises:
        Unreachable: there was no TCP connection, or the server answers nothing.
    """
    answers: dict[HelloFacts, Answered] = {}
    reasons: dict[tuple[object, ...], Explanation] = {}
    found: list[tuple[Firmware, Simulated]] = []
    looked: list[ServerFacts | None] = []
    for firmware in firmwares:
        kind = replace(firmware.hello.facts, random="")
        if kind not in answers:
            answers[kind] = _asked(target, firmware, question=question)
            _give_up_if_silent([item.answer.exchange.timed_out for item in answers.values()])
        answered = answers[kind]
        result = judged(firmware, answered, question=question)
        if result.outcome is not Outcome.CONNECTED:
            if question.look is not None and not looked:
                looked.append(question.look(answered.hello))
            key = (kind, result.reason, result.client_flags, firmware.build.library)
            if key not in reasons:
                reasons[key] = explained(firmware, answered, result, question=question, facts=_first(looked))
            result = replace(result, explanation=reasons[key])
        found.append((firmware, result))
    return folded(found)


def _give_up_if_silent(timed_out: Sequence[bool]) -> None:
    """Stop at a server that answers nothing: each hello would take the whole time limit.

    Raises:
        Unreachable: none of the hellos so far was answered.
    """
    if len(timed_out) >= _SILENT and all(timed_out):
        raise Unreachable("it accepts connections and answers no ClientHello")


def _first(looked: Sequence[ServerFacts | None]) -> ServerFacts | None:
    return looked[0] if looked else None


def _asked(target: Target, firmware: Firmware, *, question: Question) -> Answered:
    hello = ReplayedHello(firmware.hello.data, name=question.name)
    answer = target.ask(hello, oldest=oldest_version(firmware.hello.facts))
    wire = read_wire(answer.exchange.wire)
    facts = with_fingerprint(wire.client_hello or firmware.hello.facts)
    return Answered(hello=facts, answer=answer, wire=replace(wire, client_hello=facts))


def folded(found: Sequence[tuple[Firmware, Simulated]]) -> tuple[Simulated, ...]:
    """Return one result for all firmwares that get the same: those that connect first, strong sessions before weak ones."""
    groups: dict[tuple[object, ...], Simulated] = {}
    for _firmware, result in found:
        rule = result.explanation.rule if result.explanation is not None else None
        title = result.explanation.title if result.explanation is not None else None
        key = (replace(result, firmware=(), explanation=None), rule, title)
        known = groups.get(key)
        groups[key] = result if known is None else replace(known, firmware=(*known.firmware, *result.firmware))
    order = [Outcome.CONNECTED, Outcome.REFUSED, Outcome.HUNG]
    return tuple(
        sorted(groups.values(), key=lambda item: (order.index(item.outcome), bool(item.weak), -len(item.firmware)))
    )
