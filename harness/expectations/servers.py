"""The limits that the server's OpenSSL puts on its own keys, from its live settings.

Knows releases and security levels; must not know clients or cases.
"""

from __future__ import annotations

from harness.expectations.builders import refused
from harness.model import Expectation, ServerFacts, Side, Stage

OPENSSL_3_0 = 0x30000000
OPENSSL_3_2 = 0x30200000
# What a hash under a certificate is worth to OpenSSL (crypto/x509/x509_set.c, x509_sig_info_init): half its size; 3.0 took
# SHA-1 below level 1 (CHANGES.md 3.0, #10787). A hash that belongs to no signature OpenSSL knows is worth nothing.
_HASH_BITS = {"sha1": 63, "sha3-256": 0, "sha256": 128}
_HASH_BITS_1_1_1 = {**_HASH_BITS, "sha1": 80}


def refuses_short_key(server: ServerFacts) -> Expectation | None:
    """Return how `load_cert_chain` refuses RSA-1024 (80 bits, refused from level 2 on); None if it accepts it."""
    if server.security_level < 2:
        return None
    return refused(
        by=Side.SERVER,
        stage=Stage.CONFIG,
        server="EE_KEY_TOO_SMALL",
        note=f"security level {server.security_level} requires 112 bits, and RSA-1024 has 80",
    )


def refuses_old_hash(server: ServerFacts, *, name: str) -> Expectation | None:
    """Return how `load_cert_chain` refuses a certificate signed with this hash; None if it accepts it."""
    wanted = (0, 80, 112, 128, 192, 256)[min(server.security_level, 5)]
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
