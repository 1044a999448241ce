"""A board's limits according to the probe; the steps are in tests/unit/commands/test_board_check.py."""

from dataclasses import replace

import pytest

from harness.boards.spec import parse_board
from harness.cases import select
from harness.model import BoardInfo
from harness.run.board_walk import BoardWalk, limits

CAN = ("set_ciphers", "load_verify_locations", "load_cert_chain", "psk_key")
FULL = BoardInfo(
    implementation="micropython",
    tls_module="tls",
    api=tuple(f"tls.SSLContext.{name}" for name in CAN),
    reads_pem=False,
    reads_pkcs8=True,
)


def test_no_limits():
    """A board that can do everything has no limits; what this machine's Python lacks is not a limit of the board."""
    assert limits(FULL, {}) == []


@pytest.mark.parametrize(
    ("lacks", "reason"),
    [
        ("set_ciphers", "this firmware's TLS module has no set_ciphers"),
        (
            "load_verify_locations",
            "this firmware's TLS module cannot verify the server's certificate (no CERT_REQUIRED with cadata)",
        ),
        ("load_cert_chain", "this firmware's TLS module cannot load a client certificate and key"),
    ],
)
def test_limits(lacks, reason):
    """Each missing function is named, with the number of core cases that it excludes."""
    found = limits(replace(FULL, api=tuple(name for name in FULL.api if not name.endswith(lacks))), {})
    count = len(select("core"))
    (line,) = [line for line in found if line.endswith(f" of {count} core cases: {reason}")]
    assert 0 < int(line.partition(" ")[0]) < count


def test_no_tls():
    """Firmware without a TLS module cannot run any case."""
    assert limits(BoardInfo(implementation="micropython"), {}) == [
        "all core cases: no ssl, tls or ussl module in this firmware"
    ]


def test_offers(plain_hello):
    """Once there is a ClientHello, what it does not offer is a limit."""
    found = limits(replace(FULL, hello=plain_hello), {})
    assert any(line.endswith("this firmware does not offer TLS 1.3") for line in found)


def test_f11_usb_drive(monkeypatch):
    """The check says that a run writes nothing to a filesystem that a host may have mounted."""
    drive = replace(FULL, filesystem="/flash", usb_mode="VCP+MSC")
    monkeypatch.setattr(BoardWalk, "_info", drive)
    with BoardWalk(parse_board("unix", {})) as walk:
        said = walk._filesystem()
    assert said == "not written to: the board is also a USB drive (VCP+MSC); a run loads the agent into RAM"
