"""Both sides' settings as one record that can be changed. Pure except for generating certificates."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.certificates import Unavailable
from harness.diagnose.given import CA, CLIENT, CLIENT_CA, COMPLETE, EVERY_CA, GIVEN, ISSUER, GivenCertificates
from harness.diagnose.request import Request
from harness.model import Change, ClientPlan, Fix, ServerProfile, Verify
from harness.wire.plain_protocols import PlainProtocol

_THERE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a server that is already running is reached, other than directly at the given port.

    `port` is another one. With `starttls` the connection begins in plain text, and the client asks for TLS in this protocol.
    """

    port: int | None = None
    starttls: PlainProtocol | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the server and the board in one handshake."""

    server: ServerProfile
    client: ClientPlan
    route: Route = Route()

    @classmethod
    def untouched(cls) -> Settings:
        """Return the defaults of both sides."""
        return cls(server=ServerProfile(), client=ClientPlan())


def as_given(request: Request, certificates: GivenCertificates) -> Settings:
    """Return the settings that the user requested."""
    files = request.files
    server = ServerProfile(
        certificates=(GIVEN,) if files.certificate is not None else (),
        ciphers=request.ciphers,
        minimum_version=request.minimum_version,
        maximum_version=request.maximum_version,
        verify=Verify.REQUIRED if files.client_ca is not None else Verify.NONE,
        client_ca=(CLIENT_CA,) if files.client_ca is not None else (),
    )
    form = certificates.ca_format
    client = ClientPlan(
        verify=Verify.REQUIRED if files.ca is not None else Verify.NONE,
        server_hostname=certificates.host,
        # A PEM text contains all of its certificates; of several DER certificates in one file MicroPython reads the first.
        ca=certificates.ca_names[:1],
        ca_format=form,
        certificate=CLIENT if files.client_certificate is not None else None,
        certificate_format=certificates.client_format,
        suites=request.suites,
    )
    return Settings(server=server, client=client)


def changed(settings: Settings, change: Change, certificates: GivenCertificates) -> Settings:
    """Apply a change.

    A generated certificate has a generated CA: a board that verifies gets that CA, too.
    """
    server = replace(settings.server, **_with_what_is_there(change.server, settings.server))
    client = replace(settings.client, **_with_what_is_there(change.client, settings.client))
    issues = any(not certificates.is_own(name) for name in server.certificates)
    nameless = client.server_hostname is None and client.verify is not Verify.NONE and issues
    if client.server_hostname == _THERE or nameless:
        client = replace(client, server_hostname=certificates.host or certificates.server_address)
    if client.ca == (EVERY_CA,):
        client = replace(client, ca=certificates.ca_names)
    if certificates.ca_format == "pem" and client.ca_format == "der" and client.ca[:1] == (CA,):
        client = replace(client, ca=tuple(dict.fromkeys((*certificates.ca_names, *client.ca))))
    if "certificates" in change.server and client.verify is not Verify.NONE:
        roots = [root for name in server.certificates if (root := certificates.root_of(name)) is not None]
        kept = client.ca if {GIVEN, COMPLETE} & {*server.certificates} else ()
        client = replace(client, ca=tuple(dict.fromkeys((*kept, *roots))))
    return Settings(server=server, client=client, route=replace(settings.route, **change.route))


def _with_what_is_there(values: Mapping[str, Any], record: ServerProfile | ClientPlan) -> dict[str, Any]:
    result = {}
    for name, value in values.items():
        if isinstance(value, tuple) and _THERE in value:
            there = getattr(record, name)
            value = tuple(dict.fromkeys(item for word in value for item in (there if word == _THERE else (word,))))
        result[name] = Verify(value) if name == "verify" else value
    return result


def makes_keys(change: Change, certificates: GivenCertificates) -> bool:
    """Return whether trying this needs a generated certificate."""
    named = [*change.server.get("certificates", ()), *change.server.get("client_ca", ()), *change.client.get("ca", ())]
    named += [change.client["certificate"]] if change.client.get("certificate") else []
    return any(name != _THERE and certificates.root_of(name) is not None for name in named)


def filled(fix: Fix, certificates: GivenCertificates) -> Fix:
    """Replace placeholders in a fix by the user's host and files."""
    files, host = certificates.files, certificates.host
    names = {"HOST": host, "NAME-IN-CERTIFICATE": host} if host else {}
    for word, path in (
        ("ca.pem", files.ca),
        ("client.pem", files.client_certificate),
        ("client-key.pem", files.client_key),
    ):
        if path is not None:
            names[word] = str(path)
    if fix.change is not None and ISSUER in fix.change.client.get("ca", ()):
        names.pop("ca.pem", None)
        with contextlib.suppress(Unavailable):
            certificates.make(ISSUER)
            names["ca.pem"] = certificates.places[ISSUER].text
    if files.certificate is not None and files.key is not None:
        kind = {"RSA": "rsa", "EC": "ec"}.get(certificates.make(GIVEN).facts.type)
        # A generated key of the same kind keeps its plain name: only a key that is kept is the user's.
        keeps = fix.change is not None and _THERE in fix.change.server.get("certificates", ())
        if kind is not None and keeps:
            names |= {
                f"{kind}-cert.pem": str(files.certificate),
                f"{kind}-key.pem": str(files.key),
            }
    return replace(
        fix,
        server_lines=tuple(_renamed(line, names) for line in fix.server_lines),
        client_lines=tuple(_renamed(line, names) for line in fix.client_lines),
    )


def _renamed(line: str, names: Mapping[str, str]) -> str:
    if not names:
        return line
    words = "|".join(re.escape(word) for word in sorted(names, key=len, reverse=True))
    return re.sub(rf"(?<![\w.-])({words})(?![\w-])", lambda found: names[found[1]], line)
