"""A recording -> a capture file that opens decrypted in Wireshark: pcapng with the TLS secrets inside.

Knows the pcapng blocks (draft-ietf-opsawg-pcapng) and just enough of IP and TCP to wrap bytes in packets. The packets
are made up: a real connection had other sequence numbers, cuts and acknowledgements, only the bytes, their order and
their times are recorded. No root and no capture tool is needed; nothing is written to disk here.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.model import Side, TcpEnd, WireChunk

_SECTION_HEADER = 0x0A0D0D0A
_INTERFACE = 0x00000001
_ENHANCED_PACKET = 0x00000006
_DECRYPTION_SECRETS = 0x0000000A
_TLS_KEY_LOG = 0x544C534B  # "TLSK"
_LINKTYPE_RAW = 101  # packets begin with the IP header
_COMMENT, _USER_APPLICATION, _INTERFACE_NAME = 1, 4, 2

_SYN, _FIN, _RST, _ACK, _PUSH = 0x02, 0x01, 0x04, 0x10, 0x08
_TCP = 6
_WINDOW = 65535
_SEGMENT_BYTES = {4: 1460, 6: 1440}  # Ethernet's 1500 minus the two headers
# The other side acknowledges this often, so that the made-up window never looks full.
_SEGMENTS_PER_ACK = 16

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """One end of the made-up connection."""

    address: _Address
    port: int


def pcapng(
    chunks: Sequence[WireChunk],
    *,
    client: tuple[str, int],
    server: tuple[str, int],
    started_unix_s: float,
    key_log: str = "",
    ends: Sequence[TcpEnd] = (),
) -> bytes:
    """Write the recording of one connection as a capture file.

    Args:
        chunks: the bytes of both directions in order; `at_ms` counts from `started_unix_s`.
        client: literal IP address and port of the board as the server saw it.
        server: literal IP address and port the server listened on.
        started_unix_s: when the connection was accepted, in seconds since 1970 UTC.
        key_log: NSS key-log lines (`SSLKEYLOGFILE`); empty for a capture that stays encrypted.
        ends: how each stream ended, in order; without any, both sides are shown to close after the last byte.

    Returns:
        The whole file.

    Raises:
        ValueError: for an address that is no IP literal or a port outside 0..65535.
    """
    ends_of = _ends(client, server=server)
    blocks = [_section_header(), _interface()]
    if key_log:
        blocks.append(_secrets(key_log))
    start_us = round(started_unix_s * 1_000_000)
    comment = (
        "Packets made up from the harness's byte record: bytes, order and times are real, TCP's own numbers are not."
    )
    for at_ms, packet in _packets(chunks, ends=ends_of, closing=ends):
        blocks.append(_packet_block(packet, at_us=start_us + round(at_ms * 1000), comment=comment))
        comment = ""
    return b"".join(blocks)


def _ends(client: tuple[str, int], *, server: tuple[str, int]) -> dict[Side, _End]:
    """Parse both ends into one address family."""
    found: dict[Side, _End] = {}
    for side, (text, port) in ((Side.CLIENT, client), (Side.SERVER, server)):
        if not 0 <= port <= 65535:
            raise ValueError(f"port {port} of the {side.value} is outside 0..65535")
        address: _Address = ipaddress.ip_address(text)
        # A dual-stack listener reports IPv4 peers as ::ffff:a.b.c.d; on the wire they were IPv4.
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        found[side] = _End(address=address, port=port)
    if len({end.address.version for end in found.values()}) == 2:
        return {side: _End(address=_as_ipv6(end.address), port=end.port) for side, end in found.items()}
    return found


def _as_ipv6(address: _Address) -> ipaddress.IPv6Address:
    """Map an address into IPv6, for a recording whose two ends were named differently."""
    if isinstance(address, ipaddress.IPv6Address):
        return address
    return ipaddress.IPv6Address(b"\x00" * 10 + b"\xff\xff" + address.packed)


# ----------------------------------------------------------------------------------------------- TCP


class _Flow:
    """The made-up TCP state of both sides: what each has sent, and so what the other acknowledges."""

    def __init__(self, ends: dict[Side, _End]) -> None:
        self._ends = ends
        self._sent = {Side.CLIENT: 1000, Side.SERVER: 2000}
        self._identification = 0

    def packet(self, sender: Side, *, flags: int, data: bytes = b"") -> bytes:
        """Build one IP packet from `sender` and count what it sent; SYN and FIN count as one byte (RFC 9293 3.4)."""
        other = _other(sender)
        source, target = self._ends[sender], self._ends[other]
        acknowledged = self._sent[other] if flags & _ACK else 0
        maximum = _SEGMENT_BYTES[source.address.version]
        options = struct.pack(">BBH", 2, 4, maximum) if flags & _SYN else b""
        offset = (20 + len(options)) // 4 << 4
        header = struct.pack(
            ">HHIIBBHHH", source.port, target.port, self._sent[sender], acknowledged, offset, flags, _WINDOW, 0, 0
        )
        segment = header + options + data
        checksum = _checksum(_pseudo_header(source.address, target=target.address, length=len(segment)) + segment)
        segment = segment[:16] + struct.pack(">H", checksum) + segment[18:]
        counted = len(data) + (1 if flags & (_SYN | _FIN) else 0)
        self._sent[sender] = (self._sent[sender] + counted) & 0xFFFFFFFF
        self._identification = (self._identification + 1) & 0xFFFF
        ip_header = _ip_header(source.address, target=target.address, payload=len(segment), number=self._identification)
        return ip_header + segment


def _packets(
    chunks: Sequence[WireChunk], *, ends: dict[Side, _End], closing: Sequence[TcpEnd]
) -> Iterator[tuple[float, bytes]]:
    """Give the connection's packets with their times in milliseconds: opening, data, closing."""
    flow = _Flow(ends)
    last_ms = 0.0
    yield last_ms, flow.packet(Side.CLIENT, flags=_SYN)
    yield last_ms, flow.packet(Side.SERVER, flags=_SYN | _ACK)
    yield last_ms, flow.packet(Side.CLIENT, flags=_ACK)
    for last_ms, event in _in_order(chunks, closing):
        if isinstance(event, WireChunk):
            size = _SEGMENT_BYTES[ends[event.sender].address.version]
            packets = _data(flow, event, size=size)
        else:
            packets = _end(flow, event)
        for packet in packets:
            yield last_ms, packet
    if not closing:
        yield last_ms, flow.packet(Side.CLIENT, flags=_FIN | _ACK)
        yield last_ms, flow.packet(Side.SERVER, flags=_FIN | _ACK)
        yield last_ms, flow.packet(Side.CLIENT, flags=_ACK)


