"""Every ClientHello of the table against a real Python server: its own error, or what it chose, is exactly what is predicted."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from harness.diagnose.simulation.targets import OwnServer
from harness.firmware.table import firmwares
from harness.model import Outcome, ServerProfile, Side
from harness.oracle.predict import predict
from harness.oracle.prediction.client import oldest_version
from harness.wire.alerts import alert_name
from harness.wire.groups import group_name
from harness.wire.handshake import read_client_hello
from harness.wire.hello_replay import ReplayedHello
from harness.wire.suites import suite_name
from harness.wire.versions import version_name

KEYS = (("server-p256",), ("server-rsa2048",))
MORE_KEYS = (
    *(("server-p384",), ("server-p224",), ("server-secp256k1",), ("server-ed25519",), ("server-rsa-pss",)),
    ("server-rsa2048", "server-p256"),
)
SETTINGS = (
    {},
    {"ciphers": "DEFAULT"},
    {"ciphers": "ECDHE+AESGCM"},
    {"ciphers": "AES256-SHA256:AES128-SHA"},
    {"ciphers": "ALL:@SECLEVEL=0", "minimum_version": "TLSv1", "maximum_version": "TLSv1.1"},
    {"maximum_version": "TLSv1.2"},
    {"minimum_version": "TLSv1.3"},
    {"curve": "secp384r1"},
    {"curve": "secp224r1"},
)


def distinct_hellos():
    """Return one row for each ClientHello of the table that differs in more than its random."""
    return {replace(row.hello.facts, random=""): row for row in firmwares()}.values()


@pytest.mark.parametrize(
    "keys", [*KEYS, *(pytest.param(keys, marks=pytest.mark.slow) for keys in MORE_KEYS)], ids="+".join
)
def test_as_predicted(local_server, keys) -> None:
    """Version, suite and group, or the server's reason and alert: no difference for any ClientHello and setting."""
    different = []
    for row, settings in itertools.product(distinct_hellos(), SETTINGS):
        hello = ReplayedHello(row.hello.data, name="tls.test")
        answer = OwnServer(local_server, ServerProfile(certificates=keys, **settings)).ask(
            hello, oldest=oldest_version(row.hello.facts)
        )
        facts, flight = read_client_hello(hello.record), answer.exchange.flight
        assert facts is not None
        assert answer.facts is not None
        expected = predict(facts, answer.facts)
        if expected.outcome is Outcome.CONNECTED:
            wanted = (expected.version, expected.suite, expected.group)
            seen = (
                version_name(flight.version or 0),
                suite_name(flight.suite or 0),
                group_name(flight.group) if flight.group else None,
            )
        elif expected.ended_by is Side.SERVER:
            wanted = (expected.server_reason, expected.alert.name if expected.alert else None, False)
            alert = alert_name(flight.alert) if flight.alert is not None else None
            seen = (answer.failure.reason if answer.failure else None, alert, flight.complete)
        else:
            wanted = (Side.CLIENT, expected.alert.name if expected.alert else None, False)
            broken = flight.violation
            seen = (Side.CLIENT, broken and alert_name(broken.alert), flight.complete)
        if wanted != seen:
            different.append(f"{row.name} {settings}: predicted {wanted}, seen {seen}")
    assert not different, "\n".join(different)
