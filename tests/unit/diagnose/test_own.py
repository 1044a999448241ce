"""The user's own files with the real virtual board: what fails, why, and which fixes are proved."""

import base64
import json
import re
import stat

import jsonschema
import pytest
from cryptography.hazmat.primitives import serialization

from harness.diagnose.own import AS_IT_IS
from harness.errors import UsageError
from harness.model import Outcome, Side, Stage, recommended
from harness.reports.record.diagnosis_record import diagnosis_record
from harness.reports.record.schema import diagnosis_schema
from harness.reports.text.diagnosis_text import diagnosis_text

# The suites of firmware 1.20.
QUESTION = tuple(
    f"TLS_{key}_WITH_AES_{rest}"
    for key in ("ECDHE_ECDSA", "RSA")
    for rest in ("256_CBC_SHA", "128_CBC_SHA256", "128_CBC_SHA")
)


def proved(found):
    """Return title -> proved, in the order of the output; each proof must have a recorded session."""
    data = json.loads(json.dumps(diagnosis_record(found).as_json()))
    jsonschema.Draft202012Validator(diagnosis_schema()).validate(data)
    for trial in found.trials:
        seen = trial.result.observation if trial.result else None
        assert (trial.fix.proved is True) == (seen is not None and seen.outcome is Outcome.CONNECTED)
        if trial.fix.proved:
            assert re.fullmatch(r"Hallo, Server! \d{9}", seen.received_by_server)
            assert trial.server_lines
            assert trial.client_lines
    order = [(trial.problem, trial.fix.discouraged) for trial in found.trials]
    assert order == sorted(order)
    return {trial.fix.title: trial.fix.proved for trial in found.trials}


def test_good_files_connect(diagnose, server):
    """Good files connect: no trials, no explanation, and the wire in order."""
    told = []
    found = diagnose(server("server-p256"), progress=told.append)
    assert found.result.case == AS_IT_IS
    assert found.result.observation.outcome is Outcome.CONNECTED
    assert (found.result.explanation, found.trials) == (None, ())
    assert [step.name for step in found.wire][:3] == ["ClientHello", "ServerHello", "Certificate"]
    assert told == ["opening unix", "trying the given settings"]
    assert "\nconnected TLSv1.2 TLS_ECDHE_ECDSA_" in diagnosis_text(found)


def test_the_seed(diagnose, server):
    """RSA key and the suites of firmware 1.20: a table shows why, an EC key and a second key are proved, TLS_RSA comes last."""
    given = server("server-rsa2048")
    found = diagnose(given, suites=QUESTION)
    said = found.result.explanation
    if found.result.observation.outcome is Outcome.CONNECTED:
        pytest.skip("this Python's defaults let a plain RSA client in")
    assert (found.result.observation.server.reason, said.rule) == ("NO_SHARED_CIPHER", "ciphers/key-type")
    assert proved(found) == {
        "give the server an EC key on P-256 (its certificate from the CA that the board trusts)": True,
        "keep the RSA key for other clients and load an EC key as well": True,
        "leave set_ciphers out on the board: it then offers every suite it has": True,
        "allow TLS_RSA suites on the server": True,
    }
    assert [fix.proved for fix in said.fixes] == [True] * 4
    second = found.trials[1]
    assert second.fix.server_lines == ('context.load_cert_chain("ec-cert.pem", "ec-key.pem")',)
    assert second.server_lines[1:] == (
        f'context.load_cert_chain("{given.certificate}", "{given.key}")',
        *second.fix.server_lines,
    )
    assert second.note == "tried with a key, a certificate for tls.test and a CA made by the commands"
    assert second.recipe.commands[-1].creates == ("ec-cert.pem",)


def test_suites_that_cannot_meet(diagnose, server):
    """The server's cipher string leaves no suite for its key: Python's own suites and an EC key are proved."""
    found = diagnose(server("server-rsa2048"), ciphers="ECDHE-ECDSA-AES128-GCM-SHA256", maximum_version="TLSv1.2")
    assert found.result.explanation.rule == "ciphers/server-contradicts-itself"
    assert list(proved(found).values()) == [True, True]
    assert found.server_lines[1:3] == (
        'context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")',
        "context.maximum_version = ssl.TLSVersion.TLSv1_2",
    )


def test_a_cipher_string_that_openssl_rejects(diagnose, server):
    """The server refuses its configuration; without the call it connects."""
    found = diagnose(server("server-rsa2048"), ciphers="TLS_RSA_WITH_AES_128_CBC_SHA")
    assert found.result.explanation.rule == "ciphers/unknown-words"
    assert proved(found) == {"leave set_ciphers out on the server: Python's own suites": True}


