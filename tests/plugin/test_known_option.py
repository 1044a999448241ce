"""`--known`: a wrong list is wrong usage, said before anything runs."""

import pytest

WRONG = '[[deviation]]\ncase = 5\nfirmware = "1.25.0"\nobserved = {alert = 40}\nreason = "x"\nlink = "https://example.org/1"\n'
GOOD = WRONG.replace("case = 5", 'case = "seed/wrong-ca"').replace("alert = 40", "alert = 1")


@pytest.mark.parametrize("given", [True, False], ids=["named", "default"])
def test_a_wrong_list(suite, given):
    """Exit code 4 and one line, for a file that is named and for the one that is found."""
    suite.write("mine.toml" if given else "known_deviations.toml", WRONG)
    suite.write("pytest.ini", "[pytest]\n")
    said = suite.refused(*(["--known", "mine.toml"] if given else []))
    assert said.endswith("deviation 1: case = 5: expected a string")


@pytest.mark.parametrize("value", ["none.toml", ""])
def test_no_such_list(suite, value):
    """A list that is named must be there."""
    assert suite.refused(f"--known={value}").startswith("--known ")


def test_the_command_to_run_it_again_names_the_list(suite):
    """What was listed as known would be something else without the list."""
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
