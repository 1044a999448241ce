"""`pytest --board SPEC` where no test is: the packaged cases run, and a path without tests is answered with what to do."""

import pytest


def test_the_packaged_cases_run(suite):
    """An empty folder is not "no tests ran": each worker collects the packaged cases, and -k chooses among them."""
    (suite.folder / "test_mine.py").unlink()
    ran = suite.run("--board", "unix", "-n", "2", *suite.quick, "-W", "error")
    assert (ran.status, ran.summary()) == (0, "2 passed"), ran.text
    assert {result["case"] for result in ran.record()["results"]} == {
        "seed/rsa-1024-key",
        "seed/key-and-certificate-swapped",
    }
    assert ran.record()["run"]["planned"] == 2


@pytest.mark.slow
def test_a_path_without_tests(suite):
    """A path that the user named has no test: one line says how to run the packaged cases; -k that fits none needs no such line."""
    (suite.folder / "empty").mkdir()
    ran = suite.run("--board", "unix", "empty")
    assert ran.status == 5
    assert ran.lines[-2] == (
        "--board was given, but empty has no test; `pytest --pyargs harness.compat --board ...` runs the packaged cases"
    )
    ran = suite.run("--board", "unix", "-k", "nothing-of-this-name", "--cases", "smoke")
    assert ran.status == 5
    assert "--board was given" not in ran.text
