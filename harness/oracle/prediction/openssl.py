"""Differences between OpenSSL releases in what a server chooses: default groups, strengths, security levels.

Only tables and small questions; the order of the decisions is in the other modules of this folder. Sources:
ssl/t1_lib.c, ssl/ssl_cert.c (`ssl_security_default_callback`), providers/common/capabilities.c, in 1.1.1w, 3.0.20 and
3.5.7.
"""

from __future__ import annotations

from harness.model import ServerFacts

OPENSSL_3_0 = (3, 0)
OPENSSL_3_1 = (3, 1)
OPENSSL_3_2 = (3, 2)
OPENSSL_3_5 = (3, 5)

GroupTuples = tuple[tuple[str, ...], ...]

_GROUPS_1_1_1 = ("x25519", "secp256r1", "x448", "secp521r1", "secp384r1")
_GROUPS_3_0 = (*_GROUPS_1_1_1, "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192")
# "?*X25519MLKEM768 / ?*X25519:?secp256r1 / ?X448:?secp384r1:?secp521r1 / ?ffdhe2048:?ffdhe3072": a key share for a
# group of an earlier tuple wins, and within a tuple a share at hand wins over a group without one.
_TUPLES_3_5: GroupTuples = (
    ("X25519MLKEM768",),
    ("x25519", "secp256r1"),
    ("x448", "secp384r1", "secp521r1"),
    ("ffdhe2048", "ffdhe3072"),
)

# Bits of security, providers/common/capabilities.c `group_list` (1.1.1: ssl/t1_lib.c `nid_list`).
_GROUP_BITS = {
    **dict.fromkeys(("secp160k1", "secp160r1", "secp160r2", "secp192k1", "secp192r1"), 80),
    **dict.fromkeys(("secp224k1", "secp224r1", "ffdhe2048"), 112),
    **dict.fromkeys(("secp256k1", "secp256r1", "brainpoolP256r1", "brainpoolP256r1tls13", "x25519"), 128),
    **dict.fromkeys(("ffdhe3072", "ffdhe4096", "ffdhe6144", "MLKEM512"), 128),
    **dict.fromkeys(("secp384r1", "brainpoolP384r1", "brainpoolP384r1tls13", "ffdhe8192"), 192),
    **dict.fromkeys(("X25519MLKEM768", "SecP256r1MLKEM768", "MLKEM768"), 192),
    **dict.fromkeys(("secp521r1", "brainpoolP512r1", "brainpoolP512r1tls13"), 256),
    **dict.fromkeys(("SecP384r1MLKEM1024", "MLKEM1024"), 256),
    "x448": 224,
}
_ANY_VERSION_GROUPS = frozenset({"secp256r1", "secp384r1", "secp521r1", "x25519", "x448"})
_ONLY_TLS13_PREFIXES = ("ffdhe", "MLKEM", "X25519MLKEM", "SecP")
_HASH_BITS = {"md5": 39, "sha1": 64, "sha224": 112, "sha256": 128, "sha384": 192, "sha512": 256}
_HASH_BITS_1_1_1 = _HASH_BITS | {"md5": 64, "sha1": 80}
_LEVEL_BITS = (0, 80, 112, 128, 192, 256)


def release(server: ServerFacts) -> tuple[int, int]:
    """Return the major and minor version of the server's OpenSSL; 1.1.1 is (1, 1)."""
    return server.openssl_number >> 28, server.openssl_number >> 20 & 0xFF


def required_bits(server: ServerFacts) -> int:
    """Return the bits of security that the level requires of keys, groups, hashes and ciphers (ssl_get_security_level_bits)."""
    return _LEVEL_BITS[min(server.security_level, len(_LEVEL_BITS) - 1)]


def group_tuples(server: ServerFacts) -> GroupTuples:
    """Return the server's groups in order of preference: what handshakes found, else what its settings say."""
    return configured_groups(server) if server.found is None else server.found.groups


def configured_groups(server: ServerFacts) -> GroupTuples:
    """Return the groups that Python's settings and the release say; before 3.5 all of them are one tuple."""
    if server.groups is not None:
        return (server.groups,)
    if release(server) >= OPENSSL_3_5:
        return _TUPLES_3_5
    return (_GROUPS_3_0,) if release(server) >= OPENSSL_3_0 else (_GROUPS_1_1_1,)


def group_allowed(group: str, *, server: ServerFacts) -> bool:
    """Return whether the security level allows a group (tls_group_allowed)."""
    return _GROUP_BITS.get(group, 0) >= required_bits(server)


def group_fits_version(group: str, *, server: ServerFacts, tls13: bool) -> bool:
    """Whether a group exists in a protocol version (tls_valid_group; RFC 8446 section 4.2.7).

    1.1.1 has no such table: it uses every configured curve in TLS 1.3 as well.
    """
    if release(server) < OPENSSL_3_0 or group in _ANY_VERSION_GROUPS:
        return True
    return is_tls13_group(group) is tls13


def is_tls13_group(group: str) -> bool:
    """Return whether TLS 1.3 has a group (RFC 8446 section 4.2.7, RFC 8734, draft-ietf-tls-ecdhe-mlkem)."""
    return group in _ANY_VERSION_GROUPS or group.startswith(_ONLY_TLS13_PREFIXES) or group.endswith("tls13")


def hash_bits(name: str, *, server: ServerFacts) -> int:
    """Return the bits of security of a signature's hash: half its size, since 3.0 less for SHA-1 and MD5."""
    return (_HASH_BITS if release(server) >= OPENSSL_3_0 else _HASH_BITS_1_1_1).get(name, 0)


def legacy_rsa_bits(server: ServerFacts) -> int:
    """Return the bits of security of the MD5+SHA-1 signature of TLS 1.0 and 1.1 with RSA keys."""
    return 67 if release(server) >= OPENSSL_3_0 else 144


def suite_strength(cipher: str, *, server: ServerFacts) -> int:
    """`strength_bits` of a cipher by its name (ssl/s3_lib.c `ssl3_ciphers`)."""
    if "NULL" in cipher:
        return 0
    if "CCM_8" in cipher and release(server) >= OPENSSL_3_2:
        # CHANGES.md, 3.2: "CCM8 cipher suites in TLS have been downgraded to security level zero".
        return 64
    if "3DES" in cipher:
        return 112
    if "DES_CBC" in cipher:
        return 56
    return 256 if "256" in cipher or "CHACHA20" in cipher else 128


def version_allowed(version: int, *, server: ServerFacts) -> bool:
    """Return whether the security level allows a protocol version (SSL_SECOP_VERSION in ssl_security_default_callback).

    3.0 only took away the signatures that TLS 1.1 and older need; measured on 3.1.4, 3.2.2, 3.3.2 and 3.4.1, it is
    3.1 that refuses the versions themselves.
    """
    level = server.security_level
    if release(server) >= OPENSSL_3_1:
        return version >= 0x0303 or level == 0
    if version <= 0x0301:
        return level < 3
    return version >= 0x0303 or level < 4
