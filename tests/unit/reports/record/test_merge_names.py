"""Names of boards and servers of several runs: one thing has one name, and two things never share one."""

import pytest

from harness.model import FoundSettings
from harness.reports.record.merge_names import board_named, names_for, read_renames, server_named, undescribed
from harness.reports.record.run_types import BoardEntry, BoardFacts, ServerEntry


def board(
    place, name="lab-1", *, firmware="1.28.0", host="host-a", chip=None, build="b", tls="Mbed TLS 3.6", rename=None
):
    """A board of a file."""
    facts = BoardFacts(
        unique_id=chip, version_text=build, tls_version=tls, firmware=firmware, implementation="micropython", version=(),
        machine="", tls_module="tls", tls_library=None, modules=(), api=(), suites=(), heap_free_bytes=None, clock_unix_s=None,
        address=None, hello=None, reads_pem=None, fingerprint=None,
    ) if firmware else None  # fmt: skip
    described = BoardEntry(board=name, spec=name, kind="serial", firmware=firmware, error=None, notes=(), facts=facts)
    return board_named(described, place=place, host=host, rename=rename)


def server(
    place,
    name="in-process",
    *,
    python="3.11.7",
    openssl="OpenSSL 3.0.19 27 Jan 2026",
    flag=None,
    rename=None,
    found=None,
):
    """A server of a file; `found` are groups that Python does not show."""
    described = ServerEntry(
        server=name, python=python, openssl=openssl, platform="p", default_suites_flag=flag, default_suites=(),
        found=found and FoundSettings(versions=(), groups=((found,),), signature_algorithms=()), hidden=("groups",) if found else (),
    )  # fmt: skip
    return server_named(described, place=place, rename=rename)


def called(*things):
    """The names of things in their order."""
    names = names_for(things)
    return [names[thing.place, thing.name] for thing in things]


@pytest.mark.parametrize(
    ("one", "other", "names"),
    [
        ({}, {}, ["lab-1", "lab-1"]),
        ({}, {"name": "lab-2"}, ["lab-1", "lab-2"]),
        ({}, {"firmware": "1.29.0"}, ["lab-1@1.28.0", "lab-1@1.29.0"]),
        ({}, {"host": "host-b"}, ["lab-1@host-a", "lab-1@host-b"]),
        ({}, {"host": "host-b", "firmware": "1.29.0"}, ["lab-1@1.28.0", "lab-1@1.29.0"]),
        ({"chip": "e66"}, {"chip": "e66", "host": "host-b"}, ["lab-1", "lab-1"]),
        ({"chip": "e66"}, {"chip": "e77"}, ["lab-1@e66", "lab-1@e77"]),
        ({"build": "a 1"}, {"build": "a 2"}, ["lab-1@a-1", "lab-1@a-2"]),
        ({"tls": None}, {}, ["lab-1@unknown", "lab-1@Mbed-TLS-3.6"]),
        ({"build": "x" * 99}, {"build": "y" * 99}, [f"lab-1@{'x' * 40}@1", f"lab-1@{'y' * 40}@2"]),
        ({"build": "x" * 80}, {"build": "y" * 80}, [f"lab-1@{'x' * 80}", f"lab-1@{'y' * 80}"]),
        ({}, {"firmware": None}, ["lab-1", "lab-1"]),
        ({}, {"firmware": None, "host": "host-b"}, ["lab-1@1.28.0", "lab-1@unknown"]),
        ({"firmware": None}, {"firmware": None}, ["lab-1", "lab-1"]),
        ({"firmware": None}, {"firmware": None, "host": "host-b"}, ["lab-1@host-a", "lab-1@host-b"]),
    ],
)
def test_two_boards(one, other, names):
    """Firmware, chip or host, build and TLS library; one that was never probed is the one of the same name and host."""
    assert called(board(0, **one), board(1, **other)) == names
    assert called(board(1, **other), board(0, **one))[::-1] == names or "@1" in names[0]