def _in_order(chunks: Sequence[WireChunk], closing: Sequence[TcpEnd]) -> list[tuple[float, WireChunk | TcpEnd]]:
    """Put the ends between the chunks; two clocks' rounding must make neither time nor bytes run backwards."""
    timed: list[tuple[float, WireChunk | TcpEnd]] = []
    last_ms = 0.0
    for chunk in chunks:
        last_ms = max(last_ms, chunk.at_ms)
        timed.append((last_ms, chunk))
    timed += [(max(0.0, end.at_ms), end) for end in closing]
    return sorted(timed, key=lambda item: item[0])


def _data(flow: _Flow, chunk: WireChunk, *, size: int) -> Iterator[bytes]:
    """One chunk in segments, acknowledged."""
    other = _other(chunk.sender)
    for number, segment in enumerate(_segments(chunk.data, size=size)):
        if number and number % _SEGMENTS_PER_ACK == 0:
            yield flow.packet(other, flags=_ACK)
        yield flow.packet(chunk.sender, flags=_ACK | _PUSH, data=segment)
    if chunk.data:
        yield flow.packet(other, flags=_ACK)


def _end(flow: _Flow, end: TcpEnd) -> Iterator[bytes]:
    """The end of one stream: a FIN is acknowledged, a reset is not (RFC 9293 3.5.2)."""
    if end.how == "RST":
        yield flow.packet(end.sender, flags=_RST | _ACK)
        return
    yield flow.packet(end.sender, flags=_FIN | _ACK)
    yield flow.packet(_other(end.sender), flags=_ACK)


def _other(side: Side) -> Side:
    return Side.SERVER if side is Side.CLIENT else Side.CLIENT


def _segments(data: bytes, *, size: int) -> Iterator[bytes]:
    """Cut one chunk into TCP segments."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def _ip_header(source: _Address, *, target: _Address, payload: int, number: int) -> bytes:
    """Build the IPv4 (RFC 791) or IPv6 (RFC 8200) header of a TCP segment."""
    if source.version == 6:
        return struct.pack(">IHBB", 0x60000000, payload, _TCP, 64) + source.packed + target.packed
    header = (
        struct.pack(">BBHHHBBH", 0x45, 0, 20 + payload, number, 0x4000, 64, _TCP, 0) + source.packed + target.packed
    )
    return header[:10] + struct.pack(">H", _checksum(header)) + header[12:]


def _pseudo_header(source: _Address, *, target: _Address, length: int) -> bytes:
    """Build the pseudo-header that TCP's checksum covers (RFC 9293 section 3.1)."""
    if source.version == 6:
        return source.packed + target.packed + struct.pack(">II", length, _TCP)
    return source.packed + target.packed + struct.pack(">BBH", 0, _TCP, length)


def _checksum(data: bytes) -> int:
    """Compute the internet checksum (RFC 1071)."""
    padded = data + b"\x00" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# ----------------------------------------------------------------------------------------------- pcapng


def _block(kind: int, body: bytes) -> bytes:
    """Wrap a body in a pcapng block; the length stands at both ends."""
    padded = _padded(body)
    total = struct.pack("<I", 12 + len(padded))
    return struct.pack("<I", kind) + total + padded + total


def _padded(data: bytes) -> bytes:
    """Fill up to 32 bits, as every pcapng field is."""
    return data + b"\x00" * (-len(data) % 4)


def _options(*pairs: tuple[int, str]) -> bytes:
    """Build an option list; none at all if there is nothing to say."""
    encoded = [(code, text.encode()) for code, text in pairs if text]
    body = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in encoded)
    return body + struct.pack("<HH", 0, 0) if body else b""


def _section_header() -> bytes:
    """Open the file: byte order, version 1.0, section length unknown."""
    fixed = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    return _block(_SECTION_HEADER, fixed + _options((_USER_APPLICATION, "micropython-tls-harness")))


def _interface() -> bytes:
    """Describe the one interface; without an if_tsresol option times are in microseconds."""
    return _block(
        _INTERFACE, struct.pack("<HHI", _LINKTYPE_RAW, 0, 0) + _options((_INTERFACE_NAME, "tls-harness record"))
    )


def _secrets(key_log: str) -> bytes:
    """Carry the key log; it must stand before the packets it decrypts."""
    data = key_log.encode()
    return _block(_DECRYPTION_SECRETS, struct.pack("<II", _TLS_KEY_LOG, len(data)) + _padded(data))


def _packet_block(packet: bytes, *, at_us: int, comment: str) -> bytes:
    """Carry one packet and its time."""
    fixed = struct.pack("<IIIII", 0, at_us >> 32 & 0xFFFFFFFF, at_us & 0xFFFFFFFF, len(packet), len(packet))
    return _block(_ENHANCED_PACKET, fixed + _padded(packet) + _options((_COMMENT, comment)))
