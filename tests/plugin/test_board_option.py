"""`--board SPEC` is repeatable; invalid specs and unusable boards."""

import os
import pty
import shutil

import pytest

from harness.boards.kinds import spec_forms
from harness.cases import select

ACCEPTED = f"expected {spec_forms()}"
CORE = len(select("core"))


@pytest.fixture
def interpreter(tmp_path):
    """Return a program with another name that starts the packaged interpreter."""
    place = shutil.which("micropython", path=os.path.dirname(os.sys.executable))
    if place is None:
        pytest.skip("the packaged interpreter has no wheel for this machine")
    (tmp_path / "second").symlink_to(place)
    return str(tmp_path / "second")


def test_two_boards(suite, interpreter):
    """--board is repeatable: every case runs on each board, and the lines and the table distinguish them."""
    ran = suite.run(*suite.quick, "--board", "unix", "--board", f"unix:{interpreter}")
    assert ran.status == 0, ran.text
    rows = [line.split() for line in ran.lines if line.startswith(("unix", "all "))]
    assert rows == [["unix", "in-process", "seed", "2"], ["unix:second", "in-process", "seed", "2"], ["all", "4"]]
    assert sum("unix:second seed/rsa-1024-key" in line for line in ran.lines) == 1
    results = {(result["board"], result["case"]) for result in ran.record()["results"]}
    assert results == {
        (board, f"seed/{case}")
        for board in ("unix", "unix:second")
        for case in ("rsa-1024-key", "key-and-certificate-swapped")
    }


REVERSED = """
def pytest_collection_modifyitems(items):
    items.reverse()
"""


@pytest.mark.slow
def test_the_order_does_not_depend_on_arrival(suite, interpreter):
    """Table and report list boards as on the command line and cases as declared, whichever finished first."""
    suite.write("conftest.py", REVERSED)
    ran = suite.run(
        "--cases",
        "core",
        "-k",
        "key/rsa1024] or seed/rsa-1024-key",
        "--board",
        "unix",
        "--board",
        f"unix:{interpreter}",
    )
    assert ran.status == 0, ran.text
    wanted = [(board, topic) for board in ("unix", "unix:second") for topic in ("key", "seed")]
    rows = [tuple(line.split()[:3:2]) for line in ran.lines if " in-process  " in line and "[" not in line]
    assert rows == wanted
    results = ran.record()["results"]
    assert [(result["board"], result["case"].partition("/")[0]) for result in results] == wanted
    # Otherwise this test would prove nothing.
    assert [entry["board"] for entry in ran.journal() if "verdict" in entry] == [board for board, _ in wanted[::-1]]


TWICE = '; for two such boards name them in boards.toml: [board.one] spec = "unix"'


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (("nope",), f"--board 'nope': not a board; {ACCEPTED} (boards.toml has: none)"),
        (("unix", "unix"), f"--board 'unix': the same board as 'unix'; each board may be given only once{TWICE}"),
    ],
)
def test_no_board(suite, spec, message):
    """An invalid spec ends the run at once: exit code 4 and one line with the option, the value and what is expected.

    The messages of each kind of board are in tests/unit/boards.
    """
    assert suite.refused(*(word for text in spec for word in ("--board", text))) == message


