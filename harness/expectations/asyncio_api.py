"""How the expectation of a case differs where the board connects through asyncio: the one place that knows. Pure.

What a case states is of the socket API. Everything else is the same, because the agent names stages by what has happened: the handshake
ends with the first write that is accepted, whichever call raises its error (docs/asyncio.md).
"""

from __future__ import annotations

from dataclasses import replace

from harness.model import ClientApi, Expectation, Outcome


def through(api: ClientApi, expected: Expectation) -> Expectation:
    """Return what must happen through this API.

    Args:
        api: through which the board connects.
        expected: what the case states.

    A socket's timeout is an OSError with the port's ETIMEDOUT. asyncio sockets have no timeout: wait_for() raises a TimeoutError of its
    own (MicroPython extmod/asyncio/core.py and funcs.py, the same from 1.22 to 1.28).
    """
    if api is ClientApi.ASYNCIO and expected.outcome is Outcome.HUNG and expected.client_type == "OSError":
        return replace(expected, client_type="TimeoutError")
    return expected
