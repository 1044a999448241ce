"""The lines that `tls-harness diagnose --connect` prints for each server are put into the real program's configuration, and it connects.

Each line is used as printed, in a folder with the printed files: `ec-cert.pem`, `ec-key.pem`, `rsa-cert.pem`, `rsa-key.pem`,
`client-ca.pem`. A printed setting replaces the setting of the same name.
"""

import re
import subprocess
import sys

import pytest

ECDSA = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
CHACHA = "ECDHE-ECDSA-CHACHA20-POLY1305"
PYTHON = """
import socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
%s
listener = socket.create_server(("127.0.0.1", %d))
while True:
    sock, _peer = listener.accept()
    try:
        with sock, context.wrap_socket(sock, server_side=True) as tls:
            tls.recv(100)
    except OSError:
        pass
"""
# What is wrong in each program's words; `key` needs nothing: the board offers ECDHE-ECDSA and static RSA, as old firmware does.
BAD = {
    "Python": {
        "version": "context.minimum_version = ssl.TLSVersion.TLSv1_3",
        "suites": f'context.maximum_version = ssl.TLSVersion.TLSv1_2\ncontext.set_ciphers("{CHACHA}")',
        "group": 'context.maximum_version = ssl.TLSVersion.TLSv1_2\ncontext.set_ecdh_curve("secp256k1")',
        "client": 'context.maximum_version = ssl.TLSVersion.TLSv1_2\ncontext.load_verify_locations("other.pem")\n'
        "context.verify_mode = ssl.CERT_REQUIRED",
        "key": 'context.set_ciphers("ECDHE+AESGCM")',
    },
    "nginx": {
        "version": "ssl_protocols TLSv1.3;",
        "suites": f"ssl_protocols TLSv1.2;\nssl_ciphers {CHACHA};",
        "group": "ssl_protocols TLSv1.2;\nssl_ecdh_curve X448;",
        "key": "ssl_ciphers ECDHE+AESGCM;",
    },
    "mosquitto": {
        "version": "tls_version tlsv1.3",
        "suites": f"tls_version tlsv1.2\nciphers {CHACHA}",
        "client": "tls_version tlsv1.2\ncafile other.pem\nrequire_certificate true",
        "key": "ciphers ECDHE+AESGCM",
    },
    "Apache": {
        "version": "SSLProtocol -all +TLSv1.3",
        "suites": f"SSLProtocol -all +TLSv1.2\nSSLCipherSuite {CHACHA}",
        "group": "SSLProtocol -all +TLSv1.2\nSSLOpenSSLConfCmd Groups X448",
        "client": "SSLProtocol -all +TLSv1.2\nSSLVerifyClient require\nSSLCACertificateFile other.pem",
        "key": "SSLCipherSuite ECDHE+AESGCM",
    },
    "HAProxy": {
        "version": "ssl-min-ver TLSv1.3",
        "suites": f"ssl-max-ver TLSv1.2\nciphers {CHACHA}",
        "group": "ssl-max-ver TLSv1.2\ncurves X448",
        "client": "ssl-max-ver TLSv1.2\nverify required\nca-file other.pem",
        "key": "ciphers ECDHE+AESGCM",
    },
    "s_server": {
        "version": "-min_protocol TLSv1.3",
        "suites": f"-max_protocol TLSv1.2\n-cipher {CHACHA}",
        "group": "-max_protocol TLSv1.2\n-groups X448",
        "client": "-max_protocol TLSv1.2\n-Verify 1\n-CAfile other.pem\n-verify_return_error",
        "key": "-cipher ECDHE+AESGCM",
    },
}
OWN = {
    "Python": 'context.load_cert_chain("{0}-cert.pem", "{0}-key.pem")',
    "nginx": "ssl_certificate {0}-cert.pem;\nssl_certificate_key {0}-key.pem;",
    "mosquitto": "certfile {0}-cert.pem\nkeyfile {0}-key.pem",
    "Apache": "SSLCertificateFile {0}-cert.pem\nSSLCertificateKeyFile {0}-key.pem",
    "HAProxy": "crt {0}.pem",
    "s_server": "-cert {0}-cert.pem\n-key {0}-key.pem",
}
REMOVED = r"(?:remove the line|omit|# remove the call to|remove) (-?[\w.]+)"


