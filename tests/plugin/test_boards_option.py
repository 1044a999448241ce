"""`--boards FILE`: the lab's boards by name."""

import pytest

LAB = '[board.desk]\nspec = "unix"\nheap_bytes = 4000000\n'


@pytest.mark.parametrize("option", [(), ("--boards", "lab.toml")])
def test_a_name_of_the_file(suite, option):
    """A name in boards.toml is a board; ./boards.toml is read without the option."""
    suite.write(option[1] if option else "boards.toml", LAB)
    ran = suite.run(*suite.quick, "--board", "desk", *option)
    assert (ran.status, ran.summary()) == (0, "2 passed"), ran.text
    (board,) = ran.record()["boards"]
    assert (board["board"], board["spec"], board["kind"]) == ("desk", "desk", "unix")
    assert board["facts"]["heap_total_bytes"] > 3000000


def test_missing_file(suite):
    """A given file that does not exist is named."""
    assert suite.refused("--boards", "nope.toml") == "--boards nope.toml: cannot be read (No such file or directory)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[board.desk\n", "--boards lab.toml: invalid TOML: "),
        ('[board.desk]\nspec = "unix"\nzebra = 1\n', "lab.toml: board.desk: unknown key 'zebra'; accepted are "),
        ('[boards.desk]\nspec = "unix"\n', "lab.toml: unknown key 'boards'; boards are written as [board.NAME]"),
        ("[board.desk]\nbaud = 9600\n", "lab.toml: board.desk: missing key 'spec'; accepted are "),
        (
            '[board.desk]\nspec = "/dev/ttyUSB0"\nwifi = {ssid = "lab", password = "geheim"}\n',
            'lab.toml: board.desk.wifi.password: passwords are not accepted here; use {env = "NAME"} and set the '
            "environment variable NAME",
        ),
    ],
)
def test_bad_file(suite, text, message):
    """What is wrong in the file is said in one line with the place; a password is not repeated."""
    suite.write("lab.toml", text)
    said = suite.refused("--boards", "lab.toml")
    assert said.startswith(message)
    assert "geheim" not in said
