"""Test every fault of the faulty board with real runs: verdicts, messages, recovery, time, and that nothing is lost.

`EXPECTED` has a row per fault. docs/faults.md shows the results (`UPDATE_TEXTS=1 pytest tests/faults -m slow` rewrites its table).
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.boards.virtual.faults import FAULTS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/environ").exists(),
        reason="what a process holds and leaves is read from /proc, which Linux has",
    ),
]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
PAGE_TABLE = re.compile(r"(?<=<!-- table: tests/faults -->\n).*?(?=<!-- end -->)", re.DOTALL)
# What a board may take in addition to its waiting time, on a busy machine.
BUSY_S = 20.0
# The time to close a board that does not answer, after its last test.
CLOSING_S = 5.0
TRANSCRIPT_LIMIT = 256 * 1024
# Shorter than the first line of a failure, whose cut depends on the length of the port's name.
SAID_LIMIT = 100
FIVE_PASS = "pass pass pass pass pass"
ONE_ERROR = "pass error pass pass pass"
QUARANTINED = "pass error error error error"
ALL_ERROR = "error error error error error"
NOTHING_HELPS = "ctrl-c failed, raw-repl failed, soft-reset failed"
# A board that is silent costs its case 4.5 s, and 2 s for each of three steps (a tenth of a real board's time limits).
SILENCE_S = 4.5 + 3 * 2.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """The expected results of a fault.

    `verdicts` are those of the five cases in their order; `rule` and `steps` are the rule and the recovery steps of the first case that
    did not pass, without steps that are impossible on this board; `waits_s` is the sum of its time limits. With `chance` at most two
    cases of a bad line are `error`, at random; no case is ever `fail`.
    """

    verdicts: str = ""
    chance: bool = False
    rule: str | None = None
    steps: str = ""
    waits_s: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def quarantined(self) -> bool:
        return any(note.startswith("quarantined") for note in self.notes)

    @property
    def limit_s(self) -> float:
        return BUSY_S + 2 * self.waits_s


def quarantined(rule: str, *, steps: str = NOTHING_HELPS, waits_s: float = SILENCE_S) -> Row:
    """A board that no step recovers after its second case."""
    return Row(
        verdicts=QUARANTINED,
        rule=f"fault/{rule}",
        steps=steps,
        waits_s=waits_s,
        notes=("quarantined after cert/good: ",),
    )


def brought_back(rule: str, *, steps: str = "ctrl-c helped", waits_s: float = 0.0) -> Row:
    """A board that is recovered after its second case."""
    return Row(verdicts=ONE_ERROR, rule=f"fault/{rule}", steps=steps, waits_s=waits_s)


EXPECTED = {
    "silent": brought_back(
        "timeout", steps=f"{NOTHING_HELPS}, reset failed, power-cycle helped", waits_s=SILENCE_S + 2.0
    ),
    "flood": brought_back("flood"),
    "drop": brought_back("garbled"),
    "corrupt": brought_back("garbled"),
    "delay": Row(verdicts=FIVE_PASS, waits_s=1.5),
    "reset": brought_back("reset", steps="ctrl-c failed, raw-repl helped"),
    "non-utf8": Row(verdicts=FIVE_PASS),
    "half-line": Row(verdicts=FIVE_PASS),
    "lying": quarantined("lying", waits_s=3.0),
    "huge-line": brought_back("flood"),
    "unplug": quarantined("lost", steps="port failed", waits_s=1.5),
    "replug": brought_back("lost", steps="port helped"),
    "slow": quarantined("timeout"),
    "stuck-raw": brought_back("timeout", steps=f"{NOTHING_HELPS}, reset helped", waits_s=SILENCE_S),
    "disk-full": Row(verdicts=FIVE_PASS, notes=("the agent runs from RAM: ",)),
    "read-only": Row(verdicts=FIVE_PASS, notes=("the agent runs from RAM: ",)),
    "no-memory": Row(verdicts=ALL_ERROR, rule="fault/memory"),
    "wrong-clock": Row(
        verdicts="pass fail pass pass pass",
        rule="clock/board-clock-not-set",
        notes=("the board's clock is at ",),
    ),
    "no-network": Row(verdicts=ALL_ERROR, rule="fault/network"),
    "no-tls": Row(verdicts="unsupported unsupported unsupported unsupported unsupported"),
    "boasting": Row(verdicts="pass pass error pass pass", rule="fault/lying", steps="ctrl-c helped"),
    "stale-answer": brought_back("timeout", waits_s=4.5),
    "left-raw": Row(verdicts="pass pass error pass pass", rule="fault/reset", steps="ctrl-c failed, raw-repl helped"),
    "echo": quarantined("timeout"),
    "ctrl-c-ignored": brought_back("garbled", steps=f"{NOTHING_HELPS}, reset helped", waits_s=SILENCE_S),
    "reset-loop": brought_back("reset", steps=f"{NOTHING_HELPS}, reset failed, power-cycle helped", waits_s=6.0),
    "banner": Row(verdicts=FIVE_PASS),
    "uart": Row(verdicts=FIVE_PASS),
    "noisy": Row(chance=True, waits_s=SILENCE_S),
    "lossy": Row(chance=True, waits_s=SILENCE_S),
    "chatty": Row(chance=True, waits_s=SILENCE_S),
    "boot-log": Row(verdicts=FIVE_PASS, waits_s=4.0),
    "jitter": Row(verdicts=FIVE_PASS),
    "leak": Row(verdicts=FIVE_PASS),
    "small-heap": Row(verdicts=ALL_ERROR, rule="fault/memory", notes=("it does not connect to a server",)),
    "lwip-1.23": Row(verdicts=FIVE_PASS),
    "lwip-1.24": Row(verdicts=FIVE_PASS),
    "slow-boot": Row(verdicts=FIVE_PASS, waits_s=2.0),
    "bare": Row(verdicts=ALL_ERROR, rule="fault/no-network"),
    "wlan-esp32-1.21": Row(verdicts=FIVE_PASS),
    "wlan-esp32": Row(verdicts=FIVE_PASS),
    "wlan-cyw43": Row(verdicts=FIVE_PASS),
}


@pytest.fixture(scope="session")
def runs(run_once):
    """The processes."""
    return run_once({name: EXPECTED[name].waits_s if name in EXPECTED else 0.0 for name in FAULTS})


@pytest.fixture(scope="session")
def boards(runs, read_boards):
    """The boards, by the fault's name."""
    return read_boards(runs)


