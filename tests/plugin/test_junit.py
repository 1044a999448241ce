"""pytest's own `--junitxml`: each case has the properties board, firmware, server, case, outcome, verdict, alert and explanation."""

import xml.etree.ElementTree as ElementTree

import pytest

# One case for each verdict that can occur here; boards and servers are real.
CONFTEST = '''
from harness.cases import Situation, case
from harness.expectations.builders import connected, refused
from harness.model import ClientPlan, Need, ServerProfile, Tier, Verify

SUITES = ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",)


@case(tier=Tier.SMOKE)
def j_fails() -> Situation:
    """No shared cipher, expected to connect. To see `fail`."""
    server = ServerProfile(certificates=("server-rsa2048",), maximum_version="TLSv1.2")
    return Situation(server=server, client=ClientPlan(suites=SUITES), expect=connected())


@case(tier=Tier.SMOKE)
def j_insecure() -> Situation:
    """A good certificate that the client must refuse, it says. To see `insecure`."""
    return Situation(
        server=ServerProfile(certificates=("server-p256",), maximum_version="TLSv1.2"),
        client=ClientPlan(verify=Verify.REQUIRED, ca=("ca-p256",)),
        expect=refused(by="client", server="TLSV1_ALERT_UNKNOWN_CA", alert="unknown_ca", flags=("not_trusted",)),
    )


@case(tier=Tier.SMOKE)
def j_unsupported() -> Situation:
    """A need that no board meets. To see `unsupported`."""
    need = Need(name="magic", reason="this firmware has no magic", met=lambda info, server: False)
    return Situation(server=ServerProfile(certificates=("server-p256",)), expect=connected(), needs=(need,))
'''
NAMES = [
    "board",
    "firmware",
    "server",
    "client",
    "link",
    "case",
    "outcome",
    "verdict",
    "weak",
    "unverified",
    "alert",
    "explanation",
]
# A board's output with characters that XML 1.0 does not allow; \357\277\276 is U+FFFE.
HOSTILE = """#!/bin/sh
printf '\\033[2J\\000\\001\\013\\357\\277\\276\\355\\240\\200]]><properties>&\\342\\200\\256'
"""


def properties(folder):
    """Return the names and values of each test, as a strict parser reads them."""
    found = {}
    for test in ElementTree.parse(folder / "junit.xml").getroot().iter("testcase"):
        listed = [(item.get("name"), item.get("value")) for item in test.iter("property")]
        assert len(dict(listed)) == len(listed)
        found[test.get("name")] = dict(listed)
    return found


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_properties(suite, workers):
    """Every verdict has all of them, whatever pytest calls the result, also with workers; other tests have none."""
    suite.write("conftest.py", CONFTEST)
    suite.write("test_own.py", "def test_own():\n    pass\n")
    evil = suite.write("evil", HOSTILE)
    evil.chmod(0o755)
    chosen = "j-fails or j-insecure or j-unsupported or ca-verified or own"
    boards = ("--board", "unix", "--board", f"unix:{evil}")
    ran = suite.run("--cases", "smoke", "-k", chosen, *boards, "--junitxml", "junit.xml", *workers)
    assert ran.status == 1
    found = properties(suite.folder)
    assert found.pop("test_own") == {}
    assert [list(values) for values in found.values()] == [NAMES] * len(found)
    results = ran.record()["results"]
    assert sorted(values["case"] for values in found.values()) == sorted(item["case"] for item in results)
    firmware = next(board["firmware"] for board in ran.record()["boards"] if board["firmware"])
    unix = {
        values["case"].partition("/")[2]: values for name, values in found.items() if name.startswith("test_case[unix-")
    }
    for values in unix.values():
        assert (values["board"], values["server"], values["firmware"]) == ("unix", "in-process", firmware)
    assert {name: (values["outcome"], values["verdict"], values["alert"]) for name, values in unix.items()} == {
        "ca-verified": ("connected", "pass", ""),
        "j-fails": ("refused", "fail", "handshake_failure(40) fatal from the server"),
        "j-insecure": ("connected", "insecure", ""),
        "j-unsupported": ("not-run", "unsupported", ""),
    }
    assert unix["j-fails"]["explanation"].startswith("ciphers/key-type: the server's key is RSA")
    dead = [values for values in found.values() if values["board"] != "unix"]
    assert len(dead) == 4
    assert {(values["outcome"], values["verdict"], values["firmware"]) for values in dead} == {("not-run", "error", "")}
    assert kinds(suite.folder) == {"fail": {"failure"}, "insecure": {"failure"}, "error": {"error"}}
    counts = ElementTree.parse(suite.folder / "junit.xml").getroot()[0]
    assert (counts.get("failures"), counts.get("errors")) == ("2", "1")


def kinds(folder):
    """Return the JUnit elements by verdict, of those that make a run fail."""
    found = {}
    for test in ElementTree.parse(folder / "junit.xml").getroot().iter("testcase"):
        verdict = next((item.get("value") for item in test.iter("property") if item.get("name") == "verdict"), None)
        for element in test:
            if element.tag in ("failure", "error"):
                found.setdefault(verdict, set()).add(element.tag)
    return found
