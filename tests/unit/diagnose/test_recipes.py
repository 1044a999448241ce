"""Settings as recipes: each file that a program opens is the user's own or made by a command."""

import pytest

from harness.diagnose.given import GivenCertificates
from harness.diagnose.recipes import Ends, RecipeBook, changed_lines, made_by
from harness.diagnose.request import Files, Request
from harness.diagnose.settings import as_given, changed
from harness.model import BoardFile, BoardInfo, BoardSpec, Change
from harness.run.options import RunOptions

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix")
API = ("SSLContext.load_cert_chain", "SSLContext.load_verify_locations", "SSLContext.set_ciphers")
INFO = BoardInfo(tls_module="tls", api=tuple(f"tls.{name}" for name in API), suites=("TLS-RSA-WITH-AES-128-CBC-SHA",))
DESK = Ends(listen="0.0.0.0", connect="192.168.1.2", port=8443, board=("mpremote", "connect", "u0"))
SUITES = ("TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA")


def written(files, change=Change(), ends=DESK, **words):  # noqa: B008 - a frozen record
    """Return the book and the settings."""
    given = GivenCertificates(files)
    start = as_given(Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=files, **words), given)
    return RecipeBook(given, INFO, ends=ends), changed(start, change, given)


@pytest.fixture
def everything(files, server):
    """The files of both sides, as PEM."""
    own, authority = files / "client-p256", files / "ca-p256" / "cert.pem"
    return server(
        "server-rsa2048",
        ca=authority,
        client_ca=authority,
        client_certificate=own / "cert.pem",
        client_key=own / "key.pem",
    )


def test_as_given(everything):
    """Nothing is made; the server has the user's paths, a board with a filesystem of its own has their names."""
    book, settings = written(everything, ciphers="ECDHE+AESGCM", minimum_version="TLSv1.2", suites=SUITES)
    recipe = book.recipe(settings)
    assert (recipe.commands, recipe.texts) == ((), ())
    assert book.server_lines(settings) == (
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)",
        'context.set_ciphers("ECDHE+AESGCM")',
        "context.minimum_version = ssl.TLSVersion.TLSv1_2",
        f'context.load_cert_chain("{everything.certificate}", "{everything.key}")',
        "context.verify_mode = ssl.CERT_REQUIRED",
        f'context.load_verify_locations("{everything.client_ca}")',
    )
    assert book.client_lines(settings)[2:] == (
        'context.load_verify_locations(open("cert.pem", "rb").read())',
        "context.verify_mode = tls.CERT_REQUIRED",
        'context.load_cert_chain(open("cert.pem", "rb").read(), open("key.pem", "rb").read())',
        "context.set_ciphers(['TLS-RSA-WITH-AES-128-CBC-SHA'])",
        'stream = context.wrap_socket(sock, server_hostname="tls.test")',
    )


def test_pem_becomes_der(everything):
    """Certificate, key and CA are converted, each by a command; a virtual board opens them where they are."""
    change = Change(client={"ca_format": "der", "certificate_format": "der"})
    book, settings = written(everything, change)
    recipe = book.recipe(settings)
    assert made_by(recipe) == ("ca.der", "client.der", "client-key.der")
    assert [command.arguments[1] for command in recipe.commands] == ["x509", "x509", "ec"]
    assert recipe.board_files == tuple(
        BoardFile(name=name, source=name) for name in ("ca.der", "client.der", "client-key.der")
    )
    assert recipe.board_start == (
        ("mpremote", "connect", "u0", "fs", "cp", "ca.der", ":ca.der"),
        ("mpremote", "connect", "u0", "fs", "cp", "client.der", ":client.der"),
        ("mpremote", "connect", "u0", "fs", "cp", "client-key.der", ":client-key.der"),
        ("mpremote", "connect", "u0", "run", "board.py"),
    )