# ----------------------------------------------------------------------------------------------- each fault


def test_every_fault_has_a_row():
    """Every fault has a row with its expected results."""
    assert list(EXPECTED) == list(FAULTS)
    assert len(FAULTS) >= 20


@pytest.mark.parametrize("name", FAULTS)
def test_verdicts(boards, name):
    """The case with the fault is `error`, with its kind and recovery steps; the other cases keep their results."""
    row, board = EXPECTED[name], boards[name]
    if row.chance:
        words = [result["verdict"] for result in board.results]
        assert words.count("pass") + words.count("error") == len(words) == 5
        assert words.count("error") <= 2
        return
    assert " ".join(result["verdict"] for result in board.results) == row.verdicts
    assert (rule_of(board), steps_of(board)) == (row.rule, row.steps)
    notes = board.board["notes"]
    assert len(notes) == len(row.notes), notes
    assert all(note.startswith(start) for note, start in zip(notes, row.notes, strict=True)), notes


@pytest.mark.parametrize("name", FAULTS)
def test_time(boards, name):
    """The expired time limits add up to at most the limit in the table; a quarantined board only costs the time to close it."""
    row, board = EXPECTED[name], boards[name]
    assert board.waited_s < row.limit_s
    if row.quarantined:
        *spared, last = (record["waited_s"] for record in board.watched[2:])
        assert spared == [0, 0]
        assert last <= CLOSING_S


