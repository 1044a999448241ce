"""Translates between the engine's plain dicts and the records of harness.model; pure.

Knows both vocabularies and the names of suites; must not open sockets or processes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.errors import ServerError
from harness.model import (
    Alert,
    FoundSettings,
    KeyFacts,
    ServerFacts,
    ServerFailure,
    ServerProfile,
    ServerReport,
    Side,
    Stage,
    TcpEnd,
    TcpEndKind,
    Verify,
    WireChunk,
)
from harness.server import ServerMaterial, ServerStart, Serving
from harness.wire.alerts import alert_level, alert_name
from harness.wire.groups import group_name, openssl_group_to_iana
from harness.wire.signature_algorithms import signature_name
from harness.wire.suites import suite_name

Materials = Callable[[str], ServerMaterial]


def settings_of(profile: ServerProfile, serving: Serving, *, materials: Materials) -> dict[str, Any]:
    """Return the engine's settings for a profile; JSON-safe.

    A behaviour's `certificate` (a profile name, for `sni.swap`) becomes `files`.
    """
    behaviour = dict(profile.behaviour)
    if "certificate" in behaviour:
        behaviour["files"] = _files(materials(str(behaviour.pop("certificate"))))
    return {
        "certificates": [_files(materials(name)) for name in profile.certificates],
        "ciphers": profile.ciphers,
        "minimum_version": profile.minimum_version,
        "maximum_version": profile.maximum_version,
        "curve": profile.curve,
        "verify": profile.verify.value,
        "client_ca": [materials(name).root_pem.decode("ascii") for name in profile.client_ca],
        "alpn": list(profile.alpn),
        "tickets": profile.tickets,
        "swap_key_and_certificate": profile.swap_key_and_certificate,
        "legacy_wrap_socket": profile.legacy_wrap_socket,
        "behaviour": behaviour,
        "address": serving.bind,
        "ports": list(serving.ports) if serving.ports else None,
        "peer": list(serving.peers) if serving.peers is not None else None,
        "expect_bytes": serving.expect_bytes,
        "reply": serving.reply,
        "send_bytes": serving.send_bytes,
        "application": serving.application,
        "handshake_timeout_s": serving.handshake_timeout_s,
        "idle_timeout_s": serving.idle_timeout_s,
    }


def _files(material: ServerMaterial) -> dict[str, str]:
    """Return the two files of a certificate, and the password of the second if it has one."""
    files = {"chain_file": str(material.chain_file), "key_file": str(material.key_file)}
    return files if material.password is None else {**files, "password": material.password}


def facts_of(
    raw: Mapping[str, Any] | None, *, keys: Sequence[KeyFacts], behaviour: Mapping[str, Any]
) -> ServerFacts | None:
    """Return the record of the engine's facts; only this side knows the keys."""
    if raw is None:
        return None
    groups = raw["groups"]
    return ServerFacts(
        python=raw["python"],
        openssl=raw["openssl"],
        openssl_number=raw["openssl_number"],
        suites=tuple((code, protocol, name) for code, protocol, name in raw["suites"]),
        keys=tuple(keys),
        minimum_version=raw["minimum_version"],
        maximum_version=raw["maximum_version"],
        groups=None if groups is None else tuple(openssl_group_to_iana(name) or name for name in groups),
        found=found_of(raw["found"]),
        security_level=raw["security_level"],
        server_preference=raw["server_preference"],
        verify=Verify(raw["verify"]),
        behaviour=dict(behaviour),
        eof=(str(raw["eof"][0]), str(raw["eof"][1])),
        checks_own_signature=bool(raw["checks_own_signature"]),
    )


def found_of(raw: Mapping[str, Any] | None) -> FoundSettings | None:
    """Return the record of what handshakes found, with IANA's names, which the engine does not know."""
    if raw is None:
        return None
    return FoundSettings(
        versions=tuple(raw["versions"]),
        groups=tuple(tuple(group_name(code) for code in each) for each in raw["groups"]),
        signature_algorithms=tuple(signature_name(code) for code in raw["signature_algorithms"]),
    )


def described_facts(description: Mapping[str, Any]) -> ServerFacts:
    """Return the facts of a context without its own settings, from a host's description of itself."""
    return ServerFacts(
        python=description["python"],
        openssl=description["openssl"],
        openssl_number=description["openssl_number"],
        suites=(),
        minimum_version=description["minimum_version"],
        maximum_version=description["maximum_version"],
        found=description["found"],
        security_level=description["security_level"],
    )


