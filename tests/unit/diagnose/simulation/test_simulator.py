"""Every firmware of the table against servers with different keys, suites and versions."""

from __future__ import annotations

import pytest

from harness.diagnose.settings import Settings
from harness.diagnose.simulation.connection import Exchange, Unreachable
from harness.diagnose.simulation.simulator import Question, simulate
from harness.diagnose.simulation.targets import Answer, OwnServer
from harness.firmware.table import firmwares
from harness.model import ClientPlan, Outcome, ServerProfile, Side, Verify
from harness.wire.server_flight import Flight


def test_the_seed_question(simulated, python_org_server, by_firmware) -> None:
    """An RSA key with python.org's suites: 1.20 on stm32 is refused with NO_SHARED_CIPHER because of the key, 1.24 connects."""
    with python_org_server():
        found = by_firmware(simulated(certificates=("server-rsa2048",)))
    refused = found["stm32", "1.20.0"]
    assert (refused.outcome, refused.ended_by, refused.reason) == (Outcome.REFUSED, Side.SERVER, "NO_SHARED_CIPHER")
    assert (refused.alert, refused.client_number) == ("handshake_failure", -30592)
    assert refused.explanation is not None
    assert refused.explanation.rule == "ciphers/key-type"
    connected = found["stm32", "1.24.1"]
    assert (connected.outcome, connected.negotiated.suite) == (
        Outcome.CONNECTED,
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    )
    assert found["esp8266", "1.28.0"].client_number == -40
    assert found["rp2", "1.20.0"].outcome is Outcome.CONNECTED


def test_one_connection_per_hello(local_server) -> None:
    """Rows with the same ClientHello share a connection; every row has a result."""
    settings = Settings(server=ServerProfile(certificates=("server-p256",)), client=ClientPlan())
    target = OwnServer(local_server, settings.server)
    found = simulate(target, firmwares(), question=Question(settings=settings, name="x", host="x"))
    assert sum(len(item.firmware) for item in found) == len(firmwares())
    assert target.connections == 11


def test_order_and_folding(simulated, by_firmware) -> None:
    """Connected firmwares come first, weak sessions after strong ones; equal firmwares are one result."""
    found = simulated(certificates=("server-rsa2048",), ciphers="ECDHE+AESGCM:AES256-SHA256", maximum_version="TLSv1.2")
    assert [(item.outcome, bool(item.weak)) for item in found] == sorted(
        ((item.outcome, bool(item.weak)) for item in found), key=lambda pair: (pair[0] != Outcome.CONNECTED, pair[1])
    )
    weak = by_firmware(found)["stm32", "1.20.0"]
    assert (weak.negotiated.suite, weak.weak) == ("TLS_RSA_WITH_AES_256_CBC_SHA256", ("no forward secrecy",))
    assert by_firmware(found)["unix", "1.22.2"] is weak


@pytest.mark.parametrize(
    ("settings", "port", "version", "ended_by", "reason", "rule"),
    [
        (
            {"minimum_version": "TLSv1.3"},
            "rp2",
            "1.28.0",
            Side.SERVER,
            "UNSUPPORTED_PROTOCOL",
            "versions/server-too-new",
        ),
        (
            {"minimum_version": "TLSv1", "maximum_version": "TLSv1.1", "ciphers": "ALL:@SECLEVEL=0"},
            "rp2",
            "1.28.0",
            Side.CLIENT,
            "version 0x0302, which was not offered",
            "versions/server-too-old",
        ),
        (
            {"curve": "secp224r1", "maximum_version": "TLSv1.2"},
            "rp2",
            "1.28.0",
            Side.SERVER,
            "NO_SHARED_CIPHER",
            "groups/no-common-group",
        ),
    ],
)
def test_refusals(simulated, row, settings, port, version, ended_by, reason, rule) -> None:
    """Each refusal names who refuses, why, and the rule that explains it."""
    (found,) = simulated(rows=(row(port, version),), certificates=("server-p256",), **settings)
    assert found.explanation is not None
    assert (found.outcome, found.ended_by, found.reason, found.explanation.rule) == (
        Outcome.REFUSED,
        ended_by,
        reason,
        rule,
    )


def test_settings_that_the_server_refuses(simulated) -> None:
    """A server that refuses its own settings refuses every firmware, and no connection is made."""
    (found,) = simulated(certificates=("server-rsa1024",))
    assert (found.reason, len(found.firmware)) == ("EE_KEY_TOO_SMALL", len(firmwares()))
    assert found.explanation is not None
    assert found.explanation.rule == "certificates/server-key-too-short"


def test_tls13(simulated, row) -> None:
    """A distribution's firmware gets TLS 1.3 with the certificate decrypted, and a HelloRetryRequest for another group."""
    (found,) = simulated(rows=(row("debian", "1.25.0"),), certificates=("server-p256",), curve="secp384r1")
    assert (found.negotiated.version, found.negotiated.group, found.retry) == ("TLSv1.3", "secp384r1", True)
    assert found.problems == ()


def test_client_certificate(simulated, row) -> None:
    """A server that asks for a client certificate: connected as far as shown, and not decided."""
    (found,) = simulated(
        rows=(row("rp2", "1.28.0"),), certificates=("server-p256",), verify=Verify.REQUIRED, client_ca=("ca-p256",)
    )
    assert (found.outcome, found.asks_certificate) == (Outcome.CONNECTED, True)


def test_certificate_problems(simulated, certificates, row, by_firmware) -> None:
    """An expired certificate: noted for firmware that checks dates; with the client's CA it is a refusal."""
    rows = (row("esp32", "1.20.0"), row("stm32", "1.20.0"), row("stm32", "1.28.0"))
    found = by_firmware(simulated(rows=rows, certificates=("server-expired",)))
    assert [[item.flag for item in found[item.port, item.version].problems] for item in rows] == [
        [],
        ["expired"],
        ["expired"],
    ]
    anchors = (certificates.make("server-expired").root_der,)
    found = by_firmware(simulated(rows=rows, certificates=("server-expired",), anchors=anchors))
    old, new = found["stm32", "1.20.0"], found["stm32", "1.28.0"]
    assert (old.outcome, old.ended_by, old.alert) == (Outcome.REFUSED, Side.CLIENT, "certificate_expired")
    assert (old.client_number, old.client_flags) == (-9984, None)
    assert (new.client_number, new.client_flags) == (None, ("expired",))
    assert found["esp32", "1.20.0"].outcome is Outcome.CONNECTED


def test_silent_server() -> None:
    """A server that answers no hello is given up after the second one."""

    class Silent:
        connections = 0

        def ask(self, hello, *, oldest):
            self.connections += 1
            return Answer(exchange=Exchange(flight=Flight(ended=True), wire=(), timed_out=True))

    target = Silent()
    question = Question(settings=Settings.untouched(), name=None, host=None)
    with pytest.raises(Unreachable, match=r"^it accepts connections and answers no ClientHello$"):
        simulate(target, firmwares(), question=question)
    assert target.connections == 2
