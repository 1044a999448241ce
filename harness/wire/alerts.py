"""TLS alert names (RFC 8446 section 6, and the older ones it dropped).

Only the table; what an alert means for a case is decided in `harness.oracle`.
"""

from __future__ import annotations

from enum import IntEnum


class AlertCode(IntEnum):
    """The alerts of RFC 8446 section 6.2, and of the documents that a line names."""

    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    DECRYPTION_FAILED = 21  # RFC 5246 section 7.2.2
    RECORD_OVERFLOW = 22
    DECOMPRESSION_FAILURE = 30  # RFC 5246
    HANDSHAKE_FAILURE = 40
    NO_CERTIFICATE = 41  # SSL 3.0
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_REVOKED = 44
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    TOO_MANY_CIDS_REQUESTED = 52  # RFC 9146
    EXPORT_RESTRICTION = 60  # RFC 4346
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    INAPPROPRIATE_FALLBACK = 86  # RFC 7507
    USER_CANCELED = 90
    NO_RENEGOTIATION = 100  # RFC 5246
    MISSING_EXTENSION = 109
    UNSUPPORTED_EXTENSION = 110
    CERTIFICATE_UNOBTAINABLE = 111  # RFC 6066
    UNRECOGNIZED_NAME = 112
    BAD_CERTIFICATE_STATUS_RESPONSE = 113
    BAD_CERTIFICATE_HASH_VALUE = 114  # RFC 6066
    UNKNOWN_PSK_IDENTITY = 115
    CERTIFICATE_REQUIRED = 116
    GENERAL_ERROR = 117  # draft-ietf-tls-rfc8446bis
    NO_APPLICATION_PROTOCOL = 120  # RFC 7301
    ECH_REQUIRED = 121  # draft-ietf-tls-esni


_NAMES: dict[int, str] = {item.value: item.name.lower() for item in AlertCode}
_CODES: dict[str, int] = {item.name.lower(): item.value for item in AlertCode}
_LEVELS: dict[int, str] = {1: "warning", 2: "fatal"}


def alert_name(code: int) -> str:
    """Return the name of an alert code; `alert_N` for one that no RFC names."""
    return _NAMES.get(code, f"alert_{code}")


def alert_names() -> tuple[str, ...]:
    """Return the names of all alerts, in the order of their codes."""
    return tuple(_CODES)


def alert_code(name: str) -> int | None:
    """Return the code of an alert name; None if there is no such alert."""
    return _CODES.get(name)


def alert_level(level: int) -> str:
    """Return the name of an alert level; `level_N` for one that no RFC names."""
    return _LEVELS.get(level, f"level_{level}")
