"""Predicts which signature scheme the server uses with its keys.

Follows `tls1_set_server_sigalgs`, `tls_choose_sigalg` and `find_sig_alg` of OpenSSL's ssl/t1_lib.c.
"""

from __future__ import annotations

from harness.model import HelloFacts, KeyFacts, ServerFacts
from harness.oracle.prediction.openssl import OPENSSL_3_2, hash_bits, legacy_rsa_bits, release, required_bits
from harness.wire.extensions import Extension
from harness.wire.signature_algorithms import SignatureInfo, signature_info
from harness.wire.versions import TLS12, TLS13

# `tls12_sigalgs` of ssl/t1_lib.c without DSA and GOST: the server's order of preference in all releases.
_ECDSA = (0x0403, 0x0503, 0x0603)
_EDWARDS = (0x0807, 0x0808)
_BRAINPOOL = (0x081A, 0x081B, 0x081C)
_RSA = (0x0809, 0x080A, 0x080B, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601)
_OLD = (0x0303, 0x0203, 0x0301, 0x0201)
_BEFORE_3_2 = (*_ECDSA, *_EDWARDS, *_RSA, *_OLD)
_SINCE_3_2 = (*_ECDSA, *_EDWARDS, *_BRAINPOOL, *_RSA, *_OLD)

# RFC 8032 section 8.5, as sigalg_security_bits has it.
_EDWARDS_BITS = {"Ed25519": 128, "Ed448": 224}
_HASH_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64}
# RFC 8017 section 9.2: the DER in front of a SHA-2 digest, and the least padding.
_DIGEST_INFO_BYTES = 19
_PKCS1_PADDING_BYTES = 11
_NOT_IN_TLS13 = frozenset({"sha1", "sha224"})


def keys_by_type(server: ServerFacts) -> dict[str, KeyFacts]:
    """Return the keys of a context by type; of each type it keeps the one that was loaded last."""
    return {key.type: key for key in server.keys}


def sends_algorithms(hello: HelloFacts, *, version: int) -> bool:
    """Return whether the hello has signature algorithms that count; before TLS 1.2 the extension is ignored."""
    return version >= TLS12 and Extension.SIGNATURE_ALGORITHMS in hello.extensions


def shared_signatures(hello: HelloFacts, *, server: ServerFacts) -> tuple[SignatureInfo, ...]:
    """Return the shared schemes that the security level allows, in the order of the side that decides."""
    ours = _SINCE_3_2 if release(server) >= OPENSSL_3_2 else _BEFORE_3_2
    theirs = tuple(int(code, 16) for code in hello.signature_algorithms)
    preferred, other = (ours, theirs) if server.server_preference else (theirs, ours)
    infos = (signature_info(code) for code in preferred if code in other)
    return tuple(info for info in infos if info is not None and _allowed(info, server=server))


def configured_signatures(server: ServerFacts) -> tuple[str, ...]:
    """Return the names of the schemes that the release and the security level say, whatever handshakes found."""
    ours = _SINCE_3_2 if release(server) >= OPENSSL_3_2 else _BEFORE_3_2
    infos = (signature_info(code) for code in ours)
    return tuple(info.name for info in infos if info is not None and _strong_enough(info, server=server))


def choose_tls13(hello: HelloFacts, *, server: ServerFacts) -> SignatureInfo | None:
    """Return the scheme of a TLS 1.3 handshake: no PKCS#1, no SHA-1 or SHA-224, ECDSA bound to the key's curve."""
    keys = keys_by_type(server)
    for info in shared_signatures(hello, server=server):
        key = keys.get(info.key_type)
        if key is None or info.padding == "pkcs1" or info.hash in _NOT_IN_TLS13:
            continue
        if info.tls13_curve is not None and info.tls13_curve != key.curve:
            continue
        if _fits_key(info, key=key):
            return info
    return None


def choose_tls12(
    hello: HelloFacts, *, server: ServerFacts, version: int, key_types: tuple[str, ...]
) -> SignatureInfo | None:
    """Return the scheme with which one of these keys signs in TLS 1.2; None if there is none.

    Without the extension RFC 5246 section 7.4.1.4.1 means SHA-1, which the security level may forbid.
    """
    keys = keys_by_type(server)
    if not sends_algorithms(hello, version=version):
        return next((info for info in _defaults(server) if info.key_type in key_types and info.key_type in keys), None)
    for info in shared_signatures(hello, server=server):
        # The brainpool schemes of RFC 8734 exist in TLS 1.3 only (sigalg_lookup_tbl: minimum version).
        if info.code in _BRAINPOOL or info.key_type not in key_types or info.key_type not in keys:
            continue
        if _fits_key(info, key=keys[info.key_type]):
            return info
    return None


def fits_digest(info: SignatureInfo, *, key: KeyFacts) -> bool:
    """Return whether a PKCS#1 signature of this hash fits the key: RSA-512 is too short for SHA-384 (RFC 8017 section 9.2).

    OpenSSL notices only while signing. PSS keys were checked before the choice.
    """
    if info.padding != "pkcs1" or info.hash not in _HASH_BYTES:
        return True
    return (key.bits + 7) // 8 >= _DIGEST_INFO_BYTES + _HASH_BYTES[info.hash] + _PKCS1_PADDING_BYTES


def can_sign_old(key_type: str, *, server: ServerFacts) -> bool:
    """Return whether a key may sign in TLS 1.0 and 1.1: MD5+SHA-1 with RSA, SHA-1 with ECDSA (tls1_get_legacy_sigalg)."""
    bits = legacy_rsa_bits(server) if key_type == "RSA" else hash_bits("sha1", server=server)
    return bits >= required_bits(server)


def may_sign(hello: HelloFacts, *, server: ServerFacts, version: int, key_type: str) -> bool:
    """Whether the hello lets a key of this type sign at all (CERT_PKEY_SIGN), before a suite is chosen."""
    if version < TLS12:
        return True
    if not sends_algorithms(hello, version=version):
        return any(info.key_type == key_type for info in _defaults(server))
    infos = shared_signatures(hello, server=server)
    return any(info.key_type == key_type and not (version == TLS13 and info.padding == "pkcs1") for info in infos)


def _defaults(server: ServerFacts) -> tuple[SignatureInfo, ...]:
    """The schemes of a TLS 1.2 hello without the extension, as far as the security level allows them."""
    infos = (signature_info(code) for code in (0x0201, 0x0203))
    return tuple(info for info in infos if info is not None and _allowed(info, server=server))


def _allowed(info: SignatureInfo, *, server: ServerFacts) -> bool:
    """Whether the server takes a scheme: handshakes found it, or the security level allows it."""
    if server.found is not None:
        return info.name in server.found.signature_algorithms
    return _strong_enough(info, server=server)


def _strong_enough(info: SignatureInfo, *, server: ServerFacts) -> bool:
    """Whether the security level allows a scheme (tls12_sigalg_allowed)."""
    bits = hash_bits(info.hash, server=server) if info.hash else _EDWARDS_BITS[info.key_type]
    return bits >= required_bits(server)


def _fits_key(info: SignatureInfo, *, key: KeyFacts) -> bool:
    """Whether an RSA key is long enough for a PSS scheme: twice the hash and two bytes (RSA_PSS_MINIMUM_KEY_SIZE)."""
    if info.padding != "pss" or info.hash is None:
        return True
    return (key.bits + 7) // 8 >= 2 * _HASH_BYTES[info.hash] + 2