def test_versions(diagnose, server):
    """A server with only TLS 1.3 needs TLS 1.2."""
    found = diagnose(server("server-p256"), minimum_version="TLSv1.3")
    if found.result.observation.outcome is Outcome.CONNECTED:
        pytest.skip("this board speaks TLS 1.3")
    assert found.result.explanation.rule == "versions/server-too-new"
    assert proved(found) == {"let the server speak TLS 1.2 as well": True}


def test_the_wrong_ca_if_the_right_one_is_found(diagnose, server, files):
    """If the issuer is among the user's files, loading it is proved with the user's own certificate."""
    given = server("server-p256", ca=files / "ca-other" / "cert.der", client_ca=files / "ca-p256" / "cert.pem")
    given = type(given)(certificate=given.certificate, key=given.key, ca=given.ca)
    beside = files / "server-p256" / "our-ca.pem"
    beside.write_bytes((files / "ca-p256" / "cert.pem").read_bytes())
    try:
        found = diagnose(given)
    finally:
        beside.unlink()
    assert found.result.explanation.rule == "identity/other-ca"
    assert found.result.explanation.title == (
        f"the CA 'TLS harness ca-p256' ({beside}) issued the server's certificate, but the board does not trust it"
    )
    trials = {trial.fix.title: trial for trial in found.trials}
    loaded = trials["load the CA that issued the server's certificate, as DER"]
    assert (loaded.fix.proved, loaded.note) == (True, f"tried with the issuer found in {beside}")
    assert [command.arguments for command in loaded.recipe.commands] == [
        ("openssl", "x509", "-in", str(beside), "-outform", "der", "-out", "issuer.der")
    ]
    assert loaded.fix.server_lines == ()
    assert list(proved(found).values()) == [True, True]
    assert found.trials[-1].fix.title == "do not check the certificate (CERT_NONE)"


def test_the_wrong_ca_as_pem_without_the_right_one(diagnose, server, files):
    """PEM on a DER-only build hides the wrong CA: the second cause is found, and the general changes prove what was needed."""
    found = diagnose(server("server-p256", ca=files / "ca-other" / "cert.pem"))
    if found.result.explanation.rule != "api/invalid-cert":
        pytest.skip("this firmware reads PEM")
    results = proved(found)
    assert results["turn PEM into DER"] is False
    assert results["load the CA that issued the server's certificate, as DER"] is None
    general = [trial for trial in found.trials if trial.general]
    assert [(trial.fix.title, trial.fix.proved) for trial in general] == [
        ("turn PEM into DER; and a certificate from your own CA on the server, and that CA on the board", True)
    ]
    assert general[0].fix.change.client == {"ca_format": "der", "certificate_format": "der"}


def test_the_wrong_name(diagnose, server, files):
    """Two fixes: issue the certificate for the name, or connect with a name that it contains."""
    found = diagnose(server("server-p256", ca=files / "ca-p256" / "cert.der"), hostname="broker.example")
    assert found.result.explanation.rule == "names/wrong-host"
    assert list(proved(found).values()) == [True, True, True]
    assert found.trials[1].fix.client_lines[-1].endswith('server_hostname="tls.test")')


def test_a_client_certificate_is_required(diagnose, server, files):
    """The board has none: a certificate from a CA that the server trusts is proved; not requiring it is discouraged."""
    found = diagnose(server("server-p256", client_ca=files / "ca-p256" / "cert.pem"))
    assert found.result.explanation.rule == "client-auth/none-sent"
    assert list(proved(found).values()) == [True, True]
    assert 'context.load_cert_chain(open("client.der", "rb").read()' in "\n".join(found.trials[0].client_lines)


def test_a_client_certificate_is_required_in_tls13(diagnose, server, files, tls13_board):
    """The board's handshake succeeds and its first read fails; the server's error and its encrypted alert are known."""
    given = server("server-p256", client_ca=files / "ca-p256" / "cert.pem")
    found = diagnose(given, board=tls13_board, fixes=False)
    seen = found.result.observation
    assert (seen.negotiated.version, seen.outcome, seen.ended_by, seen.stage) == (
        "TLSv1.3",
        Outcome.REFUSED,
        Side.SERVER,
        Stage.HANDSHAKE,
    )
    assert (seen.server.reason, seen.client.stage) == ("PEER_DID_NOT_RETURN_A_CERTIFICATE", Stage.READ)
    assert found.result.explanation.rule == "client-auth/none-sent"


