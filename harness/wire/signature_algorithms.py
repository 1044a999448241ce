"""Signature schemes of the signature_algorithms extension: code, name, and what key and hash each stands for.

TLS 1.2 reads the two bytes as (hash, signature) (RFC 5246 section 7.4.1.4.1), TLS 1.3 as one code (RFC 8446 section
4.2.3); both agree on every value below, except that TLS 1.3 ties an ECDSA scheme to one curve.
"""

from __future__ import annotations

from dataclasses import dataclass

# RFC 8446 section 4.2.3 and appendix B.3.1.3, RFC 8734, RFC 8998, draft-ietf-tls-mldsa.
_NAMES: dict[int, str] = {
    0x0201: "rsa_pkcs1_sha1",
    0x0203: "ecdsa_sha1",
    0x0401: "rsa_pkcs1_sha256",
    0x0403: "ecdsa_secp256r1_sha256",
    0x0420: "rsa_pkcs1_sha256_legacy",
    0x0501: "rsa_pkcs1_sha384",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0520: "rsa_pkcs1_sha384_legacy",
    0x0601: "rsa_pkcs1_sha512",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0620: "rsa_pkcs1_sha512_legacy",
    0x0708: "sm2sig_sm3",
    0x0804: "rsa_pss_rsae_sha256",
    0x0805: "rsa_pss_rsae_sha384",
    0x0806: "rsa_pss_rsae_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
    0x0809: "rsa_pss_pss_sha256",
    0x080A: "rsa_pss_pss_sha384",
    0x080B: "rsa_pss_pss_sha512",
    0x081A: "ecdsa_brainpoolP256r1tls13_sha256",
    0x081B: "ecdsa_brainpoolP384r1tls13_sha384",
    0x081C: "ecdsa_brainpoolP512r1tls13_sha512",
    0x0904: "mldsa44",
    0x0905: "mldsa65",
    0x0906: "mldsa87",
}
_CODES: dict[str, int] = {name: code for code, name in _NAMES.items()}

# RFC 5246 section 7.4.1.4.1: what the two bytes mean where TLS 1.3 reserves no name for the pair.
_HASHES: dict[int, str] = {1: "md5", 2: "sha1", 3: "sha224", 4: "sha256", 5: "sha384", 6: "sha512"}
_KEYS: dict[int, str] = {1: "rsa", 2: "dsa", 3: "ecdsa"}
_KEY_TYPES: dict[str, str] = {"rsa": "RSA", "dsa": "DSA", "ecdsa": "EC"}
_TLS13_CURVES: dict[int, str] = {
    0x0403: "secp256r1",
    0x0503: "secp384r1",
    0x0603: "secp521r1",
    0x081A: "brainpoolP256r1",
    0x081B: "brainpoolP384r1",
    0x081C: "brainpoolP512r1",
}
_OTHER_KEYS: dict[int, tuple[str, str | None]] = {
    0x0804: ("RSA", "sha256"),
    0x0805: ("RSA", "sha384"),
    0x0806: ("RSA", "sha512"),
    0x0807: ("Ed25519", None),
    0x0808: ("Ed448", None),
    0x0809: ("RSA-PSS", "sha256"),
    0x080A: ("RSA-PSS", "sha384"),
    0x080B: ("RSA-PSS", "sha512"),
    0x081A: ("EC", "sha256"),
    0x081B: ("EC", "sha384"),
    0x081C: ("EC", "sha512"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureInfo:
    """What a signature scheme signs with: `key_type` as in `model.KeyFacts.type`, `padding` only for RSA.

    `tls13_curve` is the only curve TLS 1.3 allows with it; in TLS 1.2 any curve of the supported_groups fits.
    `hash` is None where the scheme has a hash of its own (Ed25519, Ed448).
    """

    code: int
    name: str
    key_type: str
    hash: str | None
    padding: str | None
    tls13_curve: str | None


def signature_name(code: int) -> str:
    """Name a signature scheme; a TLS 1.2 pair without a TLS 1.3 name reads `ecdsa_sha224`, an unknown one `0xABCD`."""
    if code in _NAMES:
        return _NAMES[code]
    hash_name, key = _HASHES.get(code >> 8), _KEYS.get(code & 0xFF)
    if hash_name is None or key is None:
        return f"0x{code:04X}"
    return f"rsa_pkcs1_{hash_name}" if key == "rsa" else f"{key}_{hash_name}"


def signature_code(name: str) -> int | None:
    """Find the code of a signature scheme's IANA name; None if the table does not have it."""
    return _CODES.get(name)


def signature_info(code: int) -> SignatureInfo | None:
    """Say which key and hash a scheme stands for; None for one whose key type no server here can have."""
    padding: str | None = None
    if code in _OTHER_KEYS:
        key_type, hash_name = _OTHER_KEYS[code]
        padding = "pss" if key_type.startswith("RSA") else None
    elif code >> 8 in _HASHES and code & 0xFF in _KEYS:
        key_type, hash_name = _KEY_TYPES[_KEYS[code & 0xFF]], _HASHES[code >> 8]
        padding = "pkcs1" if key_type == "RSA" else None
    else:
        return None
    return SignatureInfo(
        code=code,
        name=signature_name(code),
        key_type=key_type,
        hash=hash_name,
        padding=padding,
        tls13_curve=_TLS13_CURVES.get(code),
    )
