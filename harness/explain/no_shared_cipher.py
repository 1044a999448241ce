"""Which of the causes of NO_SHARED_CIPHER applies: the suites with the fewest obstacles decide.

Knows the reasons that `harness.oracle.predict` gives for every suite. Must not know fixes.
"""

from __future__ import annotations

from enum import StrEnum

from harness.explain.evidence import Evidence, table
from harness.model import Behaviour, ServerFacts
from harness.oracle.predict import Exclusion, SuiteVerdict
from harness.oracle.prediction.groups import offered_groups
from harness.oracle.prediction.hidden import GROUPS, hidden_settings
from harness.wire.suites import SuiteInfo, suite_info

REASON = "NO_SHARED_CIPHER"
_WORDS = {
    Exclusion.UNKNOWN: "unknown suite",
    Exclusion.NOT_ALLOWED: "not in the server's list",
    Exclusion.VERSION: "for a different TLS version",
    Exclusion.SECURITY_LEVEL: "too weak for the security level",
    Exclusion.NO_CERTIFICATE: "the server has no certificate",
    Exclusion.KEY_TYPE: "needs {needed}, the server's key is {keys}",
    Exclusion.KEY_CURVE: "the board does not list the key's curve {curve}",
    Exclusion.KEY_USAGE: "the certificate's KeyUsage forbids signing",
    Exclusion.NO_SIGNATURE: "the board offers no signature algorithm for a {keys} key",
    Exclusion.NO_GROUP: "no group in common",
    Exclusion.NO_DH_PARAMETERS: "the server has no DH parameters",
    Exclusion.NO_PSK: "no pre-shared key",
    Exclusion.NOT_IMPLEMENTED: "OpenSSL does not support this key exchange",
}
_NEEDED = {"RSA": "an RSA key", "ECDSA": "an EC key", "DSS": "a DSA key"}
# More lines than this are not useful; a distribution's mbedTLS offers 109 suites.
_LINES = 24


class Cause(StrEnum):
    """The causes; each has its rule."""

    NOTHING_OFFERED = "nothing-offered"
    HIDDEN_SETTING = "found-by-handshake"
    UNREADABLE = "unreadable"
    NO_CERTIFICATE = "no-certificate"
    TLS13_WITHOUT_SUITES = "tls13-without-suites"
    PRE_SHARED_KEY = "pre-shared-key"
    KEY_USAGE = "key-usage"
    KEY_CURVE = "key-curve"
    KEY_SIGNATURE = "key-without-signature"
    NO_GROUP = "no-common-group"
    PLAIN_RSA_ONLY = "plain-rsa-only"
    CONTRADICTION = "server-contradicts-itself"
    KEY_TYPE = "key-type"
    RSA_SUITES_ONLY = "ecdhe-rsa-only"
    SHA1_MAC_ONLY = "sha1-mac-only"
    SECURITY_LEVEL = "security-level"
    NO_DH_PARAMETERS = "no-dh-parameters"
    NOTHING_IN_COMMON = "nothing-in-common"


# The precedence of single obstacles. A key of the wrong type comes last, since every
# server with one key has this obstacle for half of the list.
_SINGLE = (
    (Exclusion.KEY_USAGE, Cause.KEY_USAGE),
    (Exclusion.KEY_CURVE, Cause.KEY_CURVE),
    (Exclusion.NO_SIGNATURE, Cause.KEY_SIGNATURE),
    (Exclusion.NO_GROUP, Cause.NO_GROUP),
    (Exclusion.NO_DH_PARAMETERS, Cause.NO_DH_PARAMETERS),
    (Exclusion.SECURITY_LEVEL, Cause.SECURITY_LEVEL),
)


def cause(evidence: Evidence) -> Cause | None:
    """The cause of NO_SHARED_CIPHER; None for any other failure, or without the ClientHello and the server's settings."""
    if evidence.reason != REASON or evidence.hello is None or evidence.server is None:
        return None
    # Every rule of the topic calls this; the answer is computed once.
    if "cause" not in evidence.kept:
        evidence.kept["cause"] = _cause(evidence, evidence.selection)
    return Cause(evidence.kept["cause"])


def _cause(evidence: Evidence, offered: tuple[SuiteVerdict, ...]) -> Cause:
    suites = [info for item in offered if (info := suite_info(int(item.code, 16))) is not None]
    if not offered:
        return Cause.NOTHING_OFFERED
    if evidence.hidden:
        return Cause.HIDDEN_SETTING
    if any(not item.reasons for item in offered):
        return Cause.UNREADABLE
    if all(Exclusion.NO_PSK in item.reasons for item in offered) or _serves_psk_only(evidence):
        return Cause.PRE_SHARED_KEY
    if not evidence.key_types:
        return Cause.NO_CERTIFICATE
    if evidence.chose_tls13 and not any(info.tls13 for info in suites):
        return Cause.TLS13_WITHOUT_SUITES
    unlisted = all(Exclusion.NOT_ALLOWED in item.reasons for item in offered) or not _allows(evidence, "RSA")
    if all(info.key_exchange == "RSA" for info in suites) and unlisted:
        return Cause.PLAIN_RSA_ONLY
    single = {item.reasons[0] for item in offered if len(item.reasons) == 1}
    for exclusion, found in _SINGLE:
        if exclusion in single:
            return found
    if _contradicts_itself(evidence):
        return Cause.CONTRADICTION
    return _by_key_or_list(evidence, offered, single=single)


