"""One handshake of a board with our own server: made, recorded from both sides, and checked for contradictions.

Knows boards, servers and certificates. Must not know cases, expectations or verdicts.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from harness.boards.agent.loaded import NO_MEMORY
from harness.boards.agent.protocol import FIRST_NUMBERS, Answer, own_text
from harness.boards.session import BoardSession
from harness.certificates import Certificates
from harness.certificates.placed import Placed
from harness.errors import BoardError, FaultKind
from harness.expectations.clients import is_mbedtls_2
from harness.firmware.fingerprint import with_fingerprint
from harness.links.profiles import LinkProfile
from harness.model import (
    DEFAULT_CLIENT,
    PROGRAMS,
    BoardInfo,
    BoardProgram,
    ClientApi,
    ClientPlan,
    ClientReport,
    Observation,
    Outcome,
    ServerProfile,
    ServerReport,
    Stage,
    TlsVersion,
    UnexpectedPeers,
    Verify,
)
from harness.oracle.client_errors import client_failure
from harness.oracle.weakness import used_key, weaknesses
from harness.run.addresses import Addresses
from harness.run.observe import observe
from harness.run.program_stage import begun, placed
from harness.run.proof import Asked, Doubt, doubt, is_taken
from harness.server import ServerHost, Serving
from harness.server.unexpected_peers import CountedServer, together
from harness.system.deadline import Deadline
from harness.wire.reading import WireReading, read_wire

# A server that every working client can connect to: an RSA and an EC key, static RSA and CBC suites, TLS 1.2 whatever openssl.cnf says.
PERMISSIVE_SERVER = ServerProfile(
    certificates=("server-rsa2048", "server-p256"), ciphers="DEFAULT", minimum_version=TlsVersion.TLSv1_2
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One handshake as it happened, with the evidence that explanations need.

    `answer` is None where the board was not asked, because the server refused its own settings. `doubt` is why it says nothing about
    this board and this plan; None if it does.
    """

    observation: Observation
    report: ServerReport
    answer: Answer | None
    wire: WireReading = field(default_factory=WireReading)
    authorities: tuple[bytes, ...] = ()
    own_key: str | None = None
    server_places: tuple[Placed, ...] = ()
    client_places: tuple[Placed, ...] = ()
    doubt: Doubt | None = None
    program: BoardProgram | None = None

    @property
    def connected(self) -> bool:
        """Whether text was exchanged both ways."""
        return self.observation.outcome is Outcome.CONNECTED

    @property
    def missing_api(self) -> str | None:
        """What the firmware or the plan's program lacks for the plan, as a sentence; None if nothing."""
        if self.answer is None or not self.answer.missing:
            return None
        lack = self.program.lack(self.answer.missing) if self.program is not None else None
        return lack or missing_api_text(self.answer.missing)

    @property
    def is_unreachable(self) -> bool:
        """Whether the board got no TCP connection and the server accepted none."""
        return self.answer is not None and self.observation.stage is Stage.CONNECT and not self.report.accepted

    @property
    def is_taken(self) -> bool:
        """Whether the connection that the server accepted is not the board's: another program may have taken it."""
        return is_taken(self.answer, self.report, self.observation.client)


