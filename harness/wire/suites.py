"""Cipher suites: IANA code, IANA name, mbedTLS name, and what a suite asks of key, certificate and version.

Knows the registry (`harness/wire/suite_table.py`) and how its names are built; knows no library's choice of suites.
All properties are read from the name, because IANA names say them: `TLS_<key
exchange>_<authentication>_WITH_<cipher>_<hash>`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from harness.wire.suite_table import SUITE_TABLE

_NAMES: dict[int, str] = {
    int(code, 16): name for code, name in zip(SUITE_TABLE.split()[::2], SUITE_TABLE.split()[1::2], strict=True)
}
_CODES: dict[str, int] = {name: code for code, name in _NAMES.items()}

RENEGOTIATION_SCSV = 0x00FF
FALLBACK_SCSV = 0x5600
_SIGNALS = frozenset({RENEGOTIATION_SCSV, FALLBACK_SCSV})

# RFC 6655 section 4 names two suites PSK_DHE; mbedTLS calls that a typo and spells them DHE-PSK
# (mbedtls include/mbedtls/ssl_ciphersuites.h, the comment below 0xC0AB).
_MBEDTLS_SPELLING = {
    "TLS_PSK_DHE_WITH_AES_128_CCM_8": "TLS-DHE-PSK-WITH-AES-128-CCM-8",
    "TLS_PSK_DHE_WITH_AES_256_CCM_8": "TLS-DHE-PSK-WITH-AES-256-CCM-8",
}
_IANA_SPELLING = {mbedtls: iana for iana, mbedtls in _MBEDTLS_SPELLING.items()}

# What stands before _WITH_ -> (key exchange, what authenticates the server). "anon": nothing does.
_EXCHANGES: dict[str, tuple[str, str]] = {
    "RSA": ("RSA", "RSA"),
    "DHE_RSA": ("DHE", "RSA"),
    "DHE_DSS": ("DHE", "DSS"),
    "DH_RSA": ("DH", "RSA"),
    "DH_DSS": ("DH", "DSS"),
    "DH_anon": ("DHE", "anon"),
    "ECDHE_RSA": ("ECDHE", "RSA"),
    "ECDHE_ECDSA": ("ECDHE", "ECDSA"),
    "ECDH_RSA": ("ECDH", "RSA"),
    "ECDH_ECDSA": ("ECDH", "ECDSA"),
    "ECDH_anon": ("ECDHE", "anon"),
    "PSK": ("PSK", "PSK"),
    "DHE_PSK": ("DHE_PSK", "PSK"),
    "PSK_DHE": ("DHE_PSK", "PSK"),
    "ECDHE_PSK": ("ECDHE_PSK", "PSK"),
    "RSA_PSK": ("RSA_PSK", "RSA"),
    "SRP_SHA": ("SRP", "SRP"),
    "SRP_SHA_RSA": ("SRP", "RSA"),
    "SRP_SHA_DSS": ("SRP", "DSS"),
    "ECJPAKE": ("ECJPAKE", "ECJPAKE"),
}
_EPHEMERAL = frozenset({"DHE", "ECDHE", "DHE_PSK", "ECDHE_PSK", "ECJPAKE", "any"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteInfo:
    """One cipher suite, as far as choosing it goes.

    `key_exchange` is `RSA`, `ECDHE`, `DHE`, `ECDH`, `DH`, `PSK`, `DHE_PSK`, `ECDHE_PSK`, `RSA_PSK`, `SRP`,
    `ECJPAKE`, or `any` for TLS 1.3; `authentication` is the kind of server key it needs (`RSA`, `ECDSA`, `DSS`),
    or `PSK`, `SRP`, `ECJPAKE`, `anon` (no certificate), or `any` for TLS 1.3. ECDHE_ECDSA also covers Ed25519 and
    Ed448 keys (RFC 8422 section 5.10). `mac` is `AEAD` or the HMAC's hash; `hash` is the PRF's or HKDF's in the
    newest version of the suite. `forward_secret` says that the key exchange is ephemeral.
    """

    code: int
    name: str
    key_exchange: str
    authentication: str
    tls13: bool
    minimum_version: str
    cipher: str
    mac: str
    hash: str
    forward_secret: bool

    @property
    def aead(self) -> bool:
        """Whether the cipher authenticates by itself."""
        return self.mac == "AEAD"

    @property
    def needs_psk(self) -> bool:
        """Whether both sides must share a key beforehand."""
        return "PSK" in self.key_exchange


def suite_name(code: int) -> str:
    """Name a suite code: IANA's name, or `0xABCD` for one that is not in the table (GREASE among them)."""
    return _NAMES.get(code, f"0x{code:04X}")


