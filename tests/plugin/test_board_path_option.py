"""`--board-path DIR`: modules for the programs of app/."""

from pathlib import Path

import pytest

STAND_IN = Path(__file__).parents[1] / "data" / "programs" / "umqtt_stand_in.py"


@pytest.fixture
def with_modules(suite):
    """A suite with a folder of modules."""
    (suite.folder / "modules" / "umqtt").mkdir(parents=True)
    suite.write("modules/umqtt/simple.py", STAND_IN.read_text(encoding="ascii"))
    return suite


def test_a_wrong_directory(suite):
    """A directory without modules is a usage error, before anything is opened."""
    (suite.folder / "modules").mkdir()
    assert suite.refused("--board-path", "modules") == (
        "--board-path 'modules': contains no module (expected files *.py or *.mpy)"
    )


def test_programs_are_part_of_the_full_set(with_modules):
    """With modules the full set has the cases of app/; smaller sets have them on request only."""

    def programs(*arguments):
        lines = with_modules.run("--collect-only", "-q", "--board-path", "modules", *arguments).lines
        return {line.partition("-app/")[2].rstrip("]") for line in lines if "-app/" in line}

    assert {"requests-verified", "umqtt-params-verified", "umqtt-context-verified"} <= programs("--cases", "full")
    assert programs("--cases", "core") == set()


def test_a_program_on_the_board(with_modules):
    """The modules of the ini file are placed on the board, and every case of the program passes with them."""
    with_modules.write("pytest.ini", "[pytest]\ntls_board_path = modules\n")
    ran = with_modules.run("-k", "app/umqtt-context")
    assert (ran.status, ran.summary()) == (0, "7 passed"), ran.text
    found = {item["case"].removeprefix("app/umqtt-context-"): item for item in ran.record()["results"]}
    assert {item["verdict"] for item in found.values()} == {"pass"}
    assert found["wrong-ca"]["observed"]["client"]["flags"] == ["not_trusted"]
    assert found["wrong-name"]["observed"]["client"]["flags"] == ["cn_mismatch"]


def test_a_failure_is_run_again_with_its_modules(with_modules):
    """A program that verifies nothing fails its cases; the command that runs one again has the modules."""
    text = STAND_IN.read_text(encoding="ascii")
    call = "return self.ssl.wrap_socket("
    never = f"import tls\n            self.ssl.verify_mode = tls.CERT_NONE\n            {call}"
    insecure = text.replace(call, never)
    assert insecure != text
    with_modules.write("modules/umqtt/simple.py", insecure)
    ran = with_modules.run("--board-path", "modules", "-k", "app/umqtt-context-wrong-ca")
    assert (ran.status, ran.record()["results"][0]["verdict"]) == (1, "insecure"), ran.text
    assert "--board-path modules" in ran.line("    pytest ")