@pytest.mark.parametrize(
    ("name", "one", "other", "names"),
    [
        ("lab-1@1.28", {}, {}, ["", ""]),
        ("lab-1@1.28.0", {}, {"host": "host-b"}, ["@host-a", "@host-b"]),
        ("lab-1@1.28", {}, {"firmware": None, "host": "host-b"}, ["@host-a", "@host-b"]),
        ("lab-1@1.28", {}, {"firmware": None}, ["", ""]),
        ("lab-1@1.28.0@host-a", {}, {"build": "c"}, ["@b", "@c"]),
        ("lab-1@1.28-x", {"firmware": "1.28-x"}, {"firmware": "1.28-x", "chip": "e66"}, ["@host-a", "@e66"]),
        ("lab-1@rack", {}, {"firmware": "1.29.0"}, ["@1.28.0", "@1.29.0"]),
    ],
)
def test_a_name_that_has_its_firmware(name, one, other, names):
    """The firmware is not added again; another name with an `@` is a name like any other."""
    assert called(board(0, name, **one), board(1, name, **other)) == [f"{name}{suffix}" for suffix in names]


def test_three_boards():
    """Names contain as few differences as tell all boards apart."""
    made = [board(0), board(1, firmware="1.29.0"), board(2, firmware="1.29.0", host="host-b")]
    assert called(*made) == ["lab-1@1.28.0@host-a", "lab-1@1.29.0@host-a", "lab-1@1.29.0@host-b"]


def test_a_name_that_is_taken():
    """A new name is never that of another board."""
    assert called(board(0), board(1, firmware="2"), board(1, "lab-1@2", firmware="3")) == [
        "lab-1@1.28.0",
        "lab-1@2_2",
        "lab-1@2",
    ]
    two = [
        board(0, "x", firmware="1", host="z"),
        board(1, "x", firmware="1", host="w"),
        board(2, "x", firmware="2", host="z"),
    ]
    made = called(*two, board(0, "x@1", firmware="z"), board(1, "x@1", firmware="q"))
    assert made == ["x@1@z", "x@1@w", "x@2@z", "x@1@z_2", "x@1@q"]


def test_renamed_boards():
    """A new name keeps boards apart; the same new name joins them on any host, if firmware and build are the same."""
    assert called(board(0), board(1, rename="lab-9")) == ["lab-1", "lab-9"]
    assert called(board(0, rename="ci"), board(1, host="host-b", rename="ci")) == ["ci", "ci"]
    assert called(board(0, rename="ci"), board(1, firmware="2", rename="ci")) == ["ci@1.28.0", "ci@2"]


def test_servers():
    """By Python, OpenSSL and whose default suites; the host does not count."""
    assert called(server(0), server(1)) == ["in-process", "in-process"]
    assert called(server(0), server(1, python="3.13.0")) == ["in-process@python3.11.7", "in-process@python3.13.0"]
    assert called(server(0), server(1, openssl="OpenSSL 3.5.0 8 Apr 2025")) == [
        "in-process@openssl-3.0.19", "in-process@openssl-3.5.0",
    ]  # fmt: skip
    assert len(set(called(server(0), server(1, flag="openssl")))) == 2
    assert called(server(0), server(1, found="x25519")) == [
        "in-process@usual-settings", "in-process@determined-by-test-handshakes:-groups-x25519",
    ]  # fmt: skip
    lost = undescribed("in-process", place=1, host="", rename=None)
    assert called(server(0), lost) == ["in-process", "in-process"]
    assert called(server(0), lost, server(2, python="3.13.0")) == [
        "in-process@python3.11.7", "in-process@unknown", "in-process@python3.13.0",
    ]  # fmt: skip


def test_renames():
    """FILE:OLD=NEW, also for names and paths that contain `:` or `=`."""
    there = [["unix", "in-process"], ["unix:1.28", "a=b"]]
    files = ["a.json", "c:/b.json"]
    texts = ["a.json:unix=desk", "c:/b.json:unix:1.28=old", "c:/b.json:a=b=c=d"]
    assert read_renames(texts, files=files, there=there) == {
        (0, "unix"): "desk",
        (1, "unix:1.28"): "old",
        (1, "a=b"): "c=d",
    }
    for wrong in ("a.json:desk=x", "b.json:unix=x", "a.json:unix=", "unix=x"):
        with pytest.raises(ValueError, match=f"^{wrong}$") as caught:
            read_renames([wrong], files=files, there=there)
        assert caught.value.args == (wrong,)