def test_f13_a_board_that_cannot_be_opened(suite):
    """One failure, with the reason and what to do; the other cases are counted. In at most 25 lines, exit code 10."""
    ran = suite.run("--board", "/dev/ttyNOPE7", "-ra", "-o", "timeout=300")
    assert (ran.status, ran.summary()) == (10, f"1 failed, {CORE - 1} skipped")
    assert len(ran.lines) <= 25, ran.text
    assert " certificate cases" not in ran.text  # a count of what was not tried
    reason = "/dev/ttyNOPE7: no such port; "
    assert ran.line("board ttyNOPE7: ").startswith(f"board ttyNOPE7: {reason}")
    # The board's line, the failure's second line and the reason why the run failed; the full reason appears nowhere else.
    whole = ran.line("board ttyNOPE7: ").removeprefix("board ttyNOPE7: ")
    assert ran.text.count(whole) == 3
    block = ran.lines.index(f"  {whole}")
    assert whole.startswith(ran.lines[block - 1].removeprefix("error: ").removesuffix("..."))
    assert ran.lines[block + 1 : block + 3] == [
        "  why         there is no such port or board on this machine   [fault/missing]",
        "  fix         plug it in, or choose one from `tls-harness boards`; the name id:SERIAL stays the same on every port",
    ]
    assert ran.line("SKIPPED").startswith(f"SKIPPED [{CORE - 1}] ")
    assert ran.line("SKIPPED").endswith(": not run: board ttyNOPE7 is not usable, see above")
    assert {result["reason"] for result in ran.record()["results"]} == {whole}
    assert ran.line("nothing was tested: no board could try any case").startswith(
        f"nothing was tested: no board could try any case ({reason}"
    )
    assert {(result["verdict"], result["outcome"]) for result in ran.record()["results"]} == {("error", "not-run")}
    assert "Traceback" not in ran.text


def test_a_program_that_is_not_micropython(suite):
    """`unix:` with a program that shows no prompt is a board fault: `error` with what the program did."""
    ran = suite.run(*suite.quick, "--board", "unix:/bin/true")
    assert (ran.status, ran.summary()) == (10, "1 failed, 1 skipped")
    assert "/bin/true: no MicroPython prompt: it ended" in ran.line("board unix:true: ")


@pytest.mark.parametrize(
    ("fault", "said", "fixes"),
    [
        ("bare", "faulty:bare: the board is not on a network: it has no IP address, and its WLAN is not connected.", 2),
        ("small-heap", "faulty:small-heap: the board has too little memory for TLS: ", 2),
    ],
)
def test_f2_f12_f13_rb04_rb09_a_board_that_is_not_usable(suite, fault, said, fixes):
    """A board without a network, and one with too little memory: one failure that says what to do, and exit code 10."""
    ran = suite.run(*suite.quick, "--board", f"faulty:{fault}")
    assert (ran.status, ran.summary()) == (10, "1 failed, 1 skipped")
    assert ran.line(f"  {said}")
    assert len([line for line in ran.lines if line.startswith("  fix ")]) == fixes
    assert len(ran.lines) <= 30, ran.text
    assert ran.line("nothing was tested: ").startswith(f"nothing was tested: no board could try any case ({said}")


def test_a_board_is_not_usable_and_another_is(suite):
    """A fault of one board is not a TLS failure: exit code 10, and the other board keeps its results."""
    ran = suite.run(*suite.quick, "--board", "/dev/ttyNOPE7", "--board", "unix")
    assert (ran.status, ran.summary()) == (10, "1 failed, 2 passed, 1 skipped")
    assert ran.line("no case could be tried on board ttyNOPE7: /dev/ttyNOPE7: no such port; ")


USES_THE_BOARD = """
import pytest


def test_it(board):
    board.info


def test_again(board, tls_server):
    board.connect(tls_server())


@pytest.fixture
def offered(board):
    return board.info.suites


def test_fixture(offered):
    assert offered


def test_other():
    assert {passes}
"""


@pytest.mark.parametrize(("passes", "status"), [(True, 10), (False, 1)])
def test_f13_own_tests_with_a_board_that_cannot_be_opened(suite, passes, status):
    """The board fails one of the user's tests, and the others that use it are skipped; a test that fails by itself comes first."""
    suite.write("test_mine.py", USES_THE_BOARD.format(passes=passes))
    ran = suite.run("--board", "/dev/ttyNOPE7", "-rs")
    assert ran.status == status
    assert ran.summary() == ("1 failed, 1 passed, 2 skipped" if passes else "2 failed, 2 skipped")
    assert ran.line("error: /dev/ttyNOPE7: no such port; ")
    skipped = [line for line in ran.lines if line.startswith("SKIPPED")]
    assert len(skipped) == 2
    assert all(line.endswith(": not run: board ttyNOPE7 is not usable, see above") for line in skipped)


