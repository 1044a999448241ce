"""Learn what a server accepts from its answers to ClientHellos that offer less and less. Pure: the caller passes a function that asks.

A server shows version, suite, group and (up to TLS 1.2) certificate before it requires anything from the client, even a certificate, so
no handshake has to be completed. Whether it would complete one is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.certificates.reading import key_facts
from harness.model import KeyFacts, ServerFacts, Verify
from harness.wire.groups import group_code
from harness.wire.hello_bytes import client_hello
from harness.wire.reading import WireReading
from harness.wire.signature_algorithms import signature_code
from harness.wire.suites import all_suites, suite_info, suite_name
from harness.wire.versions import TLS10, TLS11, TLS12, TLS13, version_name

Ask = Callable[[bytes], WireReading | None]
"""Sends one ClientHello and reads the answer; None on timeout or if the connection is refused."""

SEEN = "as seen from this machine"
# OpenSSL 3.0, the oldest that is still maintained: its default groups apply to every later one up to TLS 1.2.
_OPENSSL = 0x30000000
_GROUPS = (
    *("secp256r1", "secp384r1", "secp521r1", "x25519", "x448", "secp256k1"),
    *("brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1", "secp224r1", "secp192r1"),
)
_SIGNATURES = (
    *("ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ed25519", "ed448"),
    *("rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512", "rsa_pss_pss_sha256"),
    *("rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512", "ecdsa_sha1", "rsa_pkcs1_sha1"),
)
# Everything that this machine offers, as IANA codes.
GROUPS = tuple(code for name in _GROUPS if (code := group_code(name)) is not None)
SIGNATURES = tuple(code for name in _SIGNATURES if (code := signature_code(name)) is not None)


class Learned:
    """The facts collected from the answers."""

    def __init__(self) -> None:
        self.oldest: int | None = None
        self.newest: int | None = None
        self.suites: list[int] = []
        self.groups: tuple[str, ...] | None = None
        self.keys: list[KeyFacts] = []
        self.asks_certificate = False

    def take_chain(self, chain: tuple[bytes, ...]) -> None:
        """Keep the key of a server's certificate, one of each kind; a key that TLS does not support is ignored."""
        try:
            facts = key_facts(chain)
        except (ValueError, IndexError):
            return
        if facts.type not in {key.type for key in self.keys}:
            self.keys.append(facts)

    def take(self, answer: WireReading, *, version: int) -> None:
        """Keep the other facts of an answer: the version, the certificate, and whether it requests a client certificate."""
        chosen = answer.server_hello.version if answer.server_hello else version
        self.newest, self.oldest = max(chosen, self.newest or chosen), min(chosen, self.oldest or chosen)
        if answer.certificates:
            self.take_chain(answer.certificates)
        self.asks_certificate |= any(message.name == "CertificateRequest" for message in answer.messages)

    def facts(self) -> ServerFacts:
        """The record, as far as hellos can show it."""
        return ServerFacts(
            python="",
            openssl=SEEN,
            openssl_number=_OPENSSL,
            suites=tuple((code, _protocol(code), suite_name(code)) for code in self.suites),
            keys=tuple(self.keys),
            minimum_version=version_name(self.oldest) if self.oldest else None,
            maximum_version=version_name(self.newest) if self.newest else None,
            groups=self.groups,
            security_level=0,
            verify=Verify.OPTIONAL if self.asks_certificate else Verify.NONE,
        )


def learn(ask: Ask, *, name: str | None, first: Sequence[int] = ()) -> Learned | None:
    """Ask until everything is known or there are no more answers.

    Args:
        ask: sends a hello and reads the answer.
        name: for SNI.
        first: suites that are asked before all others, because time is limited.

    Returns:
        None if no hello was accepted.
    """
    learned = Learned()
    older = [code for code in all_suites() if _worth_asking(code)]
    _learn_suites(learned, ask, [code for code in all_suites() if _is_tls13(code)], version=TLS13, name=name)
    for part in ([code for code in older if code in first], [code for code in older if code not in first]):
        _learn_suites(learned, ask, part, version=TLS12, name=name)
    for version in (TLS11, TLS10):
        answer = ask(_hello(older, GROUPS, version=version, name=name))
        if answer is not None and answer.server_hello is not None:
            learned.take(answer, version=version)
            if not any(not _is_tls13(code) for code in learned.suites):
                _learn_suites(learned, ask, older, version=version, name=name)
    if learned.newest is None:
        return None
    _learn_groups(learned, ask, name=name)
    return learned