class Handshakes:
    """Makes handshakes of one board with one server host.

    Args:
        board: the open session.
        server: where the TLS servers run.
        certificates: makes the keys and certificates that profiles and plans name.
        addresses: where the server listens and where the board connects to.
        link: the network that the server is behind, which time limits allow for; None for the network as it is.
    """

    def __init__(
        self,
        board: BoardSession,
        server: ServerHost,
        *,
        certificates: Certificates,
        addresses: Addresses,
        link: LinkProfile | None = None,
    ) -> None:
        self.board = board
        self.server = server
        self.certificates = certificates
        self.addresses = addresses
        self.link = link

    def longer_s(self, plan: ClientPlan) -> float:
        """Return by how much the network may make a session longer, in seconds."""
        return 0.0 if self.link is None else self.link.session_s((plan.send_bytes or 0) + (plan.receive_bytes or 0))

    def make(
        self,
        profile: ServerProfile,
        plan: ClientPlan,
        *,
        api: ClientApi = DEFAULT_CLIENT,
        within: Deadline | None = None,
    ) -> Handshake:
        """Have the board connect to a server of this profile, and check that it did so as it was asked to.

        Args:
            profile: the server's settings.
            plan: what the board does.
            api: through which it connects.
            within: ends the session if it is sooner than the session's own time limit.

        Raises:
            BoardError: the board or its line failed; `peer`, `lying`, `plan`: the handshake says nothing about this board.
            ServerError: the server side of the harness failed.
            Unavailable: this machine cannot make a certificate that is named.
        """
        handshake = self.attempt(profile, plan, api=api, within=within)
        self.must_prove(handshake)
        return handshake

    def attempt(
        self,
        profile: ServerProfile,
        plan: ClientPlan,
        *,
        api: ClientApi = DEFAULT_CLIENT,
        within: Deadline | None = None,
    ) -> Handshake:
        """Have the board connect: once, and again if another program took its connection. The caller checks `doubt`.

        Args and Raises are those of `make`, but for the check.
        """
        handshake = self._once(profile, plan, api=api, within=within)
        return self._once(profile, plan, api=api, within=within) if handshake.is_taken else handshake

    def _once(self, profile: ServerProfile, plan: ClientPlan, *, api: ClientApi, within: Deadline | None) -> Handshake:
        self.board.refuse_if_quarantined()
        started = time.monotonic()
        longer_s = self.longer_s(plan)
        limit_s = self.board.scaled(45.0) + longer_s
        request, blobs = self.board.prepare(plan, self.certificates)
        if plan.timeout_s is None and plan.program is None:  # programs have their own time limits
            request = replace(request, timeout_ms=request.timeout_ms + int(longer_s * 1000))
        text = plan.text if plan.text is not None else own_text(FIRST_NUMBERS.start)
        serving = Serving(
            bind=self.addresses.bind,
            ports=self.addresses.ports,
            peers=self.addresses.peers,
            expect_bytes=0 if plan.close_first else max(plan.send_bytes or 0, len(text.encode())),
            send_bytes=plan.receive_bytes,
            handshake_timeout_s=self.board.scaled(30.0) + longer_s,
            idle_timeout_s=self.board.scaled(30.0) + longer_s,
            application=PROGRAMS[plan.program].application if plan.program is not None else None,
        )
        start = self.server.open(profile, serving)
        if start.failure is not None or start.port is None:
            answer = None
            report = self.server.finish(Deadline(1.0))
        else:
            request = replace(request, host=self.addresses.advertise, port=start.port, api=api)
            deadline = Deadline(limit_s) if within is None else within.within(limit_s)
            answer = self.board.connect(request, blobs, deadline=deadline)
            if plan.program is None:
                report = self._report(answer, longer_s=longer_s)
            else:
                answer = begun(answer, platform=self.board.info.platform)
                report = self._report(answer, longer_s=longer_s)
                answer = placed(answer, report)
        wire = read_wire(report.wire)
        if plan.suites is None and plan.certificate is None and wire.client_hello is not None:
            wire = replace(wire, client_hello=with_fingerprint(wire.client_hello))
        asked = Asked(
            request=request,
            blobs=blobs,
            check_kind=self.board.check_kind,
            unrestricted=self.board.info.hello,
            numbered=plan.text is None,
            peers=self.addresses.peers,
        )
        client = client_report(answer, self.board.info, hello_sent=wire.client_hello is not None) if answer else None
        failure = client.failure if client is not None else None
        doubted = doubt(answer, report, wire.client_hello, asked=asked, failure=failure)
        if doubted is not None and doubted.kind is FaultKind.PEER:
            report = self._counted(report)
        case_ms = round((time.monotonic() - started) * 1000, 2)
        seen = observe(report, client, wire, plan=plan, number=answer.number if answer else None, case_ms=case_ms)
        if seen.outcome is Outcome.CONNECTED:
            seen = replace(
                seen,
                weak=weaknesses(seen.negotiated, wire, facts=report.facts),
                verified=plan.verify is Verify.REQUIRED,
                server_key=used_key(seen.negotiated, wire, facts=report.facts),
            )
        trusted = tuple(blobs[name] for name in request.ca)
        return Handshake(
            observation=seen,
            report=report,
            answer=answer,
            wire=wire,
            authorities=trusted,
            own_key=self.certificates.make(plan.certificate).facts.type if plan.certificate else None,
            server_places=self.certificates.server_places(profile, plan),
            client_places=self.certificates.client_places(profile, plan),
            doubt=doubted,
            program=PROGRAMS[plan.program] if plan.program is not None else None,
        )

    def _counted(self, report: ServerReport) -> ServerReport:
        """Count the client that was served instead of the board as an unexpected peer."""
        met = UnexpectedPeers(count=1, addresses=(report.peer,) if report.peer else ())
        if isinstance(self.server, CountedServer):
            self.server.add(met)
        both = together(UnexpectedPeers(count=report.strangers, addresses=report.stranger_addresses), met)
        return replace(report, strangers=both.count, stranger_addresses=both.addresses)

    def baseline(self, *, within: Deadline | None = None) -> Handshake:
        """Have the board connect to `PERMISSIVE_SERVER`. Raises as `make` does."""
        return self.make(PERMISSIVE_SERVER, ClientPlan(), within=within)

    def must_prove(self, handshake: Handshake) -> None:
        """Check that a handshake is this board's, and was made as it was asked for.

        Raises:
            BoardError: `peer`, `lying`, `plan`: it says nothing about this board.
        """
        if handshake.doubt is not None:
            raise BoardError(f"{self.board.spec.label}: {handshake.doubt.text}", kind=handshake.doubt.kind)

    def completes_baseline(self, deadline: Deadline | None) -> bool:
        """Return whether the board completes the baseline handshake; after a fault of the board the server is ended.

        Raises:
            BoardError: the board or its line failed.
            ServerError: the server side of the harness failed.
        """
        try:
            return self.baseline(within=deadline).connected
        except BoardError:
            self.server.cancel()
            raise

    def _report(self, answer: Answer, *, longer_s: float) -> ServerReport:
        """Take the server's report; end a server at once to which the board never connected."""
        if answer.stage in (Stage.CONFIG, Stage.CONNECT) or answer.missing:
            ended = self.server.cancel()
            if ended is not None:
                return ended
        return self.server.finish(Deadline(self.board.scaled(10.0) + longer_s))


