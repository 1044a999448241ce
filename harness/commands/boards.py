"""`tls-harness boards`: list ports and boards, probe them, and remove what was deployed."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.commands.board_check import check, heading
from harness.errors import FAULT_EXIT_CODE, BoardError, HarnessError, UsageError

if TYPE_CHECKING:
    from harness.boards.locks.occupancy import Occupancy
    from harness.boards.serial.ports import SerialPort
    from harness.commands import Commands
    from harness.model import BoardInfo, BoardSpec

EXAMPLE = """\
examples:
  $ tls-harness boards                        ports, boards in ./boards.toml, the virtual board
  $ tls-harness boards --probe                open each configured board and `unix`, and describe it
  $ tls-harness boards --probe /dev/ttyUSB0   check this board step by step, ending with a TLS session
  $ tls-harness boards --probe faulty:banner  a virtual board with a simulated fault (any unknown name lists the available ones)
  $ tls-harness boards --clean /dev/ttyUSB0   remove what pytest put on the board

A probe interrupts the running program and restarts MicroPython (soft reset); it writes nothing to the board. Probing a
single board (with SPEC) also joins the network configured in boards.toml and sets the clock; it stops at the first step
that fails and says what to do.
"""
_API_SHOWN = ("set_ciphers", "load_verify_locations", "load_cert_chain", "wrap_socket(cadata)", "wrap_socket(key)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Virtual:
    """Whether this machine can run the board `unix`: the name of the interpreter, or why not."""

    interpreter: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """The result of opening one board: what it is, or the error."""

    spec: BoardSpec
    info: BoardInfo | None
    error: str | None
    notes: tuple[str, ...] = ()


def add(commands: Commands) -> None:
    """Declare the command."""
    from harness.boards.kinds import spec_forms

    parser = commands.add_parser(
        "boards",
        help="list serial ports, configured and virtual boards, and what is using them; probe or clean them",
        description="List the serial ports with their USB identity, the boards in boards.toml and the virtual board; "
        "for each, whether it is free or in use, and by what.",
        epilog=f"{EXAMPLE}\n{textwrap.fill(f'SPEC is {spec_forms()}.', width=100)}",
    )
    parser.add_argument(
        "spec", nargs="*", metavar="SPEC", help="with --probe: only these boards, named as in `pytest --board`"
    )
    parser.add_argument(
        "--probe",
        action="store_true",
        help="open each configured board and `unix`, and print what it is and what it supports",
    )
    parser.add_argument("--clean", metavar="SPEC", help="remove what was deployed to this board, and nothing else")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--boards", metavar="FILE", default=None, help="the lab's boards.toml (default: ./boards.toml if it exists)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List, probe or clean.

    Returns:
        0, or 10 if a board could not be opened.

    Raises:
        UsageError: for an unknown spec, or options that exclude each other.
        BoardError: the board to clean cannot be opened.
    """
    from harness.boards.lab_file import read_lab
    from harness.boards.spec import choose_boards, parse_board

    lab = read_lab(options.boards, folder=Path.cwd())
    if options.clean is not None:
        if options.probe or options.spec:
            raise UsageError("--clean: accepts exactly one board, and no --probe or further boards")
        return _clean(parse_board(options.clean, lab), as_json=options.json)
    if options.spec and not options.probe:
        raise UsageError(f"{options.spec[0]!r}: add --probe to probe this board; without it no board may be named")
    asked = choose_boards(options.spec, lab)
    virtual = find_virtual()
    if options.probe and len(asked) == 1 and not options.json:
        return check(asked[0])
    if options.probe:
        return _probe(asked or _default_boards(lab, virtual), virtual, explicit=bool(asked), as_json=options.json)
    ports, trouble = _ports()
    if options.json:
        _print_json({"ports": ports_json(ports), "configured": lab_json(lab), "virtual": virtual_json(virtual)})
        if trouble:
            print(f"tls-harness: {trouble}", file=sys.stderr)
    else:
        print("\n".join([*port_lines(ports, trouble=trouble), *lab_lines(lab), *virtual_lines(virtual)]))
    return 0


