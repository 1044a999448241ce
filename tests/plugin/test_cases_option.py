"""`--cases smoke|core|full`."""


def test_bad_word(suite):
    """The error for an unknown set lists the three sets."""
    assert suite.refused("--cases", "some") == "--cases 'some': expected one of smoke, core, full"


def test_sets_contain_each_other(suite):
    """smoke is a subset of core, core of full, and core is the default."""

    def ids(*arguments):
        lines = suite.run("--collect-only", "-q", *arguments).lines
        return {line for line in lines if "::" in line}

    smoke, core, full = ids("--cases", "smoke"), ids("--cases", "core"), ids("--cases", "full")
    assert smoke <= core <= full
    assert ids() == core
    assert "test_mine.py::test_case[unix-seed/rsa-key-no-shared-cipher]" in smoke


def test_a_former_case_id_on_the_command_line(suite):
    """A test id from an older report, with the former topic of its case, still works, with and without workers."""
    for workers in ((), ("-n", "1")):
        ran = suite.run(*workers, "--cases", "smoke", "test_mine.py::test_case[unix-raw/http-400]")
        assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text
