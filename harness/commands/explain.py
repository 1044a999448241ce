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
    from harness.explain.catalogue import Recognised

EXAMPLE = """\
examples:
  $ tls-harness explain "OSError: (-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')"
  -30592 = -0x7780 is MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE (mbedTLS)
  ...
  $ tls-harness explain NO_SHARED_CIPHER
  $ tls-harness explain - < traceback.txt

exit codes: 0 the text was recognised, 1 it was not, 2 usage error
"""
NOTHING = """\
This text was not recognised. Paste one of these:
  from the board:   the last line of its traceback, e.g. OSError: (-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')
  from the server:  the last line of its traceback, e.g. ssl.SSLError: [SSL: NO_SHARED_CIPHER] no shared cipher
Both together give the best answer."""
_WIDTH = 100
_LONGEST = 20000


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "explain",
        help="list the possible causes of an error message",
        description="List the possible causes of an error message from the board or the server, and how to tell them apart.",
        epilog=EXAMPLE,
    )
    # argparse accepts -30592 as a number, but would read -0x7780 as an option.
    parser._negative_number_matcher = re.compile(r"-(\d+|0[xX][0-9a-fA-F]+)[,)]?$")
    parser.add_argument("error", metavar="ERROR", nargs="+", help="the message, or - to read it from standard input")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the possible causes.

    Returns:
        0 if the text was recognised, 1 if not.

    Raises:
        UsageError: the text is empty.
    """
    from harness.explain.catalogue import recognise

    text = sys.stdin.read(_LONGEST) if options.error == ["-"] else " ".join(options.error)
    if not text.strip():
        raise UsageError("explain: the text is empty; paste the last line of a traceback from the board or the server")
    found = recognise(text[:_LONGEST])
    if options.json:
        print(json.dumps(as_data(text.strip(), found), indent=1))
    else:
        print("\n".join(lines(found)) if found else NOTHING)
    return 0 if found else 1


def as_data(text: str, found: Recognised) -> dict[str, object]:
    """Return the answer as JSON data."""
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
    """Return the answer as text: the meaning of numbers, then a paragraph per entry."""
    result = list(found.readings)
    for entry in found.entries:
        result += ["", entry.about]
        for cause, tell in entry.causes:
            result += textwrap.wrap(cause, _WIDTH, initial_indent="  - ", subsequent_indent="    ")
            result += textwrap.wrap(
                f"how to tell: {tell}", _WIDTH, initial_indent="      ", subsequent_indent="        "
            )
        result += textwrap.wrap(f"first: {entry.fix}", _WIDTH, initial_indent="  ", subsequent_indent="    ")
    return result[1:] if result and not result[0] else result
