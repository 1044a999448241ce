"""`tls-harness files`: where the examples, the documentation and the tools of an installed harness are."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from harness.system.data_files import DATA_FOLDERS, data_dir

if TYPE_CHECKING:
    from harness.commands import Commands

EXAMPLE = """\
examples:
  $ cp "$(tls-harness files examples)"/test_*.py .          # tests to start from
  $ python3 "$(tls-harness files tools)/fetch_debian.py"    # MicroPython 1.25 of Debian 13, unpacked into your cache
"""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "files",
        help="print where the examples, the documentation and the tools are",
        description="Print the path of a folder that is installed with the harness: certs (certificate profiles), device_scripts (what "
        "runs on the board), docs, examples (tests to copy), tools. Without a name, print all of them.",
        epilog=EXAMPLE,
    )
    parser.add_argument(
        "name",
        nargs="?",
        choices=tuple(DATA_FOLDERS),
        metavar="NAME",
        help="certs, device_scripts, docs, examples or tools",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print one path, or all of them with their names."""
    if options.name is not None:
        print(data_dir(options.name))
    else:
        widest = max(map(len, DATA_FOLDERS))
        print("\n".join(f"{name:<{widest}}  {data_dir(name)}" for name in DATA_FOLDERS))
    return 0
