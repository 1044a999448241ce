"""`tls-harness cases`: list the cases with their descriptions."""

from __future__ import annotations

import argparse
import json
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.commands import Commands
    from harness.model import Case

EXAMPLE = """\
example:
  $ tls-harness cases --cases smoke -v
  seed/rsa-key-no-shared-cipher  smoke  negotiation         RSA key, a client without ECDHE_RSA
      The original problem: no suite fits both the client and the server's key type ...
"""
DESCRIPTION_WIDTH = 110
SUBJECT_WIDTH = len("client-certificate")


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "cases",
        help="list the cases that pytest runs",
        description="List the cases that pytest runs. Each line shows the ID, the smallest --cases set that includes the case, its subject "
        "(the point the handshake must reach for the case's result to be meaningful), and the title. The cases of app/ run on request "
        "only: `pytest -k app/`, or --board-path with --cases full.",
        epilog=EXAMPLE,
    )
    parser.add_argument(
        "--cases",
        metavar="SET",
        default="full",
        help="list only this set: smoke, core or full (default: full, every case)",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="also print why each case exists")
    parser.add_argument("--json", action="store_true", help="print JSON: the objects under `cases` in run.json")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the list.

    Raises:
        UsageError: there is no such set.
    """
    from harness.cases import select
    from harness.model import Tier
    from harness.reports.record.run_record import case_entry

    cases = select(options.cases, on_request=options.cases == Tier.FULL)
    if options.json:
        print(json.dumps({"cases": [case_entry(case).as_json() for case in cases]}, indent=1))
    else:
        print("\n".join(lines(cases, verbose=options.verbose)))
    return 0


def lines(cases: tuple[Case, ...], *, verbose: bool) -> list[str]:
    """Return the list as text."""
    widest = max((len(case.id) for case in cases), default=0)
    result = []
    for case in cases:
        result.append(f"{case.id:<{widest}}  {case.tier.value:<5}  {case.subject.value:<{SUBJECT_WIDTH}}  {case.title}")
        if verbose:
            margin = " " * 4
            result += textwrap.wrap(
                case.description, DESCRIPTION_WIDTH, initial_indent=margin, subsequent_indent=margin
            )
    return result
