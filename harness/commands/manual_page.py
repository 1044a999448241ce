"""The manual page of `tls-harness`, made of the parser's own texts. Pure: a parser in, roff out."""

from __future__ import annotations

import argparse

from harness import __version__

HEAD = '.TH TLS-HARNESS 1 "" "tls-harness {}" "User Commands"\n.SH NAME\ntls-harness \\- {}\n'


def manual_page(parser: argparse.ArgumentParser) -> str:
    """Return the page (man(7)): the program, then a section for each command with its options and examples.

    Args:
        parser: of the whole command line.
    """
    lines = [HEAD.format(__version__, "find out why a MicroPython board and a Python TLS server do not connect")]
    lines += [".SH SYNOPSIS\n.B tls\\-harness\nCOMMAND [OPTION...]\n", f".SH DESCRIPTION\n{_text(parser.description)}"]
    lines.append(_verbatim(parser.epilog))
    for name, command in commands_of(parser):
        lines.append(f".SH {_escaped(name.upper())}\n{_text(command.description)}")
        lines.append(_options(command))
        for sub, nested in commands_of(command):
            lines += [
                f".SS {_escaped(f'{name} {sub}')}\n{_text(nested.description)}",
                _options(nested),
                _verbatim(nested.epilog),
            ]
        lines.append(_verbatim(command.epilog))
    return "".join(lines)


def commands_of(parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    """Return the commands of a parser by name."""
    found = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [item for choices in found for item in choices.items()]


def _options(parser: argparse.ArgumentParser) -> str:
    lines = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction | argparse._HelpAction):
            continue
        lines.append(f".TP\n.B {_escaped(option_words(action))}\n{_text(action.help)}")
    return "".join(lines)


def option_words(action: argparse.Action) -> str:
    """Return how an option or argument is written: `-o, --output PATH`."""
    value = action.metavar or action.dest.upper()
    value = " ".join(value) if isinstance(value, tuple) else value
    words = ", ".join(action.option_strings)
    return f"{words} {value}" if words and action.nargs != 0 else words or value


def _text(text: str | None) -> str:
    return _escaped(" ".join((text or "").replace("%%", "%").split())) + "\n"


def _verbatim(text: str | None) -> str:
    return f".PP\n.nf\n{_escaped(text.rstrip())}\n.fi\n" if text else ""


def _escaped(text: str) -> str:
    """Escape what roff takes for its own: backslashes, hyphens, and a dot or quote at the start of a line."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in lines)