@pytest.fixture
def run(request, started, port, tmp_path, pairs):
    """Start a program with settings, one per line: `run(program, settings)`; all files have the printed names."""
    for kind, profile in (("ec", "server-p256"), ("rsa", "server-rsa2048")):
        for part in ("cert", "key"):
            (tmp_path / f"{kind}-{part}.pem").write_bytes((pairs / profile / f"{part}.pem").read_bytes())
        (tmp_path / f"{kind}.pem").write_bytes((pairs / profile / "both.pem").read_bytes())
    for file, profile in (("client-ca.pem", "ca-p256"), ("other.pem", "ca-other")):
        (tmp_path / file).write_bytes((pairs / profile / "cert.pem").read_bytes())

    def start(program, settings):
        if program == "Python":
            (tmp_path / "server.py").write_text(PYTHON % ("\n".join(settings), port))
            started(port, sys.executable, "server.py")
        elif program == "s_server":
            request.getfixturevalue("s_server")("", *" ".join(settings).split())
        elif program == "HAProxy":
            request.getfixturevalue("haproxy")("", " ".join(settings))
        else:
            request.getfixturevalue(program.lower())("", "\n".join(settings))

    return start


def printed(answer, program):
    """Return the lines that each fix has for this program, if it has any; `supports only one certfile` says that it has none."""
    fixes = re.split(r"^\d+\. \[", answer, flags=re.MULTILINE)[1:]
    found = [re.findall(rf"^  server      {program} +(.*)$", fix, re.MULTILINE) for fix in fixes]
    return [lines for lines in found if lines and not lines[0].startswith("supports only ")]


def read(program, line):
    """Split a printed line into settings."""
    if program == "nginx":
        return re.findall(r"\S[^;]*;", line) or [line]
    if program == "mosquitto":
        return line.split(" and ")
    if program == "HAProxy" and line.startswith("bind ... ssl "):
        words = line.removeprefix("bind ... ssl ").split()
        return [" ".join(words[at : at + 2]) for at in range(0, len(words), 2)]
    if program == "s_server" and line.startswith("-"):
        return [f"-{setting.strip()}" for setting in re.split(r"(?:^| )-", line)[1:]]
    return [line]


def name(setting):
    """Return the name of a setting: its first word."""
    return re.match(r"-?[\w.-]+", setting)[0]


def changed(settings, program, lines, *, folder):
    """Return the settings with printed lines put in; shell lines are run."""
    new, gone = [], set()
    for line in lines:
        if line.startswith("$ "):
            subprocess.run(["sh", "-ec", line.removeprefix("$ ")], cwd=folder, check=True)
            continue
        removed = re.match(REMOVED, line)
        if removed is not None:
            gone.add(removed[1])
        else:
            new += read(program, line)
    gone |= {name(setting) for setting in new}
    return [setting for setting in settings if name(setting) not in gone] + new


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "wrong"), [(program, wrong) for program, bad in BAD.items() for wrong in bad if wrong != "client"]
)
def test_each_fix_connects(run, diagnose, tmp_path, program, wrong):
    """The bad configuration is refused; with the lines of each fix, and nothing else changed, the board connects."""
    board = ("--suites", f"{ECDSA},TLS_RSA_WITH_AES_128_CBC_SHA256") if wrong == "key" else ()
    settings = [*OWN[program].format("rsa" if wrong == "key" else "ec").split("\n"), *BAD[program][wrong].split("\n")]
    run(program, settings)
    code, text = diagnose(*board)
    fixes = printed(text, program)
    assert (code, bool(fixes)) == (1, True), text
    for lines in fixes:
        run(program, changed(settings, program, lines, folder=tmp_path))
        code, text = diagnose(*board)
        assert code == 0, (lines, text)


@pytest.mark.slow
@pytest.mark.parametrize("program", [program for program, bad in BAD.items() if "client" in bad])
def test_each_fix_for_client_certificates_connects(run, diagnose, tmp_path, pairs, program):
    """A server that trusts another CA: it connects with the printed CA and a certificate, and without one if it only asks."""
    settings = [*OWN[program].format("ec").split("\n"), *BAD[program]["client"].split("\n")]
    run(program, settings)
    code, text = diagnose()
    fixes = printed(text, program)
    assert (code, len(fixes)) == (1, 2), text
    own = pairs / "client-p256"
    for lines, board in zip(
        fixes, (("--client-cert", own / "cert.der", "--client-key", own / "key.der"), ()), strict=True
    ):
        run(program, changed(settings, program, lines, folder=tmp_path))
        code, text = diagnose(*board)
        assert code == 0, (lines, text)
