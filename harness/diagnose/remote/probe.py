"""What this machine finds out about a server after it refused the board: its TLS settings, or the protocol that it speaks without TLS.

Decides what is asked, and asks it once per diagnosis. How it is asked is in `looking` and `plain_probe`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.diagnose.remote.dialling import Dialler, switching
from harness.diagnose.remote.looking import Looking
from harness.diagnose.remote.names import candidates
from harness.diagnose.remote.plain_probe import plain_peer
from harness.diagnose.remote.visible import completed, worth_looking, worth_plain_words
from harness.model import HelloFacts, Observation, ServerFacts
from harness.wire.host_names import is_ip_address
from harness.wire.insistence import Insistence
from harness.wire.plain_protocols import PlainPeer, PlainProtocol
from harness.wire.reading import WireReading
from harness.wire.suites import suite_info


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The findings that concern one refusal; each is None if it does not, or if the server did not answer."""

    facts: ServerFacts | None = None
    plain: PlainPeer | None = None
    insists: Insistence | None = None


class Probe:
    """The probe of one server.

    Args:
        host: name or address.
        port: TCP port.
        name: for SNI, None for none.
        progress: gets a line per step.
        starttls: the protocol in which the server is asked for TLS; None where a connection begins with TLS.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        name: str | None,
        progress: Callable[[str], None],
        starttls: PlainProtocol | None = None,
    ) -> None:
        self._dialler = Dialler(host, port) if starttls is None else Dialler(host, port, connect=switching(starttls))
        self._looking = Looking(self._dialler, name=name, progress=progress)
        self._progress = progress
        self._facts: ServerFacts | None = None
        self._looked = False
        self._plain: PlainPeer | None = None
        self._asked_plainly = False
        self._certificates: tuple[bytes, ...] | None = None
        self._insists: Insistence | None = None
        self._varied = False

    @property
    def count(self) -> int:
        """The number of connections so far."""
        return self._dialler.count

    def names(self, *, tried: str | None) -> tuple[str, ...]:
        """Return the names in the server's certificate that the board can ask for, except the one that it has tried."""
        host, port = self._dialler.target
        if self._certificates is None:
            self._progress(f"reading from this machine which names the certificate of {host}:{port} has")
            self._certificates = self._looking.certificates()
        return candidates(self._certificates, target=host, tried=tried)

    def lacks_forward_secrecy(self, hello: HelloFacts | None) -> bool:
        """Return whether the server accepts no suite with forward secrecy from this machine: another client gains nothing."""
        if not self._looked:
            self._facts, self._looked = self._looking.facts(hello), True
        suites = self._facts.suites if self._facts is not None else ()
        known = [info for code, _version, _name in suites if (info := suite_info(code)) is not None]
        return bool(known) and all(info.key_exchange == "RSA" for info in known)

    def found(self, seen: Observation, wire: WireReading) -> Found:
        """Return what explains this refusal, and ask the server if that has not been asked yet."""
        looking, plainly = worth_looking(seen, wire), worth_plain_words(seen, wire)
        if looking and not self._looked:
            self._facts, self._looked = self._looking.facts(seen.client_hello), True
        if plainly and not self._looking.speaks_tls and not self._asked_plainly:
            host, port = self._dialler.target
            self._progress(f"asking {host}:{port} from this machine what it speaks without TLS")
            self._plain, self._asked_plainly = plain_peer(self._dialler), True
        facts, plain = self._facts if looking else None, self._plain if plainly else None
        unexplained = looking and plain is None and completed(seen, wire, facts=facts) is seen
        if unexplained and seen.client_hello is not None and not self._varied:
            self._insists, self._varied = self._insistence(seen.client_hello), True
        return Found(facts=facts, plain=plain, insists=self._insists if unexplained else None)

    def _insistence(self, hello: HelloFacts) -> Insistence | None:
        """Add to the board's hello what it lacks; the server name is the host's, or one in the certificate."""
        host, _port = self._dialler.target
        names = self.names(tried=None) if is_ip_address(host) and not hello.sni else ()
        self._progress(
            "sending the board's ClientHello from this machine, with and without what a server may insist on"
        )
        return self._looking.insistence(hello, name=names[0] if names else None if is_ip_address(host) else host)