@pytest.mark.slow
def test_f13_last_failed_runs_what_was_not_run(suite):
    """`--lf` after such a run has all tests that the board left out, cases and the user's own, and no other."""
    suite.write("test_own.py", USES_THE_BOARD.format(passes=True))
    arguments = ("-p", "cacheprovider", "-W", "ignore", *suite.quick[:-1], f"{suite.quick[-1]} or test_own")
    ran = suite.run(*arguments, "--board", "/dev/ttyNOPE7")
    assert ran.summary() == "1 failed, 1 passed, 4 skipped", ran.text
    again = suite.run(*arguments, "--board", "/dev/ttyNOPE7", "--lf")
    assert again.summary() == "1 failed, 4 skipped", again.text
    assert "run-last-failure: rerun previous 5 failures" in again.text


@pytest.mark.parametrize("how", [("-v",), ("-q",), ("-n", "1")])
def test_a_board_that_cannot_be_opened_in_other_forms(suite, how):
    """-v shows the reason with the first case, -q in the failure, and with pytest-xdist it is the same."""
    ran = suite.run(*suite.quick, "--board", "/dev/ttyNOPE7", *how)
    reason = "/dev/ttyNOPE7: no such port; ports here"
    told = {"-v": 3, "-q": 2, "-n": 3}  # the first case or the board's line, the failure, why the run failed
    assert sum(line.count(reason) for line in ran.lines if not line.startswith("error: ")) == told[how[0]], ran.text
    assert ran.status == 10
    if how[0] == "-v":
        assert "NOT RUN" in ran.line("test_mine.py::test_case[ttyNOPE7-seed/key-and-certificate-swapped]")


# How often a board was opened, and how long each attempt waited for the raw REPL.
WAITS = """
from pathlib import Path
from harness.boards.serial.raw_repl import RawRepl

enter = RawRepl.enter_raw_repl

def watched(self, *, deadline):
    with Path("waits").open("a") as file:
        file.write(f"{deadline.timeout_s:g}\\n")
    return enter(self, deadline=deadline)

RawRepl.enter_raw_repl = watched
"""


def test_a_silent_port_costs_one_timeout(suite):
    """The run waits for a silent port once, not once per case."""
    suite.write("conftest.py", WAITS)
    master, slave = pty.openpty()
    try:
        suite.write("boards.toml", f'[board.silent]\nspec = "{os.ttyname(slave)}"\ntimeout_multiplier = 0.1\n')
        ran = suite.run(*suite.quick, "--board", "silent")
    finally:
        os.close(master)
        os.close(slave)
    assert ran.status == 10
    results = ran.record()["results"]
    assert {result["verdict"] for result in results} == {"error"}
    assert len(results) == 2
    assert len({result["reason"] for result in results}) == 1
    assert (suite.folder / "waits").read_text().split() == ["1"]


def test_an_existing_path_does_not_hide_pytest_ini(suite):
    """pytest takes every existing path for a test path; the value of --board must not count as one (rootdir, testpaths)."""
    suite.write("pytest.ini", "[pytest]\ntestpaths = mine\n")
    (suite.folder / "mine").mkdir()
    (suite.folder / "test_mine.py").rename(suite.folder / "mine" / "test_mine.py")
    suite.write("test_other.py", "def test_not_to_be_run():\n    raise SystemError\n")
    ran = suite.run(*suite.quick, "--board", "/dev/null")
    assert ran.line("rootdir: ") == f"rootdir: {suite.folder}"
    assert "test_other" not in ran.text
    assert len(ran.record()["results"]) == 2
    in_environment = suite.run(*suite.quick, environment={"PYTEST_ADDOPTS": "--board /dev/null"})
    assert in_environment.line("rootdir: ") == f"rootdir: {suite.folder}"
    assert len(in_environment.record()["results"]) == 2
