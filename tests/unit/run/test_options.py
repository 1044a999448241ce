"""The options of a run."""

from harness.run.options import IN_PROCESS, RunOptions


def test_server_name():
    """An interpreter has a short name; a server without one keeps its name."""
    options = RunOptions(boards=(), servers=("/usr/bin/python3",), server_names={"/usr/bin/python3": "python3.11.2"})
    assert options.server_name("/usr/bin/python3") == "python3.11.2"
    assert options.server_name(IN_PROCESS) == "in-process"
