"""Tests of harness/wire/pcapng.py: tshark opens the file, checks every checksum, and reads the text."""

from __future__ import annotations

import shutil
import ssl
import struct
import subprocess
from pathlib import Path

import pytest

from harness.model import Side, TcpEnd, TcpEndKind, WireChunk
from harness.wire.pcapng import pcapng

START_S = 1_700_000_000.5
IPV4 = {"client": ("127.0.0.1", 40001), "server": ("127.0.0.1", 8443)}
IPV6 = {"client": ("::1", 40001), "server": ("::1", 8443)}
# By default tshark does not verify checksums, and it decodes TLS on unknown ports only with decode-as.
_OPTIONS = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-d", "tcp.port==8443,tls"]


def _tshark(path: Path, *arguments: str) -> str:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed; apt-get install tshark")
    done = subprocess.run(
        [tshark, "-r", str(path), *_OPTIONS, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


@pytest.mark.parametrize("ends", [IPV4, IPV6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls12", "tls13"])
def test_tshark_decrypts_a_session(tls_session, tmp_path: Path, version: ssl.TLSVersion, ends: dict) -> None:
    """A recorded session opens decrypted, with the application text both ways and nothing malformed."""
    text = b"Hallo, Server! " + b"0123456789" * 500  # several segments each way
    session = tls_session(version, text=text)
    path = tmp_path / "case.pcapng"
    path.write_bytes(pcapng(session.chunks, **ends, started_unix_s=START_S, key_log=session.key_log))

    decrypted = _tshark(path, "-T", "fields", "-e", "tls.app_data", "-e", "data.data", "-Y", "data", "-2")
    assert decrypted.count(text.hex()) == 2
    assert (
        _tshark(
            path, "-Y", "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || tcp.analysis.flags"
        )
        == ""
    )
    assert "Finished" in _tshark(path, "-V", "-Y", "tls.handshake.type == 20")


def test_tshark_sees_the_tcp_life(tls_session, tmp_path: Path) -> None:
    """The connection opens with SYN, closes with FIN both ways, and carries the recorded times."""
    session = tls_session(ssl.TLSVersion.TLSv1_2)
    path = tmp_path / "case.pcapng"
    path.write_bytes(pcapng(session.chunks, **IPV4, started_unix_s=START_S, key_log=session.key_log))
    listing = _tshark(path, "-T", "fields", "-e", "tcp.flags", "-e", "frame.time_epoch")
    rows = [line.split() for line in listing.splitlines()]
    flags = [int(row[0], 16) for row in rows]
    assert flags[:3] == [0x02, 0x12, 0x10]
    assert flags[-3:] == [0x11, 0x11, 0x10]
    assert pytest.approx(START_S) == float(rows[0][1])
    assert pytest.approx(START_S + session.chunks[-1].at_ms / 1000) == float(rows[-1][1])


def test_without_secrets_it_stays_encrypted(tls_session, tmp_path: Path) -> None:
    """Without a key log the file has no secrets block, and the text is not in it."""
    session = tls_session(ssl.TLSVersion.TLSv1_3)
    data = pcapng(session.chunks, **IPV4, started_unix_s=START_S)
    assert 0x0A not in _block_types(data)
    path = tmp_path / "case.pcapng"
    path.write_bytes(data)
    assert _tshark(path, "-T", "fields", "-e", "data.data", "-Y", "data") == ""


def _block_types(data: bytes) -> list[int]:
    """The types of the file's blocks; both lengths of each must agree."""
    found = []
    while data:
        kind, length = struct.unpack_from("<II", data)
        assert (length,) == struct.unpack_from("<I", data, length - 4)
        assert length % 4 == 0
        found.append(kind)
        data = data[length:]
    return found


def test_block_order() -> None:
    """Section, interface, secrets, then packets: secrets after a packet would not decrypt it."""
    chunk = WireChunk(sender=Side.CLIENT, at_ms=1.0, data=b"x")
    data = pcapng([chunk], **IPV4, started_unix_s=START_S, key_log="CLIENT_RANDOM 00 11\n")
    assert [0x0A0D0D0A, 1, 0x0A, *[6] * 8] == _block_types(data)


def test_empty_recording() -> None:
    """A connection without a byte is a handshake and a close."""
    assert [0x0A0D0D0A, 1, *[6] * 6] == _block_types(pcapng([], **IPV4, started_unix_s=START_S))


def test_large_chunk_stays_inside_the_window(tmp_path: Path) -> None:
    """A chunk of many windows is acknowledged on the way; tshark finds nothing odd."""
    chunk = WireChunk(sender=Side.SERVER, at_ms=3.0, data=bytes(400_000))
    path = tmp_path / "large.pcapng"
    path.write_bytes(pcapng([chunk], **IPV4, started_unix_s=START_S))
    assert _tshark(path, "-Y", "tcp.analysis.flags || tcp.checksum.status == 0") == ""
    assert sum(int(line) for line in _tshark(path, "-T", "fields", "-e", "tcp.len").splitlines()) == 400_000


def test_how_the_streams_ended(tls_session, tmp_path: Path) -> None:
    """A recorded FIN and reset are at their place and time, decoded without warnings."""
    session = tls_session(ssl.TLSVersion.TLSv1_2)
    last_ms = session.chunks[-1].at_ms
    ends = [
        TcpEnd(sender=Side.SERVER, at_ms=last_ms + 2, how=TcpEndKind.FIN),
        TcpEnd(sender=Side.CLIENT, at_ms=last_ms + 3, how=TcpEndKind.RST),
    ]
    path = tmp_path / "case.pcapng"
    path.write_bytes(
        pcapng(session.chunks, **IPV4, started_unix_s=START_S, key_log=session.key_log, ends=ends),
    )
    listing = _tshark(path, "-T", "fields", "-e", "tcp.flags", "-e", "tcp.srcport", "-e", "frame.time_epoch")
    rows = [line.split() for line in listing.splitlines()]
    assert [(int(flags, 16), port) for flags, port, _at in rows[-3:]] == [
        (0x11, "8443"),
        (0x10, "40001"),
        (0x14, "40001"),
    ]
    assert [float(at) for _flags, _port, at in (rows[-3], rows[-1])] == [
        pytest.approx(START_S + (last_ms + step) / 1000, abs=1e-6) for step in (2, 3)
    ]
    expert = _tshark(path, "-q", "-z", "expert")
    assert "Errors" not in expert
    assert "Connection reset (RST)" in expert


def test_mixed_address_families() -> None:
    """A mapped IPv4 peer becomes IPv4; ends of two families are shown as IPv6."""
    mapped = pcapng([], client=("::ffff:10.0.0.2", 1), server=("10.0.0.1", 2), started_unix_s=START_S)
    assert mapped == pcapng([], client=("10.0.0.2", 1), server=("10.0.0.1", 2), started_unix_s=START_S)
    mixed = pcapng([], client=("fe80::1", 1), server=("10.0.0.1", 2), started_unix_s=START_S)
    assert b"\x00" * 10 + b"\xff\xff\x0a\x00\x00\x01" in mixed


def test_time_never_runs_backwards(tmp_path: Path) -> None:
    """Chunks whose times go back (two clocks, rounding) keep their order."""
    chunks = [WireChunk(sender=Side.CLIENT, at_ms=at_ms, data=b"x") for at_ms in (5.0, 4.9)]
    path = tmp_path / "case.pcapng"
    path.write_bytes(pcapng(chunks, **IPV4, started_unix_s=START_S))
    times = [float(line) for line in _tshark(path, "-T", "fields", "-e", "frame.time_epoch").splitlines()]
    assert sorted(times) == times


@pytest.mark.parametrize(
    ("client", "message"),
    [
        (("board.local", 1), "'board.local' does not appear to be an IPv4 or IPv6 address"),
        (("::1", 65536), "port 65536 of the client is outside"),
    ],
)
def test_bad_ends(client: tuple[str, int], message: str) -> None:
    """A host name or an impossible port is refused with its value."""
    with pytest.raises(ValueError, match=message):
        pcapng([], client=client, server=("::1", 1), started_unix_s=START_S)
