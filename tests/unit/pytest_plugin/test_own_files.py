"""The user's own files in a test: what is accepted, and what is said of a file that cannot be used."""

import re
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from harness.certificates import Certificates
from harness.errors import UsageError
from harness.model import Outcome
from harness.pytest_plugin.expect import Expect
from harness.pytest_plugin.fixtures import Board
from harness.pytest_plugin.own_files import is_file
from harness.pytest_plugin.server_settings import ServerMaker

PASSWORD = "korrekt"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with a user's files: made with the harness's profiles, which then play no part."""
    folder = tmp_path_factory.mktemp("files")
    with Certificates() as made:
        for name in ("server-p256", "client-p256"):
            material = made.make(name)
            (folder / f"{name}.pem").write_bytes(material.chain_pem)
            (folder / f"{name}.key").write_bytes(material.key_pem)
            (folder / f"{name}.der").write_bytes(material.certificate_der)
            (folder / f"{name}.key.der").write_bytes(material.key_der)
        (folder / "ca.pem").write_bytes(made.make("server-p256").root_pem)
        (folder / "ca.der").write_bytes(made.make("server-p256").root_der)
        (folder / "other.key").write_bytes(made.make("server-p384").key_pem)
        key = load_pem_private_key(made.make("server-p256").key_pem, None)
    secret = BestAvailableEncryption(PASSWORD.encode())
    (folder / "secret.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
    both = (folder / "server-p256.pem").read_bytes() + (folder / "server-p256.key").read_bytes()
    (folder / "both.pem").write_bytes(both)
    (folder / "text.pem").write_text("no certificate", encoding="ascii")
    return folder


@pytest.fixture
def board(lab, spec):
    """Return the virtual board as the `board` fixture does."""
    return Board(lab, spec, "in-process")


@pytest.fixture
def maker(lab):
    """Return what the fixture `tls_server` gives."""
    return ServerMaker(lab.certificates)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("server-p256", False),
        ("server.pem", True),
        ("certs/server", True),
        ("C:\\server", True),
        (Path("server"), True),
        (None, False),
        (7, False),
    ],
)
def test_a_file_or_a_profile(value, expected):
    """A path has a slash or a dot or is a Path; a profile's name has neither."""
    assert is_file(value) is expected


@pytest.mark.parametrize(
    ("server", "client"),
    [
        ({"cert": "server-p256.pem", "key": "server-p256.key"}, {"ca": "ca.pem"}),
        ({"cert": "both.pem"}, {"ca": "ca.der"}),
        ({"cert": "server-p256.pem", "key": "secret.key", "password": PASSWORD}, {"ca": "ca.pem", "ca_format": "der"}),
    ],
)
def test_a_session_with_own_files(board, maker, files, server, client):
    """The server runs with the user's files, also with an encrypted key, and the board trusts the user's CA."""
    server = {name: value if name == "password" else str(files / value) for name, value in server.items()}
    client = {name: value if name == "ca_format" else files / value for name, value in client.items()}
    seen = board.connect(maker(**server, maximum_version="TLSv1.2"), verify="required", **client)
    Expect().connected(seen)
    assert seen.server_facts.keys[0].type == "EC"


@pytest.mark.parametrize(
    ("certificate", "key"), [("client-p256.pem", "client-p256.key"), ("client-p256.der", "client-p256.key.der")]
)
def test_mutual_tls_with_own_files(board, maker, files, certificate, key):
    """The board presents the user's certificate, PEM or DER, and the server accepts the CA in the user's file."""
    server = maker(
        cert=files / "server-p256.pem", key=files / "server-p256.key", verify="required", client_ca=files / "ca.pem"
    )
    seen = board.connect(server, certificate=files / certificate, key=str(files / key), ca=[files / "ca.pem"])
    Expect().connected(seen)


def test_one_file_in_two_roles(board, maker, files):
    """A self-signed certificate is the server's own and the board's CA: neither use disturbs the other."""
    server = maker(cert=files / "server-p256.pem", key=files / "server-p256.key", maximum_version="TLSv1.2")
    seen = board.connect(server, ca=files / "server-p256.pem")
    assert seen.outcome is Outcome.CONNECTED
    assert board.connect(server, ca=files / "server-p256.pem").outcome is Outcome.CONNECTED


