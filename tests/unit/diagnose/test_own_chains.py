"""Chains as people have them, on the virtual board: certificate and reason are named, and the fix is proved with their own files."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from harness.diagnose.request import Files
from harness.model import Outcome
from tests.certificate_issuer import issue

NOW = datetime.now(UTC)
HOST = {"dns": ("tls.test",)}


@pytest.fixture(scope="module")
def pki():
    """A CA with an intermediate, and a server's certificate of each."""
    root = issue("Root", ca=True, now=NOW)
    inter = issue("Inter", root, ca=True, now=NOW)
    return {
        "root": root,
        "inter": inter,
        "leaf": issue("tls.test", inter, now=NOW, **HOST),
        "short": issue("tls.test", root, now=NOW, **HOST),
        "other": issue("Other", ca=True, now=NOW),
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The present folder: files are named without a path, as people do."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, name, *found):
    """Write certificates as PEM, or as DER for a name that ends so."""
    path = folder / name
    path.write_bytes(b"".join(one.der if name.endswith(".der") else one.pem for one in found))
    return path.relative_to(folder)


def run(diagnose, folder, leaf, sent, trusted, **words):
    """Diagnose a server that sends these certificates, with a board that trusts those in a DER file."""
    (folder / "own.key").write_bytes(leaf.key_pem)
    files = Files(
        certificate=write(folder, "server.pem", *sent),
        key=(folder / "own.key").relative_to(folder),
        ca=write(folder, "ca.der", *trusted),
    )
    return diagnose(files, **words)


def said(found):
    """Return the rule, its title, and the titles of the fixes that were proved and are not discouraged."""
    explanation = found.result.explanation
    proved = [trial.fix.title for trial in found.trials if trial.fix.proved and not trial.fix.discouraged]
    return explanation.rule, explanation.title, proved


def test_the_missing_intermediate_is_in_the_folder(diagnose, pki, folder):
    """Relative names, and still the printed commands work in the folder of the proof."""
    write(folder, "int.pem", pki["other"], pki["inter"])
    found = run(diagnose, folder, pki["leaf"], [pki["leaf"]], [pki["root"]])
    rule, title, proved = said(found)
    assert (rule, title) == (
        "identity/missing-intermediate",
        "the server does not send the intermediate 'Inter'; it is in int.pem, second certificate",
    )
    assert proved == [
        "send the chain with the intermediate: the server's certificate, then its issuer, then the issuer of that, without the root"
    ]


def test_the_wrong_order(diagnose, pki, folder):
    """The same file in another order."""
    low = issue("Low", pki["inter"], ca=True, now=NOW)
    leaf = issue("tls.test", low, now=NOW, **HOST)
    found = run(diagnose, folder, leaf, [leaf, pki["inter"], low], [pki["root"]])
    rule, title, proved = said(found)
    assert (rule, title) == (
        "identity/wrong-order",
        "the chain is in the wrong order: the intermediate 'Inter' (server.pem, second certificate) comes before 'Low', which it issued",
    )
    assert len(proved) == 1


def test_a_der_file_with_two_cas(diagnose, pki, folder):
    """Only the first is used: each in a file of its own helps."""
    found = run(diagnose, folder, pki["short"], [pki["short"]], [pki["other"], pki["root"]])
    rule, title, proved = said(found)
    assert (rule, title) == (
        "identity/ca-not-loaded",
        "the board does not get the CA 'Root' (ca.der, second certificate): of several DER certificates in one file MicroPython reads "
        "only the first",
    )
    assert proved == [
        "give the board each certificate as a file of its own, and call load_verify_locations once per file"
    ]


def test_an_expired_ca_that_was_renewed(diagnose, pki, folder):
    """Same name, same key: the renewed one lies in the folder, and is the one that is tried."""
    old = issue("Root", ca=True, key=pki["root"].key, days=(-90, -3), now=NOW)
    write(folder, "new.pem", pki["root"])
    found = run(diagnose, folder, pki["short"], [pki["short"]], [old])
    rule, title, proved = said(found)
    assert rule == "clock/expired"
    assert title.startswith("the CA 'Root' (ca.der) expired on ")
    assert title.endswith("; the renewed one is in new.pem")
    assert proved == ["load the CA that issued the server's certificate, as DER"]


def test_a_ca_that_was_generated_again(diagnose, pki, folder):
    """The board's has the same name and another key; the right one is in the folder."""
    again = issue("Root", ca=True, now=NOW)
    write(folder, "new.pem", pki["root"])
    found = run(diagnose, folder, pki["short"], [pki["short"]], [again])
    rule, title, proved = said(found)
    assert (rule, title) == (
        "identity/other-key",
        "the CA 'Root' (ca.der) has the right name but not the key that signed the server's certificate (server.pem): "
        "the CA was generated again; the right one is in new.pem",
    )
    assert "load the CA that issued the server's certificate, as DER" in proved


def test_an_intermediate_without_ca_true(diagnose, pki, folder):
    """The one certificate, with its file and its number."""
    bad = issue("X", pki["root"], ca=None, now=NOW)
    leaf = issue("tls.test", bad, now=NOW, **HOST)
    found = run(diagnose, folder, leaf, [leaf, bad], [pki["root"]])
    rule, title, _proved = said(found)
    assert (rule, title) == (
        "identity/issuer-not-ca",
        "the intermediate 'X' (server.pem, second certificate) has no CA:TRUE, so it may not issue certificates",
    )


def test_two_problems_are_both_named(diagnose, pki, folder):
    """An intermediate that is not sent, and it has expired."""
    old = issue("Inter", pki["root"], ca=True, days=(-90, -3), now=NOW)
    leaf = issue("tls.test", old, now=NOW, **HOST)
    write(folder, "int.pem", old)
    found = run(diagnose, folder, leaf, [leaf], [pki["root"]], fixes=False)
    assert found.result.explanation.rule == "identity/missing-intermediate"
    assert any(
        line.startswith("also: the intermediate 'Inter' (int.pem) expired on ") for line in found.result.explanation.why
    )


def test_an_encrypted_key_and_one_file(diagnose, pki, folder, monkeypatch):
    """The password comes from the environment and is in no line; certificate and key are one file."""
    leaf = pki["leaf"]
    secret = serialization.BestAvailableEncryption(b"c0rrect")
    key = leaf.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
    (folder / "one.pem").write_bytes(leaf.pem + pki["inter"].pem + key)
    ca = write(folder, "ca.der", pki["root"])
    path = (folder / "one.pem").relative_to(folder)
    monkeypatch.setenv("TLS_PASSWORD", "c0rrect")
    files = Files(certificate=path, key=path, ca=ca, password_env="TLS_PASSWORD")
    found = diagnose(files)
    assert found.result.observation.outcome is Outcome.CONNECTED
    assert any('password=os.environ["TLS_PASSWORD"]' in line for line in found.server_lines)
    assert "c0rrect" not in repr(found)
    # A fix with that key is proved, too: the program that is printed reads the variable.
    (folder / "one.pem").write_bytes(leaf.pem + key)
    write(folder, "int.pem", pki["inter"])
    rule, _title, proved = said(diagnose(files))
    assert (rule, len(proved)) == ("identity/missing-intermediate", 1)
    assert os.environ["TLS_PASSWORD"] == "c0rrect"


def test_the_intermediate_of_the_boards_certificate(diagnose, pki, folder):
    """From DER the board sends its leaf only; the server needs the intermediate, which lies in the folder."""
    own = issue("board", pki["inter"], now=NOW, purposes=("clientAuth",))
    (folder / "board-key.der").write_bytes(
        own.key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    (folder / "own.key").write_bytes(pki["short"].key_pem)
    write(folder, "int.pem", pki["inter"])
    files = Files(
        certificate=write(folder, "server.pem", pki["short"]),
        key=(folder / "own.key").relative_to(folder),
        client_ca=write(folder, "ca.pem", pki["root"]),
        client_certificate=write(folder, "board.der", own),
        client_key=(folder / "board-key.der").relative_to(folder),
    )
    rule, title, proved = said(diagnose(files))
    assert (rule, title) == (
        "client-auth/untrusted",
        "the board does not send the intermediate 'Inter'; it is in int.pem",
    )
    assert proved[0] == "load the intermediate on the server: from DER the board sends its leaf only"


def test_a_curve_that_is_spelled_out(diagnose, folder):
    """openssl loads and serves the key; the board cannot read the certificate."""
    script = (
        "openssl ecparam -name prime256v1 -genkey -noout -param_enc explicit -out own.key && "
        "openssl req -x509 -new -key own.key -subj /CN=tls.test -out server.pem"
    )
    subprocess.run(["sh", "-c", script], check=True, capture_output=True)
    found = diagnose(Files(certificate=Path("server.pem"), key=Path("own.key")), fixes=False)
    assert found.result.explanation.rule == "certificates/explicit-curve"


def test_a_short_key_of_an_intermediate(diagnose, pki, folder):
    """The server's own security level refuses the file."""
    short = issue("Short", pki["root"], ca=True, key="RSA-1024", now=NOW)
    leaf = issue("tls.test", short, now=NOW, **HOST)
    rule, title, _proved = said(run(diagnose, folder, leaf, [leaf, short], [pki["root"]], fixes=False))
    if rule == "certificates/key-too-short":
        pytest.skip(
            "this machine's OpenSSL has a security level below 2: it loads the file, and the board refuses the key"
        )
    assert (rule, title) == (
        "certificates/ca-key-too-short",
        "the intermediate 'Short' (server.pem, second certificate) has an RSA key of 1024 bits, which the server refuses as too short: "
        "load_cert_chain refuses the whole file",
    )