def missing_api_text(missing: str) -> str:
    """Say which API a firmware lacks.

    Args:
        missing: its name, as the agent found it out; or what asyncio's API cannot do, whatever the firmware.
    """
    limits = {
        "asyncio.Stream.do_handshake": "asyncio has no handshake without a write or read",
        "asyncio.open_connection(server_hostname=None)": "asyncio.open_connection() always sends a server name",
        "asyncio for axTLS": "asyncio never notices that a server has closed the connection, on firmware with axTLS",
        NO_MEMORY: "too little memory: the asyncio client of the harness cannot be loaded",
    }
    owner = "this firmware" if missing.startswith("asyncio") else "this firmware's TLS module"
    return limits.get(missing) or f"{owner} has no {missing}"


def client_report(answer: Answer, info: BoardInfo, *, hello_sent: bool) -> ClientReport:
    """Turn the agent's answer into the client's report, its error named.

    Args:
        answer: the answer of one case.
        info: what was probed of the board; its TLS library decides what its error numbers mean.
        hello_sent: whether the board sent a ClientHello.
    """
    failure = None
    if answer.stage is not None:
        failure = client_failure(
            answer.type or "",
            answer.args,
            stage=answer.stage,
            tls_library=info.tls_library,
            # Firmware from before MBEDTLS_VERSION; 3.x gave some numbers to other errors.
            tls_version=info.tls_version or ("2.28" if is_mbedtls_2(info) else None),
            hello_sent=hello_sent,
            platform=info.platform,
        )
    return ClientReport(
        done=failure is None and not answer.missing,
        failure=failure,
        received_text=answer.text,
        received_bytes=answer.received_bytes,
        handshake_ms=answer.handshake_ms,
        free_before=answer.free_before,
        free_low=answer.free_low,
        idf_largest=answer.idf_largest,
        free_after=answer.free_after,
        held=answer.held,
    )