def spellings(path):
    """Return the forms in which a private key could appear: each line of its PEM, its DER as base64 and hex, its secret number."""
    data = path.read_bytes()
    key = serialization.load_pem_private_key(data, None)
    numbers = key.private_numbers()
    secret = numbers.d if hasattr(numbers, "d") else numbers.private_value
    pkcs8, old = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
    ders = [key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption()) for form in (pkcs8, old)]
    lines = [line.decode() for line in data.splitlines() if b"-----" not in line]
    return [
        *lines,
        f"{secret:x}",
        *(base64.b64encode(der).decode()[:200] for der in ders),
        *(der.hex() for der in ders),
    ]


def test_no_private_key_anywhere(diagnose, server, files):
    """Neither the server's nor the board's key is in the text, the JSON, or the transcripts of the line."""
    own = {
        "client_certificate": files / "client-untrusted" / "cert.pem",
        "client_key": files / "client-untrusted" / "key.pem",
    }
    given = server("server-rsa2048", client_ca=files / "ca-p256" / "cert.pem", **own)
    found = diagnose(given, suites=QUESTION)
    assert any(proved(found).values())
    results = [found.result, *(trial.result for trial in found.trials if trial.result)]
    texts = [
        diagnosis_text(found),
        json.dumps(diagnosis_record(found).as_json()),
        repr(found),
        *(one.transcript for one in results),
    ]
    assert all(one.transcript for one in results[1:])
    for secret in (*spellings(given.key), *spellings(given.client_key)):
        assert [secret for text in texts if secret in text] == []


def test_a_key_of_another_pair(diagnose, server):
    """A key of another pair is a result, not a usage error; a matching pair connects."""
    found = diagnose(server("server-p256", key="server-rsa2048"))
    assert found.result.explanation.rule == "certificates/two-pairs"
    assert proved(found) == {"load the key that the certificate was made for": None, "an EC key on P-256": True}
    assert found.trials[0].note == "cannot be tried from here"


def test_without_trials(diagnose, server):
    """`--no-fixes` explains the failure and tries nothing else on the board."""
    found = diagnose(server("server-p256"), minimum_version="TLSv1.3", fixes=False)
    assert found.trials == ()
    assert [fix.proved for fix in found.result.explanation.fixes] == [None]


def test_the_written_folder_runs(diagnose, server, tmp_path):
    """`--write` leaves what was proved, private, with the files that the commands made; it never writes into what exists."""
    folder = tmp_path / "out"
    found = diagnose(server("server-rsa2048"), suites=QUESTION, ciphers="ECDHE+AESGCM:ECDHE+AES", write=folder)
    recipe = recommended(found.trials).recipe
    names = {program.name for program in (recipe.server, recipe.board)}
    names |= {name for command in recipe.commands for name in command.creates}
    assert {path.name for path in folder.iterdir()} == names
    assert (folder / "server.py").read_text() == recipe.server.text
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert found.notes[-1] == f"{folder} has everything, ready to run: {', '.join(sorted(names))}"
    with pytest.raises(UsageError, match="cannot be written"):
        diagnose(server("server-p256"), write=folder)


def test_a_connection_that_needs_nothing_is_written_too(diagnose, server, tmp_path):
    """Both programs are run first; without a proof there is nothing to write."""
    folder = tmp_path / "out"
    found = diagnose(server("server-p256"), write=folder)
    assert {path.name for path in folder.iterdir()} == {"server.py", "board.py"}
    assert found.notes[-1] == f"{folder} has everything, ready to run: board.py, server.py"
    none = diagnose(server("server-p256"), minimum_version="TLSv1.3", fixes=False, write=tmp_path / "none")
    assert none.notes[-1] == "--write: nothing was written, because no fix was proved"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("offered", "advice"),
    [
        (QUESTION, "this board offers ECDHE with an EC key: let the server load one as well, on P-256"),
        (QUESTION[3:], "this board offers nothing better with an EC key"),
    ],
)
def test_a_weak_session(diagnose, server, offered, advice):
    """It connects, but without forward secrecy: what that means, and what avoids it with this board."""
    found = diagnose(server("server-rsa2048"), suites=offered, ciphers="AES128-SHA256:AES256-SHA")
    assert found.result.observation.weak == ("no forward secrecy",)
    assert found.notes[-1] == (
        "weak: TLS_RSA has no forward secrecy: anyone who gets the server's key later can decrypt previously recorded traffic; "
        + advice
    )
    assert (found.trials, diagnose(server("server-p256")).notes) == ((), found.notes[:-1])
