"""What is printed is what is proved: situation by situation, the screen alone is enough to make board and server connect."""

import datetime
import functools
import socket

import pytest

from harness import explain
from harness.boards.virtual.interpreter import find_interpreter
from harness.certificates import Certificates
from harness.errors import HarnessError
from harness.explain.registry import names
from tests.certificate_issuer import issue
from tests.recipes.screen import diagnosed, follow, problems, proved
from tests.recipes.situations import situations

SITUATIONS = situations()

FORMS = {
    "pem": lambda made: made.chain_pem,
    "leaf.pem": lambda made: made.certificate_pem,
    "key.pem": lambda made: made.key_pem,
    "der": lambda made: made.certificate_der,
    "key.der": lambda made: made.key_der,
    "pkcs8.der": lambda made: made.key_pkcs8_der,
}
OWN_FORMS = {"pem": lambda made: made.pem, "key.pem": lambda made: made.key_pem, "der": lambda made: made.der}


@pytest.fixture(scope="module")
def certificates():
    """The declared certificates; skip where there is no virtual board."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    with Certificates() as made:
        yield made


def written(situation, certificates, folder):
    """Write the files of a situation and return the options that name them."""
    options = []
    for option, file in situation.files().items():
        (folder / file).write_bytes(content(file, certificates))
        options += [option, str(folder / file)]
    for file in situation.beside:
        (folder / file).write_bytes(content(file, certificates))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return [*options, *situation.options, "--ports", str(port)]


def content(file, certificates):
    """Return the bytes of `PROFILE.FORM`, or of several joined with `+`."""
    parts = [part.split(".", 1) for part in file.split("+")]
    return b"".join(
        OWN_FORMS[form](own()[name]) if name.startswith("x-") else FORMS[form](certificates.make(name))
        for name, form in parts
    )


@functools.cache
def own():
    """Certificates that no profile describes: without any name, and below a CA with a short key."""
    now = datetime.datetime.now(datetime.UTC)
    root = issue("Root", ca=True, now=now)
    short = issue("Short Root", ca=True, key="RSA-1024", now=now)
    return {
        "x-root": root,
        "x-nameless": issue("", root, now=now),
        "x-root-1024": short,
        "x-below-1024": issue("tls.test", short, dns=("tls.test",), now=now),
    }


def check(situation, certificates, folder):
    """Diagnose, compare the problems, and follow the screen to a connection.

    Raises:
        AssertionError: with the screen.
    """
    given, empty = folder / "given", folder / "empty"
    given.mkdir(parents=True)
    empty.mkdir()
    status, screen = diagnosed(written(situation, certificates, given), given)
    assert status == 1, screen
    assert problems(screen) == situation.problems, screen
    assert proved(screen), screen
    assert "the server answers: b'Hallo, Client!" in follow(screen, empty), screen


@pytest.mark.parametrize("situation", [one for one in SITUATIONS if one.fast], ids=lambda situation: situation.name)
def test_printed(situation, certificates, tmp_path):
    """The problems are found in order, and the printed recipe connects."""
    check(situation, certificates, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_score(certificates, tmp_path, capsys):
    """Each of the situations is understood and solved; the score is printed."""
    failed = {}
    for situation in SITUATIONS:
        try:
            check(situation, certificates, tmp_path / situation.name)
        except AssertionError as error:
            failed[situation.name] = str(error)
    with capsys.disabled():
        print(f"\ndiagnose: {len(SITUATIONS) - len(failed)} of {len(SITUATIONS)} situations solved from the screen")
    assert failed == {}


def test_there_are_enough():
    """Names are unique, and each problem is one that a rule finds."""
    assert len(SITUATIONS) >= 60
    explain._load()
    known = set(names())
    assert {problem for situation in SITUATIONS for problem in situation.problems} <= known
