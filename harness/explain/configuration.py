"""Settings of OpenSSL that Python does not show: openssl.cnf, $OPENSSL_CONF, a distribution's crypto-policies."""

from __future__ import annotations

from harness.explain import fixes
from harness.explain.evidence import Evidence
from harness.explain.no_shared_cipher import Cause, cause, suite_table
from harness.explain.no_shared_cipher import settings as server_settings
from harness.explain.registry import rule, told
from harness.model import Change, Explanation, Fix
from harness.oracle.prediction.groups import offered_groups
from harness.oracle.prediction.hidden import GROUPS, SIGNATURES, VERSIONS

# What to look for in the file (SSL_CONF_cmd(3)).
_COMMANDS = {
    GROUPS: "Groups (or Curves)",
    SIGNATURES: "SignatureAlgorithms",
    VERSIONS: "MinProtocol, MaxProtocol and Protocol",
}
# Groups that set_ecdh_curve accepts on every Python, by IANA's name.
_SETTABLE = {"secp256r1": "prime256v1", "secp384r1": "secp384r1", "secp521r1": "secp521r1"}
_KEY_FIXES = {"EC": fixes.ec_key, "RSA": fixes.rsa_key}
_KEY_WORDS = {"EC": ("ecdsa",), "RSA": ("rsa_pkcs1", "rsa_pss_rsae")}
_SHOWN = 6


@rule("configuration/found-by-handshake")
def found_by_handshake(evidence: Evidence) -> Explanation | None:
    """A setting that was found by handshakes in memory, without which the server would have continued."""
    if not evidence.hidden:
        return None
    what = " and ".join(evidence.hidden)
    values = [f"{name} determined by test handshakes: {_shortened(found)}" for name, found in evidence.hidden.items()]
    table = suite_table(evidence) if cause(evidence) is not None else server_settings(evidence)
    return told(
        f"OpenSSL's configuration on the server limits the {what}, which Python does not show",
        why=(*values, *_offers(evidence), *table),
        fixes=(*_overriding(evidence), _configuration(*(_COMMANDS[name] for name in evidence.hidden))),
    )


@rule("configuration/unreadable")
def unreadable(evidence: Evidence) -> Explanation | None:
    """A suite was offered that nothing known excludes, and the server found none."""
    if cause(evidence) is not Cause.UNREADABLE:
        return None
    usable = [item.name for item in evidence.selection if not item.reasons]
    return told(
        why=(f"nothing excludes {_shortened(usable)}", *suite_table(evidence)),
        fixes=(_configuration(*_COMMANDS.values(), "CipherString", "Options"),),
    )


def _shortened(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "none") + more


def _offers(evidence: Evidence) -> tuple[str, ...]:
    """Return what the board offers instead, if the table does not show it."""
    lines = []
    if SIGNATURES in evidence.hidden and evidence.hello is not None:
        lines.append(f"the board lists the schemes {', '.join(evidence.schemes) or 'none'}")
    if VERSIONS in evidence.hidden:
        lines.append(f"the board offers {', '.join(evidence.client_versions) or 'unknown'}")
    return tuple(lines)


def _overriding(evidence: Evidence) -> tuple[Fix, ...]:
    """Return what the server's program can change without another configuration."""
    hello, server = evidence.hello, evidence.server
    if hello is None or server is None:
        return ()
    found = []
    if GROUPS in evidence.hidden:
        group = next((group for group in offered_groups(hello) if group in _SETTABLE), None)
        if group is not None:
            curve = _SETTABLE[group]
            found.append(
                Fix(
                    title=f"let the server use {group} for the key exchange: the program's own call comes before the configuration",
                    server_lines=(f'context.set_ecdh_curve("{curve}")',),
                    change=Change(server={"curve": curve}),
                )
            )
    if SIGNATURES in evidence.hidden:
        allowed = evidence.hidden[SIGNATURES]
        found += [
            _KEY_FIXES[kind]()
            for kind, words in _KEY_WORDS.items()
            if kind not in evidence.key_types and any(name.startswith(words) for name in allowed)
        ]
    return tuple(found)


def _configuration(*commands: str) -> Fix:
    """Return where the settings are, and how to check that they are the cause."""
    return Fix(
        title="change OpenSSL's configuration on the server's machine",
        server_lines=(
            "$ OPENSSL_CONF=/dev/null python3 server.py  # if the board connects now, the configuration is the cause",
            "$ python3 -c \"import os, ssl; print(os.environ.get('OPENSSL_CONF'), ssl.get_default_verify_paths().openssl_cafile)\"",
            "# the first is the file unless it is None; else it is openssl.cnf in the folder of the second",
            f"# look there for {', '.join(commands)}; on Fedora and RHEL also: update-crypto-policies --show",
        ),
    )
