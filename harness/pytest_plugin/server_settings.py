"""The settings of a server that a test describes: `tls_server(...)`. Starts nothing.

Must not import pytest, so that it works in a script.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import Any, Unpack

from harness.certificates import Certificates
from harness.errors import UsageError
from harness.model import ServerProfile, TlsVersion, Verify
from harness.pytest_plugin.arguments import ServerSettings
from harness.pytest_plugin.given_behaviour import behaviour_of
from harness.pytest_plugin.given_words import as_tuple, check_names, word_of
from harness.pytest_plugin.own_files import authority_names, is_file, server_pair
from harness.server.engine.tls_contexts import CURVES
from harness.system.near_names import did_you_mean
from harness.wire.groups import openssl_group_to_iana

# The arguments that name the server's own files.
_FILES = ("cert", "key", "password")
# Short forms of a behaviour.
_SHORT = ("flight", "unwrap_first", "suppress_ragged_eofs")


def make_server(
    *certificates: str, known: Certificates | None = None, **given: Unpack[ServerSettings]
) -> ServerProfile:
    """Describe a TLS server that Python's `ssl` module runs. Nothing is started: `board.connect` starts it for one connection.

    Args:
        certificates: names of certificate profiles (`certificates.names()`). Several profiles mean several
            `load_cert_chain` calls; without any, and without `cert`, the server has no certificate.
        known: has the profiles and gets the user's files; None for the harness's own profiles.
        given: settings of the server. Each one that is left out keeps the default of Python and OpenSSL:
            cert, key: your own certificate with its chain, and its private key, PEM files. Without `key` it is read from `cert`.
            password: of an encrypted key.
            ciphers: text for `SSLContext.set_ciphers`, as `"ECDHE+AESGCM"`. Suites of TLS 1.3 are not affected. The text is
            not checked here; OpenSSL refuses a wrong one when the server starts, and the observation has its error.
            minimum_version, maximum_version: `"TLSv1"`, `"TLSv1.1"`, `"TLSv1.2"` or `"TLSv1.3"`.
            curve: the only group for the key exchange, in OpenSSL's spelling: `"prime256v1"`, `"X25519"`.
            verify: whether clients must present a certificate: `"none"`, `"optional"` or `"required"`.
            client_ca: one or more CAs that client certificates must come from: profiles or files.
            alpn: one or more protocols to offer.
            tickets: how many TLS 1.3 session tickets to send.
            swap_key_and_certificate: pass the key file as the certificate file and the reverse.
            legacy_wrap_socket: use `ssl.wrap_socket`, which Python 3.12 removed.
            behaviour: a deviation from what a correct server does: a name, or a mapping of `name` and that behaviour's keys. The list
                is in docs/reports.md of `tls-harness files docs`, "Server behaviours".
            flight: a function `(flight: bytes, index: int) -> bytes` that changes what the server is about to send: flight 0 begins with
                ServerHello, 1 with the server's next answer. Only with the Python that runs pytest.
            unwrap_first: send close_notify before the client closes, as `SSLSocket.unwrap()` does.
            suppress_ragged_eofs: False reads until the client has closed, and reports a close without close_notify, as every MicroPython
                closes, as the server's error in the observation. True is the default, as in Python.

    Returns:
        The settings, for `board.connect`.

    Raises:
        UsageError: a setting, certificate profile, version or curve does not exist, or a file cannot be used.
    """
    settings: dict[str, Any] = {**given}
    known = known or _declarations()
    check_names(settings, [*_FILES, *_SHORT, *(item.name for item in fields(ServerProfile))], where="tls_server")
    files = {name: settings.pop(name, None) for name in _FILES}
    behaviour = behaviour_of(settings.pop("behaviour", None), **{name: settings.pop(name, None) for name in _SHORT})
    if "verify" in settings:
        settings["verify"] = word_of(Verify, settings["verify"], where="tls_server(verify=...)")
    if "alpn" in settings:
        settings["alpn"] = as_tuple(settings["alpn"])
    for name in ("minimum_version", "maximum_version"):
        value = settings.get(name)
        if value is not None and value not in list(TlsVersion):
            raise UsageError(f"tls_server({name}=...): {value!r} is not one of {', '.join(TlsVersion)}")
    curve = settings.get("curve")
    if curve is not None and not (isinstance(curve, str) and openssl_group_to_iana(curve)):
        # Others that TLS has a number for are left to the server's OpenSSL, which says what it cannot do.
        near = did_you_mean(curve, CURVES)
        raise UsageError(
            f"tls_server(curve=...): {curve!r} is not a TLS curve{near}; expected one of {', '.join(CURVES)} ..."
        )
    for name in certificates:
        if is_file(name):
            raise UsageError(f"tls_server({name!r}): a file is given by name: tls_server(cert={name!r}, key=...)")
        known.profile(name)
    if any(value is not None for value in files.values()):
        certificates = (*certificates, server_pair(known, **files))
    if settings.get("client_ca") is not None:
        settings["client_ca"] = authority_names(
            known, settings["client_ca"], where="tls_server(client_ca=...)", joined=True
        )
    return ServerProfile(certificates=certificates, behaviour=behaviour, **settings)


@functools.cache
def _declarations() -> Certificates:
    """The declared certificates, read once; none of them is made here."""
    return Certificates()


@dataclass(frozen=True, slots=True)
class ServerMaker:
    """What the fixture `tls_server` gives: `make_server` with the certificates of the run."""

    certificates: Certificates

    def __call__(self, *certificates: str, **settings: Unpack[ServerSettings]) -> ServerProfile:
        """Describe a Python TLS server; see `make_server`."""
        return make_server(*certificates, known=self.certificates, **settings)
