"""The form of each shape of a file; Python's ssl is the judge of what OpenSSL reads."""

import base64
import ssl
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

from harness.certificates.file_forms import Contents, Form, blocks, read_contents
from tests.certificate_issuer import issue
from tests.file_shapes import HEADERLESS, READABLE, UNREADABLE


@pytest.fixture(scope="module")
def pair():
    """A certificate with its key."""
    return issue("x", ca=True)


def loads(data, tmp_path, *, as_key=None):
    """Return whether Python's ssl loads these certificates, or this key of a certificate."""
    (tmp_path / "f.pem").write_bytes(data)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        if as_key is None:
            context.load_verify_locations(tmp_path / "f.pem")
        else:
            (tmp_path / "c.pem").write_bytes(as_key)
            context.load_cert_chain(tmp_path / "c.pem", tmp_path / "f.pem")
    except ssl.SSLError:
        return False
    return True


@pytest.mark.parametrize("shape", READABLE)
def test_what_openssl_reads(pair, tmp_path, shape):
    """It is PEM, with the same certificates and the same key."""
    if shape == "byte order mark" and ssl.OPENSSL_VERSION_INFO < (3,):
        pytest.skip("OpenSSL reads a byte order mark from 3.0 on")
    found = read_contents(READABLE[shape](pair.pem))
    times = 2 if shape == "twice" else 1
    assert (found.form, found.certificates) == (Form.PEM, (pair.der,) * times)
    assert loads(READABLE[shape](pair.pem), tmp_path)
    found = read_contents(READABLE[shape](pair.key_pem))
    assert (found.form, len(found.keys), found.keys[0].encrypted) == (Form.PRIVATE_KEY, times, False)
    assert loads(READABLE[shape](pair.key_pem), tmp_path, as_key=pair.pem)


@pytest.mark.parametrize("shape", UNREADABLE)
def test_what_openssl_does_not_read(pair, tmp_path, shape):
    """Each has its form; what is in it is found nevertheless."""
    form, make = UNREADABLE[shape]
    found = read_contents(make(pair.pem))
    assert (found.form, found.certificates) == (form, (pair.der,))
    assert not loads(make(pair.pem), tmp_path)
    found = read_contents(make(pair.key_pem))
    assert (found.form, len(found.keys), found.certificates) == (form, 1, ())
    assert not loads(make(pair.key_pem), tmp_path, as_key=pair.pem)
    assert read_contents(make(pair.pem + pair.key_pem)).form == form


@pytest.mark.parametrize("shape", HEADERLESS)
def test_base64_alone(pair, tmp_path, shape):
    """Only a certificate: base64 of anything else has another form."""
    found = read_contents(HEADERLESS[shape](pair.pem))
    assert (found.form, found.certificates) == (Form.HEADERLESS, (pair.der,))
    assert read_contents(HEADERLESS[shape](pair.key_pem)).form is Form.OTHER
    assert not loads(HEADERLESS[shape](pair.pem), tmp_path)


def test_several_certificates_in_one_der_file(pair):
    """Where each begins; MicroPython reads only the first."""
    other = issue("y")
    assert read_contents(pair.der) == Contents(form=Form.DER, certificates=(pair.der,), offsets=(0,))
    found = read_contents(pair.der + other.der)
    assert found == Contents(form=Form.DER_BUNDLE, certificates=(pair.der, other.der), offsets=(0, len(pair.der)))
    # What follows a certificate and is none is ignored, as by mbedTLS.
    assert read_contents(pair.der + b"\n").form is Form.DER


def test_a_key_and_a_certificate_in_one_file(pair):
    """In any order."""
    for data in (pair.pem + pair.key_pem, pair.key_pem + pair.pem):
        found = read_contents(data)
        assert (found.form, found.certificates, len(found.keys)) == (Form.PEM, (pair.der,), 1)


def test_encrypted_keys(pair):
    """Both kinds of encryption are seen without a password."""
    secret = serialization.BestAvailableEncryption(b"secret")
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        (key,) = read_contents(pair.key.private_bytes(serialization.Encoding.PEM, form, secret)).keys
        assert key.encrypted
        assert serialization.load_pem_private_key(key.text, b"secret") is not None


