"""The run record (`run.json`, schema `tls-harness/run/1`): results to JSON and nothing else. Pure.

Field names are an interface (run.schema.json): scripts in labs are written against them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from harness.firmware.hello_notes import hello_clock_unix_s
from harness.model import (
    Alert,
    BoardInfo,
    BoardSpec,
    Case,
    CaseResult,
    Expectation,
    Explanation,
    Fix,
    HelloFacts,
    Observation,
    Packet,
    UnexpectedPeers,
    as_json,
)
from harness.reports.record.plain import bounded

SCHEMA = "tls-harness/run/1"
STRANGERS_NAMED = 8


def result_json(result: CaseResult) -> dict[str, Any]:
    """One result as it stands in `results`. Everything a board or server sent is JSON text, escaped by whoever shows it."""
    seen = result.observation
    met = result.strangers
    if met is None:
        met = UnexpectedPeers(count=seen.strangers, addresses=seen.stranger_addresses) if seen else UnexpectedPeers()
    data = {
        "board": result.board,
        "server": result.server,
        "case": result.case,
        "attempt": result.attempt,
        "repeat": result.repeat,
        "outcome": seen.outcome.value if seen else "not-run",
        "verdict": result.verdict.word.value,
        "stage": seen.stage.value if seen and seen.stage else None,
        "ended_by": seen.ended_by.value if seen and seen.ended_by else None,
        "reason": result.verdict.reason,
        "expected": expected_json(result.expected) if result.expected else None,
        "observed": observed_json(seen) if seen else None,
        "mismatches": as_json(result.verdict.mismatches),
        "explanation": explanation_json(result.explanation) if result.explanation else None,
        "timing_ms": {
            "handshake_board": seen.handshake_board_ms if seen else None,
            "handshake_server": seen.handshake_server_ms if seen else None,
            "case": seen.case_ms if seen else None,
        },
        "memory_bytes": {
            "free_before": seen.free_before if seen else None,
            "free_low": seen.free_low if seen else None,
            "free_after": seen.free_after if seen else None,
            "held": seen.held if seen else None,
        },
        "strangers": met.count,
        "stranger_addresses": list(met.addresses),
        "link_errors": list(result.link_errors),
        "recovery": as_json(result.recovery),
        "weak": result.weak,
        "packets": [packet_json(packet) for packet in result.packets],
        "artifacts": {"pcapng": None, "transcript": None, **result.artifacts},
    }
    kept: dict[str, Any] = bounded(data)
    return kept


def strangers_json(results: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The dropped connections of a run: how many, in how many results, and the first few addresses."""
    met = [result for result in results if result.get("strangers")]
    known = {address for result in met for address in result.get("stranger_addresses", ())}
    return {
        "connections": sum(result["strangers"] for result in met),
        "cases": len(met),
        "addresses": sorted(known)[:STRANGERS_NAMED],
    }


def expected_json(expected: Expectation) -> dict[str, Any]:
    """The expectation; a field left open is null."""
    alert = expected.alert
    return {
        "source": expected.source.value,
        "outcome": expected.outcome.value,
        "stage": as_json(expected.stage),
        "ended_by": as_json(expected.ended_by),
        "server_type": expected.server_type,
        "server_reason": expected.server_reason,
        "server_errno": expected.server_errno,
        "verify_code": expected.verify_code,
        "client_type": expected.client_type,
        "client_number": expected.client_number,
        "client_name": expected.client_name,
        "client_flags": as_json(expected.client_flags),
        "alert": {"from": alert.sender.value, "code": int(alert.code), "name": alert.name} if alert else None,
        "version": expected.version,
        "suite": expected.suite,
        "group": expected.group,
        "server_name": expected.server_name,
        "open_because": expected.open_because,
        "note": expected.note,
    }


def observed_json(seen: Observation) -> dict[str, Any]:
    """Both sides' errors (null where a side saw none), the alerts, what was negotiated and the ClientHello."""
    server, client = seen.server, seen.client
    return {
        "server": {
            "type": server.type,
            "reason": server.reason,
            "errno": server.errno,
            "verify_code": server.verify_code,
            "verify_message": server.verify_message,
            "stage": server.stage.value,
        }
        if server
        else None,
        "client": {
            "type": client.type,
            "args": as_json(client.args),
            "number": client.number,
            "flags": as_json(client.flags),
            "name": client.name,
            "stage": client.stage.value,
        }
        if client
        else None,
        "alerts": [alert_json(alert) for alert in seen.alerts],
        "negotiated": as_json(seen.negotiated),
        "client_hello": hello_json(seen.client_hello) if seen.client_hello else None,
        "text": {"server_received": seen.received_by_server, "client_received": seen.received_by_client},
        "addresses": {"server": seen.server_address, "board": seen.board_address},
    }


def alert_json(alert: Alert) -> dict[str, Any]:
    """One alert of the wire."""
    return {
        "from": alert.sender.value,
        "level": alert.level,
        "code": alert.code,
        "name": alert.name,
        "encrypted": alert.encrypted,
        "at_ms": alert.at_ms,
    }


def packet_json(packet: Packet) -> dict[str, Any]:
    """One row of the packet list."""
    return {
        "number": packet.number,
        "at_ms": packet.at_ms,
        "from": packet.sender.value,
        "bytes": packet.length,
        "info": packet.info,
    }


def hello_json(hello: HelloFacts) -> dict[str, Any]:
    """The ClientHello in hex, as on the wire."""
    data: dict[str, Any] = as_json(hello)
    return data


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation with its fixes; how `diagnose` tries one is not part of it."""
    data: dict[str, Any] = as_json(replace(explanation, fixes=()))
    data["fixes"] = [fix_json(fix) for fix in explanation.fixes]
    return data


def fix_json(fix: Fix) -> dict[str, Any]:
    """One fix: its words, its lines, and whether it was proved."""
    data: dict[str, Any] = as_json(fix)
    del data["change"]
    return data


def board_json(
    spec: BoardSpec, info: BoardInfo | None, *, error: str | None, notes: Iterable[str] = ()
) -> dict[str, Any]:
    """One board: what was asked for, what the probe found, and what is wrong with it."""
    facts = bounded(as_json(info)) if info else None
    if facts is not None and info is not None:
        facts["firmware"] = info.firmware
        facts["hello_clock_unix_s"] = hello_clock_unix_s(info)
        facts["fingerprint"] = info.hello.fingerprint if info.hello else None
    return {
        "board": spec.label,
        "spec": spec.text,
        "kind": spec.kind,
        "firmware": info.firmware if info else None,
        "error": bounded(error),
        "notes": bounded(list(notes)),
        "facts": facts,
    }


def case_json(case: Case) -> dict[str, Any]:
    """One case of the list, without its expectation (that depends on the board and stands in the result)."""
    return {
        "case": case.id,
        "topic": case.topic,
        "title": case.title,
        "description": case.description,
        "tier": case.tier.value,
        "weak": case.weak,
    }