def test_a_virtual_board_opens_the_users_files(files, server):
    """Absolute paths, and no copy."""
    ends = Ends(listen="127.0.0.1", connect="127.0.0.1", port=1, shares_files=True, board=("micropython",))
    book, settings = written(server("server-p256", ca=files / "ca-p256" / "cert.der"), ends=ends)
    recipe = book.recipe(settings)
    path = str(files / "ca-p256" / "cert.der")
    assert recipe.board_files == (BoardFile(name=path, source=path),)
    assert f'open("{path}", "rb")' in recipe.board.text
    assert recipe.board_start == (("micropython", "board.py"),)
    assert recipe.server_start == ("python3", "server.py")


def test_a_ca_for_python_as_der(files, server):
    """load_verify_locations takes DER only as bytes."""
    book, settings = written(server("server-p256", client_ca=files / "ca-p256" / "cert.der"))
    path = files / "ca-p256" / "cert.der"
    assert book.server_lines(settings)[-1] == f'context.load_verify_locations(cadata=open("{path}", "rb").read())'


def test_what_is_made_is_made_once(files, server):
    """Two certificates of one CA have one CA; a board that does not verify gets none, and verification stays as it was."""
    change = Change(
        server={"certificates": ("server-p256",), "client_ca": ("ca-p256",), "verify": "required"},
        client={"certificate": "client-p256", "certificate_format": "der"},
    )
    book, settings = written(server("server-rsa2048"), change)
    recipe = book.recipe(settings)
    assert made_by(recipe) == (
        *("own-ca-key.pem", "own-ca.pem", "ec-key.pem", "ec-cert.pem"),
        *("client-key.pem", "client.pem", "client.der", "client-key.der"),
    )
    assert "CERT_NONE" in recipe.board.text
    verifying, settings = written(server("server-rsa2048", ca=files / "ca-rsa" / "cert.der"), change)
    again = verifying.recipe(settings)
    assert "own-ca.der" in made_by(again)
    assert "tls.CERT_REQUIRED" in again.board.text


def test_two_keys_have_two_authorities(server):
    """A client without ECDSA can verify the RSA chain."""
    book, settings = written(server("server-p256"), Change(server={"certificates": ("server-p256", "server-rsa2048")}))
    assert {"own-ca.pem", "own-rsa-ca.pem"} <= set(made_by(book.recipe(settings)))


def test_a_ca_inside_another_file_is_printed(files, server, tmp_path):
    """openssl x509 reads the first certificate of a file only: any other one is part of the recipe as text."""
    both = tmp_path / "both.pem"
    both.write_bytes((files / "ca-other" / "cert.pem").read_bytes() + (files / "ca-p256" / "cert.pem").read_bytes())
    change = Change(client={"verify": "required", "ca": ("issuer",), "ca_format": "der"})
    book, settings = written(server("server-p256", client_ca=both), change)
    recipe = book.recipe(settings)
    (text,) = recipe.texts
    assert text.name == "issuer.pem"
    assert text.text.strip() == (files / "ca-p256" / "cert.pem").read_text().strip()
    assert recipe.commands[-1].arguments == (
        "openssl",
        "x509",
        "-in",
        "issuer.pem",
        "-outform",
        "der",
        "-out",
        "issuer.der",
    )


def test_a_name_for_a_certificate_without_one(tmp_path, files):
    """The address of the server is the name then, and the board uses it."""
    given = Files(certificate=files / "server-p256" / "cert.pem", key=files / "server-p256" / "key.pem")
    certificates = GivenCertificates(given)
    certificates.host, certificates.server_address = None, "192.168.1.2"
    book = RecipeBook(certificates, INFO, ends=DESK)
    start = as_given(Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=given), certificates)
    assert start.client.server_hostname is None
    verifying = changed(
        start, Change(client={"verify": "required"}, server={"certificates": ("server-p256",)}), certificates
    )
    assert verifying.client.server_hostname == "192.168.1.2"
    assert "subjectAltName=IP:192.168.1.2,DNS:192.168.1.2" in book.recipe(verifying).commands[3].arguments


def test_changed_lines():
    """What is new is shown as it is, what must go as a comment; what stays is not shown."""
    assert changed_lines(("a", "b", "c"), ("a", "d", "c", "e")) == ("# remove: b", "d", "e")
