"""The comparison of an observation with what a test expects."""

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.expect import Expect
from harness.pytest_plugin.fixtures import Board
from harness.pytest_plugin.server_settings import make_server


@pytest.fixture
def board(lab, spec):
    """Return the virtual board as the `board` fixture does."""
    return Board(lab, spec, "in-process")


def test_who_refused_follows_from_the_reason(board):
    """Without `by`, a received alert as the server's reason means that the client ended it."""
    seen = board.connect(make_server("server-p256", maximum_version="TLSv1.2"), verify="required", ca="ca-other")
    Expect().refused(seen, server="TLSV1_ALERT_UNKNOWN_CA", alert=48, client="not_trusted")
    with pytest.raises(AssertionError, match="- ended_by: expected server, got client"):
        Expect().refused(seen, by="server", server="TLSV1_ALERT_UNKNOWN_CA", alert=48, client="not_trusted")


def test_every_difference_is_listed(board):
    """The message lists the differences of all sides, then the real observation."""
    seen = board.connect(make_server("server-p256", maximum_version="TLSv1.2"), verify="required", ca="ca-other")
    with pytest.raises(AssertionError) as caught:
        Expect().refused(seen, server="NO_SHARED_CIPHER", alert="handshake_failure", client=-30592)
    assert str(caught.value).splitlines() == [
        "refused expected, got refused by the client at handshake",
        "  expected    refused by the server at handshake; server SSLError NO_SHARED_CIPHER; client OSError -30592; "
        "alert handshake_failure(40) from the server",
        "- ended_by: expected server, got client",
        "- server.reason: expected NO_SHARED_CIPHER, got TLSV1_ALERT_UNKNOWN_CA",
        "- client.type: expected OSError, got ValueError",
        "- client.number: expected -30592, got none",
        "- alert: expected handshake_failure (40) from the server, got unknown_ca (48) from the client",
        "  server      SSLError TLSV1_ALERT_UNKNOWN_CA, at handshake",
        "  client      ValueError not_trusted, at handshake",
        "  alert       unknown_ca(48) fatal from the client",
        "  negotiated  TLSv1.2, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, secp256r1",
    ]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"by": "board"}, "'board' is not one of server, client"),
        ({"stage": "start"}, "'start' is not one of config, connect, handshake, read, write, close"),
        ({"alert": "no_such"}, "no TLS alert has this name"),
        ({"reason": "X"}, "unknown setting 'reason'"),
    ],
)
def test_expect_refuses(wanted, message):
    """A mistake in the expectation is an error, not a difference of the observation."""
    with pytest.raises(UsageError, match=message):
        Expect().refused(None, **wanted)
