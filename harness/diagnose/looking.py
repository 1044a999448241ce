"""What a server that is not ours takes of this machine: versions, suites, groups and keys, found by ordinary handshakes.

Sends nothing but ClientHellos and what completes them. What it finds is written as `ServerFacts`, so that the same prediction and the
same rules apply as for our own servers; `python` is empty in them.
"""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from harness.certificates.reading import key_facts
from harness.model import KeyFacts, ServerFacts

TRY_S = 5.0
# More handshakes than this are never had: a server of OpenSSL with everything on takes some 60 suites.
SUITES_LIMIT = 70
_VERSIONS = (
    ("TLSv1.3", ssl.TLSVersion.TLSv1_3),
    ("TLSv1.2", ssl.TLSVersion.TLSv1_2),
    ("TLSv1.1", ssl.TLSVersion.TLSv1_1),
    ("TLSv1", ssl.TLSVersion.TLSv1),
)
# IANA's name, OpenSSL's: those that a board may offer and Python can ask for alone.
_GROUPS = (("secp256r1", "prime256v1"), ("secp384r1", "secp384r1"), ("secp521r1", "secp521r1"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """One handshake that the server completed."""

    suite: str
    certificate: bytes


class Looking:
    """Asks one server.

    Args:
        host: name or address.
        port: TCP port.
        name: what to say in SNI, None for nothing.
        progress: told when it begins.
    """

    def __init__(self, host: str, port: int, *, name: str | None, progress: Callable[[str], None]) -> None:
        self._target = (host, port)
        self._name = name
        self._progress = progress

    def facts(self) -> ServerFacts | None:
        """Ask for each version, then for suites until none is left, then for each group.

        Returns:
            What the server takes; None where it completed no handshake with this machine either.
        """
        self._progress(f"asking {self._target[0]}:{self._target[1]} from here which versions, suites and keys it takes")
        versions = [(text, number) for text, number in _VERSIONS if self._try(number) is not None]
        if not versions:
            return None
        suites: list[tuple[int, str, str]] = []
        leaves: dict[bytes, KeyFacts] = {}
        for text, number in versions:
            if text == "TLSv1.3":
                suites += _tls13_suites()
                self._keep(self._try(number), leaves)
            elif not any(protocol != "TLSv1.3" for _code, protocol, _name in suites):
                suites += self._suites(number, text, leaves)
        groups = self._groups(versions)
        return ServerFacts(
            python="",
            openssl="as seen from this machine",
            openssl_number=ssl.OPENSSL_VERSION_NUMBER,
            suites=tuple(suites),
            keys=tuple(leaves.values()),
            minimum_version=versions[-1][0],
            maximum_version=versions[0][0],
            groups=groups,
        )

    def _suites(self, number: ssl.TLSVersion, text: str, leaves: dict[bytes, KeyFacts]) -> list[tuple[int, str, str]]:
        """Offer all, and leave out what was chosen, until the server takes none of the rest."""
        codes = {item["name"]: item["id"] & 0xFFFF for item in _context(number).get_ciphers()}
        found: list[tuple[int, str, str]] = []
        without: list[str] = []
        while len(found) < SUITES_LIMIT:
            taken = self._try(number, without=without)
            if taken is None or taken.suite in without:
                break
            without.append(taken.suite)
            if taken.suite in codes:
                found.append((codes[taken.suite], text, taken.suite))
            self._keep(taken, leaves)
        return found

    def _groups(self, versions: list[tuple[str, ssl.TLSVersion]]) -> tuple[str, ...] | None:
        """Those of the usual groups that it takes; None where it takes them all, as OpenSSL's default does."""
        number = versions[0][1]
        taken = tuple(iana for iana, name in _GROUPS if self._try(number, group=name) is not None)
        return None if len(taken) == len(_GROUPS) else taken

    @staticmethod
    def _keep(taken: _Taken | None, leaves: dict[bytes, KeyFacts]) -> None:
        if taken is not None and taken.certificate:
            try:
                leaves.setdefault(taken.certificate, key_facts((taken.certificate,)))
            except ValueError:
                pass  # a key that TLS does not know

    def _try(
        self, number: ssl.TLSVersion, *, without: list[str] | None = None, group: str | None = None
    ) -> _Taken | None:
        """One handshake; None where it does not come off, for whatever reason."""
        try:
            context = _context(number, without=without or [])
            if group is not None:
                context.set_ecdh_curve(group)
                if number is not ssl.TLSVersion.TLSv1_3:
                    context.set_ciphers("ECDHE:@SECLEVEL=0")
            with socket.create_connection(self._target, timeout=TRY_S) as sock:
                sock.settimeout(TRY_S)
                with context.wrap_socket(sock, server_hostname=self._name) as tls:
                    chosen = tls.cipher()
                    return _Taken(suite=chosen[0] if chosen else "", certificate=tls.getpeercert(True) or b"")
        except (OSError, ValueError):
            return None


def _context(number: ssl.TLSVersion, *, without: list[str] | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(":".join(["ALL", "COMPLEMENTOFALL", *(f"!{name}" for name in without or ()), "@SECLEVEL=0"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.0 and 1.1: to see whether it is all that is spoken
        context.minimum_version = context.maximum_version = number
    return context


def _tls13_suites() -> list[tuple[int, str, str]]:
    """OpenSSL's three: which of them a server takes Python cannot ask one by one."""
    found = _context(ssl.TLSVersion.TLSv1_3).get_ciphers()
    return [(item["id"] & 0xFFFF, "TLSv1.3", item["name"]) for item in found if item["protocol"] == "TLSv1.3"]