@pytest.mark.parametrize("name", FAULTS)
def test_messages(boards, name):
    """The first line of a failure names the fault; the quarantine and its cause are reported once."""
    board = boards[name]
    if board.hit is None or board.hit["verdict"] != "error":
        return
    told: set[str] = set()
    for result in board.results:
        if result["verdict"] != "error" or result["reason"] in told:
            continue
        head, first, *_ = block_of(board.run.text, f"test_case[{result['board']}-{result['case']}]")
        assert f"error: {result['reason']}".startswith(first.removesuffix("...")), head
        told |= {
            result["reason"],
            *(f"faulty:{name}: {note}" for note in board.board["notes"] if "quarantined" in note),
        }
    if EXPECTED[name].waits_s >= 2.0 and "failed" in EXPECTED[name].steps:
        label, reason = board.hit["board"], board.hit["reason"].removeprefix(f"faulty:{name}: ")
        told = f"{label}: {board.hit['case']}: {reason}; trying to recover it, for at most 24 s"
        assert board.run.text.split("\n").count(told) == 1
    if EXPECTED[name].quarantined:
        spared = board.results[2:]
        assert {result["explanation"]["rule"] for result in spared} == {"fault/set-aside"}
        assert {result["reason"].partition(": ")[2] for result in spared} == set(board.board["notes"])
        assert all(result["recovery"] == [] for result in spared)


@pytest.mark.parametrize("name", FAULTS)
def test_evidence(boards, name):
    """A case with a fault has a transcript, which is bounded, readable for its owner only, and without control characters."""
    board = boards[name]
    for result in board.results:
        if not result["link_errors"]:
            continue
        path = board.run.artifacts / result["artifacts"]["transcript"]
        text = path.read_text(encoding="utf-8")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert 0 < len(text) < TRANSCRIPT_LIMIT
        assert all(character == "\n" or (character.isascii() and character.isprintable()) for character in text)
        assert "PRIVATE KEY" not in text


@pytest.mark.parametrize("name", FAULTS)
def test_the_port_is_free(boards, name):
    """After the last case, a board holds no terminal, folder, thread or socket."""
    last, end = boards[name].watched[-1], boards[name].run.watched[-2]
    # The wake-up sockets of a server's event loop: two each.
    own = {target for target in end["held"] if "socket:" in target}
    assert len(own) == 2 * end["threads"].count("tls-engine")
    kept = [target for target in last["held"] if "socket:" in target and target not in own]
    kept += [target for target in last["held"] if re.search(r"/dev/(pts|ptmx|tty)|tls-harness-(faulty|board)", target)]
    assert kept == []
    assert [thread for thread in last["threads"] if "board" in thread] == []


@pytest.mark.parametrize("name", ["lying", "boasting"])
def test_a_false_claim_is_no_session(boards, name):
    """`connected` is what a server recorded; the board's claim alone is an error, also if a refusal was expected."""
    results = {result["case"]: result for result in boards[name].results}
    connected = {case for case, result in results.items() if result["outcome"] == "connected"}
    assert connected == (
        {"cert/good", "seed/ecdsa-key-connects", "seed/forced-tls-rsa"} if name == "boasting" else set()
    )
    for case in connected:
        assert results[case]["observed"]["negotiated"]["version"]
        assert results[case]["observed"]["client_hello"]["suites"]
    lies = [result for result in results.values() if (result["explanation"] or {}).get("rule") == "fault/lying"]
    assert [result["outcome"] for result in lies] == ["not-run"]


# ----------------------------------------------------------------------------------------------- the runs as a whole