def test_other_files(pair, tmp_path):
    """A request, PKCS#7 and PKCS#12 as openssl writes them, a public key, an empty file, a damaged one, and text."""
    (tmp_path / "k.pem").write_bytes(pair.key_pem)
    (tmp_path / "c.pem").write_bytes(pair.pem)
    script = (
        "openssl req -new -key k.pem -subj /CN=x -out r.pem && openssl req -in r.pem -outform der -out r.der && "
        "openssl crl2pkcs7 -nocrl -certfile c.pem -out p7.pem && "
        "openssl crl2pkcs7 -nocrl -certfile c.pem -outform der -out p7.der && "
        "openssl pkcs12 -export -in c.pem -inkey k.pem -passout pass:secret -out p12 && "
        "openssl pkey -in k.pem -pubout -out pub.pem"
    )
    try:
        subprocess.run(["sh", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no openssl program: {error}")
    forms = {name: read_contents((tmp_path / name).read_bytes()) for name in ("r.pem", "r.der", "p7.pem", "p7.der")}
    assert {name: (found.form, found.is_text) for name, found in forms.items()} == {
        "r.pem": (Form.REQUEST, True),
        "r.der": (Form.REQUEST, False),
        "p7.pem": (Form.PKCS7, True),
        "p7.der": (Form.PKCS7, False),
    }
    assert read_contents((tmp_path / "p12").read_bytes()).form is Form.PKCS12
    assert read_contents((tmp_path / "pub.pem").read_bytes()).form is Form.PUBLIC_KEY
    assert read_contents(b" \n").form is Form.EMPTY
    assert read_contents(pair.pem[:200]).form is Form.DAMAGED
    assert read_contents(pair.pem.replace(b"M", b"!", 3)).form is Form.DAMAGED
    assert read_contents(b"hello").form is Form.OTHER
    assert read_contents(b"\x30\x03abc").form is Form.OTHER


def test_what_openssl_adds_to_a_trusted_certificate(pair):
    """`openssl x509 -addtrust serverAuth` writes another label, and the uses behind the certificate."""
    uses = bytes.fromhex("300c300a06082b06010505070301")
    body = base64.b64encode(pair.der + uses)
    data = b"-----BEGIN TRUSTED CERTIFICATE-----\n" + body + b"\n-----END TRUSTED CERTIFICATE-----\n"
    assert read_contents(data).certificates == (pair.der,)


def test_blocks_end_with_their_own_label(pair):
    """A block without its end contains the next one, and neither is read."""
    cut = pair.pem.replace(b"-----END CERTIFICATE-----\n", b"")
    assert list(blocks(cut + pair.key_pem)) == []
    assert [block.label for block in blocks(cut + pair.pem)] == []
    assert [block.label for block in blocks(pair.pem + pair.key_pem)] == ["CERTIFICATE", "PRIVATE KEY"]


@pytest.mark.parametrize(
    "piece", [b"-----BEGIN A-----", b"\\n", b"\n\n", b"-----BEGIN A-----\n", b"\x30\x82\x01\x00", b"A ", b'"']
)
def test_the_time_is_linear(piece):
    """A megabyte of the worst input takes seconds at most; quadratic time would take hours."""
    read_contents(piece * ((1 << 20) // len(piece)))


@pytest.mark.parametrize(
    ("damage", "is_damaged"),
    [
        (lambda pem: pem, False),
        (lambda pem: pem + pem, False),
        (lambda pem: b"text\n" + pem + b"text\n", False),
        (lambda pem: pem + pem[:-30], True),
        (lambda pem: pem + pem[: len(pem) // 2], True),
        (lambda pem: pem + pem.replace(b"\nMII", b"\n!II"), True),
        (lambda pem: pem + pem.replace(b"\r", b"").replace(b"\n-----END", b"\n\n-----END"), True),
    ],
    ids=["one", "two", "text", "no end", "cut", "not base64", "empty line"],
)
def test_a_damaged_block_after_a_good_one(pair, tmp_path, damage, is_damaged):
    """OpenSSL refuses the whole file, although its first certificate is good."""
    data = damage(pair.pem)
    found = read_contents(data)
    assert (found.form, found.is_damaged) == (Form.PEM, is_damaged)
    (tmp_path / "chain.pem").write_bytes(data)
    (tmp_path / "key.pem").write_bytes(pair.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    except ssl.SSLError:
        assert is_damaged
    else:
        assert not is_damaged