def description_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the engine's description of its interpreter, with IANA's names, which the engine does not know."""
    suites = [[code, protocol, suite_name(code)] for code, protocol, _openssl_name in raw["default_suites"]]
    return {**raw, "default_suites": suites, "found": found_of(raw.get("found"))}


def failure_of(raw: Mapping[str, Any] | None) -> ServerFailure | None:
    """Return the record of the engine's failure."""
    if raw is None:
        return None
    return ServerFailure(
        type=raw["type"],
        reason=raw["reason"],
        errno=raw["errno"],
        verify_code=raw["verify_code"],
        verify_message=raw["verify_message"],
        stage=Stage(raw["stage"]),
    )


def start_of(raw: Mapping[str, Any], *, profile: ServerProfile, keys: Sequence[KeyFacts]) -> ServerStart:
    """Return the record of the engine's answer to `open`.

    Raises:
        ServerError: the engine could not listen or does not know the behaviour.
    """
    if "error" in raw:
        raise ServerError(str(raw["error"]))
    return ServerStart(
        address=raw.get("address"),
        port=raw.get("port"),
        facts=facts_of(raw["facts"], keys=keys, behaviour=profile.behaviour),
        failure=failure_of(raw.get("failure")),
    )


def report_of(raw: Mapping[str, Any], *, facts: ServerFacts | None) -> ServerReport:
    """Return the record of the engine's report.

    Raises:
        ServerError: the engine itself failed.
    """
    if raw.get("error"):
        raise ServerError(f"the server engine failed: {raw['error']}")
    code = raw["suite_code"]
    return ServerReport(
        facts=facts,
        failure=failure_of(raw["failure"]),
        accepted=raw["accepted"],
        handshake_done=raw["handshake_done"],
        exchanged=raw["exchanged"],
        received_text=raw["received_text"],
        received_bytes=raw["received_bytes"],
        negotiated_version=raw["negotiated_version"],
        negotiated_suite=raw["negotiated_suite"] if code is None else suite_name(code),
        wire=tuple(_chunk(item) for item in raw["wire"]),
        tcp_ends=tuple(
            TcpEnd(sender=Side(sender), at_ms=at_ms, how=TcpEndKind(how)) for sender, at_ms, how in raw["tcp_ends"]
        ),
        message_alerts=tuple(_alert(item) for item in raw["message_alerts"]),
        key_log=raw["key_log"],
        strangers=raw["strangers"],
        stranger_addresses=tuple(raw.get("stranger_addresses", ())),
        contested=raw["contested"],
        peer=raw["peer"],
        peer_port=raw["peer_port"],
        local=raw["local"],
        local_port=raw["local_port"],
        started_unix_s=raw["started_unix_s"],
        handshake_ms=raw["handshake_ms"],
        timed_out=raw["timed_out"],
    )


def _chunk(item: Sequence[Any]) -> WireChunk:
    """Return the record of [sender, at_ms, bytes or base64]."""
    sender, at_ms, data = item
    return WireChunk(
        sender=Side(sender), at_ms=at_ms, data=base64.b64decode(data) if isinstance(data, str) else bytes(data)
    )


def _alert(item: Mapping[str, Any]) -> Alert:
    """Return the record of an alert from the message callback."""
    return Alert(
        sender=Side(item["from"]),
        level=alert_level(item["level"]),
        code=item["code"],
        name=alert_name(item["code"]),
        encrypted=item["encrypted"],
    )


class EngineAdapter:
    """Translates between records and the engine's dicts for the server that is open, for both kinds of host.

    Args:
        materials: maps a certificate profile's name to its files and facts.
    """

    def __init__(self, *, materials: Materials) -> None:
        self._materials = materials
        self._profile = ServerProfile()
        self._start: ServerStart | None = None

    def settings(self, profile: ServerProfile, serving: Serving) -> dict[str, Any]:
        """Return the engine's settings for a new server."""
        self._profile, self._start = profile, None
        return settings_of(profile, serving, materials=self._materials)

    def started(self, raw: Mapping[str, Any]) -> ServerStart:
        """Translate the engine's answer to `open`."""
        keys = [self._materials(name).facts for name in self._profile.certificates]
        self._start = start_of(raw, profile=self._profile, keys=keys)
        return self._start

    @property
    def refused(self) -> ServerReport | None:
        """The report of a server that refused its own settings; None if it listens.

        Raises:
            ServerError: nothing was opened.
        """
        if self._start is None:
            raise ServerError("no TLS server is open: call open() first")
        if self._start.failure is None:
            return None
        return ServerReport(facts=self._start.facts, failure=self._start.failure)

    def finished(self, raw: Mapping[str, Any]) -> ServerReport:
        """Translate the engine's report; the server is closed."""
        start, self._start = self._start, None
        return report_of(raw, facts=start.facts if start is not None else None)
