"""The same change of a server in the configuration of nginx, mosquitto, Apache, HAProxy and `openssl s_server`. Pure.

nginx: ngx_http_ssl_module; mosquitto: mosquitto.conf(5), where a version is the oldest one since 2.0; Apache: mod_ssl; HAProxy: the options
of a `bind` line (configuration manual, "Bind options"); s_server: openssl-s_server(1). All of them pass suites and groups to OpenSSL, so
its names are unchanged. Servers without the setting are omitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.model import Fix, TlsVersion

_THERE = "*"
_NEUTRAL_SUITES = "leave the server's own list of suites out: its TLS library's default"


def for_any_server(fix: Fix) -> Fix:
    """Give a fix the lines of six servers, each with its name; used for a server of which only its answers are known.

    A fix that changes nothing on the server, or nothing for which these have settings, is unchanged; so are shell lines.
    """
    server = fix.change.server if fix.change is not None else {}
    others = [
        ("nginx", _nginx(server)),
        ("mosquitto", _mosquitto(server)),
        ("Apache", _apache(server)),
        ("HAProxy", _haproxy(server)),
        ("s_server", _s_server(server)),
    ]
    if not any(lines for _name, lines in others):
        return fix
    shell = [line for line in fix.server_lines if line.startswith("$ ")]
    python = [line for line in fix.server_lines if not line.startswith("$ ")]
    named = [f"{name:<9}  {line}" for name, lines in [("Python", python), *others] for line in lines]
    title = _NEUTRAL_SUITES if dict(server) == {"ciphers": None} else fix.title
    return replace(fix, title=title, server_lines=(*shell, *named))


def _nginx(server: Mapping[str, Any]) -> list[str]:
    lines = [f"ssl_certificate {kind}-cert.pem; ssl_certificate_key {kind}-key.pem;" for kind in _kinds(server)]
    if "ciphers" in server:
        lines.append(f"ssl_ciphers {server['ciphers']};" if server["ciphers"] else "remove the line ssl_ciphers")
    if "minimum_version" in server or "maximum_version" in server:
        lines.append(f"ssl_protocols {' '.join(_between(server))};")
    if "curve" in server:
        lines.append(f"ssl_ecdh_curve {server['curve'] or 'auto'};")
    if "verify" in server:
        word = {"none": "off", "optional": "optional", "required": "on"}[str(server["verify"])]
        lines.append(f"ssl_verify_client {word};")
    if server.get("client_ca"):
        lines.append("ssl_client_certificate client-ca.pem;")
    return lines


def _mosquitto(server: Mapping[str, Any]) -> list[str]:
    kinds = _kinds(server)
    lines = [
        f"{word}file {kinds[0]}-{part}.pem" for word, part in (("cert", "cert"), ("key", "key")) if len(kinds) == 1
    ]
    if len(kinds) > 1:
        lines.append("supports only one certfile: give the other key its own listener")
    if "ciphers" in server:
        lines.append(f"ciphers {server['ciphers']}" if server["ciphers"] else "remove the line ciphers")
    if server.get("minimum_version"):
        lines.append(f"tls_version {server['minimum_version'].lower()}")
    if "verify" in server:
        lines.append(f"require_certificate {'true' if str(server['verify']) == 'required' else 'false'}")
    if server.get("client_ca"):
        lines.append("cafile client-ca.pem")
    return lines


def _apache(server: Mapping[str, Any]) -> list[str]:
    lines = []
    for kind in _kinds(server):
        lines += [f"SSLCertificateFile {kind}-cert.pem", f"SSLCertificateKeyFile {kind}-key.pem"]
    if "ciphers" in server:
        lines.append(f"SSLCipherSuite {server['ciphers']}" if server["ciphers"] else "remove the line SSLCipherSuite")
    if "minimum_version" in server or "maximum_version" in server:
        lines.append(f"SSLProtocol -all {' '.join(f'+{version}' for version in _between(server))}")
    if "curve" in server:
        line = f"SSLOpenSSLConfCmd Groups {server['curve']}"
        lines.append(line if server["curve"] else "remove the line SSLOpenSSLConfCmd Groups (or Curves)")
    if "verify" in server:
        word = {"none": "none", "optional": "optional", "required": "require"}[str(server["verify"])]
        lines.append(f"SSLVerifyClient {word}")
    if server.get("client_ca"):
        lines.append("SSLCACertificateFile client-ca.pem")
    return lines


def _haproxy(server: Mapping[str, Any]) -> list[str]:
    """Options of the line `bind ... ssl`; a `crt` file holds certificate and key, as `cat` joins them.

    A client that sends no server name gets the first certificate, whatever it offers: the new one.
    """
    kinds = _kinds(server)[::-1]
    lines = [f"$ cat {kind}-cert.pem {kind}-key.pem > {kind}.pem" for kind in kinds]
    words = [f"crt {kind}.pem" for kind in kinds]
    if server.get("ciphers"):
        words.append(f"ciphers {server['ciphers']}")
    for option, field in (("ssl-min-ver", "minimum_version"), ("ssl-max-ver", "maximum_version")):
        if server.get(field):
            words.append(f"{option} {server[field]}")
    if server.get("curve"):
        words.append(f"curves {server['curve']}")
    if "verify" in server:
        words.append(f"verify {server['verify']}")
    if server.get("client_ca"):
        words.append("ca-file client-ca.pem")
    lines += [f"bind ... ssl {' '.join(words)}"] if words else []
    if "ciphers" in server and not server["ciphers"]:
        lines.append("remove ciphers from the bind line, and the line ssl-default-bind-ciphers")
    if "curve" in server and not server["curve"]:
        lines.append("remove curves from the bind line, and the line ssl-default-bind-curves")
    return lines


def _s_server(server: Mapping[str, Any]) -> list[str]:
    words = []
    for kind, beside in zip(_kinds(server), ("", "d"), strict=False):
        words.append(f"-{beside}cert {kind}-cert.pem -{beside}key {kind}-key.pem")
    if "ciphers" in server:
        words.append(f"-cipher {server['ciphers']}" if server["ciphers"] else "omit -cipher")
    for option, field in (("-min_protocol", "minimum_version"), ("-max_protocol", "maximum_version")):
        if server.get(field):
            words.append(f"{option} {server[field]}")
    if "curve" in server:
        words.append(f"-groups {server['curve']}" if server["curve"] else "omit -groups")
    if "verify" in server:
        words.append({"none": "omit -Verify", "optional": "-verify 1", "required": "-Verify 1"}[server["verify"]])
    if server.get("client_ca"):
        words.append("-CAfile client-ca.pem")
    return [" ".join(words)] if words else []


def _kinds(server: Mapping[str, Any]) -> list[str]:
    """Return the kinds of key; after one that is kept the new one comes second."""
    named = server.get("certificates", ())
    made = ["rsa" if "rsa" in name else "ec" for name in named if name != _THERE]
    other = {"ec": "rsa", "rsa": "ec"}
    return [other[made[0]], *made] if _THERE in named and len(made) == 1 else made


def _between(server: Mapping[str, Any]) -> tuple[str, ...]:
    versions = tuple(version.value for version in TlsVersion)
    first = versions.index(server.get("minimum_version") or "TLSv1.2")
    last = versions.index(server.get("maximum_version") or "TLSv1.3")
    return versions[first : last + 1]
