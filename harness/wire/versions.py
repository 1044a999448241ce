"""TLS version names (`TLSv1.2`) and their codes on the wire (0x0303), plus the names of extensions.

Only the tables. The spelling is Python's `SSLObject.version()`, which is also the one in the reports.
"""

from __future__ import annotations

_NAMES: dict[int, str] = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
_CODES: dict[str, int] = {name: code for code, name in _NAMES.items()}

TLS12 = 0x0303
TLS13 = 0x0304

# The IANA registry "TLS ExtensionType Values", as far as a client of these libraries may send them.
_EXTENSIONS: dict[int, str] = {
    0: "server_name",
    1: "max_fragment_length",
    5: "status_request",
    10: "supported_groups",
    11: "ec_point_formats",
    13: "signature_algorithms",
    14: "use_srtp",
    15: "heartbeat",
    16: "application_layer_protocol_negotiation",
    18: "signed_certificate_timestamp",
    19: "client_certificate_type",
    20: "server_certificate_type",
    21: "padding",
    22: "encrypt_then_mac",
    23: "extended_master_secret",
    27: "compress_certificate",
    28: "record_size_limit",
    35: "session_ticket",
    41: "pre_shared_key",
    42: "early_data",
    43: "supported_versions",
    44: "cookie",
    45: "psk_key_exchange_modes",
    47: "certificate_authorities",
    48: "oid_filters",
    49: "post_handshake_auth",
    50: "signature_algorithms_cert",
    51: "key_share",
    54: "connection_id",
    57: "quic_transport_parameters",
    13172: "next_protocol_negotiation",
    65037: "encrypted_client_hello",
    65281: "renegotiation_info",
}


def version_name(code: int) -> str:
    """Name a version code: `TLSv1.2` for 0x0303; `0xABCD` for one that is not TLS (GREASE among them)."""
    return _NAMES.get(code, f"0x{code:04X}")


def version_code(name: str) -> int | None:
    """Find the code of a version name as Python spells it; None if there is no such version."""
    return _CODES.get(name)


def extension_name(code: int) -> str:
    """Name an extension; `extension_N` for one that is not in the table."""
    return _EXTENSIONS.get(code, f"extension_{code}")


def is_grease(code: int) -> bool:
    """Tell the values that mean nothing on purpose: 0x0A0A, 0x1A1A ... 0xFAFA (RFC 8701 section 2)."""
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF
