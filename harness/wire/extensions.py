"""Codes and names of TLS extensions. Only the table."""

from __future__ import annotations

from enum import IntEnum


class Extension(IntEnum):
    """The IANA registry "TLS ExtensionType Values", as far as a client of these libraries may send them."""

    SERVER_NAME = 0
    MAX_FRAGMENT_LENGTH = 1
    STATUS_REQUEST = 5
    SUPPORTED_GROUPS = 10
    EC_POINT_FORMATS = 11
    SIGNATURE_ALGORITHMS = 13
    USE_SRTP = 14
    HEARTBEAT = 15
    APPLICATION_LAYER_PROTOCOL_NEGOTIATION = 16
    SIGNED_CERTIFICATE_TIMESTAMP = 18
    CLIENT_CERTIFICATE_TYPE = 19
    SERVER_CERTIFICATE_TYPE = 20
    PADDING = 21
    ENCRYPT_THEN_MAC = 22
    EXTENDED_MASTER_SECRET = 23
    COMPRESS_CERTIFICATE = 27
    RECORD_SIZE_LIMIT = 28
    SESSION_TICKET = 35
    PRE_SHARED_KEY = 41
    EARLY_DATA = 42
    SUPPORTED_VERSIONS = 43
    COOKIE = 44
    PSK_KEY_EXCHANGE_MODES = 45
    CERTIFICATE_AUTHORITIES = 47
    OID_FILTERS = 48
    POST_HANDSHAKE_AUTH = 49
    SIGNATURE_ALGORITHMS_CERT = 50
    KEY_SHARE = 51
    CONNECTION_ID = 54
    QUIC_TRANSPORT_PARAMETERS = 57
    NEXT_PROTOCOL_NEGOTIATION = 13172
    ENCRYPTED_CLIENT_HELLO = 65037
    RENEGOTIATION_INFO = 65281


_NAMES: dict[int, str] = {item.value: item.name.lower() for item in Extension}


def extension_name(code: int) -> str:
    """Name an extension; `extension_N` for one that is not in the table."""
    return _NAMES.get(code, f"extension_{code}")
