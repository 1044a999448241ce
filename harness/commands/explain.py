"""`tls-harness explain`: from a pasted error message to its possible causes, without a board."""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.commands import Commands
    from harness.explain.catalogue.answers import Answer
    from harness.explain.catalogue.causes import Cause

EXAMPLE = """\
examples:
  $ tls-harness explain "OSError: (-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')"
  Several causes are possible: the server refused with a fatal alert, and the board's number does not say which one.
  ...
  $ tls-harness explain NO_SHARED_CIPHER
  $ tls-harness explain < both-tracebacks.txt
  $ tls-harness explain ciphers/key-type      a cause by its id, as diagnose and the reports print it

exit codes: 0 the text was recognised, 1 it was not, 2 usage error
"""
NOTHING = """\
This text was not recognised. Paste one of these:
  from the board:   the last line of its traceback, e.g. OSError: (-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')
  from the server:  the last line of its traceback, e.g. ssl.SSLError: [SSL: NO_SHARED_CIPHER] no shared cipher
Both together give the best answer."""
_WIDTH = 100
_LONGEST = 20000
_LONGEST_BYTES = 4 * _LONGEST
# A text in which more than one character of so many is none is not a text.
_TEXT_SHARE = 5
_BINARY = "explain: this is not text; paste the last line of a traceback from the board or the server"
_EMPTY = "explain: the text is empty; paste the last line of a traceback from the board or the server"


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "explain",
        help="list the possible causes of an error message",
        description="List the possible causes of an error message from the board or the server, and how to tell them apart. Tracebacks, "
        "broker logs, alerts, Wireshark lines and numbers are understood; two sides together give the best answer.",
        epilog=EXAMPLE,
    )
    # argparse accepts -30592 as a number, but would read -0x7780 as an option.
    parser._negative_number_matcher = re.compile(r"-(\d+|0[xX][0-9a-fA-F]+)[,)]?$")
    parser.add_argument(
        "error",
        metavar="ERROR",
        nargs="*",
        help="the message, or the id of a cause (default: read standard input; - does, too)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the possible causes.

    Returns:
        0 if the text was recognised, 1 if not.

    Raises:
        UsageError: the text is empty.
    """
    from harness.explain.catalogue.answers import understand

    text = _text(options.error)
    if not text.strip():
        raise UsageError(_EMPTY)
    answer = understand(text)
    if options.json:
        print(json.dumps(as_data(text.strip(), answer), indent=1))
    else:
        print("\n".join(lines(text, answer)) if answer else NOTHING)
    return 0 if answer else 1


def _text(words: list[str]) -> str:
    """Return the message of the command line, or of a pipe; a terminal is not waited for unless asked."""
    if words == ["-"] or (not words and not sys.stdin.isatty()):
        return _plain(sys.stdin.buffer.read(_LONGEST_BYTES))[:_LONGEST]
    return " ".join(words)[:_LONGEST]


def _plain(data: bytes) -> str:
    """Decode what a program wrote: UTF-8, or UTF-16 as PowerShell's > writes it.

    Raises:
        UsageError: most of it is no text.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text = data.decode(encoding, "replace")
    strange = sum(letter == "\ufffd" or (ord(letter) < ord(" ") and letter not in "\t\r\n\f\x1b") for letter in text)
    if strange * _TEXT_SHARE > len(text):
        raise UsageError(_BINARY)
    return text


def as_data(text: str, answer: Answer) -> dict[str, object]:
    """Return the answer as JSON data."""
    from harness.explain.catalogue.next_step import diagnose_line

    causes = [*([answer.head] if answer.head else []), *answer.others]
    return {
        "text": text,
        "recognised": bool(answer),
        "sentence": answer.sentence,
        "open": answer.is_open,
        "readings": list(answer.facts.readings),
        "did_you_mean": [{"read": read, "meant": meant} for read, meant in answer.facts.corrections],
        "causes": [
            {
                "id": cause.id,
                "sentence": cause.sentence,
                "board": cause.board,
                "server": cause.server,
                "tell": cause.tell,
                "fix": cause.fix,
                "recipes": list(cause.recipes),
                "no_recipe": cause.no_recipe,
                "links": list(cause.links),
            }
            for cause in causes
        ],
        "diagnose": diagnose_line(text, answer) if answer else None,
    }


def lines(text: str, answer: Answer) -> list[str]:
    """Return the answer as text: one sentence, what was read, the causes, and the next command."""
    from harness.explain.catalogue.next_step import diagnose_line

    result = textwrap.wrap(answer.sentence, _WIDTH)
    notes = [f"did you mean {meant!r}? The text says {read!r}." for read, meant in answer.facts.corrections]
    notes += answer.facts.readings
    result += ["", *notes] if notes else []
    if answer.head is not None:
        result += ["", *cause_lines(answer.head, sentence=False)]
    if answer.others:
        result += ["", "which of these:" if answer.is_open else "if that is not it:"]
        for cause in answer.others:
            result += cause_lines(cause, sentence=True)
    return [*result, "", "find the cause with your board, and prove the fix:", f"  {diagnose_line(text, answer)}"]


def cause_lines(cause: Cause, *, sentence: bool) -> list[str]:
    """Return one cause: its id, how to recognise it, and what helps."""
    first = [f"[{cause.id}]"] if not sentence else _wrapped("- ", f"{cause.sentence} [{cause.id}]", indent="  ")
    rows = [("check: ", cause.tell), ("fix:   ", cause.fix)]
    if not sentence:
        rows = [("board: ", cause.board), ("other: ", cause.server), *rows]
        # What is proved for a general cause depends on the special one.
        proves = None if cause.reasons else cause.proves
        rows += [("proof: ", f"tls-harness diagnose proves {proves}")] if proves is not None else []
        rows += [("see:   ", link) for link in cause.links]
    return first + [
        line for name, value in rows for line in _wrapped(name, value, indent="      " if sentence else "  ")
    ]


def _wrapped(name: str, value: str, *, indent: str) -> list[str]:
    return textwrap.wrap(
        value,
        _WIDTH,
        initial_indent=indent + name,
        subsequent_indent=indent + " " * len(name),
        break_long_words=False,
        break_on_hyphens=False,
    )
