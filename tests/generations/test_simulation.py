"""A simulated firmware gets what the real one gets: every case of the matrix whose client and server are ordinary, on every interpreter.

The simulation sends the ClientHello that the interpreter itself sent in that case, and judges the certificate by the interpreter's row of
the table. Families A and B are also made live, by limiting the interpreter's suites to theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.cases import all_cases, form_for
from harness.certificates import Certificates
from harness.diagnose.settings import Settings
from harness.diagnose.simulation.simulator import Question, simulate
from harness.diagnose.simulation.targets import OwnServer
from harness.errors import HarnessError
from harness.expectations.builders import connected
from harness.firmware.table import Firmware, StoredHello, firmware
from harness.model import (
    BoardSpec,
    Case,
    ClientPlan,
    Observation,
    Outcome,
    ServerProfile,
    Side,
    Simulated,
    Stage,
    Tier,
    VerdictWord,
    Verify,
)
from harness.run.case_runner import CaseRunner
from harness.run.lab import Lab
from harness.run.options import IN_PROCESS, RunOptions
from harness.server.local import LocalServer
from harness.wire.suites import suite_name

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

INTERPRETERS = {"packaged": ("unix", "1.29.0-preview"), "trixie": ("debian", "1.25.0"), "forky": ("debian", "1.26.1")}
KEYS = (
    *(
        ("server-p256",),
        ("server-p384",),
        ("server-p521",),
        ("server-rsa2048",),
        ("server-rsa3072",),
        ("server-rsa4096",),
    ),
    *(
        ("server-rsa2048", "server-p256"),
        ("server-p256", "server-p384"),
        ("server-rsa2048-by-p256",),
        ("server-p256-by-rsa",),
    ),
)
SETTINGS: tuple[dict[str, str], ...] = (
    {},
    {"ciphers": "DEFAULT"},
    {"ciphers": "ECDHE+AESGCM"},
    {"ciphers": "AES256-SHA256:AES128-SHA"},
    {"ciphers": "ECDHE+AES:AES256-SHA"},
    {"maximum_version": "TLSv1.2"},
    {"minimum_version": "TLSv1.3"},
    {"curve": "secp384r1"},
)


@dataclass(frozen=True, kw_only=True)
class Live:
    """An interpreter as a board, its row of the table, and what is needed for both."""

    runner: CaseRunner
    row: Firmware
    server: LocalServer
    certificates: Certificates

    def simulated(self, case: Case, record: bytes) -> Simulated:
        """Simulate a case with the ClientHello that the interpreter sent in it."""
        hello = StoredHello(family="", source="this interpreter", exact=True, record=record.hex())
        plan = case.client
        verifies = plan.verify is Verify.REQUIRED
        anchors = tuple(self.certificates.make(name).certificate_der for name in plan.ca) if verifies else None
        question = Question(
            settings=Settings(server=case.server, client=plan),
            name=plan.server_hostname,
            host=plan.server_hostname if verifies else None,
            anchors=anchors,
        )
        target = OwnServer(self.server, case.server)
        (found,) = simulate(target, (replace(self.row, hello=hello),), question=question)
        return found


@pytest.fixture(scope="module", params=INTERPRETERS)
def live(request: pytest.FixtureRequest, debian_program: Callable[..., str]) -> Iterator[Live]:
    """Open an interpreter as a board."""
    path = ""
    try:
        path = "" if request.param == "packaged" else debian_program("micropython", suite=request.param)
        find_interpreter(path)
    except HarnessError as error:
        pytest.skip(str(error))
    spec = BoardSpec(text="unix", kind="unix", target=path, label="unix")
    lab = Lab(RunOptions(boards=(spec,)))
    server = LocalServer(materials=lab.certificates.make)
    port, version = INTERPRETERS[request.param]
    row = firmware(version, port=port)
    assert row is not None
    try:
        runner = lab.runner(spec, IN_PROCESS)
        yield Live(runner=runner, row=row, server=server, certificates=lab.certificates)
    finally:
        server.close()
        lab.close()


def ordinary(case: Case) -> bool:
    """Whether a case is about what a simulation decides: an ordinary server, and a client that only connects and verifies.

    The rest needs a session (mutual TLS, data, closing), has a server that breaks the protocol, or is about the client's own settings.
    """
    client, server = case.client, case.server
    own = client.certificate or client.psk_identity or client.suite_words or client.api or client.ca_format != "der"
    verified = client.verify is Verify.NONE or (
        client.verify is Verify.REQUIRED and client.ca and client.server_hostname
    )
    plain = not server.behaviour and not server.legacy_wrap_socket and not server.swap_key_and_certificate
    return bool(plain and not own and verified and server.verify is Verify.NONE and not server.alpn)


def difference(seen: Observation, found: Simulated) -> str | None:
    """Return in what a simulated result differs from the live one; None if in nothing."""
    if seen.outcome is not found.outcome:
        return f"live {seen.outcome} by {seen.ended_by} {seen.client}, simulated {found.outcome}: {found.reason}"
    if seen.outcome is Outcome.CONNECTED:
        pairs = [(seen.negotiated, found.negotiated), (seen.weak, found.weak)]
        return next((f"live {one}, simulated {other}" for one, other in pairs if one != other), None)
    alert = seen.fatal_alert(sender=seen.ended_by)
    live: list[object] = [seen.ended_by, alert.name if alert else None]
    simulated: list[object] = [found.ended_by, found.alert]
    if seen.ended_by is Side.SERVER:
        live.append((seen.server.reason or seen.server.type) if seen.server else None)
        simulated.append(found.reason)
    if seen.stage is not Stage.CONFIG and seen.client is not None:
        live += [seen.client.number, seen.client.flags]
        simulated += [found.client_number, found.client_flags]
    return None if live == simulated else f"live {live}, simulated {simulated} ({found.reason})"


def hello_record(runner: CaseRunner) -> bytes:
    """Return the record of the ClientHello of the last case; empty if the server refused its own settings."""
    assert runner.last is not None
    sent = b"".join(chunk.data for chunk in runner.last.report.wire if chunk.sender is Side.CLIENT)
    return sent[: 5 + int.from_bytes(sent[3:5], "big")]


def test_matrix(live: Live) -> None:
    """No case of the matrix has another result live than simulated."""
    differences: dict[str, str] = {}
    compared = 0
    for declared in filter(ordinary, all_cases()):
        result = live.runner.run(declared)
        case = form_for(declared, live.runner.board.info)
        seen = result.observation
        if seen is None or result.verdict.word is VerdictWord.ERROR or not ordinary(case):
            continue
        if (seen.stage, seen.ended_by) == (Stage.CONFIG, Side.CLIENT):
            continue  # this firmware's API refuses the plan
        record = hello_record(live.runner) or bytes.fromhex(live.row.hello.record or "")
        compared += 1
        found = difference(seen, live.simulated(case, record))
        if found is not None:
            differences[case.id] = found
    assert not differences, "\n".join(f"{name}: {text}" for name, text in differences.items())
    assert compared > 150


def test_own_hello(live: Live) -> None:
    """The interpreter sends the ClientHello of its row: apart from random and name they are equal."""
    hello = live.runner.board.info.hello
    assert hello is not None
    assert replace(hello, random="", fingerprint=None, sni="tls.test") == replace(live.row.hello.facts, random="")


@pytest.mark.parametrize(("family", "port", "version"), [("A", "stm32", "1.19.1"), ("B", "stm32", "1.20.0")])
def test_families_made_live(live: Live, family: str, port: str, version: str) -> None:
    """A client that is limited to the suites of family A or B gets what the recorded hello of that family gets."""
    row = firmware(version, port=port)
    assert row is not None
    suites = tuple(suite_name(int(code, 16)) for code in row.hello.facts.suites if code != "00ff")
    differences, count = {}, 0
    for keys in KEYS:
        for settings in SETTINGS:
            if settings.get("minimum_version") == "TLSv1.3" and live.row.port == "debian":
                continue  # this interpreter has TLS 1.3, whose lack is the point
            # This interpreter also has TLS 1.3 and X25519, which the families do not have.
            fixed = {"maximum_version": "TLSv1.2", "curve": "prime256v1"} if live.row.port == "debian" else {}
            server = ServerProfile(certificates=keys, **{**fixed, **settings})
            case = Case(
                id="simulation/family",
                title="a family made live",
                description="",
                tier=Tier.FULL,
                server=server,
                client=ClientPlan(suites=suites),
                expect=connected(),
            )
            seen = live.runner.run(case).observation
            assert seen is not None
            question = Question(settings=Settings(server=server, client=case.client), name="tls.test", host=None)
            (found,) = simulate(OwnServer(live.server, server), (row,), question=question)
            count += 1
            told = difference(seen, found)
            if told is not None:
                differences[f"{keys} {settings}"] = told
    assert not differences, "\n".join(f"{name}: {text}" for name, text in differences.items())
    assert count >= 70