WRONG_SERVERS = {
    "missing": (
        {"cert": "none.pem", "key": "server-p256.key"},
        "tls_server(cert=...): {files}/none.pem: cannot be read: No such file or directory",
    ),
    "missing-key": (
        {"cert": "server-p256.pem", "key": "none.key"},
        "tls_server(key=...): {files}/none.key: cannot be read: No such file or directory",
    ),
    "der": (
        {"cert": "server-p256.der", "key": "server-p256.key"},
        "tls_server(cert=...): {files}/server-p256.der: this is DER, but Python's ssl needs PEM; convert it with: openssl x509 "
        "-inform der -in {files}/server-p256.der -out fixed-server-p256.pem",
    ),
    "der-key": (
        {"cert": "server-p256.pem", "key": "server-p256.key.der"},
        "tls_server(key=...): {files}/server-p256.key.der: this is DER, but Python's ssl needs PEM; convert it with: openssl "
        "pkey -inform der -in {files}/server-p256.key.der -out fixed-server-p256.key.pem",
    ),
    "encrypted": (
        {"cert": "server-p256.pem", "key": "secret.key"},
        "tls_server(key=...): {files}/secret.key: the key is encrypted; give its password: tls_server(..., password=...)",
    ),
    "wrong-password": (
        {"cert": "server-p256.pem", "key": "secret.key", "password": "falsch"},
        "tls_server(key=...): {files}/secret.key: the password is wrong, or this is no private key as PEM",
    ),
    "wrong-pair": (
        {"cert": "server-p256.pem", "key": "other.key"},
        "tls_server(key=...): {files}/other.key: this is not the key of the certificate in {files}/server-p256.pem; give the key "
        "that the certificate was made with",
    ),
    "no-key": (
        {"cert": "server-p256.pem"},
        "tls_server(cert=...), key=... left out: {files}/server-p256.pem: this is a certificate; expected a private key as PEM "
        "(-----BEGIN ... PRIVATE KEY-----)",
    ),
    "no-certificate": (
        {"key": "server-p256.key"},
        "tls_server(key=...): cert=... is missing; give the file of the certificate, PEM",
    ),
    "text": (
        {"cert": "text.pem", "key": "server-p256.key"},
        "tls_server(cert=...): {files}/text.pem: this is neither certificate nor key; expected a certificate as PEM "
        "(-----BEGIN CERTIFICATE-----)",
    ),
    "client-ca": (
        {"client_ca": "server-p256.key"},
        "tls_server(client_ca=...): {files}/server-p256.key: this is a private key; expected a CA certificate, PEM or DER",
    ),
}


@pytest.mark.parametrize("case", WRONG_SERVERS)
def test_a_wrong_file_of_the_server(maker, files, case):
    """One line names the argument, the file, what is wrong and what to do."""
    given, message = WRONG_SERVERS[case]
    settings = {name: value if name == "password" else files / value for name, value in given.items()}
    with pytest.raises(UsageError, match=f"^{re.escape(message.format(files=files))}$"):
        maker(**settings)


def test_a_file_among_the_profiles(maker):
    """A file in the place of a profile is answered with the argument for it."""
    with pytest.raises(
        UsageError,
        match=re.escape("tls_server('a/b.pem'): a file is given by name: tls_server(cert='a/b.pem', key=...)"),
    ):
        maker("a/b.pem")


WRONG_CLIENTS = {
    "ca": ({"ca": "none.pem"}, "board.connect(ca=...): {files}/none.pem: cannot be read: No such file or directory"),
    "encrypted": (
        {"certificate": "server-p256.pem", "key": "secret.key"},
        "board.connect(key=...): {files}/secret.key: the key is encrypted, and MicroPython cannot decrypt it; give a plain "
        "copy: openssl pkey -in {files}/secret.key -out fixed-secret.pem",
    ),
    "wrong-pair": (
        {"certificate": "client-p256.pem", "key": "other.key"},
        "board.connect(key=...): {files}/other.key: this is not the key of the certificate in {files}/client-p256.pem; give the key "
        "that the certificate was made with",
    ),
    "no-certificate": (
        {"key": "other.key"},
        "board.connect(key=...): certificate=... is missing; give the file of the certificate, PEM or DER",
    ),
}


@pytest.mark.parametrize("case", WRONG_CLIENTS)
def test_a_wrong_file_of_the_board(board, maker, files, case):
    """The same for the board's files; nothing is sent to the board."""
    given, message = WRONG_CLIENTS[case]
    with pytest.raises(UsageError, match=f"^{re.escape(message.format(files=files))}$"):
        board.connect(maker("server-p256"), **{name: files / value for name, value in given.items()})


def test_a_key_of_a_profile(board, maker, files):
    """A profile brings its own key."""
    with pytest.raises(
        UsageError, match=re.escape("board.connect(key=...): the profile 'client-p256' has a key of its own;")
    ):
        board.connect(maker("server-p256"), certificate="client-p256", key=files / "other.key")


def test_the_password_is_not_shown(maker, files):
    """Neither the settings of the server nor what was made of the files shows the password or the key."""
    profile = maker(cert=files / "server-p256.pem", key=files / "secret.key", password=PASSWORD)
    shown = repr((profile, maker.certificates.make(profile.certificates[0])))
    assert PASSWORD not in shown
    assert "PRIVATE KEY" not in shown
    assert ssl.create_default_context() is not None
