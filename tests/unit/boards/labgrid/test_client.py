"""Finding the client, and the errors for a place that cannot be used. tests/plugin/test_labgrid_board.py has a real lab."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from harness.boards.labgrid.client import LabgridClient, fetched_folder, find_client
from harness.boards.labgrid.text import Place, Resource
from harness.errors import BoardError, UsageError

SERIAL = Resource(name="repl", kind="NetworkSerialPort", exporter="exp0")
POWER = Resource(name="power", kind="NetworkPowerPort", exporter="exp0")


def program(path: Path, text: str) -> str:
    """A script that replaces labgrid's client."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    path.chmod(0o755)
    return str(path)


@pytest.fixture(autouse=True)
def nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No client is installed, and labgrid's variables name one user."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in {"LG_HOSTNAME": "desk", "LG_USERNAME": "bob", "LG_COORDINATOR": "lab:1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("LABGRID_CLIENT", "TLS_HARNESS_LABGRID", "LG_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def client(tmp_path: Path) -> LabgridClient:
    """A client that hangs."""
    program(tmp_path / "bin" / "labgrid-client", "exec /bin/sleep 600")
    return LabgridClient("desk", timeout_s=0.2)


def test_find_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$LABGRID_CLIENT, then PATH, then the one of tools/fetch_labgrid.py; always the whole path."""
    with pytest.raises(UsageError) as caught:
        find_client()
    assert str(caught.value) == (
        "--board labgrid:...: labgrid-client is not on PATH; install labgrid in an environment of its own, not in this one "
        "(`pipx install labgrid`), or set $LABGRID_CLIENT to the program"
    )
    fetched = program(tmp_path / "cache" / "tls-harness" / "labgrid" / "bin" / "labgrid-client", "true")
    assert find_client() == fetched
    assert fetched_folder() == tmp_path / "cache" / "tls-harness" / "labgrid"
    on_path = program(tmp_path / "bin" / "labgrid-client", "true")
    assert find_client() == on_path
    monkeypatch.setenv("LABGRID_CLIENT", fetched)
    assert find_client() == fetched
    monkeypatch.setenv("LABGRID_CLIENT", "/nowhere/labgrid-client")
    with pytest.raises(UsageError, match=r"^\$LABGRID_CLIENT = /nowhere/labgrid-client: no such program; expected"):
        find_client()
    monkeypatch.setenv("TLS_HARNESS_LABGRID", "/elsewhere")
    assert fetched_folder() == Path("/elsewhere")


def test_a_client_that_hangs(client: LabgridClient) -> None:
    """The client is ended at the deadline, and the error names the coordinator."""
    with pytest.raises(BoardError) as caught:
        client.show("board0")
    assert (caught.value.kind, str(caught.value)) == (
        "timeout",
        "desk: `labgrid-client show` did not end within 0.2 s; the coordinator is lab:1",
    )


def test_a_client_that_cannot_be_started(client: LabgridClient) -> None:
    """The client may be removed after it was found."""
    os.unlink(client.program)
    with pytest.raises(BoardError, match=r"desk: cannot start .*/labgrid-client \(No such file or directory\)"):
        client.show("board0")


def test_a_reservation_without_a_token(client: LabgridClient) -> None:
    """`+` means the token in $LG_TOKEN."""
    with pytest.raises(UsageError) as caught:
        client.show("+")
    assert str(caught.value) == (
        "desk: there is no reservation: $LG_TOKEN is not set; "
        'start with `eval "$(labgrid-client reserve --wait --shell TAG=VALUE)"`'
    )


def test_a_coordinator_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the list of places fails, too, the coordinator is at fault; the client's own reason is quoted."""
    program(
        tmp_path / "bin" / "labgrid-client", 'echo "Server error: Error: Could not connect to coordinator" >&2; exit 1'
    )
    with pytest.raises(BoardError) as caught:
        LabgridClient("desk").show("board0")
    assert (caught.value.kind, str(caught.value)) == (
        "missing",
        "desk: labgrid's coordinator at lab:1 cannot be reached (Could not connect to coordinator); "
        "is it running, and is $LG_COORDINATOR right?",
    )


