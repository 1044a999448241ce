"""Predicts which group the key exchange uses.

Follows `tls1_shared_group` (ssl/t1_lib.c) for TLS 1.2 and `tls_parse_ctos_key_share` with `final_key_share`
(ssl/statem/extensions_srvr.c, extensions.c) for TLS 1.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import HelloFacts, ServerFacts
from harness.oracle.prediction.openssl import OPENSSL_3_5, group_allowed, group_fits_version, group_tuples, release
from harness.oracle.prediction.refusal import Refusal
from harness.wire.alerts import AlertCode
from harness.wire.extensions import Extension
from harness.wire.groups import group_name


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyExchange:
    """The group of a TLS 1.3 handshake; `retry` if the server first asks the client for a share of it."""

    group: str
    retry: bool


def offered_groups(hello: HelloFacts) -> tuple[str, ...]:
    """Return the client's groups by name, in its order; empty without the extension."""
    return tuple(group_name(int(code, 16)) for code in hello.groups)


def shared_group(hello: HelloFacts, *, server: ServerFacts) -> str | None:
    """Return the group of an ECDHE handshake in TLS 1.2 or older; None without a shared one.

    A client that sends no groups gets no ECDHE suite from OpenSSL, although RFC 8422 section 4 lets the server choose.
    """
    ours = _usable(server, tls13=False)
    theirs = offered_groups(hello)
    preferred, other = (ours, theirs) if server.server_preference else (theirs, ours)
    return next((group for group in preferred if group in other), None)


def tls13_group(hello: HelloFacts, *, server: ServerFacts) -> KeyExchange | Refusal:
    """Return the group of a TLS 1.3 handshake, or the refusal; the client's share decides before 3.5, the tuples since."""
    theirs = offered_groups(hello)
    shares = tuple(group_name(int(code, 16)) for code in hello.key_share_groups)
    if Extension.KEY_SHARE not in hello.extensions:
        return Refusal(reason="NO_SUITABLE_KEY_SHARE", alert=AlertCode.MISSING_EXTENSION)
    if not theirs:
        return Refusal(reason="MISSING_SUPPORTED_GROUPS_EXTENSION", alert=AlertCode.MISSING_EXTENSION)
    usable = _usable(server, tls13=True)
    by_tuple = release(server) >= OPENSSL_3_5
    chosen = _by_tuple(theirs, shares, server=server) if by_tuple else _by_share(theirs, shares, usable=usable)
    if _stray_share(theirs, shares, usable=usable, server=server):
        return Refusal(reason="BAD_KEY_SHARE", alert=AlertCode.ILLEGAL_PARAMETER)
    return chosen or Refusal(reason="NO_SUITABLE_KEY_SHARE", alert=AlertCode.HANDSHAKE_FAILURE)


def _usable(server: ServerFacts, *, tls13: bool) -> tuple[str, ...]:
    """The server's groups that version and security level leave, in its order."""
    return tuple(group for each in group_tuples(server) for group in each if _fits(group, server=server, tls13=tls13))


def _fits(group: str, *, server: ServerFacts, tls13: bool) -> bool:
    """Whether version and security level leave a group."""
    return group_allowed(group, server=server) and group_fits_version(group, server=server, tls13=tls13)


def _by_share(theirs: tuple[str, ...], shares: tuple[str, ...], *, usable: tuple[str, ...]) -> KeyExchange | None:
    """Before 3.5: the client's first share that the server can use, whatever it prefers; else its own order."""
    for share in shares:
        if share in usable:
            return KeyExchange(group=share, retry=False)
    return next((KeyExchange(group=group, retry=True) for group in usable if group in theirs), None)


def _by_tuple(theirs: tuple[str, ...], shares: tuple[str, ...], *, server: ServerFacts) -> KeyExchange | None:
    """Since 3.5: the first tuple with a shared group decides; in it, an existing share comes before a request."""
    for each in group_tuples(server):
        usable = tuple(group for group in each if _fits(group, server=server, tls13=True))
        for candidates, retry in ((shares, False), (theirs, True)):
            preferred, other = (usable, candidates) if server.server_preference else (candidates, usable)
            found = next((group for group in preferred if group in other), None)
            if found is not None:
                return KeyExchange(group=found, retry=retry)
    return None


def _stray_share(
    theirs: tuple[str, ...], shares: tuple[str, ...], *, usable: tuple[str, ...], server: ServerFacts
) -> bool:
    """Whether there is a share of a group that the client does not list, which RFC 8446 section 4.2.8 forbids.

    Before 3.5 OpenSSL stops looking once it has a share that fits; since 3.5 it reads all of them first.
    """
    if release(server) < OPENSSL_3_5:
        first = next((index for index, share in enumerate(shares) if share in usable and share in theirs), None)
        shares = shares[:first]
    return any(share not in theirs for share in shares)
