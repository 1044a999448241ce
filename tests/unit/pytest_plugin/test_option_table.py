"""Options from the environment and the ini file."""

from types import SimpleNamespace

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.option_table import OPTIONS, resolve, with_source


def config(folder, ini=None, **given):
    """Return what `resolve` reads of pytest's configuration."""
    option = SimpleNamespace(**{one.key: given.get(one.key) for one in OPTIONS})
    values = ini or {}
    return SimpleNamespace(
        option=option, stash=pytest.Stash(), inipath=folder / "pytest.ini", getini=lambda name: values.get(name)
    )


def test_the_defaults(tmp_path):
    """What is set nowhere has its default; an option that may be repeated is an empty list."""
    made = config(tmp_path)
    resolve(made, environment={})
    assert (made.option.board, made.option.cases, made.option.keep_wire) == ([], "core", False)
    assert (made.option.artifacts, made.option.repeat) == (None, "1")


def test_who_overrides_whom(tmp_path):
    """The command line overrides the environment, which overrides the ini file."""
    ini = {"tls_board": ["a"], "tls_cases": "full", "tls_bind": "192.0.2.1"}
    made = config(tmp_path, ini, board=["c"])
    resolve(made, environment={"TLS_HARNESS_BOARD": "b", "TLS_HARNESS_CASES": "smoke"})
    assert (made.option.board, made.option.cases, made.option.bind) == (["c"], "smoke", "192.0.2.1")
    assert with_source(made, "--cases 'smoke': wrong") == "--cases 'smoke': wrong (from TLS_HARNESS_CASES)"
    assert with_source(made, "--bind 'x': wrong") == "--bind 'x': wrong (from tls_bind in pytest.ini)"
    assert with_source(made, "--board 'c': wrong") == "--board 'c': wrong"
    assert with_source(made, "--cases: wrong") == "--cases: wrong (from TLS_HARNESS_CASES)"


def test_values_of_the_environment(tmp_path):
    """A repeatable option is split as a shell does; a switch is on for anything but a no; an empty variable is not set."""
    made = config(tmp_path)
    variables = {"TLS_HARNESS_BOARD": "u0 '/dev/my board'", "TLS_HARNESS_KEEP_WIRE": "1", "TLS_HARNESS_PORTS": ""}
    resolve(made, environment=variables)
    assert (made.option.board, made.option.keep_wire, made.option.ports) == (["u0", "/dev/my board"], True, None)
    for text in ("0", "no", "False"):
        made = config(tmp_path)
        resolve(made, environment={"TLS_HARNESS_KEEP_WIRE": text})
        assert made.option.keep_wire is False
    with pytest.raises(
        UsageError, match=r"^TLS_HARNESS_BOARD: \"'u0\": No closing quotation \(expected values separated by blanks\)$"
    ):
        resolve(config(tmp_path), environment={"TLS_HARNESS_BOARD": "'u0"})


def test_paths_of_an_ini_file(tmp_path):
    """A file that an ini file names is next to that file; from the environment it is where pytest was started."""
    made = config(
        tmp_path, {"tls_boards": "lab/boards.toml", "tls_compat_report": ["a.md", "/b.csv"], "tls_server": ["py"]}
    )
    resolve(made, environment={"TLS_HARNESS_KNOWN": "known.toml"})
    assert made.option.boards == str(tmp_path / "lab" / "boards.toml")
    assert made.option.compat_report == [str(tmp_path / "a.md"), "/b.csv"]
    assert (made.option.known, made.option.server) == ("known.toml", ["py"])


def test_once(tmp_path):
    """A second call changes nothing, so that a worker keeps what the controller has found."""
    made = config(tmp_path)
    resolve(made, environment={})
    resolve(made, environment={"TLS_HARNESS_CASES": "full"})
    assert made.option.cases == "core"


def test_every_option_is_documented():
    """Names, ini options and variables are different for each option, and each has a help text and a metavar or is a switch."""
    for names in ([one.name for one in OPTIONS], [one.ini for one in OPTIONS], [one.variable for one in OPTIONS]):
        assert len(set(names)) == len(OPTIONS)
    assert [one.name for one in OPTIONS if not one.help or bool(one.metavar) == one.is_flag] == []
