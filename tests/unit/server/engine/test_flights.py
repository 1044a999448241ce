"""Changed flights: the pure functions on bytes, and a real MicroPython that reads the result."""

from __future__ import annotations

from typing import Any

import pytest

from harness.certificates import Certificates
from harness.model import ServerProfile, ServerReport, Side
from harness.server import Serving
from harness.server.engine.flights import (
    FLIGHTS,
    HANDSHAKE,
    coalesce,
    edit_body,
    flight_of,
    join_messages,
    join_records,
    recut,
    split_messages,
    split_records,
    without_message,
)
from harness.server.local import LocalServer
from harness.system.deadline import Deadline

# Placeholder for this Python's name of it.
LEFT = "end of stream"
MESSAGES = [(2, b"\x03\x03" + bytes(40)), (11, bytes(300)), (14, b"")]
FLIGHT = join_records([(HANDSHAKE, b"\x03\x03", join_messages([message])) for message in MESSAGES])


@pytest.mark.parametrize("size", [1, 7, 64, 512, 16384])
def test_recut_keeps_the_messages(size: int) -> None:
    """Records of any size carry the same handshake bytes."""
    records = split_records(recut(FLIGHT, size))
    assert max(len(payload) for _kind, _version, payload in records) <= size
    assert split_messages(b"".join(payload for _kind, _version, payload in records)) == MESSAGES


def test_recut_leaves_protected_records_alone() -> None:
    """Only messages before ChangeCipherSpec are plaintext (RFC 5246 section 7.4.9)."""
    tail = b"\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x03abc"
    assert recut(FLIGHT + tail, 10).endswith(tail)
    assert recut(tail, 1) == tail


@pytest.mark.parametrize("size", [3, 64, 512])
def test_recut_starts_a_record_with_each_message(size: int) -> None:
    """Whether a cut falls into a header must not depend on the length of a signature."""
    payloads = [payload for _kind, _version, payload in split_records(recut(FLIGHT, size))]
    for kind, body in MESSAGES:
        message = join_messages([(kind, body)])
        taken = b""
        while len(taken) < len(message):
            taken += payloads.pop(0)
        assert taken == message
    assert payloads == []


def test_coalesce_puts_all_messages_into_one_record() -> None:
    """One record carries the whole plaintext flight; protected records follow it."""
    tail = b"\x14\x03\x03\x00\x01\x01"
    first, *rest = split_records(coalesce(FLIGHT + tail))
    assert split_messages(first[2]) == MESSAGES
    assert join_records(rest) == tail
    assert coalesce(tail) == tail


def test_edit_and_omit() -> None:
    """One message can be changed or omitted; the others are unchanged."""
    changed = split_records(edit_body(FLIGHT, 11, lambda body: b"x"))
    assert [split_messages(payload)[0] for _k, _v, payload in changed] == [MESSAGES[0], (11, b"x"), MESSAGES[2]]
    assert len(split_records(without_message(FLIGHT, 14))) == 2


def test_cut_records_are_kept() -> None:
    """A truncated record keeps the existing bytes."""
    assert split_records(FLIGHT[:10]) == [(HANDSHAKE, b"\x03\x03", FLIGHT[5:10])]


@pytest.mark.parametrize("name", FLIGHTS)
def test_an_alert_is_no_flight(name: str) -> None:
    """What a server says instead of its flight arrives as it is, and ends as the server ends it."""
    alert = b"\x15\x03\x03\x00\x02\x02\x28"
    change = flight_of({"name": name, "size": 1})
    assert change is not None
    assert [change(alert, index) for index in range(3)] == [(alert, "")] * 3


def test_only_known_names_change_flights() -> None:
    """A behaviour that changes no flight has no function."""
    assert flight_of({}) is None
    assert flight_of({"name": "close.rst"}) is None
    assert all(flight_of({"name": name, "size": 5}) is not None for name in FLIGHTS)


