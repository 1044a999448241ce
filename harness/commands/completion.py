"""`tls-harness completion`: a script with which the shell completes commands, options and values, or the manual page."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.commands import Commands

SHELLS = ("bash", "zsh", "fish")
MAN = "man"
EXAMPLE = """\
examples:
  $ tls-harness completion bash > ~/.local/share/bash-completion/completions/tls-harness
  $ tls-harness completion zsh > ~/.zfunc/_tls-harness        # with `fpath+=~/.zfunc` before compinit in ~/.zshrc
  $ tls-harness completion fish > ~/.config/fish/completions/tls-harness.fish
  $ tls-harness completion man > ~/.local/share/man/man1/tls-harness.1
"""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "completion",
        help="print a completion script for your shell, or the manual page",
        description="Print a script that lets bash, zsh or fish complete the commands and options of tls-harness; or, with man, the "
        "manual page.",
        epilog=EXAMPLE,
    )
    parser.add_argument("what", choices=(*SHELLS, MAN), metavar="WHAT", help="bash, zsh, fish or man")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the script or the page."""
    if options.what == MAN:
        from harness.commands.manual_page import manual_page

        print(manual_page(options.whole_parser), end="")
    else:
        import shtab

        print(shtab.complete(options.whole_parser, shell=options.what))
    return 0
