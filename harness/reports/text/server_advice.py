"""What the user's server should use, as configuration to copy, and one sentence per board. Pure.

The configuration is that of the case that connects every board: what was tried, not what should work. Its files have names of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.cases import find_case
from harness.errors import UsageError
from harness.explain.other_servers import for_any_server
from harness.explain.server_lines import serving
from harness.firmware.since import Feature, last_port, since, since_on
from harness.firmware.table import port_of
from harness.model import Change, Fix, ServerProfile
from harness.reports.record.run_types import BoardEntry, RunRecord
from harness.reports.text.column_groups import grouped, heads
from harness.reports.text.server_keys import Connects, KeyCell, KeyMatrix, KeyRow, chosen

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
    return chosen(matrix.without_silent_columns())


def suites_line(matrix: KeyMatrix) -> str:
    """Say in one sentence which suites the recommended server needs, and which the boards negotiated with it; empty without one."""
    row = advised(matrix)
    if row is None:
        return ""
    counts = Counter(cell.suite for cell in row.good if cell.suite)
    seen = " and ".join(f"{suite} ({count} of {len(row.good)})" for suite, count in counts.most_common())
    try:
        profile = find_case(row.case).server
    except UsageError:
        profile = None
    needed = "" if profile is None else "those below; " if profile.ciphers else "the server's default list is enough; "
    strength = f"weak: {row.weak}" if row.weak else "every session has forward secrecy"
    return f"Suites: {needed}the boards negotiated {seen}; {strength}." if seen else ""


def _python(profile: ServerProfile) -> tuple[str, ...]:
    """The lines of Python's ssl, with the names of files that the other servers have."""
    kinds = {name: "rsa" if "rsa" in name else "ec" for name in profile.certificates}
    pairs = {name: (f"{kind}-cert.pem", f"{kind}-key.pem") for name, kind in kinds.items()}
    plain = replace(profile, client_ca=())
    return serving(plain, pairs=pairs, authorities={})


def board_lines(run: RunRecord, matrix: KeyMatrix) -> list[str]:
    """Say in one sentence per board which keys it needs."""
    described = {board.board: board for board in run.boards}
    found = []
    for board, columns in grouped(dict.fromkeys(board for board, _server in matrix.columns)).items():
        alike: dict[str, list[str]] = {}
        for column in columns:
            alike.setdefault(_sentence(column, described.get(column), matrix), []).append(column)
        name = board if len(columns) > 1 else columns[0]
        found += [f"{name}{_which(columns, described=described)}: {sentence}." for sentence, columns in alike.items()]
    return found


def _which(columns: Sequence[str], *, described: Mapping[str, BoardEntry]) -> str:
    """Return the firmware of some columns of one board, and what else tells them apart, in brackets."""
    entries = {column: described.get(column) for column in columns}
    texts = []
    for column, entry in entries.items():
        firmware, *more = heads(column, firmware=entry.firmware if entry else None) or [""]
        texts.append(" ".join(text for text in (firmware.removeprefix("firmware "), *more) if text))
    facts = [entry.facts for entry in entries.values() if entry and entry.facts]
    platforms = {port_of(item.platform) for item in facts if item.platform}
    where = f" on {platforms.pop()}" if len(platforms) == 1 else ""
    known = ", ".join(text for text in dict.fromkeys(texts) if text)
    return f" ({known}{where})" if known else ""


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
    if strong and "RSA" not in strong and (release := _release_with_rsa(entry)):
        parts[0] += f", or firmware {release} or later for an RSA key"
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


def _release_with_rsa(entry: BoardEntry | None) -> str:
    """Return the firmware from which on a board's port has ECDHE_RSA; empty if the board has it already. Without a port, all ports."""
    facts = entry.facts if entry is not None else None
    first = since_on(Feature.ECDHE_RSA, platform=facts.platform) if facts and facts.platform else None
    numbers = tuple(part for part in (facts.version if facts else ())[:2] if isinstance(part, int))
    if len(numbers) == 2 and numbers >= (first or last_port(Feature.ECDHE_RSA)):
        return ""
    return ".".join(map(str, first)) if first else since(Feature.ECDHE_RSA)
