"""Finds, by handshakes in memory, the settings of a context that Python does not report: versions, groups, signature algorithms.

OpenSSL reads them from openssl.cnf, $OPENSSL_CONF or a distribution's crypto-policies for every context of a process. Each
question is one ClientHello (`memory_handshake`); none costs the server a signature.
Part of the stand-alone server engine: stdlib only, CPython 3.8 and later. Knows codes, not OpenSSL's defaults.
"""

from __future__ import annotations

import functools
import ssl
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

if TYPE_CHECKING or __package__:
    from harness.server.engine.memory_handshake import ask
else:  # found next to this file; engine.py has put the folder on sys.path
    from memory_handshake import ask

_TLS12, _TLS13 = 0x0303, 0x0304
_VERSIONS = ((0x0301, "TLSv1"), (0x0302, "TLSv1.1"), (_TLS12, "TLSv1.2"), (_TLS13, "TLSv1.3"))
_PROTOCOL_VERSION, _INTERNAL_ERROR = 70, 80
_TLS13_SUITES = (0x1301, 0x1302, 0x1303, 0x1304, 0x1305)
# TLS_NULL_WITH_NULL_NULL, which nothing negotiates (RFC 5246 appendix A.5): the server gets exactly as far as the suites.
_NO_SUITE = (0x0000,)
_ANONYMOUS_SUITE = (0xC018,)
_ANONYMOUS_CIPHERS = "AECDH-AES128-SHA:@SECLEVEL=0"
# IANA's registry of groups, those that an OpenSSL can have.
_ANY_VERSION = (0x001D, 0x0017, 0x001E, 0x0018, 0x0019)
_UP_TO_TLS12 = (0x0015, 0x0016, 0x001A, 0x001B, 0x001C, 0x0013, 0x0014, 0x0012)
_ONLY_TLS13 = (
    *(0x11EC, 0x11EB, 0x11ED, 0x11EE, 0x0200, 0x0201, 0x0202),
    *(0x0100, 0x0101, 0x0102, 0x0103, 0x0104, 0x001F, 0x0020, 0x0021, 0x0029),
)
# IANA's registry of signature schemes, and the pairs of TLS 1.2 with SHA-224 (RFC 5246 section 7.4.1.4.1).
_SIGNATURES = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x081A, 0x081B, 0x081C, 0x0809, 0x080A, 0x080B),
    *(0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0303, 0x0203, 0x0301, 0x0201, 0x0904, 0x0905, 0x0906),
)
# Accepts any arguments and returns None without running Python code: inside OpenSSL, a signal's KeyboardInterrupt would be lost in it.
_ACCEPT_ANY_NAME = functools.partial(sys.audit, "tls-harness.sni")
# Since 3.5 groups form tuples: a share for a group of an earlier tuple comes before one for a later (SSL_CTX_set1_groups_list(3)).
_OPENSSL_3_5 = 0x30500000


def find_settings(context: ssl.SSLContext, *, tls12_groups: Sequence[int]) -> dict[str, Any] | None:
    """Find out what a context accepts.

    Args:
        context: a server's, with its certificates or without. Its `sni_callback` must not be in use.
        tls12_groups: what `groups_up_to_tls12` found for the same groups.

    Returns:
        {"versions": [name], "groups": [[code]] in tuples in order of preference, "signature_algorithms": [code]}, each as the security
        level allows; all empty if no version is left. None if there is no suite for the newest version: every hello is refused alike.
    """
    # With a callback, which might load a key, OpenSSL speaks TLS 1.3 whatever the present key (is_tls13_capable, ssl/statem/statem_lib.c).
    context.sni_callback = _ACCEPT_ANY_NAME
    try:
        answer = ask(context, _TLS12, suites=_NO_SUITE, groups=_ANY_VERSION, signatures=_SIGNATURES)
        # OpenSSL 1.1.1 has no reason for a range of versions that is empty, only the alert.
        if answer.reason == "NO_PROTOCOLS_AVAILABLE" or answer.alert == _INTERNAL_ERROR:
            return {"versions": [], "groups": [], "signature_algorithms": []}
        if answer.reason == "NO_CIPHERS_AVAILABLE":
            return None
        versions = [name for code, name in _VERSIONS if _speaks(context, code)]
        groups = [list(tls12_groups)]
        if "TLSv1.3" in versions:
            groups = _groups_of_tls13(context, tls12_groups, older=len(versions) > 1)
        return {
            "versions": versions,
            "groups": groups,
            "signature_algorithms": _signatures(context, versions),
        }
    finally:
        context.sni_callback = None


