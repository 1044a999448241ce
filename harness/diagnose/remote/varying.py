"""Find out what a server insists on: offer what the board offers, then more, then less, until nothing can be left out.

Pure: the caller passes a function that asks. At most seven hellos.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.diagnose.remote.learning import GROUPS, SIGNATURES, Ask
from harness.model import HelloFacts, Side
from harness.wire.hello_bytes import client_hello
from harness.wire.insistence import Addition, Insistence
from harness.wire.reading import WireReading
from harness.wire.suites import is_signal
from harness.wire.versions import TLS12

# Protocols that servers behind one port distinguish; the third is what AWS IoT expects on 443.
_ALPN = ("http/1.1", "mqtt", "x-amzn-mqtt-ca", "h2", "http/1.0")


def insistence(ask: Ask, hello: HelloFacts, *, name: str | None) -> Insistence | None:
    """Return what must be added to a refused ClientHello.

    Args:
        ask: sends a hello and reads the answer.
        hello: the board's.
        name: a server name to add if the board sends none; None if none is known.

    Returns:
        None if the server refuses it with every addition, or accepts it from this machine without any.
    """
    if _accepts(ask(_offer(hello, (), name=name))):
        return None
    needed = tuple(item for item in Addition if item is not Addition.SERVER_NAME or (not hello.sni and name))
    answer = ask(_offer(hello, needed, name=name))
    if not _accepts(answer):
        return None
    for item in needed:
        fewer = tuple(other for other in needed if other is not item)
        less = ask(_offer(hello, fewer, name=name)) if fewer else None
        if _accepts(less):
            needed, answer = fewer, less
    if answer is None:
        return None
    return Insistence(
        additions=needed,
        name=name if Addition.SERVER_NAME in needed else None,
        alpn=answer.alpn,
        group=answer.negotiated.group,
        signature=answer.signature_algorithm,
    )


def _accepts(answer: WireReading | None) -> bool:
    """Whether the server went on."""
    if answer is None or answer.server_hello is None:
        return False
    return not any(alert.is_fatal and alert.sender is Side.SERVER for alert in answer.alerts)


def _offer(hello: HelloFacts, additions: Sequence[Addition], *, name: str | None) -> bytes:
    """Write the board's hello, up to TLS 1.2, with additions; what the board offers stays in front."""
    groups = [int(code, 16) for code in hello.groups]
    signatures = [int(code, 16) for code in hello.signature_algorithms]
    if Addition.GROUPS in additions:
        groups += [code for code in GROUPS if code not in groups]
    if Addition.SIGNATURES in additions:
        signatures += [code for code in SIGNATURES if code not in signatures]
    return client_hello(
        version=max((int(code, 16) for code in hello.versions if int(code, 16) <= TLS12), default=TLS12),
        suites=[code for code in (int(text, 16) for text in hello.suites) if not is_signal(code)],
        groups=groups,
        signature_algorithms=signatures,
        name=hello.sni or (name if Addition.SERVER_NAME in additions else None),
        alpn=_ALPN if Addition.ALPN in additions else (),
        extended_master_secret=Addition.EXTENDED_MASTER_SECRET in additions,
    )
