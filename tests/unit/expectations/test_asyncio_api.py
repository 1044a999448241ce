"""What differs through asyncio: nothing but the type of a time-out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.expectations.asyncio_api import through
from harness.expectations.builders import connected, hung, refused
from harness.model import ClientApi, Expectation

REFUSED = refused(by="server", server="NO_SHARED_CIPHER", alert=40, client=-30592)


def test_a_timeout_is_asyncios_own() -> None:
    """Stage and outcome stay: a hang is the same through both APIs."""
    for stage in ("handshake", "read"):
        expected = hung(stage=stage)
        assert through(ClientApi.ASYNCIO, expected) == replace(expected, client_type="TimeoutError")
        assert through(ClientApi.SOCKET, expected) == expected


@pytest.mark.parametrize("expected", [connected(), REFUSED, replace(hung(), client_type=None)])
def test_everything_else_is_the_same(expected: Expectation) -> None:
    """Errors keep type and number; a field that a case leaves open stays open."""
    assert through(ClientApi.ASYNCIO, expected) == expected
