"""The programs for older firmware's API: each is followed from the screen, with a real interpreter and that generation's module.

No interpreter here has `ussl`: where the packaged one lacks a module, `old_api/` has a stand-in for it, which the interpreter finds first.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

from harness.boards.virtual.interpreter import PACKAGE, find_interpreter
from harness.certificates import Certificates
from harness.diagnose.given import GivenCertificates
from harness.diagnose.own import starts_programs
from harness.diagnose.recipes import Ends, RecipeBook
from harness.diagnose.request import Files, Request
from harness.diagnose.settings import as_given
from harness.errors import HarnessError
from harness.model import BoardInfo, BoardSpec
from harness.reports.text.recipe_text import recipe_lines
from harness.run.options import RunOptions
from harness.server.address import free_port
from tests.recipes.screen import follow

STAND_INS = Path(__file__).with_name("old_api")
SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix")
CONTEXT = ("ssl.SSLContext.load_cert_chain", "ssl.SSLContext.load_verify_locations")
# Firmware -> its module, its API, and the stand-in for that module; None: the packaged interpreter's own `ssl`.
GENERATIONS = {
    "1.14": ("ussl", ("ussl.wrap_socket", "ussl.wrap_socket(key)"), "v1_19"),
    "1.19": ("ssl", ("ssl.wrap_socket", "ssl.wrap_socket(key)"), "v1_19"),
    "1.20": ("ssl", ("ssl.wrap_socket(key)", "ssl.wrap_socket(cadata)", "ssl.CERT_REQUIRED"), "v1_20"),
    "1.20-own": ("ssl", ("ssl.wrap_socket(key)", "ssl.wrap_socket(cadata)", "ssl.CERT_REQUIRED"), None),
    "1.22": ("ssl", CONTEXT, None),
}
VERSIONS = {name: (1, int(name[2:4]), 0) for name in GENERATIONS}
VERIFYING = ["1.20", "1.20-own", "1.22"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """`files / "ca-p256.der"` and others."""
    folder = tmp_path_factory.mktemp("files")
    with Certificates() as certificates:
        for name in ("server-p256", "client-p256", "ca-p256"):
            made = certificates.make(name)
            for ending, content in (
                ("pem", made.chain_pem),
                ("key.pem", made.key_pem),
                ("der", made.certificate_der),
                ("key.der", made.key_der),
            ):
                (folder / f"{name}.{ending}").write_bytes(content)
    return folder


@pytest.fixture
def followed(files, tmp_path, monkeypatch):
    """Print a recipe for one generation and follow it: `followed(firmware, **files of the request)` returns what its program printed."""
    try:
        found = find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    if found.name != PACKAGE:
        pytest.skip(f"{found.name}: the packaged MicroPython is needed, because it has the module ssl")

    # Apart from the programs: the server's own `import ssl` would find the stand-in, too.
    modules, empty = tmp_path / "modules", tmp_path / "empty"
    modules.mkdir()
    empty.mkdir()
    monkeypatch.setenv("MICROPYPATH", f"{modules}:.frozen")

    def run(firmware, **options):
        module, api, stand_in = GENERATIONS[firmware]
        # Below the range from which the system chooses ports for others.
        first = 20000 + os.getpid() % 500 * 12
        port = free_port("127.0.0.1", among=(first, first + 11))
        given = Files(certificate=files / "server-p256.pem", key=files / "server-p256.key.pem", **options)
        certificates = GivenCertificates(given, host="tls.test")
        ends = Ends(
            listen="127.0.0.1",
            connect="127.0.0.1",
            port=port,
            shares_files=True,
            python=sys.executable,
            board=starts_programs(SPEC, "", hosted=True),
        )
        info = BoardInfo(version=VERSIONS[firmware], tls_module=module, api=api)
        request = Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=given)
        recipe = RecipeBook(certificates, info, ends=ends).recipe(as_given(request, certificates))
        if stand_in is not None:
            shutil.copy(STAND_INS / f"{stand_in}.py", modules / f"{module}.py")
        return recipe.board.text, follow("\n".join(recipe_lines(recipe)), empty)

    return run


@pytest.mark.parametrize("firmware", GENERATIONS)
def test_without_verification(followed, firmware):
    """The simplest client of each generation."""
    program, said = followed(firmware)
    assert said == "the server answers: b'Hallo, Client!\\n'\n"
    assert f"import {GENERATIONS[firmware][0]}\n" in program


@pytest.mark.parametrize("firmware", GENERATIONS)
def test_a_client_certificate(followed, files, firmware):
    """key= and cert= before there was a context; the server requires the certificate."""
    program, said = followed(
        firmware,
        client_ca=files / "ca-p256.pem",
        client_certificate=files / "client-p256.der",
        client_key=files / "client-p256.key.der",
    )
    assert said == "the server answers: b'Hallo, Client!\\n'\n"
    assert ("load_cert_chain" if firmware == "1.22" else ", key=open(") in program


@pytest.mark.parametrize("firmware", VERIFYING)
def test_verification(followed, files, firmware):
    """cert_reqs= and cadata= from 1.20 on, and the context after that."""
    program, said = followed(firmware, ca=files / "ca-p256.der")
    assert said == "the server answers: b'Hallo, Client!\\n'\n"
    assert "cadata=open(" in program


def test_what_1_19_lacks(followed, files):
    """Firmware up to 1.19 cannot verify: its module has not even the constant."""
    with pytest.raises(AssertionError, match=r"AttributeError: .* has no attribute 'CERT_REQUIRED'"):
        followed("1.19", ca=files / "ca-p256.der")
