"""Real servers that insist on something in the ClientHello that the board does not send: ALPN, a server name, a signature algorithm."""

import re

import pytest

# A reverse proxy that looks into the ClientHello and passes it on, or closes.
PROXY = """
defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend tls
  bind 127.0.0.1:{port}
  tcp-request inspect-delay 2s
  {rule}
  default_backend tls
backend tls
  server one unix@{folder}/tls.sock
frontend inner
  bind unix@{folder}/tls.sock ssl crt {pair} ssl-max-ver TLSv1.2
  mode http
  http-request return status 200 content-type text/plain string hello
"""
SIGNATURES = {
    "nginx": ("ssl_protocols TLSv1.2; {}", "ssl_conf_command SignatureAlgorithms RSA-PSS+SHA256;"),
    "Apache": ("SSLProtocol -all +TLSv1.2\n{}", "SSLOpenSSLConfCmd SignatureAlgorithms RSA-PSS+SHA256"),
    "s_server": ("-max_protocol TLSv1.2 {}", "-sigalgs RSA-PSS+SHA256"),
}


@pytest.fixture
def proxy(started, pairs, port, tmp_path):
    """Start HAProxy with a rule on the ClientHello, without a rule for None."""

    def start(rule):
        config = tmp_path / "proxy.cfg"
        pair = pairs / "server-p256" / "both.pem"
        config.write_text(PROXY.format(port=port, rule=rule or "", folder=tmp_path, pair=pair))
        started(port, "haproxy", "-f", config)

    return start


@pytest.mark.slow
def test_alpn(proxy, diagnose):
    """A proxy that closes without the right ALPN; without that rule the board connects, as the fix says."""
    proxy("tcp-request content reject unless { req.ssl_alpn mqtt }")
    code, text = diagnose()
    assert (code, "   [peer/alpn-required]\n" in text) == (1, True), text
    assert "  this machine sent what the board sends: refused; accepted with application protocols (ALPN)\n" in text
    assert "  server      HAProxy    remove the rule on req.ssl_alpn or ssl_fc_alpn\n" in text
    proxy(None)
    assert diagnose()[0] == 0


@pytest.mark.slow
def test_a_server_name(haproxy, diagnose):
    """`strict-sni` refuses a board that connects by address; with a name that it has, the board connects."""
    haproxy("server-p256", "strict-sni")
    code, text = diagnose()
    assert (code, "   [names/missing-sni]\n" in text) == (1, True), text
    assert "1. [not tried] send the server name (SNI): the server shows none, so give --hostname NAME\n" in text
    assert diagnose("--hostname", "tls.test")[0] == 0
    code, text = diagnose("--hostname", "other.test")
    assert (code, "   [names/unknown-to-server]\n" in text) == (1, True), text
    assert "ask for a host that the server has: the server shows none, so give --hostname NAME\n" in text


@pytest.mark.slow
def test_an_unknown_name_with_a_default_certificate(nginx, diagnose, pairs):
    """A board that verifies under a wrong name: the name in the served certificate is tried, and proved."""
    nginx("server-p256")
    code, text = diagnose("--ca", pairs / "ca-p256" / "cert.der", "--hostname", "other.test")
    assert code == 1
    assert re.search(r"^\d\. \[PROVED\] ask for the name in the certificate$", text, re.MULTILINE), text


@pytest.mark.slow
@pytest.mark.parametrize("program", SIGNATURES)
def test_signatures(request, diagnose, program):
    """A server that signs with RSA-PSS only; with the printed line the board connects."""
    settings, bad = SIGNATURES[program]
    start = request.getfixturevalue(program.lower())

    def run(line):
        words = settings.format(line)
        start("server-rsa2048", *(words.split() if program == "s_server" else [words]))

    run(bad)
    code, text = diagnose()
    assert (code, "   [peer/more-required]\n" in text) == (1, True), text
    assert "  the server then signs with rsa_pss_rsae_sha256\n" in text
    (line,) = re.findall(rf"^  server      {program} +(.*)$", text, re.MULTILINE)
    assert line.split()[0] == bad.split()[0]
    run(line)
    code, text = diagnose()
    assert code == 0, (line, text)


@pytest.mark.slow
def test_only_static_rsa(nginx, diagnose):
    """A server with TLS_RSA only: the board connects, the session is said to be weak, and whose choice that is."""
    weak, either = "TLS_RSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    note = "  note: weak: the server accepts no suite with forward secrecy (ECDHE) from this machine either"
    nginx("server-rsa2048", "ssl_protocols TLSv1.2; ssl_ciphers AES128-SHA256;")
    code, text = diagnose()
    assert code == 0
    assert f"\nconnected TLSv1.2 {weak} [weak: no forward secrecy]\n" in text
    assert note in text
    nginx("server-rsa2048", "ssl_protocols TLSv1.2; ssl_ciphers ECDHE+AESGCM:AES128-SHA256;")
    code, text = diagnose("--suites", weak)
    assert (code, f"\nconnected TLSv1.2 {weak} [weak: no forward secrecy]\n" in text, note in text) == (0, True, False)
    code, text = diagnose("--suites", f"{either},{weak}")
    assert (code, f"\nconnected TLSv1.2 {either} " in text, note in text) == (0, True, False)