def _ports() -> tuple[list[SerialPort], str | None]:
    """List the serial ports; or none, and why they cannot be listed."""
    from harness.boards.serial.ports import list_ports

    try:
        return list_ports(), None
    except BoardError as error:
        return [], str(error)


def find_virtual() -> Virtual:
    """Find the interpreter of `unix` without starting it."""
    from harness.boards.virtual.interpreter import find_interpreter

    try:
        return Virtual(interpreter=find_interpreter("").name, reason=None)
    except HarnessError as error:
        return Virtual(interpreter=None, reason=str(error))


def _default_boards(lab: dict[str, BoardSpec], virtual: Virtual) -> list[BoardSpec]:
    from harness.boards.spec import parse_board

    opened = [spec for spec in lab.values() if not _starts_program(spec)]
    for spec in lab.values():
        if _starts_program(spec):
            print(
                f"tls-harness: {spec.label}: not probed, because its spec in boards.toml starts {spec.target}; to start it: "
                f"tls-harness boards --probe {spec.label}",
                file=sys.stderr,
            )
    return [*opened, *([parse_board("unix", {})] if virtual.interpreter else [])]


def _starts_program(spec: BoardSpec) -> bool:
    """Whether opening a board starts a program that boards.toml names: the file may be part of a repository that was only cloned."""
    return spec.kind == "unix" and bool(spec.target)


# ----------------------------------------------------------------------------------------------- probe


def _probe(boards: Iterable[BoardSpec], virtual: Virtual, *, explicit: bool, as_json: bool) -> int:
    from harness.reports.record.run_record import board_entry

    found = []
    for spec in boards:
        probed = probe(spec)
        found.append(probed)
        if not as_json:
            # Printed at once, since opening the next board may take half a minute.
            print("\n".join(probed_lines(probed)), flush=True)
        if probed.error is not None:
            print(f"tls-harness: {probed.error}", file=sys.stderr)
    if as_json:
        boards_json = [
            board_entry(item.spec, item.info, error=item.error, notes=item.notes).as_json() for item in found
        ]
        _print_json({"boards": boards_json, "virtual": virtual_json(virtual)})
    elif virtual.reason is not None and not explicit:
        print(virtual.reason)
    return FAULT_EXIT_CODE if any(item.error is not None for item in found) else 0


def probe(spec: BoardSpec) -> Probed:
    """Open a board, probe it, and leave it as it was. Nothing is written to it."""
    from harness.boards.kinds import open_board
    from harness.system.deadline import Deadline

    try:
        session = open_board(spec, deploy=False)
    except HarnessError as error:
        return Probed(spec=spec, info=None, error=str(error))
    try:
        return Probed(spec=spec, info=session.info, error=None, notes=tuple(session.notes))
    finally:
        session.close(deadline=Deadline(5.0))


def _clean(spec: BoardSpec, *, as_json: bool) -> int:
    from harness.boards.kinds import open_board
    from harness.system.deadline import Deadline

    session = open_board(spec, deploy=False)
    try:
        removed = session.clean()
    finally:
        session.close(deadline=Deadline(5.0))
    if as_json:
        _print_json({"board": spec.label, "removed": removed})
    else:
        print(f"{spec.label}: {'removed what was deployed' if removed else 'nothing was deployed here'}")
    return 0


# ----------------------------------------------------------------------------------------------- JSON


def _print_json(data: dict[str, Any]) -> None:
    print(json.dumps(data, indent=1))


def ports_json(ports: Iterable[SerialPort]) -> list[dict[str, Any]]:
    """The serial ports as JSON, with whether each is free."""
    from harness.boards.locks.occupancy import of_port
    from harness.model import as_json

    return [{**as_json(port), **_occupancy_json(of_port(port))} for port in ports]


def _occupancy_json(occupancy: Occupancy) -> dict[str, Any]:
    from harness.model import as_json

    return {
        "state": occupancy.state,
        "holder": as_json(occupancy.holder) if occupancy.holder else None,
        "reason": occupancy.reason,
    }


