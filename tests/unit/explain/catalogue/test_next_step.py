"""The diagnose line: what the text says is filled in, the rest stays in capitals; and diagnose accepts it."""

import shlex

import pytest

from harness import cli
from harness.explain.catalogue.answers import understand
from harness.explain.catalogue.next_step import diagnose_line


def line(text):
    """Return the line without its beginning."""
    return diagnose_line(text, understand(text)).removeprefix("tls-harness diagnose --board ")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("OSError: -30592", "BOARD --connect HOST:PORT"),
        ("/dev/ttyUSB0\nOSError: -30592", "/dev/ttyUSB0 --connect HOST:PORT"),
        ("mpremote connect COM12\nOSError: -30592", "COM12 --connect HOST:PORT"),
        ('s.connect(("broker.example", 8883))\nOSError: -30592', "BOARD --connect broker.example:8883"),
        ("HTTPSConnectionPool(host='10.0.0.5', port=443)", "BOARD --connect 10.0.0.5:443"),
        ("requests.get('https://api.example/x') OSError: -30592", "BOARD --connect api.example:443"),
        ("mqtts://broker.example:8884 OSError: -30592", "BOARD --connect broker.example:8884"),
        ("connecting to 192.0.2.1:8883 failed -30592", "BOARD --connect 192.0.2.1:8883"),
        ("client: 10.0.0.9:50123 no shared cipher", "BOARD --connect HOST:PORT"),
        ("TLS handshake error from 10.0.0.9:50123: EOF", "BOARD --connect HOST:PORT"),
        ("[SSL: NO_SHARED_CIPHER] no shared cipher (_ssl.c:1006)", "BOARD --cert CERT.pem --key KEY.pem"),
        (
            "ctx.load_cert_chain('my cert.pem', keyfile='k.pem')\nctx.set_ciphers('ECDHE+AESGCM')\n[SSL: NO_SHARED_CIPHER]",
            "BOARD --cert 'my cert.pem' --key k.pem --ciphers ECDHE+AESGCM",
        ),
        ("ValueError: not correctly signed by the trusted CA", "BOARD --connect HOST:PORT --ca CA.pem"),
        (
            "wrap_socket(s, server_hostname='tls.test')\nCommon Name (CN) does not match",
            "BOARD --connect HOST:PORT --ca CA.pem --hostname tls.test",
        ),
        (
            "[SSL: PEER_DID_NOT_RETURN_A_CERTIFICATE] (_ssl.c:1)",
            "BOARD --cert CERT.pem --key KEY.pem --client-ca CLIENT-CA.pem --client-cert CLIENT.pem --client-key CLIENT-KEY.pem",
        ),
        ("connect(('x; rm -rf ~', 1)) -30592", "BOARD --connect HOST:PORT"),
        ("urllib3.exceptions.SSLError: [SSL: WRONG_VERSION_NUMBER] (_ssl.c:1129)", "BOARD --connect HOST:PORT"),
        (
            "connect(('broker.example', 8883))\n[SSL: NO_SHARED_CIPHER] no shared cipher (_ssl.c:1006)",
            "BOARD --connect broker.example:8883",
        ),
        ("1.2.3.4:99999 -30592", "BOARD --connect HOST:PORT"),
        ("[WiFiClientSecure.cpp:144] -30592", "BOARD --connect HOST:PORT"),
        ("peername: 10.1.1.1:51000 -30592", "BOARD --connect HOST:PORT"),
    ],
)
def test_filled_in(text, command):
    """Board, address, files, suites and names come from the text; a client's address is not the server's."""
    assert line(text) == command


def test_diagnose_accepts_the_line(capsys):
    """The options exist: the first complaint is about the file that is missing, not about an option."""
    words = shlex.split(diagnose_line("[SSL: NO_SHARED_CIPHER] (_ssl.c:1)", understand("NO_SHARED_CIPHER")))
    assert cli.main([*words[1:], "--board", "unix"]) == 2
    assert "CERT.pem" in capsys.readouterr().err
