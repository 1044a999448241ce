"""OpenSSL's packed error codes: `error:0A00010B:...` -> the reason's name, where a program prints no text. Only a table.

Source: include/openssl/sslerr.h; a code is library << 23 | reason since 3.0, and library << 24 | function << 12 | reason before.
"""

from __future__ import annotations

import re

_SSL_LIBRARY = 20
_CODE = re.compile(r"\berror:([0-9A-Fa-f]{8})\b")
_TEXT = """
101 NO_SUITABLE_KEY_SHARE, 110 BAD_EXTENSION, 112 MISSING_SIGALGS_EXTENSION, 118 NO_SUITABLE_SIGNATURE_ALGORITHM, 123 BAD_SIGNATURE,
134 CERTIFICATE_VERIFY_FAILED, 146 DATA_LENGTH_TOO_LONG, 147 DECRYPTION_FAILED, 149 DIGEST_CHECK_FAILED, 152 EXCESSIVE_MESSAGE_SIZE,
155 HTTPS_PROXY_REQUEST, 156 HTTP_REQUEST, 159 LENGTH_MISMATCH, 181 NO_CIPHERS_AVAILABLE, 185 NO_CIPHER_MATCH,
191 NO_PROTOCOLS_AVAILABLE, 193 NO_SHARED_CIPHER, 198 PACKET_LENGTH_TOO_LONG, 199 PEER_DID_NOT_RETURN_A_CERTIFICATE,
213 RECORD_LENGTH_MISMATCH, 223 PSK_IDENTITY_NOT_FOUND, 225 PSK_NO_SERVER_CB, 234 CALLBACK_FAILED, 235 NO_APPLICATION_PROTOCOL,
244 UNEXPECTED_MESSAGE, 245 UNEXPECTED_RECORD, 252 UNKNOWN_PROTOCOL, 258 UNSUPPORTED_PROTOCOL, 266 WRONG_SSL_VERSION,
267 WRONG_VERSION_NUMBER, 281 DECRYPTION_FAILED_OR_BAD_RECORD_MAC, 294 UNEXPECTED_EOF_WHILE_READING, 295 NO_SUITABLE_GROUPS,
313 RECORD_LAYER_FAILURE, 333 LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED, 338 UNSAFE_LEGACY_RENEGOTIATION_DISABLED,
376 NO_SHARED_SIGNATURE_ALGORITHMS, 394 DH_KEY_TOO_SMALL, 396 VERSION_TOO_LOW, 397 CA_KEY_TOO_SMALL, 398 CA_MD_TOO_WEAK,
399 EE_KEY_TOO_SMALL, 410 NO_SHARED_GROUPS, 443 BAD_RECORD_TYPE
"""
REASONS = {int(entry.split()[0]): entry.split()[1] for entry in _TEXT.replace("\n", " ").split(",")}
# SSL_AD_REASON_OFFSET: a received alert is its code plus this.
ALERT_OFFSET = 1000
_LARGEST_ALERT = 121


def reason_of(code: int) -> int | None:
    """Return the reason's number in a packed code of OpenSSL's SSL library; None for another library."""
    if code >> 24 == _SSL_LIBRARY:
        return code & 0xFFF
    return code & 0x7FFFFF if code >> 23 == _SSL_LIBRARY else None


def with_reasons(line: str) -> str:
    """Return a line with the names of its packed codes appended, as OpenSSL prints them where its texts are loaded."""
    names = [_name(reason_of(int(digits, 16))) for digits in _CODE.findall(line)]
    return " ; ".join([line, *(name for name in names if name)])


def _name(reason: int | None) -> str:
    if reason is None:
        return ""
    if ALERT_OFFSET < reason <= ALERT_OFFSET + _LARGEST_ALERT:
        return f"alert number {reason - ALERT_OFFSET}"
    return REASONS.get(reason, "")
