"""Each command is run as printed, in a folder with blanks in its name: what it makes is what Python's ssl reads."""

import os
import subprocess
from pathlib import Path

import pytest

from harness.certificates.file_forms import Form, read_contents
from harness.diagnose.file_advice import der_key, fixed_name, key_repair, pkcs12, plain_key, repair
from tests.certificate_issuer import issue
from tests.file_shapes import HEADERLESS, READABLE, UNREADABLE

SHAPES = {**UNREADABLE, **{name: ("headerless", make) for name, make in HEADERLESS.items()}}


@pytest.fixture(scope="module")
def pair():
    """A certificate with its key."""
    return issue("x", ca=True, dns=("x.test",))


@pytest.fixture
def folder(tmp_path):
    """A folder with a blank and a quote in its name."""
    made = tmp_path / "my mother's files"
    made.mkdir()
    return made


def run(command, folder, **variables):
    """Run a command line."""
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        capture_output=True,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("shape", SHAPES)
def test_texts(pair, folder, shape):
    """The certificate, and the key, are the same as before; the file that was read is unchanged."""
    form, make = SHAPES[shape]
    path = folder / "server.pem"
    path.write_bytes(make(pair.pem))
    why, command = repair(path, read_contents(make(pair.pem)))
    assert why.startswith("this ")
    run(command, folder)
    found = read_contents((folder / "fixed-server.pem").read_bytes())
    assert (found.form, found.certificates) == (Form.PEM, (pair.der,))
    assert path.read_bytes() == make(pair.pem)
    if form == "headerless":
        return
    old_label = pair.key_pem.replace(b"PRIVATE KEY", b"EC PRIVATE KEY")
    for key in (pair.key_pem, old_label):
        path.write_bytes(make(key))
        _why, command = key_repair(path, read_contents(make(key)))
        run(command, folder)
        found = read_contents((folder / "fixed-server.pem").read_bytes())
        (before,) = read_contents(key).keys
        assert [(block.label, block.der) for block in found.keys] == [(before.label, before.der)]


def test_der(pair, folder):
    """One certificate, and two in one file."""
    path = folder / "server.der"
    other = issue("y")
    for data, certificates in ((pair.der, (pair.der,)), (pair.der + other.der, (pair.der, other.der))):
        path.write_bytes(data)
        why, command = repair(path, read_contents(data))
        run(command, folder)
        assert read_contents((folder / "fixed-server.pem").read_bytes()).certificates == certificates
    assert why == "these are 2 DER certificates in one file, but Python's ssl needs PEM"


def test_keys(pair, folder):
    """DER, and an encrypted one whose password is asked for (here: given)."""
    (folder / "key.pem").write_bytes(pair.key_pem)
    run("openssl pkey -in key.pem -outform der -out k.der", folder)
    _why, command = der_key(folder / "k.der")
    run(command, folder)
    assert read_contents((folder / "fixed-k.pem").read_bytes()).form is Form.PRIVATE_KEY
    run("openssl pkcs8 -topk8 -in key.pem -passout pass:secret -out enc.pem", folder)
    run(plain_key(folder / "enc.pem") + " -passin pass:secret", folder)
    (key,) = read_contents((folder / "fixed-enc.pem").read_bytes()).keys
    assert not key.encrypted


@pytest.mark.parametrize("form", ["pem", "der"])
def test_lists_and_requests(pair, folder, form):
    """PKCS#7, and a request that is signed with its own key, which keeps its names."""
    (folder / "key.pem").write_bytes(pair.key_pem)
    (folder / "my key").write_bytes(pair.key_pem)
    (folder / "c.pem").write_bytes(pair.pem)
    run(f"openssl crl2pkcs7 -nocrl -certfile c.pem -outform {form} -out l.p7b", folder)
    _why, command = repair(folder / "l.p7b", read_contents((folder / "l.p7b").read_bytes()))
    run(command, folder)
    assert read_contents((folder / "fixed-l.pem").read_bytes()).certificates == (pair.der,)
    run(
        f"openssl req -new -key key.pem -subj /CN=x -addext subjectAltName=DNS:a.test -outform {form} -out r.csr",
        folder,
    )
    for key in (None, folder / "my key"):
        why, command = repair(folder / "r.csr", read_contents((folder / "r.csr").read_bytes()), key=key)
        assert why == "this is a certificate signing request, not a certificate: a CA has to sign it"
        run(command, folder)
        found = read_contents((folder / "fixed-r.pem").read_bytes())
        assert b"a.test" in found.certificates[0]
        (folder / "fixed-r.pem").unlink()


@pytest.mark.parametrize("password", ["TLS_PASSWORD", None])
def test_pkcs12(pair, folder, password):
    """Two files; the password comes from the environment variable, or openssl asks for it."""
    (folder / "key.pem").write_bytes(pair.key_pem)
    (folder / "c.pem").write_bytes(pair.pem)
    run("openssl pkcs12 -export -in c.pem -inkey key.pem -passout pass:secret -out b.p12", folder)
    _why, command = pkcs12(folder / "b.p12", password=password)
    if password is None:
        command = command.replace(" -nokeys", " -passin pass:secret -nokeys").replace(
            " -nocerts", " -passin pass:secret -nocerts"
        )
    run(command, folder, TLS_PASSWORD="secret")
    assert read_contents((folder / "fixed-b-cert.pem").read_bytes()).certificates == (pair.der,)
    assert not read_contents((folder / "fixed-b-key.pem").read_bytes()).keys[0].encrypted


def test_nothing_to_do(pair):
    """A file that is read, and one that is neither."""
    path = Path("x.pem")
    assert repair(path, read_contents(READABLE["plain"](pair.pem))) is None
    assert repair(path, read_contents(b"hello")) is None
    assert key_repair(path, read_contents(pair.pem)) is None
    assert key_repair(path, read_contents(UNREADABLE["UTF-16"][1](pair.pem))) is None


def test_the_name_of_what_is_made():
    """In the present folder, never the file itself."""
    assert fixed_name(Path("/a/b.der")) == "fixed-b.pem"
    assert fixed_name(Path("b.pem"), suffix="-key") == "fixed-b-key.pem"
