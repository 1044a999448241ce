"""The input of a rule: the case, the observation, the board, the wire, and facts derived from them.

Knows records and how OpenSSL chooses a suite. Must not know rules, boards, servers or reports.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from harness.certificates.placed import Placed
from harness.model import (
    BoardInfo,
    Case,
    ClientFailure,
    Expectation,
    HelloFacts,
    Observation,
    Outcome,
    ServerFacts,
    TlsLibrary,
)
from harness.oracle.predict import Exclusion, SuiteVerdict, explain_selection, predict
from harness.oracle.prediction.hidden import as_configured, hidden_settings
from harness.oracle.prediction.versions import choose_version
from harness.wire.application_replies import ApplicationReply
from harness.wire.extensions import Extension
from harness.wire.insistence import Insistence
from harness.wire.plain_protocols import PlainPeer
from harness.wire.reading import WireReading
from harness.wire.signature_algorithms import signature_name
from harness.wire.suites import is_signal
from harness.wire.versions import TLS13, version_name

# Below this much free heap a 32-bit board with one GC heap cannot finish every handshake (docs/facts/micropython.md, "Memory").
ENOUGH_HEAP_BYTES = 40 * 1024
# No firmware in use is older; the clocks of boards start at 2000, 2015 or 2021 (docs/facts/micropython.md, "Clock").
_NEVER_SET_BEFORE_S = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp())
_DAY_S = 86400


@dataclass
class Evidence:
    """One result with everything that is known about it.

    Args:
        case: what was tried.
        seen: what happened.
        info: what the probe read from the board.
        wire: the reading of the recorded bytes; without it some causes cannot be distinguished.
        authorities: the board's CA certificates.
        expected: what should have happened; needed only to explain an acceptance.
        plain: what a server that is not ours speaks without TLS; None if it was not asked or did not answer.
        reply: what the application of such a server answered after it had asked for a client certificate; None if that is not known.
        insists: what such a server requires in a ClientHello beyond what the board sent; None if that is not known.
        own_key: the type of the board's own key, for a client certificate; None without one.
        server_places: certificates of the server's side: what it has, what the board trusts, what else is within reach, with their files.
        client_places: the same of the board's own certificate, which the server verifies.
        kept: what a rule computed for later ones.
    """

    case: Case
    seen: Observation
    info: BoardInfo
    wire: WireReading = field(default_factory=WireReading)
    authorities: tuple[bytes, ...] = ()
    expected: Expectation | None = None
    plain: PlainPeer | None = None
    reply: ApplicationReply | None = None
    insists: Insistence | None = None
    own_key: str | None = None
    server_places: tuple[Placed, ...] = ()
    client_places: tuple[Placed, ...] = ()
    kept: dict[str, str] = field(default_factory=dict)

    # ------------------------------------------------------------------ both ends

    @property
    def accepted(self) -> bool:
        """Whether there was a session although there should have been none."""
        return self.seen.outcome is Outcome.CONNECTED

    @property
    def reason(self) -> str | None:
        """`SSLError.reason` of the server, or the name of its OS error."""
        return self.seen.server.reason if self.seen.server else None

    @property
    def schemes(self) -> tuple[str, ...]:
        """The names of the signature schemes in the ClientHello."""
        codes = self.hello.signature_algorithms if self.hello else ()
        return tuple(signature_name(int(code, 16)) for code in codes)

    @property
    def number(self) -> int | None:
        """The number in the client's exception."""
        return self.seen.client.number if self.seen.client else None

    @property
    def clock_never_set(self) -> bool:
        """Whether the board's clock was never set since power-up."""
        clock = self.info.clock_unix_s
        return clock is not None and clock < _NEVER_SET_BEFORE_S

    @property
    def clock_is_off(self) -> bool:
        """Whether the board's clock is known to be wrong: never set, or a day from the time of its first ClientHello."""
        clock, here = self.info.clock_unix_s, self.info.hello_unix_s
        return self.clock_never_set or (clock is not None and here is not None and abs(clock - here) > _DAY_S)

    @property
    def clock_text(self) -> str:
        """What the board's clock shows."""
        clock = self.info.clock_unix_s
        return f"{datetime.fromtimestamp(clock, UTC):%Y-%m-%d %H:%M:%S} UTC" if clock is not None else "not known"

    @property
    def client_names(self) -> frozenset[str]:
        """The names of the client's number, all readings of it, without mbedTLS's prefix."""
        text = self.seen.client.name if self.seen.client else None
        parts = (text or "").replace("|", "+").split("+")
        return frozenset(part.removeprefix("MBEDTLS_ERR_") for part in parts if part)

    @property
    def client(self) -> ClientFailure | None:
        """What the client raised."""
        return self.seen.client

    @property
    def first_argument(self) -> object:
        """The first argument of the client's exception."""
        return self.seen.client.args[0] if self.seen.client and self.seen.client.args else None

    @property
    def flags(self) -> frozenset[str]:
        """Why the client did not accept the certificate."""
        return frozenset(self.seen.client.flags or ()) if self.seen.client else frozenset()

    def alert(self, sender: str) -> int | None:
        """The code of the fatal alert that this side sent."""
        alert = self.seen.fatal_alert(sender=sender)
        return alert.code if alert else None

    # ------------------------------------------------------------------ the offer and the settings

    @property
    def hello(self) -> HelloFacts | None:
        """The ClientHello."""
        return self.seen.client_hello

    @property
    def server(self) -> ServerFacts | None:
        """The live settings of the server."""
        return self.seen.server_facts

    @property
    def key_types(self) -> tuple[str, ...]:
        """The types of the server's keys."""
        return tuple(dict.fromkeys(key.type for key in self.server.keys)) if self.server else ()

    @property
    def is_axtls(self) -> bool:
        """Whether the client's TLS library is axTLS."""
        return self.info.tls_library == TlsLibrary.AXTLS

    @property
    def sends_name(self) -> bool:
        """Whether the ClientHello names a host (SNI)."""
        return self.hello is not None and Extension.SERVER_NAME in self.hello.extensions and bool(self.hello.sni)

    @functools.cached_property
    def version(self) -> int | None:
        """The version that the server chooses, None without one."""
        if self.hello is None or self.server is None:
            return None
        chosen = choose_version(self.hello, server=self.server)
        return chosen if isinstance(chosen, int) else None

    @functools.cached_property
    def selection(self) -> tuple[SuiteVerdict, ...]:
        """Every suite that was offered, without signalling values, and why it could not be used."""
        if self.hello is None or self.server is None:
            return ()
        verdicts = explain_selection(self.hello, self.server)
        fits = any(Exclusion.KEY_TYPE not in item.reasons and "_ECDHE_" in item.name for item in verdicts)
        if not self.server.python and not fits:
            verdicts = tuple(_as_learned(item) for item in verdicts)
        return tuple(item for item in verdicts if not is_signal(int(item.code, 16)))

    @functools.cached_property
    def hidden(self) -> dict[str, tuple[str, ...]]:
        """The settings that Python does not show and without which the server would have continued, by name; usually none."""
        hello, server = self.hello, self.server
        if hello is None or server is None or self.accepted or self.reason is None:
            return {}
        found = hidden_settings(server)
        if not found or predict(hello, server).server_reason != self.reason:
            return {}
        if predict(hello, as_configured(server, *found)).outcome is not Outcome.CONNECTED:
            return {}
        decisive = [what for what in found if predict(hello, as_configured(server, what)).outcome is Outcome.CONNECTED]
        return {what: found[what] for what in decisive or found}

    @property
    def client_versions(self) -> tuple[str, ...]:
        """The versions that the client offers, by name; without the extension only the highest is known."""
        return tuple(version_name(int(code, 16)) for code in self.hello.versions) if self.hello else ()

    @property
    def server_versions(self) -> str:
        """The server's range of versions, as text."""
        if self.server is None:
            return "unknown"
        low, high = self.server.minimum_version, self.server.maximum_version or "TLSv1.3"
        if "versions" in hidden_settings(self.server) and self.server.found is not None:
            return f"{', '.join(self.server.found.versions)} (determined by test handshakes)"
        if low is None:
            return f"up to {high}"
        return low if low == high else f"{low} to {high}"

    @property
    def chose_tls13(self) -> bool:
        """Whether the server chooses TLS 1.3."""
        return self.version == TLS13

    # ------------------------------------------------------------------ the board

    @property
    def behaviour(self) -> str:
        """The name of the server's special behaviour; empty for an ordinary server."""
        return str(self.case.server.behaviour.get("name", ""))

    @property
    def silent_end(self) -> bool:
        """Whether neither side sent a fatal alert."""
        return self.seen.fatal_alert() is None

    @property
    def short_of_memory(self) -> bool:
        """Whether the board had so little free heap before the handshake that running out of it is likely."""
        free = self.seen.free_before
        return free is not None and free < ENOUGH_HEAP_BYTES and not self.is_axtls


def _as_learned(item: SuiteVerdict) -> SuiteVerdict:
    """For a server whose suites were found by probing: one that its keys cannot serve may still be in its list."""
    if Exclusion.KEY_TYPE not in item.reasons:
        return item
    return replace(item, reasons=tuple(reason for reason in item.reasons if reason is not Exclusion.NOT_ALLOWED))


def table(*rows: tuple[str, ...]) -> tuple[str, ...]:
    """Return rows of text as aligned lines."""
    widths = [
        max(len(row[column]) for row in rows if column < len(row)) for column in range(max(map(len, rows), default=0))
    ]
    return tuple("  ".join(f"{cell:<{widths[at]}}" for at, cell in enumerate(row)).rstrip() for row in rows)
