"""`--boards FILE`: the lab's boards by name."""

import pytest

LAB = '[board.desk]\nspec = "unix"\nheap_bytes = 4000000\n'


def test_a_name_from_the_file(suite):
    """A name in the file is a board; what ./boards.toml says of the same name does not count."""
    suite.write("lab.toml", LAB)
    suite.write("boards.toml", '[board.desk]\nspec = "unix"\n')
    ran = suite.run(*suite.quick, "--board", "desk", "--boards", "lab.toml")
    assert (ran.status, ran.summary()) == (0, "2 passed"), ran.text
    (board,) = ran.record()["boards"]
    assert (board["board"], board["spec"], board["kind"]) == ("desk", "desk", "unix")
    assert board["facts"]["heap_total_bytes"] > 3000000


def test_missing_file(suite):
    """If the given file does not exist, the error names it."""
    assert suite.refused("--boards", "nope.toml") == "--boards nope.toml: cannot be read (No such file or directory)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[board.desk\n", "--boards lab.toml: invalid TOML: "),
        (
            '[board.desk]\nspec = "/dev/ttyUSB0"\nwifi = {ssid = "lab", password = "geheim"}\n',
            'lab.toml: board.desk.wifi.password: passwords are not accepted here; use {env = "NAME"} and set the '
            "environment variable NAME",
        ),
    ],
)
def test_bad_file(suite, text, message):
    """What is wrong in the file is said in one line with the place (tests/unit/boards/test_lab_file.py); a password is not repeated."""
    suite.write("lab.toml", text)
    said = suite.refused("--boards", "lab.toml")
    assert said.startswith(message)
    assert "geheim" not in said
