"""Predicts which cipher suite the server selects, and why not the others.

Follows `ssl3_choose_cipher` (ssl/s3_lib.c), `ssl_set_masks` (ssl/ssl_lib.c) and `tls1_check_cert_param` (ssl/t1_lib.c).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.model import Behaviour, HelloFacts, KeyFacts, ServerFacts
from harness.oracle.prediction.groups import offered_groups, shared_group
from harness.oracle.prediction.openssl import group_allowed, required_bits, suite_strength
from harness.oracle.prediction.signatures import keys_by_type, may_sign
from harness.oracle.prediction.versions import suite_fits
from harness.wire.suites import SuiteInfo, is_signal, suite_info, suite_name
from harness.wire.versions import TLS12


class Exclusion(StrEnum):
    """Why an offered suite cannot be used; one suite may have several reasons."""

    SIGNAL = "signal"
    UNKNOWN = "unknown-suite"
    NOT_ALLOWED = "not-allowed-by-server"
    VERSION = "other-version"
    SECURITY_LEVEL = "security-level"
    NO_CERTIFICATE = "no-certificate"
    KEY_TYPE = "key-type"
    KEY_CURVE = "key-curve"
    KEY_USAGE = "key-usage"
    NO_SIGNATURE = "no-common-signature"
    NO_GROUP = "no-common-group"
    NO_DH_PARAMETERS = "no-dh-parameters"
    NO_PSK = "no-pre-shared-key"
    NOT_IMPLEMENTED = "key-exchange-not-implemented"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteVerdict:
    """One offered suite: every reason against it, none if it could be used; `chosen` marks the one that is."""

    code: str
    name: str
    reasons: tuple[Exclusion, ...]
    chosen: bool = False


# Keys that an ECDSA suite can use besides EC, only from TLS 1.2 on (RFC 8422 section 5.10).
_EDWARDS = ("Ed25519", "Ed448")
_ELLIPTIC = frozenset({"ECDHE", "ECDHE_PSK"})
_KEY_TYPES = {"RSA": ("RSA", "RSA-PSS"), "ECDSA": ("EC", *_EDWARDS)}
_SIGNING_USAGE = "digitalSignature"
_FORWARD_SECRET_LEVEL = 3
_NO_RC4_LEVEL = 2
_SHA1_MAC_BITS = 160


def signing_key_types(suite: SuiteInfo) -> tuple[str, ...]:
    """Return the key types that can authenticate a suite; RSA key exchange decrypts, which a PSS key must not."""
    if suite.key_exchange == "RSA":
        return ("RSA",)
    return _KEY_TYPES.get(suite.authentication, ())


def judge_suites(hello: HelloFacts, *, server: ServerFacts, version: int) -> tuple[SuiteVerdict, ...]:
    """Judge every offered suite in one version; the chosen one is marked.

    OpenSSL goes through the server's list if the server decides (Python's default), else through the client's.
    """
    terms = _terms(hello, server=server, version=version)
    verdicts = {int(code, 16): _judge(code, terms=terms, server=server, version=version) for code in hello.suites}
    order = [code for code, _protocol, _name in server.suites] if server.server_preference else list(verdicts)
    chosen = next((code for code in order if code in verdicts and not verdicts[code].reasons), None)
    return tuple(
        SuiteVerdict(code=each.code, name=each.name, reasons=each.reasons, chosen=code == chosen)
        for code, each in verdicts.items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """What is the same for all suites of a handshake: the server's suites, and its keys by type with the reasons against each."""

    listed: frozenset[int]
    keys: Mapping[str, list[Exclusion]]
    has_group: bool


def _terms(hello: HelloFacts, *, server: ServerFacts, version: int) -> _Terms:
    keys = keys_by_type(server)
    return _Terms(
        listed=frozenset(code for code, _protocol, _name in server.suites),
        keys={kind: _key_exclusions(key, hello=hello, server=server, version=version) for kind, key in keys.items()},
        has_group=shared_group(hello, server=server) is not None,
    )


