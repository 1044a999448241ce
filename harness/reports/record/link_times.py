"""How long handshakes took in each network of `--link-profile`: the small table of the page and of the Markdown report. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from harness.links.profiles import NO_PROFILE
from harness.model import Outcome
from harness.reports.record.columns import column_name
from harness.reports.record.result_types import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTime:
    """The handshakes of one column in one network, by the board's clock: those of cases that connected in all of its networks."""

    board: str
    server: str
    link: str
    sessions: int
    median_ms: float
    longest_ms: float


def link_times(results: Iterable[Result]) -> list[LinkTime]:
    """Return a row per column and network; none if the run has only the network as it is.

    Only cases that connected in every network of a column count: other cases would compare different handshakes.
    """
    columns: dict[tuple[str, str], dict[str, dict[str, list[float]]]] = {}
    for result in results:
        time_ms = result.timing_ms.handshake_board
        links = columns.setdefault((column_name(replace(result, link=None)), result.server), {})
        cases = links.setdefault(result.link or NO_PROFILE, {})
        if result.outcome is Outcome.CONNECTED and time_ms is not None:
            cases.setdefault(result.case, []).append(time_ms)
    rows = []
    for (board, server), links in columns.items():
        common = set.intersection(*map(set, links.values()))
        if set(links) == {NO_PROFILE} or not common:
            continue
        for link, cases in links.items():
            times = [time_ms for case in common for time_ms in cases[case]]
            rows.append(
                LinkTime(
                    board=board,
                    server=server,
                    link=link,
                    sessions=len(times),
                    median_ms=round(statistics.median(times), 1),
                    longest_ms=round(max(times), 1),
                )
            )
    return rows