def test_a_reservation_without_a_place(tmp_path: Path) -> None:
    """The reservation may get a place, so this can be waited for."""
    program(tmp_path / "bin" / "labgrid-client", '[ "$1" = places ] && echo board0')
    with pytest.raises(BoardError) as caught:
        LabgridClient("desk").show("+TOKEN")
    assert (caught.value.kind, str(caught.value)) == (
        "busy",
        "desk: the reservation has no place: it is waiting, has expired, or was never made "
        "(`labgrid-client reservations`); `pytest --board-wait SECONDS` waits for it",
    )


@pytest.mark.parametrize(
    "place",
    [
        Place(name="board0", resources=(SERIAL, POWER)),
        Place(name="board0", resources=(SERIAL,), acquired="desk/bob"),
        Place(name="board0", resources=(SERIAL,), acquired="ci/alice", allowed=("desk/bob",)),
        Place(name="board0", resources=(SERIAL,), reservation="TOKEN"),
    ],
)
def test_places_that_may_be_used(client: LabgridClient, place: Place) -> None:
    """Free places, our own, and those whose owner allows us; the coordinator checks reservations."""
    assert client.refusal(place, "") is None


WAIT = "`pytest --board-wait SECONDS` waits for it"
EXPORTER = "is its labgrid-exporter running? `labgrid-client resources` lists the resources"


@pytest.mark.parametrize(
    ("place", "said", "kind", "message"),
    [
        (
            Place(name="board0", resources=(SERIAL,), acquired="ci/alice"),
            "",
            "busy",
            f"place board0 is acquired by alice on ci (release it there with `labgrid-client -p board0 release`); {WAIT}",
        ),
        (
            Place(name="board0", resources=(SERIAL,), acquired="other/bob"),
            "",
            "busy",
            f"place board0 is acquired by bob on other (release it there with `labgrid-client -p board0 release`); {WAIT}",
        ),
        (
            Place(name="board0", resources=(SERIAL,), reservation="TOKEN"),
            "Server error: Error: Place board0 was not reserved for desk/bob\n",
            "busy",
            "place board0 is reserved with a different token (Place board0 was not reserved for desk/bob); "
            f"`labgrid-client reservations` lists the owners; {WAIT}",
        ),
        (
            Place(name="board0", resources=(Resource(name="repl", kind="NetworkSerialPort", exporter="exp0", present=False),)),
            "",
            "missing",
            f"place board0 has no board: exporter exp0 is gone; {EXPORTER}",
        ),
        (
            Place(name="board0", matches=("exp0/a/*", "exp1/b/*")),
            "",
            "missing",
            f"place board0 has no board: nothing matches exp0/a/*, exp1/b/*; {EXPORTER}",
        ),
        (
            Place(name="board0"),
            "",
            "missing",
            f"place board0 has no board: it has no match; {EXPORTER}",
        ),
        (
            Place(name="board0", resources=(POWER,)),
            "",
            "missing",
            "place board0 has no serial port (NetworkPowerPort power); expected exactly one",
        ),
        (
            Place(name="board0", resources=(SERIAL, POWER, SERIAL)),
            "",
            "missing",
            "place board0 has 2 serial ports (NetworkSerialPort repl, NetworkSerialPort repl); expected exactly one",
        ),
    ],
)  # fmt: skip
def test_places_that_may_not(client: LabgridClient, place: Place, said: str, kind: str, message: str) -> None:
    """Each reason is one line that says what to do; only what may change by itself is `busy`."""
    refused = client.refusal(place, said)
    assert refused is not None
    assert (refused.kind, refused.message) == (kind, f"desk: {message}")


def test_who_we_are(client: LabgridClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is computed as labgrid does."""
    assert client.own_name == "desk/bob"
    monkeypatch.delenv("LG_HOSTNAME")
    assert LabgridClient("desk").own_name == f"{socket.gethostname()}/bob"


def test_the_password_is_not_in_the_environment(client: LabgridClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client does not need it, and its output is shown."""
    monkeypatch.setenv("LAB_WIFI", "sesame")
    assert LabgridClient("desk").environment["LAB_WIFI"] == "sesame"
    assert "LAB_WIFI" not in LabgridClient("desk", strip_env=("LAB_WIFI",)).environment
