"""The programs that the examples in docs/ are meant for accept them."""

import itertools
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from harness.boards.agent.scripts import agent_pieces
from harness.boards.lab_file import read_lab
from harness.cli import parser
from harness.model import VerdictWord
from harness.pytest_plugin.option_table import OPTIONS
from harness.reports.record.policy import parse_policy
from harness.reports.text.openmetrics import HELP

ROOT = Path(__file__).resolve().parents[1]
LAB = (ROOT / "docs" / "lab.md").read_text(encoding="utf-8")
OWN_OPTIONS = {f"--{one.name}" for one in OPTIONS}
REPORTS = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = LAB) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


BOARDS = (ROOT / "docs" / "boards.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [LAB, BOARDS], ids=["lab.md", "boards.md"])
def test_boards_toml(tmp_path, page):
    """Every boards.toml of the page is valid: the harness itself reads it, with the passwords in the environment."""
    found = blocks("toml", page)
    assert found
    for text in found:
        path = tmp_path / "boards.toml"
        path.write_text(text, encoding="utf-8")
        boards = read_lab(str(path), folder=tmp_path)
        assert set(boards) == set(tomllib.loads(text)["board"])
        wifi = [board.settings for board in boards.values() if board.settings.network == "wifi"]
        assert {settings.password_env for settings in wifi} <= {"LAB_WIFI_PASSWORD"}


def test_f20_what_the_page_says_of_boards():
    """The size of the agent is the real one; what the harness does to a board, how long it takes and what cannot work are there."""
    size = sum(map(len, agent_pieces()))
    assert f"`tls_harness/agent.py`, about {round(size / 1000)} KB" in BOARDS
    assert f"one file of about {round(size / 1000)} KB, the agent," in (ROOT / "README.md").read_text(encoding="utf-8")
    for heading in ("What the harness does to a board", "How long a run takes", "What cannot work"):
        assert f"\n## {heading}\n" in BOARDS
    for words in (
        "sets the clock (RTC) to UTC",
        "it stays in UTC",
        "`dtr = false, rts = false` passes through the reset state",
        "WPA2-Enterprise",
        "WPA3",
        "`country`",
        "`static`",
    ):
        assert words in " ".join(BOARDS.split()), words


@pytest.mark.parametrize("text", blocks("yaml")[:2], ids=["github", "gitlab"])
def test_jobs(text):
    """Both jobs are valid YAML, and the command in each uses only boards of the page and options that exist."""
    assert "boards" in (yaml.safe_load(text).get("jobs") or yaml.safe_load(text))


def test_exporter():
    """The file for labgrid's exporter has groups of resources, each with a serial port, and the loop creates a place for each."""
    groups = yaml.safe_load(blocks("yaml")[2])
    assert all("USBSerialPort" in resources for resources in groups.values())
    assert f"for board in {' '.join(groups)}; do" in LAB


def commands() -> list[list[str]]:
    """The pytest command lines of the page, one for each line of its code that has `pytest` and an option."""
    lines = [line for block in ("sh", "yaml", "groovy") for line in "\n".join(blocks(block)).splitlines()]
    found = [re.sub(r"^\s*(- (run: )?|sh ')|'$", "", line) for line in lines if re.search(r"\bpytest .*--", line)]
    assert [line for line in found if not re.match(r"(\.venv/bin/)?pytest ", line)] == []
    return [shlex.split(line) for line in found]


def test_commands():
    """Options that a command shows are options of the plugin or of pytest; names are boards of the page."""
    named = set(tomllib.loads(blocks("toml")[0])["board"])
    found = commands()
    assert found
    for words in found:
        options = {word for word in words if word.startswith("--")} - {"--junitxml"}
        assert options <= OWN_OPTIONS, words
        boards = [value for option, value in itertools.pairwise(words) if option == "--board"]
        assert all(board in named or "://" in board or board.startswith("labgrid:") for board in boards), words


def test_commands_of_reports():
    """The commands that find the best key use three boards, three servers, and only options that exist."""
    lines = [line for block in blocks("sh", REPORTS) for line in block.splitlines() if line.startswith("pytest ")]
    assert lines
    for words in map(shlex.split, lines):
        assert {word for word in words if word.startswith("--")} <= OWN_OPTIONS, words
        assert (words.count("--board"), words.count("--server")) == (3, 3)


def test_the_nightly_job():
    """It is valid YAML, and every command of ours in it, and in the rest of the page, is one that the command line accepts."""
    (job,) = blocks("yaml", REPORTS)
    steps = [step["run"] for step in yaml.safe_load(job)["jobs"]["nightly"]["steps"] if "run" in step]
    lines = [line.strip() for text in [*steps, *blocks("sh", REPORTS)] for line in text.splitlines()]
    found = [line.partition("tls-harness ")[2].partition(" > ")[0] for line in lines if "tls-harness " in line]
    assert len(found) >= 7
    for line in found:
        assert parser().parse_args(shlex.split(line)).run, line


def test_the_dashboard():
    """The panel is JSON, and asks for metrics and verdicts that exist."""
    (panel,) = blocks("json", REPORTS)
    queries = [target["expr"] for target in json.loads(panel)["targets"]]
    metrics = [name for query in queries for name in re.findall(r"tls_harness_(\w+)", query)]
    assert set(metrics) == {"cell_handshake_seconds", "results"}
    assert set(metrics) <= set(HELP)
    words = {word for query in queries for text in re.findall(r'verdict=~"([^"]+)"', query) for word in text.split("|")}
    assert {VerdictWord(word) for word in words} == {VerdictWord.FAIL, VerdictWord.INSECURE}
    names = set(re.findall(r"`tls_harness_(\w+)`", REPORTS))
    assert names
    assert names <= set(HELP)


def test_the_policy():
    """The example of a policy is one."""
    (text,) = blocks("toml", REPORTS)
    assert parse_policy(text, where="docs/reports.md").rsa_bits == 3072


PAGES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize(
    "page", [page for page in PAGES if Path(page).parent.name != "causes" or Path(page).name == "README.md"]
)
def test_the_readme_links_to_every_page(page):
    """README links to every page in docs/ and docs/facts/, and to the index of docs/causes/, which links to the pages there."""
    assert f"({page})" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_architecture_has_every_stage():
    """Each folder of harness/ is in ARCHITECTURE.md, so that a reader finds the right place."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    folders = {f"`{path.name}/`" for path in (ROOT / "harness").iterdir() if (path / "__init__.py").exists()}
    assert {name for name in folders if name not in text} == set()


def program_lines(page: Path) -> list[str]:
    """The commands of ours in the examples of a page, each on one line; a command that the shell itself completes is left out."""
    found = []
    for block in re.findall(
        r"^```(?:sh|text|console|yaml)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        lines = block.replace("\\\n", " ").splitlines()
        found += [line.removeprefix("$ ").strip() for line in lines if re.match(r"(\$ )?tls-harness ", line)]
    return [line for line in found if "..." not in line]


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted(set((ROOT / "docs").rglob("*.md")) - set((ROOT / "docs" / "causes").iterdir()))],
    ids=lambda page: page.name,
)  # fmt: skip
def test_every_command_is_accepted(page):
    """The command line accepts each of its commands that a page shows."""
    for line in program_lines(page):
        words = shlex.split(line, comments=True)
        end = next((place for place, word in enumerate(words) if word in (">", "<", "|", "&", "||")), len(words))
        assert parser().parse_args(words[1:end]).run, line


def test_the_examples_of_tutorials_are_found():
    """The test above sees the commands that only show how to go on, too."""
    assert "tls-harness diagnose --board esp32 --connect broker.example:8883 --ca ca.pem" in program_lines(
        ROOT / "docs" / "tutorials" / "esp32.md"
    )
