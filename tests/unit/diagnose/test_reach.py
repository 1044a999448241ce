"""Certificates of the given files and around them: where each is, what is trusted, and what is only within reach."""

import pytest

from harness.certificates.chain_problems import Reason
from harness.certificates.placed import Origin, placed
from harness.diagnose.reach import STORE, Reach
from harness.diagnose.request import Files
from tests.certificate_issuer import NOW, issue


@pytest.fixture(scope="module")
def pki():
    """A CA, its intermediate and a server's certificate; another CA."""
    root = issue("Root", ca=True)
    inter = issue("Inter", root, ca=True)
    return {"root": root, "inter": inter, "leaf": issue("tls.test", inter), "other": issue("Other", ca=True)}


@pytest.fixture
def folder(tmp_path, pki):
    """`server.pem`, `ca.pem` with two CAs, `bundle.der` with two, and `int.pem` in the folder."""
    (tmp_path / "server.pem").write_bytes(pki["leaf"].pem)
    (tmp_path / "ca.pem").write_bytes(pki["root"].pem + pki["other"].pem)
    (tmp_path / "int.pem").write_bytes(pki["inter"].pem)
    return tmp_path


def places(found):
    """Return (file name, number, origin, unused) of each that is in a file of the test."""
    return [
        (at.file.rpartition("/")[2], at.number, at.origin.value, at.unused)
        for at in found
        if at.file is not None and at.file != STORE
    ]


def test_named_and_nearby(folder):
    """What the user named is not searched again; the machine's store is within reach as well."""
    reach = Reach(Files(certificate=folder / "server.pem", ca=folder / "ca.pem"))
    assert places(reach.named) == [
        ("server.pem", 1, "nearby", False),
        ("ca.pem", 1, "nearby", False),
        ("ca.pem", 2, "nearby", False),
    ]
    assert places(reach.nearby) == [("int.pem", 1, "nearby", False)]
    assert all(at.origin is Origin.NEARBY for at in reach.nearby)


def test_the_files_of_what_is_sent_and_trusted(folder, pki):
    """The places are those of the files; the rest of the CA's file is not used by the board, other files are within reach."""
    reach = Reach(Files(certificate=folder / "server.pem", ca=folder / "ca.pem", client_ca=folder / "int.pem"))
    found = (
        *placed((pki["leaf"].der,), origin=Origin.SENT),
        *placed((pki["root"].der,), origin=Origin.TRUSTED),
    )
    assert places(reach.with_files(found, own=True)) == [
        ("server.pem", 1, "sent", False),
        ("ca.pem", 1, "trusted", False),
        ("ca.pem", 2, "trusted", True),
        ("int.pem", 1, "nearby", False),
    ]
    # A generated certificate is in no file, even if its bytes are; without verification nothing is unused.
    found = reach.with_files(found[:1], own=False)
    assert found[0].file is None
    assert places(found)[0] == ("server.pem", 1, "nearby", False)
    assert [at for at in found if at.unused] == []


def test_a_certificate_in_two_files(folder, pki):
    """The first file that the user named is shown."""
    (folder / "again.pem").write_bytes(pki["root"].pem)
    reach = Reach(Files(certificate=folder / "server.pem", ca=folder / "ca.pem", client_ca=folder / "again.pem"))
    (found, *_rest) = reach.with_files(placed((pki["root"].der,), origin=Origin.TRUSTED), own=True)
    assert found.file == str(folder / "ca.pem")


def test_the_chains(folder, pki):
    """The server's with the intermediate of the folder; the board's for OpenSSL, which needs the root."""
    reach = Reach(Files(certificate=folder / "server.pem", ca=folder / "ca.pem"))
    found = reach.server_chain(NOW)
    assert [problem.reason for problem in found.problems] == [Reason.MISSING]
    assert [link.parsed.name for link in found.complete] == ["tls.test", "Inter"]
    reach = Reach(Files(client_certificate=folder / "server.pem", client_ca=folder / "int.pem"))
    found = reach.client_chain(NOW)
    assert [problem.reason for problem in found.problems] == [Reason.NO_ROOT]
    (folder / "root.pem").write_bytes(pki["root"].pem)
    reach = Reach(Files(client_certificate=folder / "server.pem", client_ca=folder / "root.pem"))
    assert [problem.reason for problem in reach.client_chain(NOW).problems] == [Reason.MISSING]
