"""TLS version names (`TLSv1.2`) and their codes on the wire (0x0303).

Only the tables. The spelling is Python's `SSLObject.version()`, which is also the one in the reports.
"""

from __future__ import annotations

from harness.model import TlsVersion

TLS10, TLS11, TLS12, TLS13 = 0x0301, 0x0302, 0x0303, 0x0304

_NAMES: dict[int, str] = {
    0x0300: "SSLv3",
    TLS10: TlsVersion.TLSv1.value,
    TLS11: TlsVersion.TLSv1_1.value,
    TLS12: TlsVersion.TLSv1_2.value,
    TLS13: TlsVersion.TLSv1_3.value,
}
_CODES: dict[str, int] = {name: code for code, name in _NAMES.items()}


def version_name(code: int) -> str:
    """Name a version code: `TLSv1.2` for 0x0303; `0xABCD` for one that is not TLS (GREASE among them)."""
    return _NAMES.get(code, f"0x{code:04X}")


def version_code(name: str) -> int | None:
    """Find the code of a version name as Python spells it; None if there is no such version."""
    return _CODES.get(name)


def is_grease(code: int) -> bool:
    """Tell the values that mean nothing on purpose: 0x0A0A, 0x1A1A ... 0xFAFA (RFC 8701 section 2)."""
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF
