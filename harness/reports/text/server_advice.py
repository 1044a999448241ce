"""What the user's server should use, as configuration to copy, and one sentence per board. Pure.

The configuration is that of the case that connects every board: what was tried, not what should work. Its files have names of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.cases import find_case
from harness.errors import UsageError
from harness.explain.other_servers import for_any_server
from harness.explain.server_lines import serving
from harness.firmware.since import Feature, last_port, since
from harness.model import Change, Fix, ServerProfile
from harness.reports.record.run_types import BoardEntry, RunRecord
from harness.reports.text.server_keys import Connects, KeyCell, KeyMatrix, KeyRow, recommended

# In `for_any_server` each line begins with the server's name in this width.
_NAME_WIDTH = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The server that connects every board: the title of its case, and lines for each kind of server."""

    title: str
    servers: tuple[tuple[str, tuple[str, ...]], ...]


def configuration(matrix: KeyMatrix) -> Configuration | None:
    """Return the configuration of the recommended server; None if none connects every board, or its case is not one of this version."""
    row = advised(matrix)
    if row is None:
        return None
    try:
        profile = find_case(row.case).server
    except UsageError:
        return None
    settings = {
        "certificates": profile.certificates,
        "ciphers": profile.ciphers,
        "maximum_version": profile.maximum_version,
    }
    given = {name: value for name, value in settings.items() if value}
    fix = for_any_server(Fix(title="", server_lines=_python(profile), change=Change(server=given)))
    lines: dict[str, list[str]] = {}
    for line in fix.server_lines:
        lines.setdefault(line[:_NAME_WIDTH].strip(), []).append(line[_NAME_WIDTH:])
    lines.pop("s_server", None)  # a tool for tests
    return Configuration(title=row.title, servers=tuple((name, tuple(found)) for name, found in lines.items()))


def advised(matrix: KeyMatrix) -> KeyRow | None:
    """Return the single key that is recommended, else the best server with several keys that connects every board."""
    known = matrix.without_silent_columns()
    return recommended(matrix) or next((row for row in known.ranked() if row.everywhere), None)


def _python(profile: ServerProfile) -> tuple[str, ...]:
    """The lines of Python's ssl, with the names of files that the other servers have."""
    kinds = {name: "rsa" if "rsa" in name else "ec" for name in profile.certificates}
    pairs = {name: (f"{kind}-cert.pem", f"{kind}-key.pem") for name, kind in kinds.items()}
    plain = replace(profile, client_ca=())
    return serving(plain, pairs=pairs, authorities={})


def board_lines(run: RunRecord, matrix: KeyMatrix) -> list[str]:
    """Say in one sentence per board which keys it needs."""
    described = {board.board: board for board in run.boards}
    boards = dict.fromkeys(board for board, _server in matrix.columns)
    return [
        f"{_name(board, described.get(board))}: {_sentence(board, described.get(board), matrix)}." for board in boards
    ]


def _name(board: str, entry: BoardEntry | None) -> str:
    if entry is None or not entry.firmware:
        return board
    platform = f" on {entry.facts.platform}" if entry.facts and entry.facts.platform else ""
    return f"{board} ({entry.firmware}{platform})"


def _sentence(board: str, entry: BoardEntry | None, matrix: KeyMatrix) -> str:
    cells = {row.case: [cell for cell in row.cells if cell.board == board] for row in matrix.rows if row.recommendable}
    strong = _kinds(
        case for case, found in cells.items() if _all_connect(found) and not any(cell.weak for cell in found)
    )
    weak = [kind for kind in _kinds(case for case, found in cells.items() if _all_connect(found)) if kind not in strong]
    every = [cell for found in cells.values() for cell in found]
    if strong:
        parts = [f"{' or '.join(strong)} key"]
    elif weak:
        parts = [f"{' or '.join(weak)} key, but every session is weak ({_weakness(every)})"]
    elif any(cell.connects in (Connects.YES, Connects.NO) for cell in every):
        parts = [f"no single key works with all servers ({_reason(every)})"]
    else:
        parts = [f"no key could be tried ({_reason(every)})"]
    if strong and weak:
        parts.append(f"with an {weak[0]} key its sessions are weak ({_weakness(every)})")
    if strong and "RSA" not in strong and _is_before_rsa(entry):
        parts.append(f"good sessions with an RSA key need firmware {since(Feature.ECDHE_RSA)}")
    if any(cell.unverified for cell in every):
        parts.append("its firmware cannot verify the certificate")
    return "; ".join(parts)


def _all_connect(cells: Sequence[KeyCell]) -> bool:
    return bool(cells) and all(
        cell.connects is Connects.YES and cell.verdict and cell.verdict.as_expected for cell in cells
    )


def _kinds(cases: Iterable[str]) -> list[str]:
    """Return the kinds of key of some cases, each once, EC first: it needs the least time and memory."""
    found = {"RSA" if case.startswith("key/rsa") else "EC" for case in cases}
    return sorted(found)


def _weakness(cells: Sequence[KeyCell]) -> str:
    return "; ".join(dict.fromkeys(cell.weak for cell in cells if cell.weak))


def _reason(cells: Sequence[KeyCell]) -> str:
    return next((cell.reason for cell in cells if cell.reason), "not run")


def _is_before_rsa(entry: BoardEntry | None) -> bool:
    """Whether the firmware may be one without ECDHE_RSA."""
    version = entry.facts.version if entry is not None and entry.facts is not None else ()
    numbers = tuple(part for part in version[:2] if isinstance(part, int))
    return len(numbers) < 2 or numbers < last_port(Feature.ECDHE_RSA)
