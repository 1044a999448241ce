"""The pages of the reference: nothing is left out, and the texts are those of the program itself."""

import re
from pathlib import Path

import harness
from harness.cli import parser
from harness.commands.manual_page import commands_of, option_words
from harness.expectations.needs import named_needs
from harness.pytest_plugin.option_table import OPTIONS
from website.docstring import prose
from website.reference import FOR_TESTS, PLUGIN, api_page, commands_page, fixtures_page, options_page

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = re.findall(r"^@pytest\.fixture.*\ndef (\w+)\(", PLUGIN.read_text(encoding="utf-8"), re.MULTILINE)


def test_options():
    """Each option has its help, its ini option and its variable; what exists only in the ini file is there, too."""
    text = options_page().text
    for one in OPTIONS:
        assert f"| `{one.ini}` | `{one.variable}` |" in text
        assert f"\n\n{prose(one.help)}." in text
    assert "\n\n## `--ports A-B` { #ports }\n\n" in text
    assert "\n\n## `--keep-wire` { #keep-wire }\n\n" in text
    profiles = "`tls_certs`: Folders with your own certificate profiles (\\*.toml), relative to this file."
    assert f"\n\n## Only in the ini file\n\n{profiles}\n\n## Only in the environment\n\n" in text


def test_variables():
    """A variable that is no option is described on the page that its row links to."""
    rows = re.findall(r"^\| `(\w+)` \| \[.*\]\(([\w./-]+)(?:#.*)?\) \|$", options_page().text, re.MULTILINE)
    assert [name for name, _ in rows] == ["MICROPYTHON", "LABGRID_CLIENT", "TLS_HARNESS_LINE_SEED", "XDG_CACHE_HOME"]
    assert [
        name
        for name, page in rows
        if name not in (ROOT / "docs" / page.removeprefix("../")).read_text(encoding="utf-8")
    ] == []


def test_what_an_option_accepts():
    """Options that may be given several times, and those that name files, say what that means in the ini file."""
    text = options_page().text
    several, relative = (
        " Several values are separated by blanks;",
        " In an ini file, a relative path starts at that file.",
    )
    assert text.count(several) == sum(one.repeatable for one in OPTIONS)
    assert text.count(relative) == sum(one.is_path for one in OPTIONS)


def test_commands():
    """Each command and its parts, with every option and example."""
    text = commands_page().text
    for name, command in commands_of(parser()):
        parts = [(f"## tls-harness {name}", command)]
        parts += [(f"### tls-harness {name} {sub}", nested) for sub, nested in commands_of(command)]
        for heading, one in parts:
            assert f"\n\n{heading}\n\n{prose(one.description)}\n\n" in text
            assert one.epilog is None or f"```text\n{one.epilog.rstrip()}\n```" in text
            words = [
                option_words(action)
                for action in one._actions
                if action.dest not in ("help", "command") and action.help
            ]
            assert [word for word in words if f"| `{word.replace('|', chr(92) + '|')}` |" not in text] == []


def test_fixtures():
    """Each fixture with its type and scope, all settings of a server, and each word of the marker."""
    text = fixtures_page().text
    assert [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")] == [
        *FIXTURES,
        "pytest.mark.needs",
    ]
    assert {"board", "tls_server", "expect", "certificates", "tls_case"} <= set(FIXTURES)
    assert "\n## board\n\n`Board`, session scope\n\nA MicroPython board," in text
    assert "\n## run_case\n\n`RunCase`, function scope\n\n" in text
    assert "\n    * `alpn`: one or more protocols to offer.\n" in text
    assert [word for word in named_needs() if f"| `{word}` |" not in text] == []


def test_public_names():
    """Each public name but the version has its part, with what can be done with it."""
    text = api_page().text
    heads = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert heads == [*(name for name in harness.__all__ if name != "__version__"), "Settings as keyword arguments"]
    assert "\nconnect(server: ServerProfile | str, **given: Unpack[ClientSettings]) -> Observation\n" in text
    assert "\nRunCase(board: Board, case: Case) -> CaseResult\n" in text
    assert "by: str | None = None, stage: str = 'handshake'," in text
    assert "refused(seen: Observation, *, by: " in text
    assert "| `minimum_version` | `str \\| None` | `None` |" in text
    assert (
        "\n## Side\n\nOne end of the connection; the board is always the client.\n\nValues: `server`, `client`.\n"
        in text
    )


def test_names_for_tests():
    """Of a board only what its docstring offers to tests is shown."""
    text = api_page().text
    shown = [line.removeprefix("### Board.") for line in text.splitlines() if line.startswith("### Board.")]
    assert sorted(shown) == sorted(FOR_TESTS["Board"])
    assert [name for name in shown if f"`{name}`" not in harness.Board.__doc__] == []
    assert "| `lab` |" not in text
