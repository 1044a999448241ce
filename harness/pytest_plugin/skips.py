"""Equal skips in pytest's summary: one line with the reason and some of the cases, however many cases it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

NAMED = 3


def fold(reports: Iterable[Any]) -> None:
    """Give all skipped cases of one reason the same text, which pytest then counts and prints once.

    Args:
        reports: of skipped tests; those that ran no case stay as they are.
    """
    groups: dict[tuple[str, str], list[Any]] = {}
    for report in reports:
        data = getattr(report, "tls", None)
        if data is not None and not data.get("not_run") and isinstance(report.longrepr, tuple):
            reason = str(data["result"]["reason"])
            groups.setdefault((data["result"]["verdict"], reason), []).append(report)
    for (verdict, reason), group in groups.items():
        if len(group) == 1:
            continue
        cases = list(dict.fromkeys(report.tls["result"]["case"] for report in group))
        more = f" and {len(cases) - NAMED} more" if len(cases) > NAMED else ""
        path, line, _text = group[0].longrepr
        for report in group:
            report.longrepr = (path, line, f"{verdict}: {reason} ({', '.join(cases[:NAMED])}{more})")
