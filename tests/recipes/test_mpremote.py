"""The lines for a board with a filesystem of its own: `mpremote fs cp` and `mpremote run` are run as they are printed."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.certificates import Certificates
from harness.diagnose.given import GivenCertificates
from harness.diagnose.recipes import Ends, RecipeBook
from harness.diagnose.request import Files, Request
from harness.diagnose.settings import as_given, changed
from harness.errors import HarnessError
from harness.model import BoardInfo, BoardSpec, Change
from harness.reports.text.recipe_text import recipe_lines
from harness.run.options import RunOptions
from harness.server.address import free_port
from tests.recipes.screen import follow

SPEC = BoardSpec(text="u0", kind="serial", target="u0", label="u0")
INFO = BoardInfo(
    version=(1, 28, 0),
    tls_module="tls",
    api=("tls.SSLContext.load_cert_chain", "tls.SSLContext.load_verify_locations"),
)


@pytest.fixture
def board():
    """The port of a virtual board for other programs, which mpremote opens as that of a serial one."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "virtual"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        ready, _, _ = select.select([process.stdout], [], [], 60)
        assert ready, "no port within 60 s"
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def given(tmp_path):
    """The user's files: PEM, which a board that reads only DER needs converted; a name with a blank needs quotes."""
    folder = tmp_path / "my files"
    folder.mkdir()
    with Certificates() as certificates:
        for name in ("server-p256", "client-p256", "ca-p256"):
            made = certificates.make(name)
            (folder / f"{name}.pem").write_bytes(made.chain_pem)
            (folder / f"{name}.key.pem").write_bytes(made.key_pem)
            (folder / f"{name}.der").write_bytes(made.certificate_der)
    return folder


@pytest.mark.parametrize("form", ["der", "pem"])
def test_the_lines_for_a_board(board, given, tmp_path, monkeypatch, form):
    """Files that the user has, and files that the commands make, are copied; the program then runs with their plain names."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    files = Files(
        certificate=given / "server-p256.pem",
        key=given / "server-p256.key.pem",
        ca=given / f"ca-p256.{form}",
        client_ca=given / "ca-p256.pem",
        client_certificate=given / "client-p256.pem",
        client_key=given / "client-p256.key.pem",
    )
    certificates = GivenCertificates(files, host="tls.test")
    first = 32000 - os.getpid() % 1000 * 6
    ends = Ends(
        listen="127.0.0.1",
        connect="127.0.0.1",
        port=free_port("127.0.0.1", among=(first, first + 5)),
        python=sys.executable,
        board=("mpremote", "connect", board),
    )
    request = Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=files)
    start = as_given(request, certificates)
    settings = changed(start, Change(client={"ca_format": "der", "certificate_format": "der"}), certificates)
    recipe = RecipeBook(certificates, INFO, ends=ends).recipe(settings)
    assert [words[3:5] for words in recipe.board_start] == [("fs", "cp")] * 3 + [("run", "board.py")]
    screen = "\n".join(recipe_lines(recipe))
    assert f"; then run: mpremote connect {board} fs cp " in screen
    empty = tmp_path / "empty"
    empty.mkdir()
    assert follow(screen, empty).endswith("the server answers: b'Hallo, Client!\\n'\n")
