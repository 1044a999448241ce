"""The files of `tls-harness report`: which outputs are accepted, notes on inputs, writing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.reports.record.reading import RunFile

FILE_HELP = "run.json, or run.jsonl of an interrupted run"


def check_suffix(output: str, *, accepted: tuple[str, ...]) -> None:
    """Refuse an output whose suffix selects no format.

    Raises:
        UsageError: names the suffixes.
    """
    if Path(output).suffix not in accepted:
        raise UsageError(
            f"-o {output!r}: unknown suffix {Path(output).suffix!r} (expected one of {', '.join(accepted)})"
        )


def check_other(output: str, inputs: Iterable[str]) -> None:
    """Refuse to overwrite a run record with a report: the results of that run would be lost.

    Raises:
        UsageError: names both.
    """
    for name in inputs:
        if os.path.realpath(output) == os.path.realpath(name):
            raise UsageError(f"-o {output!r}: would overwrite the run record {name}; give another path")


def read_checked(name: str, outputs: Iterable[str], *, accepted: tuple[str, ...]) -> RunFile:
    """Read a run record after checking the outputs that are made of it, and print the notes on it.

    Raises:
        UsageError: an output's suffix selects no format, or it would overwrite the record; the record is invalid.
    """
    from harness.reports.record.reading import read_run

    for output in outputs:
        check_suffix(output, accepted=accepted)
        check_other(output, [name])
    file = read_run(name)
    say(file)
    return file


def say(file: RunFile) -> None:
    """Print the notes on a file to stderr, apart from the report."""
    for note in file.notes:
        print(f"tls-harness: {note}", file=sys.stderr)


def write(output: str, text: str) -> None:
    """Write a report.

    Raises:
        HarnessError: it cannot be written.
    """
    from harness.reports.record.journal import write_text

    try:
        write_text(Path(output), text)
    except OSError as error:
        raise HarnessError(f"no report: cannot write {output} ({error.strerror})") from error