def attempt(
    server: LocalServer, client: Any, certificates: Certificates, **behaviour: Any
) -> tuple[dict[str, Any], ServerReport]:
    """Run one TLS 1.2 case with the MicroPython client, certificate verified."""
    profile = ServerProfile(certificates=("server-p256",), maximum_version="TLSv1.2", behaviour=behaviour)
    start = server.open(profile, Serving(expect_bytes=14, handshake_timeout_s=10, idle_timeout_s=10))
    seen = client.attempt(start.port, ca=certificates.make("ca-p256").certificate_der)
    return seen, server.finish(Deadline(60))


@pytest.mark.parametrize(
    "behaviour",
    [
        {"name": "fragments.hs-records", "size": 512},
        {"name": "fragments.hs-coalesced"},
        {"name": "fragments.tcp"},
        {"name": "time.slow", "delay_ms": 20},
        {"name": "tampered.warning-alert-unrecognized-name"},
    ],
)
def test_harmless_changes(
    server: LocalServer, micropython: Any, certificates: Certificates, behaviour: dict[str, Any]
) -> None:
    """A flight that is only split or delayed differently still connects."""
    seen, report = attempt(server, micropython, certificates, **behaviour)
    assert seen["done"]
    assert (report.failure, report.exchanged) == (None, True)


def test_delay_is_on_the_wire(server: LocalServer, micropython: Any, certificates: Certificates) -> None:
    """Each server flight is delayed as requested."""
    _seen, report = attempt(server, micropython, certificates, name="time.slow", delay_ms=50)
    first = next(chunk.at_ms for chunk in report.wire if chunk.sender is Side.SERVER)
    assert first >= 50


def test_one_byte_writes_are_recorded_one_by_one(
    server: LocalServer, micropython: Any, certificates: Certificates
) -> None:
    """The record shows TCP writes of one byte each."""
    _seen, report = attempt(server, micropython, certificates, name="fragments.tcp")
    assert {len(chunk.data) for chunk in report.wire if chunk.sender is Side.SERVER} == {1}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tampered.sh-version-0302", "WRONG_VERSION_NUMBER"),
        ("tampered.sh-cipher-not-offered", "TLSV1_ALERT_INTERNAL_ERROR"),
        ("tampered.sh-unsolicited-alpn", "DIGEST_CHECK_FAILED"),
        ("tampered.cert-bitflip-sig", "TLSV1_ALERT_UNKNOWN_CA"),
        ("tampered.cert-der-broken", "SSLV3_ALERT_BAD_CERTIFICATE"),
        ("tampered.cert-empty", "TLSV1_ALERT_DECODE_ERROR"),
        ("tampered.ske-bad-signature", "TLSV1_ALERT_DECRYPT_ERROR"),
        ("tampered.ske-bad-curve", "SSLV3_ALERT_ILLEGAL_PARAMETER"),
        ("tampered.ske-missing", "SSLV3_ALERT_UNEXPECTED_MESSAGE"),
        ("tampered.hello-request-first", "TLSV1_ALERT_DECODE_ERROR"),
        ("tampered.shd-missing", LEFT),
        ("tampered.ccs-missing", LEFT),
        ("cut-off.fin-mid-certificate", LEFT),
        ("cut-off.fin-before-finished", LEFT),
        ("cut-off.fin-after-shd", "ECONNABORTED"),
    ],
)
def test_tampered_flights(
    server: LocalServer,
    micropython: Any,
    certificates: Certificates,
    end_of_stream: tuple[str, str],
    name: str,
    reason: str,
) -> None:
    """A tampered or truncated flight never connects, and the server's reason is the measured one."""
    seen, report = attempt(server, micropython, certificates, name=name)
    assert not seen["done"]
    assert not report.exchanged
    assert report.failure is not None
    assert report.failure.reason == (end_of_stream[1] if reason == LEFT else reason)


def test_broken_application_record(server: LocalServer, micropython: Any, certificates: Certificates) -> None:
    """A broken record after the handshake is an error of the client only: the server wrote a good answer."""
    seen, report = attempt(server, micropython, certificates, name="tampered.appdata-bad-mac")
    assert (seen["args"][0], seen["stage"]) == (-29056, "read")
    assert (report.failure, report.exchanged) == (None, True)
