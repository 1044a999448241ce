"""The limits that the server's OpenSSL puts on its own keys, from its live settings.

Knows releases and security levels; must not know clients or cases.
"""

from __future__ import annotations

from harness.expectations.builders import refused
from harness.model import Expectation, KeyFacts, ServerFacts, Side, Stage

OPENSSL_3_0 = 0x30000000
OPENSSL_3_2 = 0x30200000
# include/openssl/x509_vfy.h.
EE_KEY_TOO_SMALL, CA_KEY_TOO_SMALL = 66, 67
# What a hash under a certificate is worth to OpenSSL (crypto/x509/x509_set.c, x509_sig_info_init): half its size; 3.0 took
# SHA-1 below level 1 (CHANGES.md 3.0, #10787). A hash that belongs to no signature OpenSSL knows is worth nothing.
_HASH_BITS = {"sha1": 63, "sha3-256": 0, "sha256": 128}
_LEVEL_BITS = (0, 80, 112, 128, 192, 256)
# crypto/bn/bn_lib.c, BN_security_bits: least size of the modulus, bits of security.
_RSA_BITS = ((15360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80))
_HASH_BITS_1_1_1 = {**_HASH_BITS, "sha1": 80}


def refuses_short_key(server: ServerFacts) -> Expectation | None:
    """Return how `load_cert_chain` refuses a key that is too short for the security level; None if it accepts all of the server's."""
    wanted = _LEVEL_BITS[min(server.security_level, 5)]
    short = next((key for key in server.keys if _key_bits(key) < wanted), None)
    if short is None:
        return None
    return refused(
        by=Side.SERVER,
        stage=Stage.CONFIG,
        server="EE_KEY_TOO_SMALL",
        note=f"security level {server.security_level} requires {wanted} bits, and {short.type}-{short.bits} has {_key_bits(short)}",
    )


def refuses_short_issuer(server: ServerFacts, *, rsa_bits: int) -> Expectation | None:
    """Return how `load_cert_chain` refuses a chain with an RSA key that is too short for the security level; None if it accepts it."""
    wanted = _LEVEL_BITS[min(server.security_level, 5)]
    if _rsa_bits(rsa_bits) >= wanted:
        return None
    return refused(
        by=Side.SERVER,
        stage=Stage.CONFIG,
        server="CA_KEY_TOO_SMALL",
        note=f"security level {server.security_level} requires {wanted} bits of every key in the chain",
    )


def short_client_key(server: ServerFacts, *, rsa_bits: int, issuer_bits: int) -> int | None:
    """Return the X.509 error for a client's RSA key that is too short for the security level, or its issuer's; None if both are accepted.

    OpenSSL looks at the client's own key before anything else (crypto/x509/x509_vfy.c, X509_verify_cert), at the issuers' with the chain.
    """
    wanted = _LEVEL_BITS[min(server.security_level, 5)]
    if _rsa_bits(rsa_bits) < wanted:
        return EE_KEY_TOO_SMALL
    return CA_KEY_TOO_SMALL if _rsa_bits(issuer_bits) < wanted else None


def _rsa_bits(bits: int) -> int:
    return next((worth for least, worth in _RSA_BITS if bits >= least), 0)


def _key_bits(key: KeyFacts) -> int:
    """Return the bits of security of a key (RSA: BN_security_bits; curves: half their size; RFC 8032 section 8.5)."""
    if key.type in ("RSA", "RSA-PSS"):
        return _rsa_bits(key.bits)
    return {"Ed25519": 128, "Ed448": 224}.get(key.type, key.bits // 2)


def refuses_old_hash(server: ServerFacts, *, name: str) -> Expectation | None:
    """Return how `load_cert_chain` refuses a certificate signed with this hash; None if it accepts it."""
    wanted = _LEVEL_BITS[min(server.security_level, 5)]
    bits = (_HASH_BITS if server.openssl_number >= OPENSSL_3_0 else _HASH_BITS_1_1_1)[name]
    if bits >= wanted or not server.checks_own_signature:
        return None
    return refused(
        by=Side.SERVER,
        stage=Stage.CONFIG,
        server="CA_MD_TOO_WEAK",
        note=f"security level {server.security_level} requires {wanted} bits of the certificate's signature, which has {bits}",
    )


def bad_record(server: ServerFacts) -> str:
    """The reason of a record that the server cannot decrypt. 3.2 put a second error on top of it, and Python reads the last
    one (ssl/record/rec_layer_s3.c, ossl_tls_handle_rlayer_return; Modules/_ssl.c, ERR_peek_last_error).
    """
    return "RECORD_LAYER_FAILURE" if server.openssl_number >= OPENSSL_3_2 else "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
