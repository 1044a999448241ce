"""Which settings of a server Python does not show: those that handshakes found to differ from what Python and OpenSSL's release say.

They come from openssl.cnf, $OPENSSL_CONF or a distribution's crypto-policies.
"""

from __future__ import annotations

from dataclasses import replace

from harness.model import FoundSettings, ServerFacts
from harness.oracle.prediction.openssl import GroupTuples, configured_groups, group_allowed, group_fits_version
from harness.oracle.prediction.signatures import configured_signatures
from harness.oracle.prediction.versions import configured_versions
from harness.wire.versions import TLS12, TLS13, version_name

VERSIONS = "versions"
GROUPS = "groups"
SIGNATURES = "signature algorithms"


def hidden_settings(server: ServerFacts) -> dict[str, tuple[str, ...]]:
    """Return the found values of each setting that lacks something, by what it is; empty where nothing was found or all is as usual.

    Only what is missing counts: a newer OpenSSL may have groups and schemes that the tables here do not know.
    """
    found = server.found
    if found is None:
        return {}
    usual = _as_found(server)
    if not found.versions:
        # Nothing else could be asked.
        return {VERSIONS: ()} if usual.versions else {}
    values = {
        VERSIONS: (found.versions, usual.versions),
        GROUPS: (_flat(found.groups), _flat(usual.groups)),
        SIGNATURES: (found.signature_algorithms, usual.signature_algorithms),
    }
    return {what: seen for what, (seen, expected) in values.items() if set(expected) - set(seen)}


def as_configured(server: ServerFacts, *settings: str) -> ServerFacts:
    """Return the facts with these settings as Python shows them, instead of as they were found."""
    if server.found is None:
        return server
    usual = _as_found(server)
    if not server.found.versions:
        return replace(server, found=usual if VERSIONS in settings else server.found)
    return replace(
        server,
        found=FoundSettings(
            versions=usual.versions if VERSIONS in settings else server.found.versions,
            groups=usual.groups if GROUPS in settings else server.found.groups,
            signature_algorithms=(
                usual.signature_algorithms if SIGNATURES in settings else server.found.signature_algorithms
            ),
        ),
    )


def _as_found(server: ServerFacts) -> FoundSettings:
    """What handshakes would find if Python showed everything."""
    versions = tuple(version_name(version) for version in reversed(configured_versions(server)))
    if not versions:
        return FoundSettings(versions=(), groups=(), signature_algorithms=())
    signs = not {version_name(TLS12), version_name(TLS13)}.isdisjoint(versions)
    return FoundSettings(
        versions=versions,
        groups=_usable(configured_groups(server), server=server, versions=versions),
        signature_algorithms=configured_signatures(server) if signs else (),
    )


def _usable(groups: GroupTuples, *, server: ServerFacts, versions: tuple[str, ...]) -> GroupTuples:
    """The groups that the security level allows and a version of the server has."""
    tls13 = {name == version_name(TLS13) for name in versions}
    kept = (
        tuple(
            group
            for group in each
            if group_allowed(group, server=server)
            and any(group_fits_version(group, server=server, tls13=newest) for newest in tls13)
        )
        for each in groups
    )
    return tuple(each for each in kept if each)


def _flat(groups: GroupTuples) -> tuple[str, ...]:
    return tuple(group for each in groups for group in each)
