"""`tls-harness explain`: pasted text of either side to the causes it may have, without a board."""

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
    from harness.explain.catalogue import Recognised

EXAMPLE = """\
examples:
  $ tls-harness explain "OSError: (-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')"
  -30592 = -0x7780 is MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE (mbedTLS)
  ...
  $ tls-harness explain NO_SHARED_CIPHER
  $ tls-harness explain - < traceback.txt

exit codes: 0 something was recognised, 1 nothing was, 2 wrong usage
"""
NOTHING = """\
nothing here is known. Paste one of these:
  from the board:   the last line of its traceback, as OSError: (-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')
  from the server:  the last line of its traceback, as ssl.SSLError: [SSL: NO_SHARED_CIPHER] no shared cipher
Both together say most."""
_WIDTH = 100
_LONGEST = 20000


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "explain",
        help="what an error text of either side may mean",
        description="Say what a pasted error text of the board or of the server may mean, and how to tell the causes apart.",
        epilog=EXAMPLE,
    )
    # argparse knows -30592 as a number, and would take -0x7780 for an option.
    parser._negative_number_matcher = re.compile(r"-(\d+|0[xX][0-9a-fA-F]+)[,)]?$")
    parser.add_argument("error", metavar="ERROR", nargs="+", help="the text, or - to read it from standard input")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the candidates.

    Returns:
        0 if something was recognised, 1 if not.

    Raises:
        UsageError: for an empty text.
    """
    from harness.explain.catalogue import recognise

    text = sys.stdin.read(_LONGEST) if options.error == ["-"] else " ".join(options.error)
    if not text.strip():
        raise UsageError(
            "explain: the text is empty; paste the last line of a traceback, of the board or of the server"
        )
    found = recognise(text[:_LONGEST])
    if options.json:
        print(json.dumps(as_data(text.strip(), found), indent=1))
    else:
        print("\n".join(lines(found)) if found else NOTHING)
    return 0 if found else 1


def as_data(text: str, found: Recognised) -> dict[str, object]:
    """The answer as JSON words."""
    entries = [
        {
            "id": entry.id,
            "about": entry.about,
            "causes": [{"cause": cause, "tell": tell} for cause, tell in entry.causes],
            "fix": entry.fix,
        }
        for entry in found.entries
    ]
    return {"text": text, "recognised": bool(found), "readings": list(found.readings), "entries": entries}


def lines(found: Recognised) -> list[str]:
    """The answer as text: how numbers are read, then a block per row."""
    result = list(found.readings)
    for entry in found.entries:
        result += ["", entry.about]
        for cause, tell in entry.causes:
            result += textwrap.wrap(cause, _WIDTH, initial_indent="  - ", subsequent_indent="    ")
            result += textwrap.wrap(f"to tell: {tell}", _WIDTH, initial_indent="      ", subsequent_indent="        ")
        result += textwrap.wrap(f"first: {entry.fix}", _WIDTH, initial_indent="  ", subsequent_indent="    ")
    return result[1:] if result and not result[0] else result
