"""No TLS yet: the TCP connection or the name lookup failed."""

from __future__ import annotations

from harness.explain.evidence import Evidence
from harness.explain.registry import rule, told
from harness.model import Explanation, Fix, Stage


def _at_connect(evidence: Evidence) -> bool:
    return evidence.seen.stage is Stage.CONNECT


def _ends(evidence: Evidence) -> tuple[str, ...]:
    seen = evidence.seen
    return (
        f"board: {seen.board_address or evidence.info.address or 'address unknown'}",
        f"server: {seen.server_address or 'address unknown'}",
    )


@rule("link/name-not-found")
def name_not_found(evidence: Evidence) -> Explanation | None:
    """getaddrinfo: -2, on esp32 -202."""
    if not _at_connect(evidence) or not any(name.startswith("EAI_") for name in evidence.client_names):
        return None
    return told(
        why=(f"OSError {evidence.number}", *_ends(evidence)),
        fixes=(Fix(title="connect to an address, and pass the name as server_hostname"),),
    )


@rule("link/refused")
def refused(evidence: Evidence) -> Explanation | None:
    """No listener."""
    if not _at_connect(evidence) or "ECONNREFUSED" not in evidence.client_names:
        return None
    return told(
        why=_ends(evidence),
        fixes=(
            Fix(
                title="start the server, and bind it to an address that the board can reach",
                server_lines=('sock.bind(("", PORT))  # not 127.0.0.1',),
            ),
        ),
    )


@rule("link/unreachable")
def unreachable(evidence: Evidence) -> Explanation | None:
    """Any other network error."""
    if not _at_connect(evidence) or evidence.client is None or "ECONNREFUSED" in evidence.client_names:
        return None
    if any(name.startswith("EAI_") for name in evidence.client_names):
        return None
    return told(
        why=(f"the board says {' '.join(sorted(evidence.client_names)) or evidence.number}", *_ends(evidence)),
        fixes=(
            Fix(title="check the firewall, client isolation in the WiFi, the interface, and that the WiFi is 2.4 GHz"),
        ),
    )


@rule("link/target")
def target(evidence: Evidence) -> Explanation | None:
    """The harness itself cannot reach the server, without a board."""
    failure = evidence.seen.server
    if (
        not _at_connect(evidence)
        or evidence.client is not None
        or failure is None
        or failure.stage is not Stage.CONNECT
    ):
        return None
    words = {"ECONNREFUSED": "nothing listens at that address and port", "ETIMEDOUT": "nothing answers there"}
    looked_up = (failure.reason or "").startswith("EAI_")
    return told(
        words.get(failure.reason or "", "its name cannot be looked up" if looked_up else "it cannot be reached"),
        why=(
            f"this machine tried {evidence.seen.server_address or 'it'}: {failure.reason}",
            "neither the board nor TLS was involved yet",
        ),
        fixes=(
            Fix(title="start the server, or name the host and port that it listens on"),
            Fix(title="check the firewalls in between", server_lines=("$ openssl s_client -connect HOST:PORT",)),
        ),
    )
