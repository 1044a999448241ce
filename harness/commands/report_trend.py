"""`tls-harness report trend`: what each cell did over many runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands.report_files import check_other, check_suffix, say, write
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.commands import Commands

FORMATS = (".html", ".json")


def add(parts: Commands) -> None:
    """Declare the subcommand."""
    parser = parts.add_parser(
        "trend",
        help="show verdicts, times and heap of each cell over many runs",
        description="Show what each cell (a case on a board against a server) did over many runs: verdicts, flakiness, handshake time, "
        "free heap, and when the board's firmware or the server changed.",
        epilog="examples:\n  $ tls-harness report trend records/ -o trend.html -o trend.json\n"
        "  $ tls-harness report trend monday/run.json tuesday/run.json\n\n"
        "Records are read one at a time and may be given in any order; their start times decide. Of a folder, every *.json in it and\n"
        "every run.json in its subfolders is read; what is not a run record is left out with a message. A run that appears twice\n"
        "counts once. A merged record counts as the runs it was made of.\n"
        "Without -o a summary is printed.\n\n"
        "exit codes: 0 written, 2 usage error or not a run record, 10 OUT cannot be written",
    )
    parser.add_argument("run_files", metavar="RUN", nargs="+", help="run.json, run.jsonl, or a folder of records")
    parser.add_argument(
        "-o",
        dest="outputs",
        metavar="OUT",
        action="append",
        default=[],
        help=f"the output, repeatable; the suffix selects the format: {', '.join(FORMATS)}",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read all records, and write or print their trend.

    Raises:
        UsageError: an invalid file or suffix; no result in any of them.
        HarnessError: the output cannot be written.
    """
    from harness.reports.html.trend import render_trend_html
    from harness.reports.record.reading import read_run
    from harness.reports.record.trend import TrendBuilder
    from harness.reports.text.trend_json import render_trend_json
    from harness.reports.text.trend_text import headline, trend_text

    paths = {path: in_folder for name in options.run_files for path, in_folder in _records(name)}
    for output in options.outputs:
        check_suffix(output, accepted=FORMATS)
        check_other(output, [path for path, in_folder in paths.items() if not in_folder])
    builder = TrendBuilder()
    for path, in_folder in paths.items():
        try:
            file = read_run(path)
        except UsageError as error:
            if not in_folder:
                raise
            print(f"tls-harness: left out: {error}", file=sys.stderr)
            continue
        say(file)
        builder.add(file.run, file=path)
        del file  # one record at a time in memory
    trend = builder.finish()
    for note in trend.notes:
        print(f"tls-harness: {note}", file=sys.stderr)
    if not trend.cells:
        raise UsageError(
            f"report trend: no results in {len(paths)} record{'s' * (len(paths) != 1)}; give records of runs with cases"
        )
    for output in options.outputs:
        write(output, render_trend_html(trend) if Path(output).suffix == ".html" else render_trend_json(trend))
    sys.stdout.write(f"{headline(trend)}\n" if options.outputs else trend_text(trend))
    return 0


def _records(name: str) -> Iterator[tuple[str, bool]]:
    """Yield the records that an argument names, and whether each was found in a folder: one that cannot be read is left out there.

    Raises:
        UsageError: a folder without any.
    """
    folder = Path(name)
    if not folder.is_dir():
        yield name, False
        return
    found = sorted({*folder.glob("*.json"), *folder.glob("**/run.json")})
    if not found:
        raise UsageError(
            f"report trend {name}: no run.json in this folder; keep the run.json of each run (see docs/reports.md)"
        )
    yield from ((str(path), True) for path in found)