def suite_code(iana_name: str) -> int | None:
    """Find the code of an IANA suite name; None if the table does not have it."""
    return _CODES.get(iana_name)


def all_suites() -> tuple[int, ...]:
    """List every code of the table in ascending order, signalling values included."""
    return tuple(sorted(_NAMES))


def is_signal(code: int) -> bool:
    """Tell a signalling value (SCSV, RFC 5746 and RFC 7507) from a suite: it is offered but never chosen."""
    return code in _SIGNALS


def mbedtls_suite_name(iana_name: str) -> str:
    """Spell an IANA suite name the way mbedTLS does, for `set_ciphers` on the board.

    mbedTLS writes `TLS1-3-AES-128-GCM-SHA256` for TLS 1.3 and dashes everywhere; there is no check that a build has it.
    """
    if iana_name in _MBEDTLS_SPELLING:
        return _MBEDTLS_SPELLING[iana_name]
    code = suite_code(iana_name)
    dashed = iana_name.replace("_", "-")
    if code is not None and _is_tls13(iana_name) and not is_signal(code):
        return dashed.replace("TLS-", "TLS1-3-", 1)
    return dashed


def iana_suite_name(mbedtls_name: str) -> str:
    """Spell a suite name that mbedTLS reported (`get_ciphers()`, `cipher()`) the way IANA does."""
    if mbedtls_name in _IANA_SPELLING:
        return _IANA_SPELLING[mbedtls_name]
    return mbedtls_name.replace("TLS1-3-", "TLS-", 1).replace("-", "_")


@functools.cache
def suite_info(code: int) -> SuiteInfo | None:
    """Say what a suite needs; None for a code that is unknown or only a signal."""
    name = _NAMES.get(code)
    if name is None or is_signal(code):
        return None
    if _is_tls13(name):
        cipher, _, hash_name = name.removeprefix("TLS_").rpartition("_")
        return SuiteInfo(
            code=code,
            name=name,
            key_exchange="any",
            authentication="any",
            tls13=True,
            minimum_version="TLSv1.3",
            # RFC 9150's integrity-only suites: the first hash is the HMAC, nothing is encrypted.
            cipher="NULL" if cipher.startswith("SHA") else cipher,
            mac=cipher if cipher.startswith("SHA") else "AEAD",
            hash=hash_name,
            forward_secret=True,
        )
    return _tls12_info(code, name)


def _tls12_info(code: int, name: str) -> SuiteInfo:
    """Read a suite of TLS 1.2 or older from its name."""
    exchange, _, rest = name.removeprefix("TLS_").partition("_WITH_")
    key_exchange, authentication = _EXCHANGES[exchange]
    aead = any(mode in rest for mode in ("_GCM", "_CCM", "POLY1305"))
    cipher, _, last = rest.rpartition("_")
    if last not in {"MD5", "SHA", "SHA256", "SHA384", "SM3"}:
        # `..._CCM` and `..._CCM_8` name no hash: RFC 6655 section 3 takes TLS 1.2's default PRF.
        cipher, last = rest, "SHA256"
    # RFC 5246 section 5: suites of before TLS 1.2 use SHA-256 for the PRF there.
    prf = "SHA256" if last in {"MD5", "SHA"} else last
    # RFC 5246 and RFC 5289 keep AEAD and SHA-2 suites to TLS 1.2; the CBC ones with a PSK are older-proof
    # (RFC 5487 section 3, RFC 5489 section 3: "can be used with any version"), and OpenSSL agrees (s3_lib.c).
    modern = aead or (last in {"SHA256", "SHA384"} and "PSK" not in key_exchange)
    return SuiteInfo(
        code=code,
        name=name,
        key_exchange=key_exchange,
        authentication=authentication,
        tls13=False,
        minimum_version="TLSv1.2" if modern else "TLSv1",
        cipher=cipher,
        mac="AEAD" if aead else last,
        hash=prf,
        forward_secret=key_exchange in _EPHEMERAL,
    )


def _is_tls13(name: str) -> bool:
    """Tell TLS 1.3 names: they alone name no key exchange (RFC 8446 appendix B.4)."""
    return "_WITH_" not in name and not name.endswith("_SCSV")