def _learn_suites(learned: Learned, ask: Ask, suites: Sequence[int], *, version: int, name: str | None) -> None:
    """Offer suites and remove the chosen one, until none is chosen."""
    left = list(suites)
    while left:
        answer = ask(_hello(left, GROUPS, version=version, name=name))
        chosen = _chosen(answer)
        if answer is None or chosen is None or chosen not in left:
            return
        left.remove(chosen)
        learned.suites.append(chosen)
        learned.take(answer, version=version)


def _learn_groups(learned: Learned, ask: Ask, *, name: str | None) -> None:
    """Offer groups and remove the chosen one.

    Up to TLS 1.2 the curve of an EC key must stay in the list (RFC 8422 section 5.1), and a server that prefers it hides the others: it is
    asked in TLS 1.3 or with its RSA key if possible; otherwise the groups stay unknown.
    """
    tls13 = [code for code in learned.suites if _is_tls13(code)]
    elliptic = [code for code in learned.suites if _exchange(code) == "ECDHE"]
    rsa = [code for code in elliptic if _authentication(code) == "RSA"]
    suites = tls13 or rsa or elliptic
    curves = {key.curve for key in learned.keys if key.curve} if suites is elliptic else set()
    left = sorted(_GROUPS, key=lambda group: group in curves)
    found: list[str] = []
    while left and suites:
        answer = ask(_hello(suites, _codes(left), version=TLS13 if tls13 else TLS12, name=name))
        group = None if answer is None else answer.retry_group or answer.negotiated.group
        if answer is None or (group is None and _chosen(answer) is not None) or (group in curves and left[0] != group):
            return
        if group is None:
            break
        left.remove(group)
        found.append(group)
    learned.groups = tuple(found) if suites else None


def full_hello(*, name: str | None) -> bytes:
    """Return a hello that offers everything up to TLS 1.2: such a server shows its certificate in the clear."""
    suites = [code for code in all_suites() if _worth_asking(code)]
    return _hello(suites, GROUPS, version=TLS12, name=name)


def _hello(suites: Sequence[int], groups: Sequence[int], *, version: int, name: str | None) -> bytes:
    return client_hello(version=version, suites=suites, groups=groups, signature_algorithms=SIGNATURES, name=name)


def _codes(groups: Sequence[str]) -> list[int]:
    return [code for group in groups if (code := group_code(group)) is not None]


def _chosen(answer: WireReading | None) -> int | None:
    """The suite that a server chose; a HelloRetryRequest chooses as well."""
    if answer is None:
        return None
    return answer.server_hello.suite if answer.server_hello is not None else answer.retry_suite


def _is_tls13(code: int) -> bool:
    info = suite_info(code)
    return info is not None and info.tls13


def _worth_asking(code: int) -> bool:
    """Suites of a server with a certificate: no NULL, no PSK, nothing anonymous."""
    info = suite_info(code)
    if info is None or info.tls13 or info.cipher.startswith("NULL"):
        return False
    return info.key_exchange in ("RSA", "DHE", "ECDHE") and info.authentication in ("RSA", "ECDSA")


def _exchange(code: int) -> str:
    info = suite_info(code)
    return "" if info is None else info.key_exchange


def _authentication(code: int) -> str:
    info = suite_info(code)
    return "" if info is None else info.authentication


def _protocol(code: int) -> str:
    info = suite_info(code)
    return "TLSv1.2" if info is None else "TLSv1.0" if info.minimum_version == "TLSv1" else info.minimum_version
