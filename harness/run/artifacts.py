"""The evidence of one case as files: a capture that Wireshark opens decrypted, and the serial transcript."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from harness.model import Case, CaseResult, ServerReport
from harness.reports.record.journal import write_private
from harness.run.handshake import Attempt
from harness.wire.packet_list import packet_list
from harness.wire.pcapng import pcapng


def with_packets(result: CaseResult, tried: Attempt | None) -> CaseResult:
    """Give the result the list of what crossed the wire in the handshake it was judged by."""
    if tried is None:
        return result
    report = tried.report
    rows = packet_list(report.wire, tried.wire, alerts=tried.observation.alerts, ends=report.tcp_ends)
    return replace(result, packets=rows)


def keep(result: CaseResult, tried: Attempt | None, *, folder: Path, case: Case) -> CaseResult:
    """Write what there is and return the result with the files' names, relative to the artifacts folder.

    Args:
        result: the judged case.
        tried: the handshake it was judged by; None where there was none.
        folder: the artifacts folder. The capture holds the session's secrets, and what a board prints may be anything: both are 0600.
        case: for the file names.
    """
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", f"{result.board}-{result.server}-{case.id}")
    if result.repeat > 1:
        stem += f"-{result.repeat}"
    names: dict[str, str | None] = {"pcapng": None, "transcript": None}
    if tried is not None and tried.report.wire:
        names["pcapng"] = f"{stem}.pcapng"
        write_private(folder / f"{stem}.pcapng", capture(tried.report))
    if result.transcript:
        names["transcript"] = f"{stem}.serial.txt"
        write_private(folder / f"{stem}.serial.txt", (result.transcript + "\n").encode("utf-8"))
    return replace(result, artifacts=names)


def capture(report: ServerReport) -> bytes:
    """What one connection was, as a capture file; it holds the session's secrets where the server knows them."""
    return pcapng(
        report.wire,
        client=(report.peer or "127.0.0.1", report.peer_port or 0),
        server=(report.local or "127.0.0.1", report.local_port or 0),
        started_unix_s=report.started_unix_s,
        key_log=report.key_log,
        ends=report.tcp_ends,
    )


def keep_capture(result: CaseResult, tried: Attempt | None, *, file: Path) -> tuple[CaseResult, str]:
    """Write the capture of one handshake where the user wants it (0600), and its list of packets into the result.

    Returns:
        The result that names the file, and what to say of it in one line.

    Raises:
        OSError: the file cannot be written.
    """
    if tried is None or not tried.report.wire:
        return result, f"capture: {file} is not written, for nobody connected"
    write_private(file, capture(tried.report))
    secrets = "the session's secrets are in it" if tried.report.key_log else "what is encrypted stays so"
    named = replace(result, artifacts={"pcapng": str(file), "transcript": None})
    return with_packets(named, tried), f"capture: {file}; {secrets}"
