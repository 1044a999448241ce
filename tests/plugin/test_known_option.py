"""`--known`: an invalid list is a usage error, reported before anything runs."""

import pytest

WRONG = '[[deviation]]\ncase = 5\nfirmware = "1.25.0"\nobserved = {alert = 40}\nreason = "x"\nlink = "https://example.org/1"\n'
GOOD = WRONG.replace("case = 5", 'case = "seed/wrong-ca"').replace("alert = 40", "alert = 1")


@pytest.mark.parametrize("given", [True, False], ids=["named", "default"])
def test_a_wrong_list(suite, given):
    """The exit code is 4, with one line, for a file that is given and for the default one."""
    suite.write("mine.toml" if given else "known_deviations.toml", WRONG)
    suite.write("pytest.ini", "[pytest]\n")
    said = suite.refused(*(["--known", "mine.toml"] if given else []))
    assert said.endswith("deviation 1: case = 5: expected a string")


@pytest.mark.parametrize("value", ["none.toml", ""])
def test_no_such_list(suite, value):
    """A list that is given must exist."""
    assert suite.refused(f"--known={value}").startswith("--known ")


def test_the_rerun_command_names_the_list(suite):
    """Without the list a known deviation would have another verdict."""
    suite.write("mine.toml", GOOD)
    suite.write(
        "conftest.py",
        "from harness.run import case_runner as run\n"
        "def fail(self, *args, **more):\n    raise run.ServerError('no')\n"
        "run.CaseRunner._own = fail\n",
    )
    ran = suite.run("--cases", "smoke", "-k", "ca-verified", "--known", "mine.toml")
    assert ran.status == 10
    assert "--known mine.toml" in ran.line("    pytest ")
