"""The user's files: each error is one line with the option, the file and what to do."""

import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from harness.diagnose.files import (
    authorities,
    check_server_key,
    check_size_for_board,
    has_key,
    own_key,
    server_chain,
    within_reach,
)
from harness.errors import UsageError

PLAIN = "give a plain copy: openssl pkey -in F -out fixed-"


def says(function, path):
    """Return the error message."""
    with pytest.raises(UsageError) as caught:
        function(path, option="--x")
    return str(caught.value).replace(str(path), "F")


@pytest.fixture(scope="module")
def bad(files):
    """Make a folder of unusable files."""
    folder = files / "bad"
    folder.mkdir()
    key = serialization.load_pem_private_key((files / "server-rsa2048" / "key.pem").read_bytes(), None)
    secret = serialization.BestAvailableEncryption(b"secret")
    for name, form in (
        ("pkcs8.pem", serialization.PrivateFormat.PKCS8),
        ("old.pem", serialization.PrivateFormat.TraditionalOpenSSL),
    ):
        (folder / name).write_bytes(key.private_bytes(serialization.Encoding.PEM, form, secret))
    (folder / "empty.pem").write_bytes(b"\n")
    (folder / "text.pem").write_bytes(b"hello")
    (folder / "cut.pem").write_bytes((files / "ca-p256" / "cert.pem").read_bytes()[:200])
    (folder / "large.pem").write_bytes(b"-" * ((1 << 20) + 1))
    return folder


def test_certificates_of_a_server(files, bad):
    """PEM is read; DER, a key, damaged data and an empty file are refused, and the message says which it is."""
    assert server_chain(files / "server-p256" / "cert.pem", option="--cert") == (
        (files / "server-p256" / "cert.der").read_bytes(),
    )
    wanted = "expected a certificate as PEM (-----BEGIN CERTIFICATE-----)"
    assert says(server_chain, files / "server-p256" / "cert.der") == (
        "--x F: this is DER, but Python's ssl needs PEM; convert it with: openssl x509 -inform der -in F -out fixed-cert.pem"
    )
    assert says(server_chain, files / "server-p256" / "key.pem") == f"--x F: this is a private key; {wanted}"
    assert says(server_chain, bad / "cut.pem") == (
        f"--x F: this is damaged: a block has no end, or is not base64; {wanted}"
    )
    assert says(server_chain, bad / "empty.pem") == f"--x F: this is empty; {wanted}"
    assert says(server_chain, bad / "text.pem") == f"--x F: this is neither certificate nor key; {wanted}"


def test_a_damaged_chain(files, tmp_path):
    """A bundle that was cut off: how much can be read, and that it is not enough."""
    path, pem = tmp_path / "chain.pem", (files / "server-p256" / "cert.pem").read_bytes()
    path.write_bytes(pem + pem[:100])
    assert says(server_chain, path) == (
        "--x F: this is damaged: a block has no end, or is not base64; 1 certificate can be read, "
        "but Python's ssl then refuses the whole file"
    )
    path.write_bytes(pem * 2 + pem[:100])
    assert "; 2 certificates can be read, " in says(server_chain, path)


def test_more_than_a_board_holds(files, tmp_path):
    """A PC's list of CAs is refused before the board is asked to hold it; what a board can hold is not."""
    pem = (files / "ca-p256" / "cert.pem").read_bytes()
    path = tmp_path / "ca.pem"
    path.write_bytes(pem + b"#" * (65536 - len(pem)))
    check_size_for_board(path, option="--x")
    check_size_for_board(None, option="--x")
    path.write_bytes(pem * 200 + b"#" * (65537 - len(pem) * 200))
    count = 200
    assert says(check_size_for_board, path) == (
        f"--x F: {path.stat().st_size // 1024} kB with {count} certificates; a board holds its CAs in memory: give only the one "
        "that issued the server's certificate (at most 64 kB)"
    )


def test_files_that_cannot_be_read(files, bad):
    """A missing file, a folder and a far too large file are refused."""
    assert says(server_chain, files / "no.pem") == "--x F: cannot be read: No such file or directory"
    assert says(server_chain, files) == "--x F: cannot be read: not a regular file"
    assert says(server_chain, bad / "large.pem") == "--x F: cannot be read: longer than 1 MB"