def _judge(code: str, *, terms: _Terms, server: ServerFacts, version: int) -> SuiteVerdict:
    """Collect every reason against one offered suite."""
    number = int(code, 16)
    info = suite_info(number)
    name = suite_name(number)
    if info is None:
        reason = Exclusion.SIGNAL if is_signal(number) else Exclusion.UNKNOWN
        return SuiteVerdict(code=code, name=name, reasons=(reason,))
    reasons: list[Exclusion] = []
    if number not in terms.listed:
        reasons.append(Exclusion.NOT_ALLOWED)
    if not suite_fits(info.minimum_version, version=version):
        reasons.append(Exclusion.VERSION)
    if not _strong_enough(info, server=server):
        reasons.append(Exclusion.SECURITY_LEVEL)
    if not info.tls13:
        reasons += _authentication(info, terms=terms)
        reasons += _key_exchange(info, terms=terms, server=server)
    return SuiteVerdict(code=code, name=name, reasons=tuple(reasons))


def _strong_enough(info: SuiteInfo, *, server: ServerFacts) -> bool:
    """Whether the security level allows a suite (ssl_security_default_callback, SSL_SECOP_CIPHER_SHARED)."""
    level, bits = server.security_level, required_bits(server)
    if level == 0:
        return True
    refused = (
        suite_strength(info.cipher, server=server) < bits
        or info.authentication == "anon"
        or info.mac == "MD5"
        or (info.mac == "SHA" and bits > _SHA1_MAC_BITS)
        or ("RC4" in info.cipher and level >= _NO_RC4_LEVEL)
        or (level >= _FORWARD_SECRET_LEVEL and not info.forward_secret)
    )
    return not refused


def _authentication(info: SuiteInfo, *, terms: _Terms) -> list[Exclusion]:
    """Return why the server's keys cannot authenticate a suite; empty if one can."""
    if info.authentication in ("PSK", "anon"):
        return []
    if not terms.keys:
        return [Exclusion.NO_CERTIFICATE]
    fitting = [terms.keys[kind] for kind in signing_key_types(info) if kind in terms.keys]
    return min(fitting, key=len) if fitting else [Exclusion.KEY_TYPE]


def _key_exclusions(key: KeyFacts, *, hello: HelloFacts, server: ServerFacts, version: int) -> list[Exclusion]:
    """Return why one key of the right type cannot be used.

    An RSA key is usable without a look at signatures or key usage: `ssl_set_masks` asks nothing of it, so a missing
    signature scheme fails later, and differently (NO_SUITABLE_SIGNATURE_ALGORITHM).
    """
    if key.type == "RSA":
        return []
    reasons: list[Exclusion] = []
    if key.type == "EC":
        if not _curve_accepted(key, hello=hello, server=server):
            reasons.append(Exclusion.KEY_CURVE)
        if key.key_usage is not None and _SIGNING_USAGE not in key.key_usage:
            reasons.append(Exclusion.KEY_USAGE)
    elif version != TLS12:
        reasons.append(Exclusion.VERSION)
    if not may_sign(hello, server=server, version=version, key_type=key.type):
        reasons.append(Exclusion.NO_SIGNATURE)
    return reasons


def _curve_accepted(key: KeyFacts, *, hello: HelloFacts, server: ServerFacts) -> bool:
    """Whether the client lists the curve of an EC key (tls1_check_group_id); a client without the list accepts any."""
    if key.curve is None or not group_allowed(key.curve, server=server):
        return False
    return not hello.groups or key.curve in offered_groups(hello)


def _key_exchange(info: SuiteInfo, *, terms: _Terms, server: ServerFacts) -> list[Exclusion]:
    """Return why the key exchange of a suite is not possible; empty if it is."""
    reasons: list[Exclusion] = []
    if info.needs_psk and server.behaviour.get("name") != Behaviour.PSK:
        reasons.append(Exclusion.NO_PSK)
    if info.key_exchange in _ELLIPTIC and not terms.has_group:
        reasons.append(Exclusion.NO_GROUP)
    if info.key_exchange.startswith("DHE") and (server.python or info.code not in server.suite_codes):
        # Of a server that is not ours only what it took is known, and that it can do.
        # CPython loads DH parameters only by load_dh_params and never asks for OpenSSL's own (SSL_CTX_set_dh_auto).
        reasons.append(Exclusion.NO_DH_PARAMETERS)
    if info.key_exchange in ("ECDH", "DH", "SRP", "ECJPAKE"):
        reasons.append(Exclusion.NOT_IMPLEMENTED)
    return reasons
