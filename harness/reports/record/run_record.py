"""Make entries of the run record (run.json) of the records that a run produces. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from harness.firmware.hello_notes import hello_clock_unix_s
from harness.model import (
    DEFAULT_CLIENT,
    BoardInfo,
    BoardSpec,
    Case,
    CaseResult,
    Expectation,
    Explanation,
    Observation,
    Outcome,
    UnexpectedPeers,
)
from harness.reports.record.plain import bounded
from harness.reports.record.result_types import (
    Addresses,
    ClientFault,
    Entry,
    ExchangedText,
    Expected,
    ExplanationEntry,
    Memory,
    Observed,
    PacketEntry,
    Result,
    ServerFault,
    Timing,
    WireAlert,
)
from harness.reports.record.run_types import BoardEntry, BoardFacts, CaseEntry, DroppedConnections

ADDRESSES_NAMED = 8
E = TypeVar("E", bound=Entry)


def entry_of(record: object, kind: type[E]) -> E:
    """Return an entry with the fields that a record of `harness.model` has under the same names."""
    return msgspec.convert(record, kind, from_attributes=True)


def result_entry(result: CaseResult, *, at: str | None = None, rerun: str | None = None) -> Result:
    """Return one result as in `results`. Texts of boards and servers are not escaped: that is up to what shows them.

    Args:
        result: of a case, run or not.
        at: when it came.
        rerun: the command that runs this test again.
    """
    seen = result.observation
    met = result.strangers
    if met is None:
        met = UnexpectedPeers(count=seen.strangers, addresses=seen.stranger_addresses) if seen else UnexpectedPeers()
    return bounded(
        Result(
            board=result.board,
            server=result.server,
            case=result.case,
            firmware=result.board.partition("@")[2] or None,
            client=result.client if result.client != DEFAULT_CLIENT else None,
            link=result.link or None,
            attempt=result.attempt,
            repeat=result.repeat,
            outcome=seen.outcome if seen else Outcome.NOT_RUN,
            verdict=result.verdict.word,
            stage=seen.stage if seen else None,
            ended_by=seen.ended_by if seen else None,
            reason=result.verdict.reason,
            expected=expected_entry(result.expected) if result.expected else None,
            observed=observed_entry(seen) if seen else None,
            mismatches=result.verdict.mismatches,
            explanation=explanation_entry(result.explanation) if result.explanation else None,
            timing_ms=Timing(
                handshake_board=seen.handshake_board_ms if seen else None,
                handshake_server=seen.handshake_server_ms if seen else None,
                case=seen.case_ms if seen else None,
            ),
            memory_bytes=_memory(result),
            strangers=met.count,
            stranger_addresses=met.addresses,
            link_errors=result.link_errors,
            recovery=result.recovery,
            weak="; ".join(seen.weak) or None if seen else None,
            unverified=result.unverified,
            packets=tuple(entry_of(packet, PacketEntry) for packet in result.packets),
            artifacts={"pcapng": None, "transcript": None, **result.artifacts},
            at=at,
            rerun=rerun,
        )
    )


def _memory(result: CaseResult) -> Memory:
    seen = result.observation
    return Memory(
        free_before=seen.free_before if seen else None,
        free_low=seen.free_low if seen else None,
        free_after=seen.free_after if seen else None,
        held=seen.held if seen else None,
        largest_after=result.largest_after,
        idf_after=result.idf_after,
    )


def dropped_connections(results: Iterable[Result]) -> DroppedConnections:
    """Count the dropped connections of a run and the results that had any, and name the first few addresses."""
    met = [result for result in results if result.strangers]
    known = {address for result in met for address in result.stranger_addresses}
    return DroppedConnections(
        connections=sum(result.strangers for result in met),
        cases=len(met),
        addresses=tuple(sorted(known)[:ADDRESSES_NAMED]),
    )


def expected_entry(expected: Expectation) -> Expected:
    """Return the expectation; a field left open is null."""
    return entry_of(expected, Expected)


def observed_entry(seen: Observation) -> Observed:
    """Return both sides' errors (null if a side saw none), the alerts, what was negotiated and the ClientHello."""
    return Observed(
        server=entry_of(seen.server, ServerFault) if seen.server else None,
        client=entry_of(seen.client, ClientFault) if seen.client else None,
        alerts=tuple(entry_of(alert, WireAlert) for alert in seen.alerts),
        negotiated=seen.negotiated,
        client_hello=seen.client_hello,
        text=ExchangedText(server_received=seen.received_by_server, client_received=seen.received_by_client),
        addresses=Addresses(server=seen.server_address, board=seen.board_address),
        reached=seen.reached,
        verified=seen.verified,
        server_key=seen.server_key,
    )


def explanation_entry(explanation: Explanation) -> ExplanationEntry:
    """Return the explanation with its fixes; how `diagnose` tries one is not part of it."""
    return entry_of(explanation, ExplanationEntry)


def board_entry(spec: BoardSpec, info: BoardInfo | None, *, error: str | None, notes: Iterable[str] = ()) -> BoardEntry:
    """Return one board: what was asked for, what the probe found, and what is wrong with it."""
    facts = None
    if info is not None:
        words = {name: getattr(info, name) for name in BoardFacts.__struct_fields__ if hasattr(info, name)}
        family = info.hello.fingerprint if info.hello else None
        facts = BoardFacts(**words, hello_clock_unix_s=hello_clock_unix_s(info), fingerprint=family)
    return bounded(
        BoardEntry(
            board=spec.label,
            spec=spec.text,
            kind=spec.kind,
            firmware=info.firmware if info else None,
            error=error,
            notes=tuple(notes),
            facts=facts,
        )
    )


def case_entry(case: Case) -> CaseEntry:
    """Return one case of the list, without its expectation: that depends on the board and is part of the result."""
    return CaseEntry(
        case=case.id,
        topic=case.topic,
        title=case.title,
        description=case.description,
        tier=case.tier,
        subject=case.subject,
    )
