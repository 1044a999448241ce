"""Named groups (curves, finite fields, key encapsulation): IANA code, IANA name, and OpenSSL's spelling.

Only the tables; which groups a library offers or prefers is decided elsewhere from what was recorded.
"""

from __future__ import annotations

# RFC 8422 section 5.1.1, RFC 7027, RFC 8734, RFC 7919, RFC 8446 section 4.2.7, RFC 8998, and the ML-KEM drafts.
_NAMES: dict[int, str] = {
    0x0001: "sect163k1",
    0x0002: "sect163r1",
    0x0003: "sect163r2",
    0x0004: "sect193r1",
    0x0005: "sect193r2",
    0x0006: "sect233k1",
    0x0007: "sect233r1",
    0x0008: "sect239k1",
    0x0009: "sect283k1",
    0x000A: "sect283r1",
    0x000B: "sect409k1",
    0x000C: "sect409r1",
    0x000D: "sect571k1",
    0x000E: "sect571r1",
    0x000F: "secp160k1",
    0x0010: "secp160r1",
    0x0011: "secp160r2",
    0x0012: "secp192k1",
    0x0013: "secp192r1",
    0x0014: "secp224k1",
    0x0015: "secp224r1",
    0x0016: "secp256k1",
    0x0017: "secp256r1",
    0x0018: "secp384r1",
    0x0019: "secp521r1",
    0x001A: "brainpoolP256r1",
    0x001B: "brainpoolP384r1",
    0x001C: "brainpoolP512r1",
    0x001D: "x25519",
    0x001E: "x448",
    0x001F: "brainpoolP256r1tls13",
    0x0020: "brainpoolP384r1tls13",
    0x0021: "brainpoolP512r1tls13",
    0x0029: "curveSM2",
    0x0100: "ffdhe2048",
    0x0101: "ffdhe3072",
    0x0102: "ffdhe4096",
    0x0103: "ffdhe6144",
    0x0104: "ffdhe8192",
    0x0200: "MLKEM512",
    0x0201: "MLKEM768",
    0x0202: "MLKEM1024",
    0x11EB: "SecP256r1MLKEM768",
    0x11EC: "X25519MLKEM768",
    0x11ED: "SecP384r1MLKEM1024",
    0x11EE: "curveSM2MLKEM768",
    0x6399: "X25519Kyber768Draft00",
    0xFF01: "arbitrary_explicit_prime_curves",
    0xFF02: "arbitrary_explicit_char2_curves",
}
_CODES: dict[str, int] = {name.lower(): code for code, name in _NAMES.items()}

# OpenSSL's short names and NIST's, where they differ from IANA's by more than the case (crypto/objects/objects.txt,
# ssl/t1_lib.c `nid_cb`, crypto/ec/ec_curve.c `nist_curves`).
_OPENSSL_NAMES: dict[str, str] = {
    "prime256v1": "secp256r1",
    "prime192v1": "secp192r1",
    "p-192": "secp192r1",
    "p-224": "secp224r1",
    "p-256": "secp256r1",
    "p-384": "secp384r1",
    "p-521": "secp521r1",
    "sm2": "curveSM2",
    "k-163": "sect163k1",
    "b-163": "sect163r2",
    "k-233": "sect233k1",
    "b-233": "sect233r1",
    "k-283": "sect283k1",
    "b-283": "sect283r1",
    "k-409": "sect409k1",
    "b-409": "sect409r1",
    "k-571": "sect571k1",
    "b-571": "sect571r1",
}


def group_name(code: int) -> str:
    """Name a group code: IANA's name, or `0xABCD` for one that is not in the table (GREASE among them)."""
    return _NAMES.get(code, f"0x{code:04X}")


def group_code(name: str) -> int | None:
    """Find the code of an IANA group name, in any case; None if the table does not have it."""
    return _CODES.get(name.lower())


def openssl_group_to_iana(name: str) -> str | None:
    """Spell a group or curve name that OpenSSL, `cryptography` or NIST uses the way IANA does.

    `prime256v1` and `P-256` give `secp256r1`, `X25519` gives `x25519`, `brainpoolP256r1` and the rest keep their names.

    Returns:
        None for a curve that has no code in TLS, for example `wap-wsg-idm-ecid-wtls4`.
    """
    spelled = _OPENSSL_NAMES.get(name.lower(), name)
    code = group_code(spelled)
    return None if code is None else _NAMES[code]
