"""Servers whose OpenSSL is limited by a configuration file: what Python does not show is found, predicted and explained.

One server is this Python, one Debian's own (OpenSSL 3.0), one of another Debian suite (OpenSSL 3.5 or newer).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import Certificates
from harness.model import FoundSettings, ServerFacts, ServerProfile
from harness.oracle.prediction.hidden import hidden_settings
from harness.server import Serving
from harness.server.remote import RemoteServer

from .conftest import missing

DEBIAN = Path("/usr/bin/python3")
TRIXIE = ("python3.13", "trixie")
LIMITS = {
    "Groups = X25519": {"groups"},
    "SignatureAlgorithms = RSA+SHA256:ed25519": {"signature algorithms"},
    "Protocol = -TLSv1.2": {"versions"},
    "MinProtocol = TLSv1.3": set(),
    "CipherString = DEFAULT:@SECLEVEL=3": set(),
    "": set(),
}
# Besides what depends on the settings: flights that are not there, a control that is refused too, a client's key at security level 3.
TRIED = (
    "seed/ or key/ or group/ or no-shared-cipher/ or cut-off/ or ku- or mtls/ or hello-request-first or with-stranger"
)
DIAGNOSE_TIMEOUT_S = 300

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module", params=["this", "debian", "trixie"])
def server(request: pytest.FixtureRequest, debian_program: Callable[..., str]) -> str:
    """The path of a Python: this one, Debian 12's, and Debian 13's."""
    if request.param == "this":
        return sys.executable
    if request.param == "trixie":
        program, suite = TRIXIE
        return debian_program(program, suite=suite)
    if not DEBIAN.exists():
        missing(f"there is no {DEBIAN}")
    return str(DEBIAN)


@pytest.fixture(scope="module")
def certificates() -> Iterator[Certificates]:
    """Certificates of `certs/`."""
    with Certificates() as made:
        yield made


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that limits every OpenSSL that is started from now on."""

    def write(line: str) -> None:
        path = tmp_path / "openssl.cnf"
        path.write_text(
            f"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n{line}\n", encoding="ascii"
        )
        monkeypatch.setenv("OPENSSL_CONF", str(path))

    return write


def facts_of(server: str, certificates: Certificates) -> ServerFacts:
    """Start the engine under a Python and return the facts of a context with a P-256 key."""
    host = RemoteServer(server, materials=certificates.make)
    try:
        facts = host.open(ServerProfile(certificates=("server-p256",)), Serving()).facts
    finally:
        host.close()
    assert facts is not None
    return facts


@pytest.mark.parametrize("line", LIMITS)
def test_found(line: str, server: str, configure: Callable[[str], None], certificates: Certificates) -> None:
    """Exactly what Python does not show is hidden; of the rest, found and shown are the same."""
    configure(line)
    facts = facts_of(server, certificates)
    assert isinstance(facts.found, FoundSettings)
    assert set(hidden_settings(facts)) == LIMITS[line]
    if line.startswith("Groups"):
        assert facts.found.groups == (("x25519",),)
    if line.startswith("Signature"):
        assert set(facts.found.signature_algorithms) == {"rsa_pkcs1_sha256", "ed25519"}
    if line.startswith("MinProtocol"):
        # Python's own minimum comes first where its build sets one.
        assert facts.found.versions == (("TLSv1.3",) if facts.minimum_version == "TLSv1.3" else ("TLSv1.2", "TLSv1.3"))


@pytest.mark.parametrize(
    "line",
    [
        "Groups = X25519",
        "SignatureAlgorithms = RSA+SHA256:ed25519",
        "CipherString = DEFAULT:@SECLEVEL=3",
        "MinProtocol = TLSv1.3",
    ],
)
def test_predictions_hold(line: str, server: str, configure: Callable[[str], None], run_matrix: Any) -> None:
    """Every case ends as predicted, or is unsupported with this server for that reason; the record names what was found."""
    configure(line)
    run = run_matrix("--cases", "full", "--server", server, "-k", TRIED)
    assert run.unclean == []
    (entry,) = run.record["servers"]
    assert set(entry.get("hidden", ())) == LIMITS[line]
    assert ("determined by test handshakes: " in run.output) is bool(LIMITS[line])


def diagnosis(server: str, certificates: Certificates, *arguments: str) -> dict[str, Any]:
    """Diagnose a server with an EC key on the virtual board."""
    files = certificates.make("server-p256")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "harness", "diagnose", "--board", "unix", "--server", server, "--json"),
            *("--cert", str(files.chain_file), "--key", str(files.key_file), *arguments),
        ],
        capture_output=True,
        text=True,
        timeout=DIAGNOSE_TIMEOUT_S,
        check=False,
        env=dict(os.environ),
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_an_ec_key_is_not_blamed_for_the_groups(
    server: str, configure: Callable[[str], None], certificates: Certificates
) -> None:
    """EC key and `Groups = X25519`: the board has suites for the key, and the groups are the cause; the fix for them is proved."""
    configure("Groups = X25519")
    found = diagnosis(server, certificates)
    explanation = found["result"]["explanation"]
    assert found["result"]["observed"]["server"]["reason"] == "NO_SHARED_CIPHER"
    assert explanation["rule"] == "configuration/found-by-handshake"
    assert explanation["title"] == "OpenSSL's configuration on the server limits the groups, which Python does not show"
    assert explanation["why"][0] == "groups determined by test handshakes: x25519"
    assert explanation["fixes"][0]["server_lines"] == ['context.set_ecdh_curve("prime256v1")']
    assert explanation["fixes"][0]["proved"] is True


def test_no_configuration_no_finding(server: str, configure: Callable[[str], None], certificates: Certificates) -> None:
    """Without a line in it, the same board connects to the same server."""
    configure("")
    assert diagnosis(server, certificates)["result"]["outcome"] == "connected"
