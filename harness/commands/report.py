"""`tls-harness report`: what to do with the records of runs, without a board: compare, join, show."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.commands import Commands
    from harness.reports.record.diff import Comparison, Kind
    from harness.reports.record.reading import RunFile

EXAMPLE = """\
examples:
  $ tls-harness report render .compat/run.jsonl -o matrix.html -o matrix.md
  $ tls-harness report diff old/run.json new/run.json
  $ tls-harness report merge lab-a/run.json lab-b/run.json -o all.json
"""
DIFF_FORMATS = (".json", ".md", ".txt")
_FILE_HELP = "run.json, or run.jsonl of a run that was interrupted"


def add(commands: Commands) -> None:
    """Declare the command and its three parts."""
    parser = commands.add_parser(
        "report",
        help="compare, join and show the records of runs",
        description="Work with the records that pytest leaves in its artifacts folder: run.json, or run.jsonl of an interrupted run.",
        epilog=EXAMPLE,
    )
    parts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_render(parts)
    _add_diff(parts)
    _add_merge(parts)


def _add_render(parts: Commands) -> None:
    from harness.pytest_plugin.options import REPORT_SUFFIXES

    parser = parts.add_parser(
        "render",
        help="make reports of a run record",
        description="Make reports of a run record, as --compat-report does at the end of a run.",
        epilog="example:\n  $ tls-harness report render .compat/run.jsonl -o matrix.html\n\n"
        "exit codes: 0 written, 2 wrong usage or a file that is no run record, 3 a report that cannot be written",
    )
    parser.add_argument("run_file", metavar="RUN", help=_FILE_HELP)
    parser.add_argument(
        "-o",
        dest="outputs",
        metavar="OUT",
        action="append",
        required=True,
        help=f"the report, repeatable; the suffix says which: {', '.join(REPORT_SUFFIXES)}",
    )
    parser.set_defaults(run=render)


def _add_diff(parts: Commands) -> None:
    from harness.reports.record.diff import BY, MEANING

    kinds = "\n".join(
        textwrap.fill(text, 110, initial_indent=f"  {_marked(kind):<19}  ", subsequent_indent=" " * 23)
        for kind, text in MEANING.items()
    )
    parser = parts.add_parser(
        "diff",
        help="what changed between two runs",
        description="Say what changed from OLD to NEW, cell by cell: one case on one board against one server.",
        epilog="examples:\n  $ tls-harness report diff old/run.json new/run.json\n"
        "  $ tls-harness report diff 1.28/run.json 1.29/run.json --pair unix:1.28=unix:1.29 -o diff.md\n\n"
        f"six kinds; those with * are regressions:\n{kinds}\n"
        "A cell that was run several times is as good as its worst run. Times and negotiated values do not count.\n\n"
        "exit codes: 0 no regression, 1 a regression, 2 wrong usage, a file that is no run record, or nothing that both have, "
        "3 OUT cannot be written",
    )
    parser.add_argument("old", metavar="OLD", help=_FILE_HELP)
    parser.add_argument("new", metavar="NEW", help="the same")
    parser.add_argument(
        "-o",
        dest="outputs",
        metavar="OUT",
        action="append",
        default=[],
        help=f"write it there and print the counts only; repeatable, the suffix says the format: {', '.join(DIFF_FORMATS)}",
    )
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--json", dest="printed", action="store_const", const=".json", help="print JSON")
    printed.add_argument("--markdown", dest="printed", action="store_const", const=".md", help="print Markdown")
    parser.add_argument(
        "--by",
        choices=BY,
        default="board",
        help="boards are the same if they have the same name (board), or the same port and firmware (firmware: esp32 1.28.0; "
        "several of one count as their worst). Default: board",
    )
    parser.add_argument(
        "--pair",
        metavar="OLD=NEW",
        action="append",
        default=[],
        help="a board or server of OLD that has another name in NEW, repeatable: to compare two firmwares or two Pythons",
    )
    parser.set_defaults(run=diff)


def _marked(kind: Kind) -> str:
    return f"{kind} *" if kind.regression else str(kind)


def _add_merge(parts: Commands) -> None:
    from harness.pytest_plugin.options import REPORT_SUFFIXES
    from harness.reports.record.merge import PREFER

    parser = parts.add_parser(
        "merge",
        help="join runs of several boards, machines, Pythons and firmwares",
        description="Join run records into one, which can be rendered, compared, given to --baseline and merged again. Every result "
        "keeps which run it came from (`source`), and when (`at`); `sources` says which machine, Python and options each run had.",
        epilog="examples:\n  $ tls-harness report merge lab-a/run.json lab-b/run.json -o all.json -o all.html\n"
        "  $ tls-harness report merge monday.json tuesday.json --prefer newest -o all.json\n"
        "  $ tls-harness report merge a.json b.json --rename b.json:unix=unix-arm64 -o all.json\n\n"
        "Boards of one name are one board if firmware, build and machine are the same (the machine: the number of the chip, or, if it\n"
        "has none, the host that ran it). Else each is called NAME@FIRMWARE, or by what else differs; that is told, and nothing is\n"
        "mixed. Servers of one name are told apart by Python, OpenSSL and default suites. Boards that --rename gives one name are\n"
        "one board, on whatever host, if firmware and build are the same: for a set that several CI jobs share.\n"
        "What one part was compared with (--baseline) is not carried over.\n\n"
        "exit codes: 0 written, 2 wrong usage, a file that is no run record, or two results for one cell, 3 OUT cannot be written",
    )
    parser.add_argument("run_files", metavar="RUN", nargs="+", help=_FILE_HELP)
    parser.add_argument(
        "-o",
        dest="outputs",
        metavar="OUT",
        action="append",
        required=True,
        help=f"what to write, repeatable; the suffix says what: {', '.join(REPORT_SUFFIXES)} (.json is the joined record)",
    )
    parser.add_argument(
        "--prefer",
        choices=PREFER,
        default=None,
        help="take the newer run's result where two runs have one for the same cell. Default: such a cell is an error",
    )
    parser.add_argument(
        "--rename",
        metavar="FILE:OLD=NEW",
        action="append",
        default=[],
        help="what a board or server of FILE is to be called, repeatable",
    )
    parser.set_defaults(run=merge)


def render(options: argparse.Namespace) -> int:
    """Make the reports of one record.

    Raises:
        UsageError: wrong file or suffix.
        HarnessError: a report cannot be written.
    """
    from harness.pytest_plugin.options import REPORT_SUFFIXES
    from harness.reports.formats import rendered
    from harness.reports.record.journal import way_to
    from harness.reports.record.reading import read_run

    for output in options.outputs:
        _check_suffix(output, accepted=REPORT_SUFFIXES)
    file = read_run(options.run_file)
    _say(file)
    for output in options.outputs:
        links = way_to(file.folder, start=Path(output).absolute().parent)
        _write(output, rendered(file.run, suffix=Path(output).suffix, links=links))
    return 0


def merge(options: argparse.Namespace) -> int:
    """Join records.

    Raises:
        UsageError: wrong files, suffix or renaming; two results for one cell.
        HarnessError: the result cannot be written.
    """
    from harness.pytest_plugin.options import REPORT_SUFFIXES
    from harness.reports.formats import rendered
    from harness.reports.record.journal import way_to
    from harness.reports.record.merge import Part
    from harness.reports.record.merge import merge as merge_parts
    from harness.reports.record.plain import one_line
    from harness.reports.record.reading import read_run

    for output in options.outputs:
        _check_suffix(output, accepted=REPORT_SUFFIXES)
    files = [read_run(path) for path in dict.fromkeys(options.run_files)]
    home = Path(options.outputs[0]).absolute().parent
    parts = [Part(path=file.path, run=file.run, way=way_to(file.folder, start=home)) for file in files]
    merged = merge_parts(parts, prefer=options.prefer, renames=options.rename)
    for file in files:
        _say(file)
    for note in merged.notes:
        print(f"tls-harness: {note}", file=sys.stderr)
    for output in options.outputs:
        links = way_to(home, start=Path(output).absolute().parent)
        _write(output, rendered(merged.run, suffix=Path(output).suffix, links=links))
    for source in merged.run["sources"]:
        where = f"{source['host'].get('machine') or 'machine unknown'}, Python {source['host']['python']}"
        print(one_line(f"{source['file']}: {source['results']} results, {source['run']['started']}, {where}"))
    return 0


def diff(options: argparse.Namespace) -> int:
    """Compare two records.

    Returns:
        1 if there is a regression.

    Raises:
        UsageError: a wrong file, pair or suffix; nothing to compare.
        HarnessError: the result cannot be written.
    """
    from harness.reports.record.diff import compare, read_pairs
    from harness.reports.record.reading import read_run
    from harness.reports.text.diff_text import summary

    for output in options.outputs:
        _check_suffix(output, accepted=DIFF_FORMATS)
        _check_other(output, (options.old, options.new))
    old, new = read_run(options.old), read_run(options.new)
    _say(old)
    _say(new)
    pairs = read_pairs(options.pair, old=old.run, new=new.run)
    found = compare(old.run, new.run, by=options.by, pairs=pairs)
    if not found.compared:
        raise UsageError(_nothing(old, new))
    for output in options.outputs:
        _write(output, _diff_as(Path(output).suffix, found, old=old, new=new))
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
        f"{old.path} and {new.path} have no cell in common: one has results of {there}, the other of {here} (--pair OLD=NEW, --by firmware)"
    )


def _check_suffix(output: str, *, accepted: tuple[str, ...]) -> None:
    if Path(output).suffix not in accepted:
        raise UsageError(f"-o {output!r}: the suffix says the format (accepted: {', '.join(accepted)})")


def _check_other(output: str, inputs: Iterable[str]) -> None:
    """A comparison is no run record: written over one, the results of that run would be gone."""
    for name in inputs:
        if os.path.realpath(output) == os.path.realpath(name):
            raise UsageError(f"-o {output!r}: is the run record {name} itself (accepted: the path of another file)")


def _say(file: RunFile) -> None:
    """What a person should know of a file, beside the report and not in it."""
    for note in file.notes:
        print(f"tls-harness: {note}", file=sys.stderr)


def _write(output: str, text: str) -> None:
    from harness.reports.record.journal import write_text

    try:
        write_text(Path(output), text)
    except OSError as error:
        raise HarnessError(f"no report: {output} cannot be written ({error.strerror})") from error
