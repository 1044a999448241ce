"""Where the client is found, and what is said of a place that cannot be used. tests/plugin/test_labgrid_board.py asks a real lab."""

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
    """A script that stands in the place of labgrid's client."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    path.chmod(0o755)
    return str(path)


@pytest.fixture(autouse=True)
def nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No client anywhere, and the names of one person."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in {"LG_HOSTNAME": "desk", "LG_USERNAME": "bob", "LG_COORDINATOR": "lab:1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("LABGRID_CLIENT", "TLS_HARNESS_LABGRID", "LG_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def client(tmp_path: Path) -> LabgridClient:
    """One whose program answers nothing for a long time."""
    program(tmp_path / "bin" / "labgrid-client", "exec /bin/sleep 600")
    return LabgridClient("desk", timeout_s=0.2)


def test_where_the_client_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$LABGRID_CLIENT, then PATH, then what tools/fetch_labgrid.py made; each by its whole path."""
    with pytest.raises(UsageError) as caught:
        find_client()
    assert str(caught.value) == (
        "--board labgrid:...: labgrid-client is not on PATH; install labgrid in an environment of its own, never in this one "
        "(`pipx install labgrid`), or name the program in $LABGRID_CLIENT"
    )
    fetched = program(tmp_path / "cache" / "tls-harness" / "labgrid" / "bin" / "labgrid-client", "true")
    assert find_client() == fetched
    assert fetched_folder() == tmp_path / "cache" / "tls-harness" / "labgrid"
    on_path = program(tmp_path / "bin" / "labgrid-client", "true")
    assert find_client() == on_path
    monkeypatch.setenv("LABGRID_CLIENT", fetched)
    assert find_client() == fetched
    monkeypatch.setenv("LABGRID_CLIENT", "/nowhere/labgrid-client")
    with pytest.raises(
        UsageError, match=r"^\$LABGRID_CLIENT = /nowhere/labgrid-client: there is no such program; it must"
    ):
        find_client()
    monkeypatch.setenv("TLS_HARNESS_LABGRID", "/elsewhere")
    assert fetched_folder() == Path("/elsewhere")


def test_a_client_that_hangs(client: LabgridClient) -> None:
    """It is ended at its deadline, and the coordinator named."""
    with pytest.raises(BoardError) as caught:
        client.show("board0")
    assert (caught.value.kind, str(caught.value)) == (
        "timeout",
        "desk: `labgrid-client show` did not end within 0.2 s; the coordinator is lab:1",
    )


def test_a_client_that_cannot_be_started(client: LabgridClient) -> None:
    """It was there a moment ago."""
    os.unlink(client.program)
    with pytest.raises(BoardError, match=r"desk: .*/labgrid-client cannot be started \(No such file or directory\)"):
        client.show("board0")


def test_a_reservation_without_a_token(client: LabgridClient) -> None:
    """`+` stands for $LG_TOKEN."""
    with pytest.raises(UsageError) as caught:
        client.show("+")
    assert str(caught.value) == (
        "desk: it takes the place that is reserved with $LG_TOKEN, which is not set; "
        'start with `eval "$(labgrid-client reserve --wait --shell TAG=VALUE)"`'
    )


def test_a_coordinator_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If not even the list of places can be had, it is the coordinator; the client's own reason is quoted."""
    program(
        tmp_path / "bin" / "labgrid-client", 'echo "Server error: Error: Could not connect to coordinator" >&2; exit 1'
    )
    with pytest.raises(BoardError) as caught:
        LabgridClient("desk").show("board0")
    assert (caught.value.kind, str(caught.value)) == (
        "missing",
        "desk: labgrid's coordinator at lab:1 cannot be asked (Could not connect to coordinator); "
        "is it running, and $LG_COORDINATOR right?",
    )


def test_a_reservation_without_a_place(tmp_path: Path) -> None:
    """It may come: this can be waited for."""
    program(tmp_path / "bin" / "labgrid-client", '[ "$1" = places ] && echo board0')
    with pytest.raises(BoardError) as caught:
        LabgridClient("desk").show("+TOKEN")
    assert (caught.value.kind, str(caught.value)) == (
        "busy",
        "desk: the reservation has no place: it still waits, has run out, or was never made "
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
    """Free ones, our own, and those of somebody who lets us; whose the reservation is, the coordinator decides."""
    assert client.refusal(place, "") is None


WAIT = "`pytest --board-wait SECONDS` waits for it"
EXPORTER = "is its labgrid-exporter running? `labgrid-client resources` lists what there is"


@pytest.mark.parametrize(
    ("place", "said", "kind", "message"),
    [
        (
            Place(name="board0", resources=(SERIAL,), acquired="ci/alice"),
            "",
            "busy",
            f"place board0 is acquired by alice on ci, where `labgrid-client -p board0 release` gives it back; {WAIT}",
        ),
        (
            Place(name="board0", resources=(SERIAL,), acquired="other/bob"),
            "",
            "busy",
            f"place board0 is acquired by bob on other, where `labgrid-client -p board0 release` gives it back; {WAIT}",
        ),
        (
            Place(name="board0", resources=(SERIAL,), reservation="TOKEN"),
            "Server error: Error: Place board0 was not reserved for desk/bob\n",
            "busy",
            "place board0 is reserved, and not with our token (Place board0 was not reserved for desk/bob); "
            f"`labgrid-client reservations` lists for whom; {WAIT}",
        ),
        (
            Place(name="board0", resources=(Resource(name="repl", kind="NetworkSerialPort", exporter="exp0", present=False),)),
            "",
            "missing",
            f"place board0 has no board behind it: exporter exp0 is gone; {EXPORTER}",
        ),
        (
            Place(name="board0", matches=("exp0/a/*", "exp1/b/*")),
            "",
            "missing",
            f"place board0 has no board behind it: nothing matches exp0/a/*, exp1/b/*; {EXPORTER}",
        ),
        (
            Place(name="board0"),
            "",
            "missing",
            f"place board0 has no board behind it: it has no match; {EXPORTER}",
        ),
        (
            Place(name="board0", resources=(POWER,)),
            "",
            "missing",
            "place board0 has no serial port (NetworkPowerPort power); exactly one is wanted",
        ),
        (
            Place(name="board0", resources=(SERIAL, POWER, SERIAL)),
            "",
            "missing",
            "place board0 has 2 serial ports (NetworkSerialPort repl, NetworkSerialPort repl); exactly one is wanted",
        ),
    ],
)  # fmt: skip
def test_places_that_may_not(client: LabgridClient, place: Place, said: str, kind: str, message: str) -> None:
    """Each reason is one line that says what to do; only what may end by itself is waited for."""
    refused = client.refusal(place, said)
    assert refused is not None
    assert (refused.kind, refused.message) == (kind, f"desk: {message}")


def test_who_we_are(client: LabgridClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """As labgrid itself finds it."""
    assert client.own_name == "desk/bob"
    monkeypatch.delenv("LG_HOSTNAME")
    assert LabgridClient("desk").own_name == f"{socket.gethostname()}/bob"


def test_a_password_in_the_environment_is_kept_back(client: LabgridClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client does not need it, and its words are shown."""
    monkeypatch.setenv("LAB_WIFI", "sesame")
    assert LabgridClient("desk").environment["LAB_WIFI"] == "sesame"
    assert "LAB_WIFI" not in LabgridClient("desk", without=("LAB_WIFI",)).environment