def test_the_servers_key(files, bad):
    """An unencrypted key of either form is accepted; OpenSSL would ask for a passphrase on the terminal for an encrypted one."""
    check_server_key(files / "server-rsa2048" / "key.pem", option="--key")
    wanted = "expected a private key as PEM (-----BEGIN ... PRIVATE KEY-----)"
    for name in ("pkcs8.pem", "old.pem"):
        assert says(check_server_key, bad / name) == (
            f"--x F: the key is encrypted; name the environment variable that has its password with --password-env NAME, or {PLAIN}{name}"
        )
    assert says(check_server_key, files / "server-p256" / "cert.pem") == f"--x F: this is a certificate; {wanted}"
    assert says(check_server_key, files / "server-p256" / "key.der") == (
        "--x F: this is DER, but Python's ssl needs PEM; convert it with: openssl pkey -inform der -in F -out fixed-key.pem"
    )


def test_authorities(files):
    """PEM and DER are read, and the form of the file is returned."""
    der = (files / "ca-p256" / "cert.der").read_bytes()
    assert authorities(files / "ca-p256" / "cert.der", option="--ca") == ((der,), "der", der)
    found, form, data = authorities(files / "ca-p256" / "cert.pem", option="--ca")
    assert (found, form, data) == ((der,), "pem", (files / "ca-p256" / "cert.pem").read_bytes())
    assert says(authorities, files / "ca-p256" / "key.pem") == (
        "--x F: this is a private key; expected a CA certificate, PEM or DER"
    )


@pytest.mark.parametrize(("name", "form"), [("key.pem", "pem"), ("key.der", "der"), ("pkcs8.der", "pkcs8")])
def test_the_boards_own_key(files, name, form):
    """Three forms are recognised; the repr does not show the key."""
    for kind in ("client-p256", "server-rsa2048"):
        own = own_key(files / kind / name, option="--client-key")
        assert (own.form, repr(own)) == (form, f"OwnKey(form={form!r})")


def test_no_key_for_a_board(files, bad):
    """An encrypted key or another kind of file is refused."""
    for name in ("pkcs8.pem", "old.pem"):
        assert (
            says(own_key, bad / name)
            == f"--x F: the key is encrypted, and MicroPython cannot decrypt it; {PLAIN}{name}"
        )
    assert says(own_key, files / "ca-p256" / "cert.pem") == (
        "--x F: this is a certificate; expected a private key, PEM or DER"
    )


def reached(folder, without=()):
    """Return the files of a folder in which certificates were found."""
    return [(at.file.rpartition("/")[2], at.number) for at in within_reach([folder, folder], without=without)]


def test_certificates_within_reach(files, tmp_path, monkeypatch):
    """Regular files with a suffix of certificates: no keys, no links, no large files, none that was named; each folder once."""
    pem, der = (files / "ca-p256" / name for name in ("cert.pem", "cert.der"))
    (tmp_path / "b.pem").write_bytes(pem.read_bytes() * 2)
    (tmp_path / "a.der").write_bytes(der.read_bytes())
    (tmp_path / "c.CRT").write_bytes(pem.read_bytes() + (files / "ca-p256" / "key.pem").read_bytes())
    (tmp_path / "my-key.pem").write_bytes(pem.read_bytes())
    (tmp_path / "notes.txt").write_bytes(pem.read_bytes())
    (tmp_path / "named.pem").write_bytes(pem.read_bytes())
    (tmp_path / "large.pem").write_bytes(pem.read_bytes() + b"\n" * (1 << 17))
    (tmp_path / "text.pem").write_bytes(b"hello")
    (tmp_path / "link.pem").symlink_to(pem)
    (tmp_path / "0.pem").mkdir()
    os.mkfifo(tmp_path / "fifo.pem")
    found = [("a.der", 1), ("b.pem", 1), ("b.pem", 2), ("c.CRT", 1)]
    assert reached(tmp_path, without=[tmp_path / "named.pem"]) == found
    assert reached(tmp_path / "gone") == []
    monkeypatch.setattr("harness.diagnose.files._NEIGHBOURS", 2)
    assert reached(tmp_path) == found[:3]
    monkeypatch.setattr("harness.diagnose.files._NEIGHBOUR_CERTIFICATES", 2)
    assert reached(tmp_path) == [("a.der", 1)]