def groups_up_to_tls12(context: ssl.SSLContext) -> list[int]:
    """Return the groups that a context accepts in TLS 1.2, in its order of preference, whatever the security level.

    Args:
        context: one without certificates, with the groups in question. It is changed: only anonymous suites are left in it.
    """
    try:
        context.set_ciphers(_ANONYMOUS_CIPHERS)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    except (ssl.SSLError, ValueError):
        return []
    # Each common one costs a key generation: the others are tried first, alone.
    rare = _chosen(context, _TLS12, _UP_TO_TLS12)
    return _in_order(context, _TLS12, (*_ANY_VERSION, *(_UP_TO_TLS12 if rare is not None else ())))


def takes_anonymous(context: ssl.SSLContext) -> bool:
    """Return whether a context with anonymous suites uses one, which it does at security level 0 only."""
    context.set_ciphers(_ANONYMOUS_CIPHERS.partition(":")[0])
    return _chosen(context, _TLS12, _ANY_VERSION) is not None


def _speaks(context: ssl.SSLContext, version: int) -> bool:
    """Whether the context supports a version: it then lacks a suite; otherwise it chooses an older version or sends protocol_version."""
    answer = ask(context, version, suites=_NO_SUITE, groups=_ANY_VERSION, signatures=_SIGNATURES)
    return answer.alert != _PROTOCOL_VERSION and answer.alert_version == min(version, _TLS12)


def _signatures(context: ssl.SSLContext, versions: Sequence[str]) -> list[int]:
    """Offer one signature algorithm at a time; one that is not accepted has a separate reason, before suite or key matter."""
    version = next((code for code, name in _VERSIONS[2:] if name in versions), None)
    if version is None:
        return []
    suites = _NO_SUITE if version < _TLS13 else _TLS13_SUITES
    refusals = {
        code: ask(context, version, suites=suites, groups=_ANY_VERSION, signatures=(code,)).reason
        for code in _SIGNATURES
    }
    return [code for code, reason in refusals.items() if reason != "NO_SHARED_SIGNATURE_ALGORITHMS"]


def _groups_of_tls13(context: ssl.SSLContext, tls12_groups: Sequence[int], *, older: bool) -> list[list[int]]:
    """The groups of both versions in tuples; those that only TLS 1.2 has keep their predecessor there."""
    candidates = tuple(dict.fromkeys((*tls12_groups, *_ANY_VERSION, *_ONLY_TLS13, *_UP_TO_TLS12)))
    found = _in_order(context, _TLS13, candidates) or _one_at_a_time(context, candidates)
    tuples: list[list[int]] = []
    for group in found:
        if tuples and not _begins_tuple(context, tuples[-1][-1], group):
            tuples[-1].append(group)
        else:
            tuples.append([group])
    # A group that TLS 1.3 supports but does not accept is forbidden by the security level in both.
    return _with_older(
        tuples, [group for group in tls12_groups if group in found or group in _UP_TO_TLS12] if older else ()
    )


def _with_older(tuples: list[list[int]], older: Sequence[int]) -> list[list[int]]:
    before = None
    for group in older:
        if not any(group in each for each in tuples):
            home = next((each for each in tuples if before in each), None)
            if home is None:
                tuples.insert(0, [group])
            else:
                home.insert(home.index(before) + 1, group)  # type: ignore[arg-type]  # it is in there, so it is no None
        before = group
    return tuples


def _in_order(context: ssl.SSLContext, version: int, candidates: Sequence[int]) -> list[int]:
    """Offer groups and remove the chosen one, until none is chosen: the order is the server's."""
    left, found = list(candidates), []
    while left:
        group = _chosen(context, version, left)
        if group not in left:
            break
        left.remove(group)
        found.append(group)
    return found


def _one_at_a_time(context: ssl.SSLContext, candidates: Sequence[int]) -> list[int]:
    """The groups that a context accepts whose key cannot sign in TLS 1.3: the signature comes after the group."""
    refusals = {
        group: ask(context, _TLS13, suites=_TLS13_SUITES, groups=(group,), signatures=_SIGNATURES).reason
        for group in candidates
    }
    return [group for group, reason in refusals.items() if reason == "NO_SUITABLE_SIGNATURE_ALGORITHM"]


def _chosen(context: ssl.SSLContext, version: int, groups: Sequence[int]) -> int | None:
    suites = _ANONYMOUS_SUITE if version < _TLS13 else _TLS13_SUITES
    return ask(context, version, suites=suites, groups=groups, signatures=_SIGNATURES).group


def _begins_tuple(context: ssl.SSLContext, before: int, group: int) -> bool:
    """Whether a group is in a later tuple than the one before it: the server then requests that one although it has a share of this one."""
    if ssl.OPENSSL_VERSION_NUMBER < _OPENSSL_3_5:
        return False
    answer = ask(context, _TLS13, suites=_TLS13_SUITES, groups=(before, group), signatures=_SIGNATURES, shares=(group,))
    return answer.group == before