def _by_key_or_list(evidence: Evidence, offered: tuple[SuiteVerdict, ...], *, single: set[Exclusion]) -> Cause:
    fitting = [item for item in offered if Exclusion.KEY_TYPE not in item.reasons]
    known = (suite_info(int(item.code, 16)) for item in offered)
    needed = {info.authentication for info in known if info is not None} & set(_NEEDED)
    wrong_key = Cause.RSA_SUITES_ONLY if needed == {"RSA"} and "RSA" not in evidence.key_types else Cause.KEY_TYPE
    listed = [item for item in offered if Exclusion.NOT_ALLOWED not in item.reasons]
    if Exclusion.KEY_TYPE in single or (listed and all(Exclusion.KEY_TYPE in item.reasons for item in listed)):
        return wrong_key
    if not fitting and wrong_key is Cause.RSA_SUITES_ONLY:
        return wrong_key
    macs = {info.mac for item in fitting if (info := suite_info(int(item.code, 16))) is not None}
    if macs == {"SHA"} and not _allows_sha1(evidence):
        return Cause.SHA1_MAC_ONLY
    return Cause.NOTHING_IN_COMMON


def _server_suites(evidence: Evidence) -> list[SuiteInfo]:
    server = evidence.server
    known = (suite_info(code) for code, _protocol, _name in server.suites) if server else ()
    return [info for info in known if info is not None and not info.tls13]


def _allows(evidence: Evidence, key_exchange: str) -> bool:
    return any(info.key_exchange == key_exchange for info in _server_suites(evidence))


def _allows_sha1(evidence: Evidence) -> bool:
    return any(info.mac == "SHA" for info in _server_suites(evidence))


def _serves_psk_only(evidence: Evidence) -> bool:
    """Whether the server has only a pre-shared key."""
    psk = evidence.server is not None and evidence.server.behaviour.get("name") == Behaviour.PSK
    return psk and all(info.needs_psk for info in _server_suites(evidence))


def _contradicts_itself(evidence: Evidence) -> bool:
    """Whether none of the server's own suites up to TLS 1.2 can be used with its own keys."""
    kinds = set(evidence.key_types)
    usable = {"RSA"} if "RSA" in kinds or "RSA-PSS" in kinds else set()
    usable |= {"ECDSA"} if kinds & {"EC", "Ed25519", "Ed448"} else set()
    suites = [info for info in _server_suites(evidence) if not info.needs_psk]
    return bool(suites) and not any(info.authentication in usable for info in suites)


def suite_table(evidence: Evidence) -> tuple[str, ...]:
    """Return a line per offered suite with its obstacles, then both sides' other settings."""
    rows = [
        (item.name, "; ".join(_words(item, evidence)) or "nothing known excludes it") for item in evidence.selection
    ]
    more = len(rows) - _LINES
    rest = (f"... and {more} more suite{'s' * (more > 1)}",) if more > 0 else ()
    return (*table(*rows[:_LINES]), *rest, *settings(evidence))


def settings(evidence: Evidence) -> tuple[str, ...]:
    """Return the server's settings in two lines, and the groups of both sides."""
    server, hello = evidence.server, evidence.hello
    if server is None or hello is None:
        return ()
    keys = ", ".join(f"{key.type} {key.curve or key.bits}" for key in server.keys) or "none"
    who = f"Python {server.python}, {server.openssl}" if server.python else server.openssl
    return (
        f"server: {who}, {len(server.suites)} suites, key {keys}, {evidence.server_versions}",
        f"groups: server {_groups(server)}; board {', '.join(offered_groups(hello)) or 'none'}",
    )


def _groups(server: ServerFacts) -> str:
    """The groups of the key exchange: found by handshakes if Python does not show them, those that Python set, or OpenSSL's own."""
    hidden = hidden_settings(server).get(GROUPS)
    if hidden is not None:
        return f"{', '.join(hidden) or 'none of the usual ones'} (determined by test handshakes)"
    if server.groups is not None:
        return ", ".join(server.groups) or "none of the usual ones"
    return "OpenSSL's default" if server.found is None else "OpenSSL's default (determined by test handshakes)"


def _words(item: SuiteVerdict, evidence: Evidence) -> list[str]:
    info = suite_info(int(item.code, 16))
    needed = _NEEDED.get(info.authentication, "another key") if info else "another key"
    curve = next((key.curve for key in evidence.server.keys if key.curve), None) if evidence.server else None
    keys = " and ".join(evidence.key_types)
    return [_WORDS.get(reason, reason.value).format(needed=needed, keys=keys, curve=curve) for reason in item.reasons]
