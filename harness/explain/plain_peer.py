"""A server that speaks a protocol without TLS, found by a plain probe: which one, and how to get TLS there."""

from __future__ import annotations

from harness.explain.client_lines import connecting
from harness.explain.evidence import Evidence
from harness.explain.registry import rule, told
from harness.explain.switching import asking_for_tls
from harness.model import Change, Explanation, Fix
from harness.wire.plain_protocols import TLS_PORTS, PlainPeer, PlainProtocol

# The lines with which a server of this protocol speaks TLS on a port of its own.
_SERVERS = {
    PlainProtocol.MQTT: ("mosquitto  listener 8883", "mosquitto  certfile cert.pem", "mosquitto  keyfile key.pem"),
    PlainProtocol.HTTP: (
        "nginx      listen 443 ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem;",
        "Apache     Listen 443",
        "Apache     SSLEngine on",
        "Apache     SSLCertificateFile cert.pem",
        "Apache     SSLCertificateKeyFile key.pem",
        "HAProxy    $ cat cert.pem key.pem > both.pem",
        "HAProxy    bind :443 ssl crt both.pem",
    ),
}
_PYTHON = "tls = context.wrap_socket(sock, server_side=True)"


@rule("plain-peer/starttls")
def starttls(evidence: Evidence) -> Explanation | None:
    """Mail and FTP servers begin in plain text and switch to TLS on request."""
    peer = evidence.plain
    if peer is None or evidence.accepted or peer.protocol is None or not peer.offers_tls:
        return None
    return told(
        f"this port begins in plain {peer.protocol}: the server starts TLS only after the client asks for it (STARTTLS)",
        why=(_heard(peer), f"it offers TLS: it lists {_word(peer.protocol)}", "the board sent a ClientHello at once"),
        fixes=(
            _other_port(peer.protocol),
            Fix(
                title=f"ask for TLS on the board before wrap_socket: {_word(peer.protocol)}",
                client_lines=_switching(evidence, peer.protocol),
                change=Change(route={"starttls": peer.protocol}),
            ),
        ),
    )


@rule("plain-peer/no-tls")
def no_tls(evidence: Evidence) -> Explanation | None:
    """The wrong port, or a server without TLS."""
    peer = evidence.plain
    if peer is None or evidence.accepted or peer.offers_tls:
        return None
    if peer.protocol is None:
        name = "a protocol that is not TLS"
    elif peer.offers_tls is None:
        name = f"plain {peer.protocol}, not TLS"
    else:
        name = f"plain {peer.protocol}, and the server does not offer to start TLS"
    return told(f"this port speaks {name}", why=(_heard(peer),), fixes=_ways_to_tls(peer.protocol))


def _heard(peer: PlainPeer) -> str:
    """Return how it was found out."""
    if peer.asked is None:
        return f"it speaks first, without TLS: {peer.said}"
    return f"this machine sent {peer.asked} without TLS, and it answered: {peer.said}"


def _ways_to_tls(protocol: PlainProtocol | None) -> tuple[Fix, ...]:
    if protocol is PlainProtocol.SSH:
        return (Fix(title="connect to another port: SSH has an encryption of its own, and a TLS client cannot use it"),)
    serve = Fix(title="let the server speak TLS", server_lines=(_PYTHON,))
    if protocol is None:
        return (Fix(title="connect to the server's TLS port"), serve)
    lines = (f"Python     {_PYTHON}", *_SERVERS[protocol]) if protocol in _SERVERS else (_PYTHON,)
    return (_other_port(protocol), Fix(title=serve.title, server_lines=lines))


def _other_port(protocol: PlainProtocol) -> Fix:
    port = TLS_PORTS[protocol]
    return Fix(
        title=f"connect to the server's TLS port: usually {port} for {protocol}", change=Change(route={"port": port})
    )


def _word(protocol: PlainProtocol) -> str:
    return {PlainProtocol.POP3: "STLS", PlainProtocol.FTP: "AUTH TLS"}.get(protocol, "STARTTLS")


def _switching(evidence: Evidence, protocol: PlainProtocol) -> tuple[str, ...]:
    """Return the client's code: the dialogue in plain text goes between connect() and wrap_socket()."""
    lines = connecting(evidence.info, host=evidence.case.client.server_hostname)
    return (*lines[:-1], *asking_for_tls(protocol), lines[-1])
