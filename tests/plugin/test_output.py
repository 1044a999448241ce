"""Test a run's output: a line per case, at every verbosity, with and without xdist, alone and among other tests."""

import re

import pytest

OWN = "def test_one():\n    pass\ndef test_two():\n    pass\n"
PROGRESS = re.compile(r"\[( ?\d+)/(\d+)\] (pass|error)  +(\S+) +.*\d+ ms$")


def between(ran):
    """Return the lines from the count of collected tests to the table."""
    start = next(number for number, line in enumerate(ran.lines) if re.match(r"collected|\d+ workers", line))
    end = next(number for number, line in enumerate(ran.lines) if "TLS compatibility" in line)
    return ran.lines[start + 1 : end]


def test_a_line_per_case(suite):
    """A line has count, verdict, id, evidence and time; board and server come first; no percentage, no stray blank lines."""
    ran = suite.run(*suite.quick)
    lines = between(ran)
    assert lines[0] == lines[-1] == ""
    assert lines[1].startswith("board unix: micropython ")
    assert lines[2].startswith("server in-process: Python 3.")
    assert [PROGRESS.match(line).groups() for line in lines[3:-1]] == [
        ("1", "2", "pass", "seed/rsa-1024-key"),
        ("2", "2", "pass", "seed/key-and-certificate-swapped"),
    ]
    assert "%]" not in ran.text
    assert "\x1b" not in ran.text
    end = ran.lines[
        ran.lines.index("============================== TLS compatibility ===============================") + 1 :
    ]
    assert end[:4] == [
        "board  server      topic  pass",
        "unix   in-process  seed   2",
        f"report: {suite.folder / '.compat' / 'run.json'}",
        f"report: {suite.folder / '.compat' / 'matrix.html'}",
    ]
    assert end[4].startswith("=")
    assert len(end) == 5


def test_the_time_left_in_a_log(suite):
    """A log, which has no bar, has a line with the time left: once a minute, here after each case but the last."""
    suite.write("conftest.py", "import harness.pytest_plugin.screen\nharness.pytest_plugin.screen.LEFT_EVERY_S = 0\n")
    lines = between(suite.run(*suite.quick))
    assert PROGRESS.match(lines[3])
    assert re.fullmatch(r"1 of 2 cases done, about 0:\d\d left", lines[4])
    assert PROGRESS.match(lines[5])
    assert not any("left" in line for line in lines[5:])


def test_quiet(suite):
    """-q shows pytest's letters and the table."""
    ran = suite.run(*suite.quick, "-q")
    assert ran.lines[0].split() == ["..", "[100%]"]
    assert [line for line in ran.lines if "board" in line] == ["board  server      topic  pass"]


def test_verbose(suite):
    """-v has pytest's line with the verdict and the evidence in place of its word; without --board the board is `unix`."""
    ran = suite.run(*suite.quick, "-v")
    assert (ran.status, ran.summary()) == (0, "2 passed")
    assert [board["board"] for board in ran.record()["boards"]] == ["unix"]
    assert ran.line("test_mine.py::test_case[unix-seed/rsa-1024-key] ").startswith(
        "test_mine.py::test_case[unix-seed/rsa-1024-key] PASS  refused by the server at config: server EE_KEY_TOO_SMALL"
    )
    assert ran.line("test_mine.py::test_case[unix-seed/key-and-certificate-swapped] ").endswith("[100%]")


@pytest.mark.parametrize(("before", "after"), [("test_a.py", None), ("test_a.py", "test_z.py")])
def test_among_other_tests(suite, before, after):
    """A suite's own tests keep pytest's form; cases begin on new lines; nothing is lost or duplicated."""
    for name in filter(None, (before, after)):
        suite.write(name, OWN)
    ran = suite.run("--cases", "smoke", "-k", "rsa-1024-key or key-and-certificate-swapped or one or two")
    lines = between(ran)
    cases = [number for number, line in enumerate(lines) if PROGRESS.match(line)]
    assert len(cases) == 2
    own = {name: line for line in lines for name in (before, after) if name and line.startswith(f"{name} ..")}
    assert set(own) == {name for name in (before, after) if name}
    assert "" not in lines[1:-1]
    assert not any("test_mine.py" in line for line in lines)
    assert ("[100%]" in ran.text) == bool(after)


@pytest.mark.slow
def test_among_other_tests_with_xdist(suite):
    """The same lines from the workers, in the order they come; letters and lines do not run into each other."""
    suite.write("test_a.py", OWN)
    suite.write("test_z.py", OWN)
    lines = between(
        suite.run("--cases", "smoke", "-n", "2", "-k", "rsa-1024-key or key-and-certificate-swapped or one or two")
    )
    found = [PROGRESS.match(line) for line in lines if line.startswith("[")]
    assert [match.group(1, 2) for match in found] == [("1", "2"), ("2", "2")]
    assert {match.group(4) for match in found} == {"seed/rsa-1024-key", "seed/key-and-certificate-swapped"}
    assert sum(line.startswith("board unix: ") for line in lines) == 1
    rest = "".join(line for line in lines if not line.startswith(("[", "board ", "server ")))
    assert rest.replace(" ", "").replace("[100%]", "") == "...."


def test_colours_where_they_are_wanted(suite):
    """Green for `pass` if colours are switched on."""
    coloured = suite.run(*suite.quick, "--color=yes", environment={"NO_COLOR": ""})
    assert any("\x1b[32m[1/2] pass" in line for line in coloured.lines)


def test_a_suite_without_boards_sees_nothing(suite):
    """Runs without boards are not changed: no lines, files or exit codes of ours."""
    (suite.folder / "test_mine.py").unlink()
    suite.write("test_a.py", OWN)
    ran = suite.run()
    assert (ran.status, ran.summary()) == (0, "2 passed")
    assert [line for line in ran.lines if line.startswith(("board", "report", "="))] == [ran.lines[0], ran.lines[-1]]
    assert sorted(path.name for path in suite.folder.iterdir() if path.name != "__pycache__") == ["test_a.py"]
