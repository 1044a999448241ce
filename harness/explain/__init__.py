"""Why a handshake failed, in the user's words, with the evidence and what to change. Pure: records in, a record out.

One rule is one function in its topic's file; exactly one should match a result. Rules are tried in the order of TOPICS, and within a
topic in the order of its file; the first match is the explanation. Must not know boards, servers, runs or reports.
"""

from __future__ import annotations

import importlib

from harness.expectations.differences import known_reason
from harness.explain.evidence import Evidence
from harness.explain.registry import first, fitting
from harness.model import Explanation, Fix

__all__ = ["NO_RULE", "candidates", "explain"]

NO_RULE = "none"
# In the order in which they are tried: lack of memory precedes the literal meaning of a message.
TOPICS = (
    *("memory", "link", "api", "names", "clock", "client_auth", "configuration", "ciphers", "groups", "versions"),
    *("certificates", "identity", "plain_peer", "peer", "closing"),
)

_COMPARE = Fix(
    title="try the server with another client, and read its log",
    server_lines=("$ openssl s_client -connect HOST:PORT -msg",),
)


def explain(evidence: Evidence) -> Explanation:
    """Explain why a case did not connect, or why it connected although it must not.

    Returns:
        The explanation of the rule that fits; one with the rule `none` and the evidence if none does.
    """
    _load()
    return first(evidence) or _unexplained(evidence)


def candidates(evidence: Evidence) -> tuple[Explanation, ...]:
    """Return what every rule that fits says, for tests: there must be one."""
    _load()
    return fitting(evidence)


def _load() -> None:
    """Load the topics once: a run in which everything connects needs none of them."""
    for topic in TOPICS:
        importlib.import_module(f"{__name__}.{topic}")


def _unexplained(evidence: Evidence) -> Explanation:
    seen = evidence.seen
    why = [f"outcome: {seen.outcome}" + (f" at {seen.stage}" if seen.stage else "")]
    why.append(f"server: {seen.server.type} {seen.server.reason or ''}".rstrip() if seen.server else "server: no error")
    if seen.client:
        arguments = ", ".join(repr(item)[:80] for item in seen.client.args)
        why.append(f"client: {seen.client.type}({arguments})")
    else:
        why.append("client: no error")
    why += [f"alert: {item.name}({item.code}) {item.level} from the {item.sender}" for item in seen.alerts]
    if evidence.hello is not None:
        why.append(f"the client offered {len(evidence.selection)} suites, {', '.join(evidence.client_versions)}")
    known = known_reason(evidence.case.id, evidence.info)
    title = (
        "the cause of this result is not known; this is the evidence" if known is None else f"on this firmware: {known}"
    )
    return Explanation(rule=NO_RULE, title=title, why=tuple(why), fixes=(_COMPARE,) if known is None else ())
