"""`--client API` is repeatable: one more dimension of the run."""

import csv

import pytest

CLIENTS = ("--client", "socket", "--client", "asyncio")


def test_two_clients(suite):
    """Each case runs through each API: in ids, lines, the table, the record and the command that runs a test again."""
    reports = [word for suffix in ("md", "html", "csv") for word in ("--compat-report", f"report.{suffix}")]
    ran = suite.run("--cases", "smoke", "-v", *CLIENTS, *reports)
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
    texts = {
        suffix: (suite.folder / f"report.{suffix}").read_text(encoding="utf-8") for suffix in ("md", "html", "csv")
    }
    assert "| unix asyncio | " in texts["md"]
    assert '{"name":"unix asyncio"' in texts["html"]
    assert [row["client"] for row in csv.DictReader(texts["csv"].splitlines())] == [
        client or "socket" for client, _case in cells
    ]
    assert {result["verdict"] for result in record["results"]} == {"pass"}
    again = next(result["rerun"] for result in record["results"] if result.get("client") == "asyncio")
    assert again.startswith("pytest 'test_mine.py::test_case[unix-asyncio-")
    assert "--client socket --client asyncio" in again


def test_a_wrong_client(suite):
    """A usage error names the option, the value and what is accepted."""
    ran = suite.run("--client", "sockets")
    assert ran.status == 4
    assert "ERROR: --client 'sockets': expected one of socket, asyncio; did you mean 'socket'?" in ran.lines


@pytest.mark.slow
def test_the_core_set_has_the_same_verdicts(suite):
    """At least nine in ten cases of the core set run through asyncio, with the verdicts that they have through a socket."""
    ran = suite.run("--cases", "core", *CLIENTS)
    assert ran.status == 0, ran.text
    found = {None: {}, "asyncio": {}}
    for result in ran.record()["results"]:
        found[result.get("client")][result["case"]] = result["verdict"], result["reason"]
    socket, through_asyncio = found.values()
    assert socket.keys() == through_asyncio.keys()
    other = {case: through_asyncio[case] for case in socket if through_asyncio[case] != socket[case]}
    assert other == {
        "sni/none": ("unsupported", "asyncio.open_connection() always sends a server name"),
        "close/client-close-no-notify": ("unsupported", "asyncio has no handshake without a write or read"),
    }
    assert {verdict for verdict, _reason in through_asyncio.values()} <= {"pass", "unsupported"}
    passed = [case for case, (verdict, _reason) in through_asyncio.items() if verdict == "pass"]
    assert len(passed) >= 0.9 * len(through_asyncio)