def test_the_password_of_a_key(bad, monkeypatch):
    """From the environment variable that was named, and only where it is needed."""

    def check(name, variable="TLS_PASSWORD"):
        return check_server_key(bad / name, option="--key", password_env=variable)

    def refused(name):
        with pytest.raises(UsageError) as caught:
            check(name)
        return str(caught.value).replace(str(bad / name), "F")

    monkeypatch.delenv("TLS_PASSWORD", raising=False)
    assert refused("pkcs8.pem") == "--password-env TLS_PASSWORD: the environment variable is not set"
    for name in ("pkcs8.pem", "old.pem"):
        monkeypatch.setenv("TLS_PASSWORD", "wrong")
        assert refused(name) == "--password-env TLS_PASSWORD: its value is not the password of F"
        monkeypatch.setenv("TLS_PASSWORD", "secret")
        assert check(name) == "secret"


def test_a_plain_key_needs_no_password(files):
    """As in OpenSSL, a password that is not needed is ignored."""
    assert check_server_key(files / "server-p256" / "key.pem", option="--key", password_env="TLS_NOT_SET") is None


def test_a_key_in_the_file_of_the_certificate(files, tmp_path):
    """load_cert_chain takes one file with both."""
    own = files / "server-p256"
    (tmp_path / "one.pem").write_bytes((own / "cert.pem").read_bytes() + (own / "key.pem").read_bytes())
    assert has_key(tmp_path / "one.pem", option="--cert")
    assert not has_key(own / "cert.pem", option="--cert")
    assert not has_key(own / "key.pem", option="--cert")
    assert check_server_key(tmp_path / "one.pem", option="--key") is None


def test_a_file_that_needs_a_repair(files, tmp_path):
    """The reason and the command, for a certificate, a CA and a key; PKCS#12 with the password's variable."""
    own = files / "server-p256"
    path = tmp_path / "c.pem"
    path.write_bytes((own / "cert.pem").read_bytes().decode().encode("utf-16"))
    said = (
        "--x F: this is UTF-16, as PowerShell's > writes it; convert it with: iconv -f UTF-16 -t UTF-8 F > fixed-c.pem"
    )
    assert says(server_chain, path) == says(authorities, path) == said
    path.write_bytes((own / "key.pem").read_bytes().decode().encode("utf-16"))
    assert says(check_server_key, path) == says(own_key, path) == said
    path.write_bytes((own / "cert.der").read_bytes() * 2)
    assert says(server_chain, path).startswith(
        "--x F: these are 2 DER certificates in one file, but Python's ssl needs PEM; convert"
    )
    assert authorities(path, option="--ca")[1] == "der"
    key = serialization.load_pem_private_key((own / "key.pem").read_bytes(), None)
    secret = serialization.BestAvailableEncryption(b"secret")
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, None, None, secret))
    asked = "convert it with: openssl pkcs12 -in F -nokeys -out fixed-c-cert.pem; openssl pkcs12 -in F -nocerts -nodes -out fixed-c-key.pem"
    what = "this is PKCS#12, certificate and key in one file, but Python's ssl needs PEM"
    for function in (server_chain, authorities, check_server_key, own_key):
        assert says(function, path) == f"--x F: {what}; {asked}"
    with pytest.raises(UsageError, match=r"openssl pkcs12 -in .* -passin env:P -nokeys"):
        server_chain(path, option="--cert", password_env="P")


def test_a_request_is_signed_with_the_key_that_was_named(files, tmp_path):
    """The command has the user's own key."""
    own = files / "server-p256" / "key.pem"
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    key = serialization.load_pem_private_key(own.read_bytes(), None)
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    (tmp_path / "r.csr").write_bytes(request.public_bytes(serialization.Encoding.PEM))
    with pytest.raises(UsageError) as caught:
        server_chain(tmp_path / "r.csr", option="--cert", key=own)
    assert str(caught.value) == (
        f"--cert {tmp_path / 'r.csr'}: this is a certificate signing request, not a certificate: a CA has to sign it; "
        f"for a test, sign it with its own key: openssl x509 -req -in {tmp_path / 'r.csr'} -signkey {own} "
        "-copy_extensions copyall -days 365 -out fixed-r.pem"
    )
