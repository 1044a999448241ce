"""TLS alert names (RFC 8446 section 6, and the older ones it dropped).

Only the table: what an alert means for a case is `harness.oracle`'s business.
"""

from __future__ import annotations

# RFC 8446 section 6.2 unless a line says otherwise.
_NAMES: dict[int, str] = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",  # RFC 5246 section 7.2.2
    22: "record_overflow",
    30: "decompression_failure",  # RFC 5246
    40: "handshake_failure",
    41: "no_certificate",  # SSL 3.0
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    52: "too_many_cids_requested",  # RFC 9146
    60: "export_restriction",  # RFC 4346
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",  # RFC 7507
    90: "user_canceled",
    100: "no_renegotiation",  # RFC 5246
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",  # RFC 6066
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",  # RFC 6066
    115: "unknown_psk_identity",
    116: "certificate_required",
    117: "general_error",  # draft-ietf-tls-rfc8446bis
    120: "no_application_protocol",  # RFC 7301
    121: "ech_required",  # draft-ietf-tls-esni
}
_CODES: dict[str, int] = {name: code for code, name in _NAMES.items()}
_LEVELS: dict[int, str] = {1: "warning", 2: "fatal"}


def alert_name(code: int) -> str:
    """Name an alert code; `alert_N` for one that no RFC names."""
    return _NAMES.get(code, f"alert_{code}")


def alert_code(name: str) -> int | None:
    """Find the code of an alert name; None if there is no such alert."""
    return _CODES.get(name)


def alert_level(level: int) -> str:
    """Name an alert level; `level_N` for one that no RFC names."""
    return _LEVELS.get(level, f"level_{level}")
