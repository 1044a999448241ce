"""`tls-harness report`: render, compare and merge run records, without a board. Its other subcommands have files of their own."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands import report_check, report_metrics, report_trend
from harness.commands.report_files import FILE_HELP, check_other, check_suffix, read_checked, say, write
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.commands import Commands
    from harness.reports.record.diff import Comparison
    from harness.reports.record.reading import RunFile
    from harness.reports.record.run_types import ChangeKind

EXAMPLE = """\
examples:
  $ tls-harness report render .compat/run.jsonl -o matrix.html -o matrix.md
  $ tls-harness report diff old/run.json new/run.json
  $ tls-harness report merge lab-a/run.json lab-b/run.json -o all.json
  $ tls-harness report trend records/ -o trend.html
  $ tls-harness report check .compat/run.json --case 'key/*'
"""
DIFF_FORMATS = (".json", ".md", ".txt")


def add(commands: Commands) -> None:
    """Declare the command and its subcommands."""
    parser = commands.add_parser(
        "report",
        help="render, compare, merge and check run records; trends, metrics, badges",
        description="Work with the records that pytest writes to its artifacts folder: run.json, or run.jsonl from an interrupted run.",
        epilog=EXAMPLE,
    )
    parts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_render(parts)
    _add_diff(parts)
    _add_merge(parts)
    report_trend.add(parts)
    report_metrics.add(parts)
    report_check.add(parts)


def _add_render(parts: Commands) -> None:
    from harness.reports.formats import SUFFIX_HELP

    parser = parts.add_parser(
        "render",
        help="render a run record as reports",
        description="Render a run record as reports, as --compat-report does at the end of a run.",
        epilog="example:\n  $ tls-harness report render .compat/run.jsonl -o matrix.html\n\n"
        "exit codes: 0 written, 2 usage error or not a run record, 10 a report cannot be written",
    )
    parser.add_argument("run_file", metavar="RUN", help=FILE_HELP)
    parser.add_argument(
        "-o",
        dest="outputs",
        metavar="OUT",
        action="append",
        required=True,
        help=f"the report, repeatable; {SUFFIX_HELP}",
    )
    parser.set_defaults(run=render)


def _add_diff(parts: Commands) -> None:
    from harness.reports.record.diff import MEANING, By

    kinds = "\n".join(
        textwrap.fill(text, 110, initial_indent=f"  {_marked(kind):<19}  ", subsequent_indent=" " * 23)
        for kind, text in MEANING.items()
    )
    parser = parts.add_parser(
        "diff",
        help="show what changed between two runs",
        description="Show what changed from OLD to NEW, cell by cell (a cell is one case on one board against one server).",
        epilog="examples:\n  $ tls-harness report diff old/run.json new/run.json\n"
        "  $ tls-harness report diff 1.28/run.json 1.29/run.json --pair unix:1.28=unix:1.29 -o diff.md\n\n"
        f"six kinds; those with * are regressions:\n{kinds}\n"
        "If a cell was run several times, its worst result is the one compared. Times and negotiated values are ignored.\n\n"
        "exit codes: 0 no regression, 1 a regression, 2 usage error, not a run record, or no cell in common, 10 OUT cannot be written",
    )
    parser.add_argument("old", metavar="OLD", help=FILE_HELP)
    parser.add_argument("new", metavar="NEW", help="the same")
    parser.add_argument(
        "-o",
        dest="outputs",
        metavar="OUT",
        action="append",
        default=[],
        help=f"write to this file and print only the counts; repeatable; the suffix selects the format: {', '.join(DIFF_FORMATS)}",
    )
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--json", dest="printed", action="store_const", const=".json", help="print JSON")
    printed.add_argument("--markdown", dest="printed", action="store_const", const=".md", help="print Markdown")
    parser.add_argument(
        "--by",
        choices=[by.value for by in By],
        default="board",
        help="boards are the same if they have the same name (board), or the same MicroPython port and firmware "
        "version (firmware; e.g. esp32 1.28.0; if several boards match, the worst result is used). Default: board",
    )
    parser.add_argument(
        "--pair",
        metavar="OLD=NEW",
        action="append",
        default=[],
        help="a board or server in OLD and its counterpart in NEW, to compare two firmware or Python versions; repeatable",
    )
    parser.set_defaults(run=diff)


def _marked(kind: ChangeKind) -> str:
    return f"{kind} *" if kind.regression else str(kind)


def _add_merge(parts: Commands) -> None:
    from harness.reports.formats import SUFFIX_HELP
    from harness.reports.record.merge import PREFER

    parser = parts.add_parser(
        "merge",
        help="merge runs from several boards, machines, Python and firmware versions",
        description="Merge run records into one, which can be rendered, compared, given to --baseline and merged again. Every result "
        "names its run (`source`) and time (`at`); `sources` lists each run's machine, Python and options.",
        epilog="examples:\n  $ tls-harness report merge lab-a/run.json lab-b/run.json -o all.json -o all.html\n"
        "  $ tls-harness report merge monday.json tuesday.json --prefer newest -o all.json\n"
        "  $ tls-harness report merge a.json b.json --rename b.json:unix=unix-arm64 -o all.json\n\n"
        "Boards with the same name are treated as one board if their firmware, build and chip also match. If any of these differs,\n"
        "each is renamed NAME@FIRMWARE (or NAME@ and what differs), and a message reports it. A chip is identified by its unique ID\n"
        "or, if it has none, by the host that the board was attached to. Servers with the same name are distinguished by\n"
        "their Python, OpenSSL and default suites. Boards given the same name with --rename are treated as one board, whatever the\n"
        "host, if firmware and build match. Use this when several CI jobs split one set of cases.\n"
        "Comparisons with a --baseline are not kept.\n\n"
        "exit codes: 0 written, 2 usage error, not a run record, or duplicate results for a cell, 10 OUT cannot be written",
    )
    parser.add_argument("run_files", metavar="RUN", nargs="+", help=FILE_HELP)
    parser.add_argument(
        "-o",
        dest="outputs",
        metavar="OUT",
        action="append",
        required=True,
        help=f"the output, repeatable; {SUFFIX_HELP} (.json is the merged record)",
    )
    parser.add_argument(
        "--prefer",
        choices=PREFER,
        default=None,
        help="if two runs have a result for the same cell, use the newer run's. Default: such a cell is an error",
    )
    parser.add_argument(
        "--rename",
        metavar="FILE:OLD=NEW",
        action="append",
        default=[],
        help="new name for a board or server in FILE, repeatable",
    )
    parser.set_defaults(run=merge)


def render(options: argparse.Namespace) -> int:
    """Render one record.

    Raises:
        UsageError: an invalid file or suffix.
        HarnessError: a report cannot be written.
    """
    from harness.reports.formats import REPORT_SUFFIXES, rendered
    from harness.reports.record.journal import relative_link

    file = read_checked(options.run_file, options.outputs, accepted=REPORT_SUFFIXES)
    for output in options.outputs:
        links = relative_link(file.folder, start=Path(output).absolute().parent)
        write(output, rendered(file.run, suffix=Path(output).suffix, links=links))
    return 0


def merge(options: argparse.Namespace) -> int:
    """Merge records.

    Raises:
        UsageError: invalid files, suffix or renaming; two results for one cell.
        HarnessError: the result cannot be written.
    """
    from harness.reports.formats import REPORT_SUFFIXES, rendered
    from harness.reports.record.journal import relative_link
    from harness.reports.record.merge import Part
    from harness.reports.record.merge import merge as merge_parts
    from harness.reports.record.plain import one_line
    from harness.reports.record.reading import read_run

    for output in options.outputs:
        check_suffix(output, accepted=REPORT_SUFFIXES)
    files = [read_run(path) for path in dict.fromkeys(options.run_files)]
    home = Path(options.outputs[0]).absolute().parent
    parts = [Part(path=file.path, run=file.run, link=relative_link(file.folder, start=home)) for file in files]
    merged = merge_parts(parts, prefer=options.prefer, renames=options.rename)
    for file in files:
        say(file)
    for note in merged.notes:
        print(f"tls-harness: {note}", file=sys.stderr)
    for output in options.outputs:
        links = relative_link(home, start=Path(output).absolute().parent)
        write(output, rendered(merged.run, suffix=Path(output).suffix, links=links))
    for source in merged.run.sources:
        where = f"{source.host.machine or 'machine unknown'}, Python {source.host.python}"
        print(one_line(f"{source.file}: {source.results} results, {source.run.started}, {where}"))
    return 0


def diff(options: argparse.Namespace) -> int:
    """Compare two records.

    Returns:
        1 if there is a regression.

    Raises:
        UsageError: an invalid file, pair or suffix; no cell in common.
        HarnessError: the result cannot be written.
    """
    from harness.reports.record.diff import By, compare, read_pairs
    from harness.reports.record.reading import read_run
    from harness.reports.text.diff_text import summary

    for output in options.outputs:
        check_suffix(output, accepted=DIFF_FORMATS)
        check_other(output, (options.old, options.new))
    old, new = read_run(options.old), read_run(options.new)
    say(old)
    say(new)
    pairs = read_pairs(options.pair, old=old.run, new=new.run)
    found = compare(old.run, new.run, by=By(options.by), pairs=pairs)
    if not found.compared:
        raise UsageError(_nothing(old, new))
    for output in options.outputs:
        write(output, _diff_as(Path(output).suffix, found, old=old, new=new))
    if options.printed or not options.outputs:
        sys.stdout.write(_diff_as(options.printed or ".txt", found, old=old, new=new))
    else:
        print(summary(found))
    return 1 if found.regression else 0


def _diff_as(suffix: str, found: Comparison, *, old: RunFile, new: RunFile) -> str:
    from harness.reports.text.diff_text import compared, diff_json, diff_markdown, diff_text

    render_as = {".json": diff_json, ".md": diff_markdown}.get(suffix, diff_text)
    return render_as(found, old=compared(old.path, old.run), new=compared(new.path, new.run))


def _nothing(old: RunFile, new: RunFile) -> str:
    from harness.reports.record.diff import names_of
    from harness.reports.record.plain import one_line

    there, here = (", ".join(names_of(file.run)) or "nothing" for file in (old, new))
    return one_line(
        f"{old.path} and {new.path} have no cell in common: one has results of {there}, the other of {here} "
        "(use --pair OLD=NEW or --by firmware)"
    )