def lab_json(lab: dict[str, BoardSpec]) -> list[dict[str, Any]]:
    """The configured boards as JSON, with the name of the password's variable; its value is not read."""
    from harness.boards.kinds import occupancy
    from harness.model import as_json

    return [
        {
            "board": name,
            "spec": _spec_text(spec),
            "kind": spec.kind,
            "settings": as_json(spec.settings),
            **_occupancy_json(occupancy(spec)),
        }
        for name, spec in lab.items()
    ]


def _spec_text(spec: BoardSpec) -> str:
    """The key `spec` of boards.toml; `text` of such a board is its name."""
    from harness.boards.kinds import BOARD_KINDS

    prefix = BOARD_KINDS[spec.kind].prefix
    return f"{prefix}{spec.target}" if spec.target else prefix.removesuffix(":")


def virtual_json(virtual: Virtual) -> dict[str, Any]:
    """The virtual board's availability as JSON."""
    return {
        "spec": "unix",
        "available": virtual.interpreter is not None,
        "interpreter": virtual.interpreter,
        "reason": virtual.reason,
    }


# ----------------------------------------------------------------------------------------------- text


def port_lines(ports: Iterable[SerialPort], *, trouble: str | None = None) -> list[str]:
    """The serial ports as text, one line each; or why they cannot be listed."""
    from harness.boards.locks.occupancy import of_port

    rows = [
        [
            port.device,
            port.usb_id or "-",
            port.description or "-",
            f"id:{port.serial_number}" if port.serial_number else "",
            port.by_id or "",
            str(of_port(port)),
        ]
        for port in ports
    ]
    return ["serial ports", *(_table(rows) or [f"  {trouble or 'none'}"])]


def lab_lines(lab: dict[str, BoardSpec]) -> list[str]:
    """The configured boards as text, with tags, hooks and who uses each; empty if there are none."""
    from harness.boards.kinds import occupancy

    rows = [
        [
            name,
            _spec_text(spec),
            f"network {spec.settings.network}",
            spec.settings.ssid or "",
            f"tags {','.join(spec.settings.tags)}" if spec.settings.tags else "",
            _hooks_text(spec),
            str(occupancy(spec)),
        ]
        for name, spec in lab.items()
    ]
    return ["boards.toml", *_table(rows)] if rows else []


def _hooks_text(spec: BoardSpec) -> str:
    hooks = (("reset", spec.settings.reset), ("power_cycle", spec.settings.power_cycle))
    names = [name for name, hook in hooks if hook]
    return f"hooks {','.join(names)}" if names else ""


def virtual_lines(virtual: Virtual) -> list[str]:
    """The virtual board as text: its interpreter, or one line on why there is none."""
    if virtual.interpreter is None:
        return ["virtual board", f"  {virtual.reason}"]
    return ["virtual board", f"  unix  {virtual.interpreter}"]


def probed_lines(probed: Probed) -> list[str]:
    """One probed board as text."""
    head = heading(probed.spec)
    info = probed.info
    if info is None:
        return [f"{head}: not usable"]
    lines = [f"{head}: {info.implementation or 'unknown'} {info.firmware} on {info.machine or info.platform}".rstrip()]
    if info.has_tls:
        version = info.tls_version or info.tls_library or "version unknown"
        offers = [name for name in _API_SHOWN if any(entry.endswith(name) for entry in info.api)]
        lines.append(
            f"  TLS      {info.tls_module} ({version}): {', '.join(offers) or 'no certificates, no choice of suites'}"
        )
    else:
        lines.append("  TLS      none: no ssl, tls or ussl module in this firmware")
    if info.suites:
        lines.append(f"  suites   {len(info.suites)}, first {info.suites[0]}")
    if info.heap_free_bytes is not None:
        lines.append(f"  heap     {info.heap_free_bytes} bytes free")
    lines.append(f"  address  {info.address or 'none (see `network` in boards.toml)'}")
    lines += [f"  note     {note}" for note in probed.notes]
    return lines


def _table(rows: list[list[str]]) -> list[str]:
    # Columns that are empty in every row are left out.
    rows = [list(row) for row in zip(*(column for column in zip(*rows, strict=True) if any(column)), strict=True)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
