"""The artifacts of one case: a capture that Wireshark decrypts, and the serial transcript. Writes files, judges nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from harness.model import DEFAULT_CLIENT, Case, CaseResult, ServerReport
from harness.reports.record.journal import write_private
from harness.run.handshake import Handshake
from harness.wire.packet_list import packet_list
from harness.wire.pcapng import pcapng


def with_packets(result: CaseResult, handshake: Handshake | None) -> CaseResult:
    """Return the result with the packet list of the handshake it was judged by."""
    if handshake is None:
        return result
    report = handshake.report
    rows = packet_list(report.wire, handshake.wire, alerts=handshake.observation.alerts, ends=report.tcp_ends)
    return replace(result, packets=rows)


def keep(
    result: CaseResult, handshake: Handshake | None, *, folder: Path, case: Case
) -> tuple[CaseResult, tuple[str, ...]]:
    """Write the artifacts of a case; a full disk loses evidence, never a verdict.

    Args:
        result: the judged case.
        handshake: the one it was judged by; None if there was none.
        folder: the artifacts folder. Both files get mode 0600: the capture holds the session's secrets, and a board may print any.
        case: the case, whose id is part of the file names.

    Returns:
        The result with the names of the files, relative to the artifacts folder, and a line for each reason why one was not written.
    """
    words = [result.board, result.server, *([result.client] if result.client is not DEFAULT_CLIENT else [])]
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", "-".join([*words, *filter(None, (result.link, case.id))]))
    if result.repeat > 1:
        stem += f"-{result.repeat}"
    names: dict[str, str | None] = {"pcapng": None, "transcript": None}
    data: dict[str, tuple[str, bytes]] = {}
    if handshake is not None and handshake.report.wire:
        data["pcapng"] = (f"{stem}.pcapng", capture(handshake.report))
    if result.transcript:
        data["transcript"] = (f"{stem}.serial.txt", (result.transcript + "\n").encode("utf-8"))
    lost: list[str] = []
    for kind, (name, content) in data.items():
        try:
            write_private(folder / name, content)
            names[kind] = name
        except OSError as error:
            lost.append(f"captures or transcripts are missing: {folder} cannot be written ({error.strerror})")
    return replace(result, artifacts=names), tuple(dict.fromkeys(lost))


def capture(report: ServerReport) -> bytes:
    """Return one connection as a pcapng capture, with the session's secrets if the server knows them."""
    return pcapng(
        report.wire,
        client=(report.peer or "127.0.0.1", report.peer_port or 0),
        server=(report.local or "127.0.0.1", report.local_port or 0),
        started_unix_s=report.started_unix_s,
        key_log=report.key_log,
        ends=report.tcp_ends,
    )


def keep_capture(result: CaseResult, handshake: Handshake | None, *, file: Path) -> tuple[CaseResult, str]:
    """Write the capture of one handshake to a file of the user's choice, with mode 0600.

    Args:
        result: the judged case.
        handshake: the one it was judged by; None if there was none.
        file: where to write.

    Returns:
        The result with the file's name and the packet list, and a line about the file.

    Raises:
        OSError: the file cannot be written.
    """
    if handshake is None or not handshake.report.wire:
        return result, f"capture: {file} was not written because the board did not connect"
    write_private(file, capture(handshake.report))
    secrets = "with the session's secrets" if handshake.report.key_log else "without the session's secrets"
    named = replace(result, artifacts={"pcapng": str(file), "transcript": None})
    return with_packets(named, handshake), f"capture: {file}; {secrets}"
