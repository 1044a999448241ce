"""The same change in other servers' configuration; tests/real_servers tries such lines with the real programs."""

import pytest

from harness.explain import fixes
from harness.explain.other_servers import for_any_server
from harness.model import BoardInfo, Change, Fix

CHANGES = {
    "key": (
        {"certificates": ("server-p256",)},
        ["ssl_certificate ec-cert.pem; ssl_certificate_key ec-key.pem;"],
        ["certfile ec-cert.pem", "keyfile ec-key.pem"],
        ["SSLCertificateFile ec-cert.pem", "SSLCertificateKeyFile ec-key.pem"],
        ["$ cat ec-cert.pem ec-key.pem > ec.pem", "bind ... ssl crt ec.pem"],
        ["-cert ec-cert.pem -key ec-key.pem"],
    ),
    "second-key": (
        {"certificates": ("*", "server-p256")},
        [
            "ssl_certificate rsa-cert.pem; ssl_certificate_key rsa-key.pem;",
            "ssl_certificate ec-cert.pem; ssl_certificate_key ec-key.pem;",
        ],
        ["supports only one certfile: give the other key its own listener"],
        [
            *("SSLCertificateFile rsa-cert.pem", "SSLCertificateKeyFile rsa-key.pem"),
            *("SSLCertificateFile ec-cert.pem", "SSLCertificateKeyFile ec-key.pem"),
        ],
        [
            *("$ cat ec-cert.pem ec-key.pem > ec.pem", "$ cat rsa-cert.pem rsa-key.pem > rsa.pem"),
            "bind ... ssl crt ec.pem crt rsa.pem",
        ],
        ["-cert rsa-cert.pem -key rsa-key.pem -dcert ec-cert.pem -dkey ec-key.pem"],
    ),
    "suites": (
        {"ciphers": "ECDHE+AESGCM"},
        ["ssl_ciphers ECDHE+AESGCM;"],
        ["ciphers ECDHE+AESGCM"],
        ["SSLCipherSuite ECDHE+AESGCM"],
        ["bind ... ssl ciphers ECDHE+AESGCM"],
        ["-cipher ECDHE+AESGCM"],
    ),
    "own-suites": (
        {"ciphers": None},
        ["remove the line ssl_ciphers"],
        ["remove the line ciphers"],
        ["remove the line SSLCipherSuite"],
        ["remove ciphers from the bind line, and the line ssl-default-bind-ciphers"],
        ["omit -cipher"],
    ),
    "oldest": (
        {"minimum_version": "TLSv1.2", "maximum_version": None},
        ["ssl_protocols TLSv1.2 TLSv1.3;"],
        ["tls_version tlsv1.2"],
        ["SSLProtocol -all +TLSv1.2 +TLSv1.3"],
        ["bind ... ssl ssl-min-ver TLSv1.2"],
        ["-min_protocol TLSv1.2"],
    ),
    "newest": (
        {"maximum_version": "TLSv1.2"},
        ["ssl_protocols TLSv1.2;"],
        [],
        ["SSLProtocol -all +TLSv1.2"],
        ["bind ... ssl ssl-max-ver TLSv1.2"],
        ["-max_protocol TLSv1.2"],
    ),
    "group": (
        {"curve": "prime256v1"},
        ["ssl_ecdh_curve prime256v1;"],
        [],
        ["SSLOpenSSLConfCmd Groups prime256v1"],
        ["bind ... ssl curves prime256v1"],
        ["-groups prime256v1"],
    ),
    "own-groups": (
        {"curve": None},
        ["ssl_ecdh_curve auto;"],
        [],
        ["remove the line SSLOpenSSLConfCmd Groups (or Curves)"],
        ["remove curves from the bind line, and the line ssl-default-bind-curves"],
        ["omit -groups"],
    ),
    "clients": (
        {"verify": "optional", "client_ca": ("*", "ca-p256")},
        ["ssl_verify_client optional;", "ssl_client_certificate client-ca.pem;"],
        ["require_certificate false", "cafile client-ca.pem"],
        ["SSLVerifyClient optional", "SSLCACertificateFile client-ca.pem"],
        ["bind ... ssl verify optional ca-file client-ca.pem"],
        ["-verify 1 -CAfile client-ca.pem"],
    ),
}


@pytest.mark.parametrize(
    ("server", "nginx", "mosquitto", "apache", "haproxy", "s_server"), CHANGES.values(), ids=CHANGES
)
def test_lines_of_each_server(server, nginx, mosquitto, apache, haproxy, s_server):
    """Python comes first, then the others, each with its name; a server without the setting is omitted."""
    fix = Fix(title="x", server_lines=("$ openssl version", "context.x()"), change=Change(server=server))
    assert for_any_server(fix).server_lines == (
        "$ openssl version",
        "Python     context.x()",
        *(f"nginx      {line}" for line in nginx),
        *(f"mosquitto  {line}" for line in mosquitto),
        *(f"Apache     {line}" for line in apache),
        *(f"HAProxy    {line}" for line in haproxy),
        *(f"s_server   {line}" for line in s_server),
    )


def test_titles():
    """Titles apply to any server."""
    told = [for_any_server(fix).title for fix in (fixes.python_suites(), fixes.allow_tls12(), fixes.default_groups())]
    assert told == [
        "leave the server's own list of suites out: its TLS library's default",
        "let the server speak TLS 1.2 as well",
        "let the server use P-256 for the key exchange",
    ]


@pytest.mark.parametrize(
    "fix",
    [
        fixes.unchecked(),
        fixes.trust(BoardInfo(), host=None),
        Fix(title="read the server's log"),
        Fix(title="x", server_lines=("x",), change=Change(server={"swap_key_and_certificate": False})),
    ],
)
def test_changes_without_lines_for_other_servers(fix):
    """Other servers get no lines for board changes, changes that cannot be tried, and settings that only Python has."""
    assert for_any_server(fix) == fix
