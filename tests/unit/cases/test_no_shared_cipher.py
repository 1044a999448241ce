"""For each of the nine causes of NO_SHARED_CIPHER, the evidence of its cases names that cause."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cases import find_case, select
from harness.certificates import Certificates
from harness.expectations.needs import unmet
from harness.model import BoardInfo, HelloFacts
from harness.oracle.predict import Exclusion, explain_selection, predict
from harness.server import Serving
from harness.server.engine.tls_contexts import describe_interpreter
from harness.server.local import LocalServer
from harness.wire.handshake import read_client_hello
from harness.wire.suites import suite_code

DATA = Path(__file__).parents[2] / "data" / "client_hellos.json"

# Case -> what excludes the suites; it must apply to every offered suite.
CAUSES = {
    "key-type-rsa": Exclusion.KEY_TYPE,
    "key-type-ec": Exclusion.KEY_TYPE,
    "plain-rsa-only-rsa-key": Exclusion.NOT_ALLOWED,
    "plain-rsa-only-ec-key": Exclusion.NOT_ALLOWED,
    "ecdhe-rsa-only-p256-key": Exclusion.KEY_TYPE,
    "ecdhe-rsa-only-p521-key": Exclusion.KEY_TYPE,
    "sha1-mac-only-ecdsa": Exclusion.NOT_ALLOWED,
    "sha1-mac-only-rsa": Exclusion.NOT_ALLOWED,
    "no-certificate": Exclusion.NO_CERTIFICATE,
    "no-certificate-all-suites": Exclusion.NO_CERTIFICATE,
    "key-without-scheme-ed25519": Exclusion.NO_SIGNATURE,
    "key-without-scheme-rsa-pss": Exclusion.NO_SIGNATURE,
    "key-curve-p224": Exclusion.KEY_CURVE,
    "key-curve-secp256k1": Exclusion.KEY_CURVE,
    "no-group-ec-key": Exclusion.NO_GROUP,
    "no-group-rsa-key": Exclusion.NO_GROUP,
    "tls13-without-suites-ec": Exclusion.VERSION,
    "tls13-without-suites-rsa": Exclusion.VERSION,
}
CURES = ("tls13-with-suites", "tls13-kept-out")
# Of the suites that a build's flags decide (docs/facts/python-ssl.md, "Default cipher suites").
BY_DEFAULTS = {"plain-rsa-only-rsa-key", "plain-rsa-only-ec-key", "sha1-mac-only-ecdsa", "sha1-mac-only-rsa"}


@pytest.fixture(scope="module")
def server():
    """A real server in this process."""
    with Certificates() as certificates:
        host = LocalServer(materials=certificates.make)
        yield host
        host.close()


def hello_for(case):
    """A common-configuration ClientHello (family C with the groups of mbedTLS 3), restricted by the case."""
    entry = json.loads(DATA.read_text(encoding="ascii"))["hellos"]["1.20.0-rp2"]
    hello = read_client_hello(bytes.fromhex(entry["hex"]))
    assert isinstance(hello, HelloFacts)
    hello = replace(hello, groups=("0017", "0018", "0019"), record_version="0303")
    if case.client.suites is not None:
        hello = replace(hello, suites=tuple(f"{suite_code(name):04x}" for name in case.client.suites))
    if any(need.name == "tls1.3" for need in case.needs):
        hello = replace(
            hello,
            versions=("0304", "0303"),
            extensions=(*hello.extensions, 43, 51),
            key_share_groups=("0017",),
            signature_algorithms=(*hello.signature_algorithms, "0804"),
        )
    return hello


def facts_for(case, server):
    """Return the live settings of the case's server."""
    start = server.open(case.server, Serving())
    server.cancel()
    assert start.facts is not None
    return start.facts


def test_nine_causes_twice():
    """Every cause has two cases; each case is in this file."""
    names = {case.id.partition("/")[2] for case in select("full") if case.topic == "no-shared-cipher"}
    assert names == {*CAUSES, *CURES}
    assert len(CAUSES) == 2 * 9


@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_is_the_one_the_case_is_about(name, server):
    """The server refuses with NO_SHARED_CIPHER, and the cause excludes every suite."""
    case = find_case(f"no-shared-cipher/{name}")
    curve = case.server.curve
    if curve and curve not in describe_interpreter()["curves"]:
        pytest.skip(f"this Python's set_ecdh_curve refuses {curve}")
    hello, facts = hello_for(case), facts_for(case, server)
    if name in BY_DEFAULTS and set(map(int, [str(int(code, 16)) for code in hello.suites])) & facts.suite_codes:
        pytest.skip(f"this Python {facts.python} was built to allow these suites")
    assert predict(hello, facts).server_reason == "NO_SHARED_CIPHER"
    verdicts = [each for each in explain_selection(hello, facts) if Exclusion.SIGNAL not in each.reasons]
    blamed = [each for each in verdicts if CAUSES[name] in each.reasons]
    # Causes that concern one kind of suite leave the others to the server's own list.
    others = [each for each in verdicts if each not in blamed and Exclusion.NOT_ALLOWED not in each.reasons]
    assert blamed
    assert [each for each in others if Exclusion.KEY_TYPE not in each.reasons] == []


@pytest.mark.parametrize("name", CURES)
def test_the_fix_connects(name, server):
    """The case's fix works for the same client."""
    case = find_case(f"no-shared-cipher/{name}")
    assert predict(hello_for(case), facts_for(case, server)).outcome == "connected"


@pytest.mark.parametrize("firmware", ["1.19.1-stm32", "1.20.0-axtls"])
def test_firmware_with_plain_rsa_only_runs_its_cases(firmware):
    """It has no set_ciphers, and what it offers anyway is what these cases restrict others to."""
    hello = read_client_hello(bytes.fromhex(json.loads(DATA.read_text())["hellos"][firmware]["hex"]))
    for name in ("plain-rsa-only-rsa-key", "plain-rsa-only-ec-key"):
        assert unmet(find_case(f"no-shared-cipher/{name}").needs, BoardInfo(hello=hello), {}) is None
