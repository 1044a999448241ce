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


def test_programs_run_on_request(suite):
    """The cases of app/ are in no set: `-k` or a test id has to name them."""

    def programs(*arguments):
        lines = suite.run("--collect-only", "-q", *arguments).lines
        return sorted(line.partition("-app/")[2].rstrip("]") for line in lines if "-app/" in line)

    assert programs("--cases", "full") == []
    named = programs("-k", "app/")
    assert "requests-verified" in named
    assert programs("--cases", "smoke", "-k", "app/requests and wrong") == ["requests-wrong-ca", "requests-wrong-name"]
    assert programs("test_mine.py::test_case[unix-app/requests-verified]") == ["requests-verified"]


def test_requests_on_the_virtual_board(suite):
    """`-k app/requests` runs the program that the interpreter has: it connects, and its lack of verification is known."""
    ran = suite.run("-k", "app/requests")
    assert (ran.status, ran.summary()) == (0, "3 passed, 4 skipped, 1 xfailed"), ran.text
    found = {item["case"].removeprefix("app/requests-"): item for item in ran.record()["results"]}
    issue = "https://github.com/micropython/micropython-lib/issues/838"
    assert (
        found["unverified"]["verdict"]
        == found["large-answer"]["verdict"]
        == found["server-closes"]["verdict"]
        == "pass"
    )
    assert (found["without-ca"]["verdict"], found["without-ca"]["outcome"]) == ("known", "connected")
    assert found["without-ca"]["reason"] == f"requests never verifies the server ({issue})"
    for name in ("verified", "wrong-ca", "wrong-name"):
        assert found[name]["reason"] == f"requests on this board has no parameter for a CA certificate ({issue})"


def test_a_former_case_id_on_the_command_line(suite):
    """A test id from an older report, with the former topic of its case, still works, with and without workers."""
    for workers in ((), ("-n", "1")):
        ran = suite.run(*workers, "--cases", "smoke", "test_mine.py::test_case[unix-raw/http-400]")
        assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text
