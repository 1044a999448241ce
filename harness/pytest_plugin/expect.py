"""The comparison of an observation with what a test expects: both sides and the wire at once.

Knows the judge and its texts; must not import pytest, so that it works in a script.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from harness.errors import UsageError
from harness.expectations import builders as expectations
from harness.model import Expectation, Observation, Side, Stage
from harness.oracle.judge import mismatches
from harness.pytest_plugin.arguments import NegotiatedValues, RefusalDetails
from harness.pytest_plugin.connections import Connections
from harness.pytest_plugin.given_words import as_tuple, check_names, word_of
from harness.reports.record.plain import plain
from harness.reports.text.failure_text import expected_text, mismatch_lines, outcome_text, side_lines, why_lines
from harness.system.near_names import did_you_mean
from harness.wire.alerts import alert_code, alert_names


class Expect:
    """Compares an observation with what must have happened, both sides and the wire at once.

    Args:
        connections: those of the board, which get what was expected of them; a failure then says why it is one.
    """

    def __init__(self, connections: Connections | None = None) -> None:
        self.connections = connections or Connections()

    def connected(
        self,
        seen: Observation,
        **negotiated: Unpack[NegotiatedValues],
    ) -> Observation:
        """Assert that text was exchanged both ways without an error on either side.

        Args:
            seen: from `board.connect`.
            negotiated: what must have been agreed on. Each one that is left out is not checked:
                version: as `"TLSv1.2"`.
                suite: IANA's name, as `"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"`.
                group: IANA's name of the key exchange group, as `"secp256r1"`.

        Returns:
            The observation.

        Raises:
            AssertionError: listing every difference.
            UsageError: there is no such value.
        """
        __tracebackhide__ = True
        check_names(negotiated, NegotiatedValues.__annotations__, where="expect.connected")
        return self._compare(expectations.connected(**negotiated), seen)

    def refused(
        self,
        seen: Observation,
        *,
        by: str | None = None,
        stage: str = "handshake",
        server: str | None = None,
        alert: int | str | None = None,
        client: int | str | Iterable[str] | None = None,
        **details: Unpack[RefusalDetails],
    ) -> Observation:
        """Assert that one side ended the connection with exactly these errors.

        Args:
            seen: from `board.connect`.
            by: `"server"` or `"client"`; left out, the side whose error is not a received alert.
            stage: where that side failed: `"config"`, `"connect"`, `"handshake"`, `"read"`, `"write"` or `"close"`.
            server: `SSLError.reason` on the server, or the name of its OS error. None: the server must not have seen an error.
            alert: number or name (RFC 8446, section 6) of the fatal alert that `by` sent. None: there must be none.
            client: the number of the board's OSError as mbedTLS defines it, or its verification flag or flags, as
                `"not_trusted"`. None: the client must not have seen an error.
            details: what else must be so:
                server_type: class of the server's exception; default `"SSLError"` where `server` is given.
                server_errno: its `errno`. Left out: not checked.
                verify_code: OpenSSL's X509_V_ERR number on the server. Left out: not checked.
                client_type: class of the board's exception; default `"OSError"` for a number, `"ValueError"` for flags.
                open_because: the race that makes some of these errors unpredictable. With it, what is left out is not checked.

        Returns:
            The observation.

        Raises:
            AssertionError: listing every difference.
            UsageError: a side, stage, alert or detail does not exist.
        """
        __tracebackhide__ = True
        check_names(details, RefusalDetails.__annotations__, where="expect.refused")
        number = client if isinstance(client, int) else None
        flags = None if client is None or isinstance(client, int) else as_tuple(client)
        side = word_of(Side, by, where="expect.refused(by=...)") if by else _refusing_side(server)
        where = word_of(Stage, stage, where="expect.refused(stage=...)")
        if isinstance(alert, str) and alert_code(alert) is None:
            near = did_you_mean(alert, alert_names())
            raise UsageError(
                f"expect.refused(alert={alert!r}): no TLS alert has this name{near}; write it as in RFC 8446 or as a number"
            )
        expected = expectations.refused(
            by=side,
            stage=where,
            server=server,
            alert=alert,
            client=number,
            flags=flags,
            **details,
        )
        return self._compare(expected, seen)

    def _compare(self, expected: Expectation, seen: Observation) -> Observation:
        __tracebackhide__ = True  # pytest then shows the line of the test, not ours
        found = mismatches(expected, seen)
        made = self.connections.of(seen)
        if made is not None:
            made.expected, made.mismatches = expected, found
        if not found:
            return seen
        lines = [
            f"{expected.outcome} expected, got {outcome_text(seen)}",
            f"  expected    {expected_text(expected)}",
            *mismatch_lines(found),
            *side_lines(seen),
            *(why_lines(made.explanation()) if made is not None else []),
        ]
        raise AssertionError(plain("\n".join(lines)))


def _refusing_side(server: str | None) -> Side:
    received = server is None or server.startswith(("SSLV3_ALERT_", "TLSV1_ALERT_", "TLSV13_ALERT_"))
    return Side.CLIENT if received else Side.SERVER
