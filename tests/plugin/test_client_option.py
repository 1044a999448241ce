"""`--client API` is repeatable: one more dimension of the run."""

CLIENTS = ("--client", "socket", "--client", "asyncio")


def test_two_clients(suite):
    """Each case runs through each API: in ids, lines, the table, the record and the command that runs a test again."""
    ran = suite.run("--cases", "smoke", "-v", *CLIENTS)
    assert ran.status == 0, ran.text
    columns = [line.split()[:2] for line in ran.lines if line.startswith("unix ")]
    assert columns.count(["unix", "asyncio"]) == columns.count(["unix", "in-process"]) > 5
    ran.line(
        "test_mine.py::test_case[unix-seed/rsa-1024-key] PASS  refused by the server at config: server EE_KEY_TOO_SMALL"
    )
    record = ran.record()
    cells = [(result.get("client"), result["case"]) for result in record["results"]]
    cases = [case for client, case in cells if client is None]
    assert cells == [(None, case) for case in cases] + [("asyncio", case) for case in cases]
    assert {result["verdict"] for result in record["results"]} == {"pass"}
    again = next(result["rerun"] for result in record["results"] if result.get("client") == "asyncio")
    assert again.startswith("pytest 'test_mine.py::test_case[unix-asyncio-")
    assert "--client socket --client asyncio" in again


def test_a_wrong_client(suite):
    """A usage error names the option, the value and what is accepted."""
    ran = suite.run("--client", "sockets")
    assert ran.status == 4
    assert "ERROR: --client 'sockets': expected one of socket, asyncio; did you mean 'socket'?" in ran.lines