def test_nothing_is_lost(runs):
    """The journal is complete and agrees with run.json; each board has each case once."""
    for run in runs:
        record, journal = run.record, run.journal
        failed = any(result["verdict"] == "fail" for result in record["results"])
        assert run.status == (1 if failed else 10), run.text
        told = [
            {key: value for key, value in line.items() if key != "record"}
            for line in journal
            if line["record"] == "result"
        ]
        assert told == record["results"]
        assert (journal[0]["record"], journal[-1]["record"]) == ("run", "end")
        assert len(told) == len(record["boards"]) * 5 == journal[0]["run"]["planned"]
        assert len({(result["board"], result["case"]) for result in told}) == len(told)


def test_nothing_is_left(runs):
    """A process that ends leaves no open descriptor, no temporary file and no child process."""
    for run in runs:
        end = run.watched[-1]
        assert (end["test"], end["held"], end["threads"]) == (None, [], [])
        assert list((run.folder / "tmp").iterdir()) == []
        assert started_by(run.folder) == []


def started_by(folder: Path) -> list[str]:
    """Return the command lines of processes with this folder in their environment; Linux only."""
    found, mark = [], f"TMPDIR={folder}/tmp".encode()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            pass  # it has ended, or is another user's
    return found


# ----------------------------------------------------------------------------------------------- the page


def rule_of(board) -> str | None:
    """Return the rule that explains the first case that did not pass."""
    return board.hit["explanation"]["rule"] if board.hit and board.hit["explanation"] else None


def steps_of(board) -> str:
    """Return the recovery steps of the first case that did not pass, without steps that are impossible here."""
    steps = board.hit["recovery"] if board.hit else []
    return ", ".join(f"{step['step']} {step['result']}" for step in steps if step["result"] in ("helped", "failed"))


def block_of(text: str, name: str) -> list[str]:
    """Return the lines of one failure, from its heading on."""
    lines = text.split("\n")
    (at,) = [number for number, line in enumerate(lines) if re.fullmatch(rf"_+ {re.escape(name)} _+", line)]
    return lines[at:]


# What differs between runs and machines.
VOLATILE = (
    (r"/dev/pts/\d+|/\S+-locked/port", "PORT"),
    (r"\b\d{4,} bytes", "N bytes"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"\((SerialException|EIO)\)", "(EIO)"),
    (
        r"(the board's answer is garbled): .*",
        r"\1 ...",
    ),  # which bytes are lost depends on how many digits its times have
)


def shown(text: str) -> str:
    """Return a text of a run in the form of the page."""
    for pattern, stand_in in VOLATILE:
        text = re.sub(pattern, stand_in, text)
    text = " ".join(text.split())
    text = text if len(text) <= SAID_LIMIT else text[: SAID_LIMIT - 3].rstrip() + "..."
    return text.replace("|", "\\|")


def test_the_page(boards):
    """docs/faults.md has the results of these runs."""
    lines = [
        "| board | fault | five cases | message | recovery steps | time limit |",
        "|---|---|---|---|---|---|",
    ]
    for name, fault in FAULTS.items():
        board = boards[name]
        words = [result["verdict"] for result in board.results]
        counts = ", ".join(f"{words.count(word)} `{word}`" for word in dict.fromkeys(words))
        said = (
            shown(f"{board.hit['verdict']}: {board.hit['reason']}")
            if board.hit
            else "; ".join(map(shown, board.board["notes"]))
        )
        if EXPECTED[name].chance:
            lines.append(
                f"| `faulty:{name}` | {fault.does} | 3 to 5 `pass`, the others `error` |  |  | {EXPECTED[name].limit_s:.0f} s |"
            )
            continue
        steps = ", ".join(filter(None, (steps_of(board), "quarantined" if EXPECTED[name].quarantined else "")))
        lines.append(
            f"| `faulty:{name}` | {fault.does} | {counts} | {said} | {steps} | {EXPECTED[name].limit_s:.0f} s |"
        )
    table = "\n".join(lines) + "\n"
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("UPDATE_TEXTS"):
        page = PAGE_TABLE.sub(lambda _: table, page)
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE_TABLE.findall(page) == [table]
