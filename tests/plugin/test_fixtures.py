"""The public fixtures in a user's suite, and how mistakes with them are reported."""

import itertools
import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FIXTURES = ("board", "tls_server", "certificates", "expect", "run_case", "tls_case", "server_python")


def test_they_are_documented(suite):
    """`pytest --fixtures` lists each fixture with a first line that says how to use it."""
    lines = suite.run("--fixtures").lines
    for name in FIXTURES:
        (at,) = [number for number, line in enumerate(lines) if line.startswith((f"{name} ", f"{name} ["))]
        assert "harness/pytest_plugin/plugin.py" in lines[at]
        assert lines[at + 1].startswith("    ")
    assert any('board.connect(server, verify="required", ca="ca-p256"' in line for line in lines)


def test_the_examples_run_anywhere(suite):
    """The documentation's snippets work in an empty directory."""
    (suite.folder / "test_mine.py").unlink()
    for path in EXAMPLES.glob("test_*.py"):
        shutil.copy(path, suite.folder)
    ran = suite.run("--cases", "smoke", "-k", "my_ or rsa-1024-key", "-v")
    assert (ran.status, ran.summary()) == (0, "5 passed"), ran.text


A_SESSION = (
    'expect.connected(board.connect(tls_server("server-p256", maximum_version="TLSv1.2"), verify="required", ca="ca-other"), '
    'suite="TLS_AES_128_GCM_SHA256")'
)
A_REFUSAL = (
    'expect.refused(board.connect(tls_server("server-p256")), server="NO_SHARED_CIPHER", alert=40, client=-30592)'
)
UNKNOWN_CERTIFICATE = 'board.connect(tls_server("server-p257"))'
MISTAKES = {
    'tls_server("server-p256", cipher="x")': "tls_server(): unknown setting 'cipher'; did you mean 'ciphers'?; expected one of ",
    'board.connect(tls_server("server-p256"), hostname="x")': (
        "board.connect(): unknown setting 'hostname'; did you mean 'server_hostname'?; expected one of key, verify, "
    ),
    'board.connect(tls_server("server-p256"), verify="yes")': (
        "board.connect(verify=...): 'yes' is not one of none, optional, required"
    ),
    'expect.refused(None, alert="no_such")': (
        "expect.refused(alert='no_such'): no TLS alert has this name; write it as in RFC 8446 or as a number"
    ),
    "expect.connected(None, cipher=1)": "expect.connected(): unknown setting 'cipher'; expected one of group, suite, version",
}


LAB_PROFILE = """
[lab-broker]
description = "The broker of the lab."
role = "server"
key = "p384"
issuer = "ca-p256"
"""
OWN_PROFILES = """
def test_both(board, tls_server, expect, certificates):
    certificates.add("lab-client", description="Ours.", role="client", key="p256", issuer="ca-p256")
    server = tls_server("lab-broker", verify="required", client_ca="ca-p256")
    expect.connected(board.connect(server, verify="required", ca="ca-p256", certificate="lab-client"))


def test_explicit(board, tls_server, expect, certificates):
    certificates.add(
        "spelled-out", description="Ours.", role="server", key="p256", issuer="ca-p256", ec_parameters="explicit"
    )
    expect.refused(board.connect(tls_server("spelled-out")), by="client", open_because="the number is the library's")
"""


@pytest.fixture(scope="module")
def shown(shared_suite):
    """What pytest shows of failing tests, by the line that each consists of; without the source above the error."""
    bodies = [A_SESSION, A_REFUSAL, UNKNOWN_CERTIFICATE, *MISTAKES]
    tests = [
        f"def test_{number}(board, tls_server, expect, certificates):\n    {body}\n"
        for number, body in enumerate(bodies)
    ]
    shared_suite.write("test_mine.py", "\n".join(tests))
    ran = shared_suite.run("--cases", "smoke", "--tb=short")
    assert (ran.status, ran.summary()) == (1, f"{len(bodies)} failed"), ran.text
    places = [number for number, line in enumerate(ran.lines) if line.startswith("____")]
    places += [number for number, line in enumerate(ran.lines) if line.startswith("==") and number > places[-1]][:1]
    blocks = [ran.lines[start + 1 : end] for start, end in itertools.pairwise(places)]
    return dict(zip(bodies, blocks, strict=True))


def test_every_difference_of_a_session(shown):
    """expect.connected lists every difference at once, with only the test's own frame."""
    lines = shown[A_SESSION]
    errors = [line for line in lines if line.startswith("E")]
    assert errors[11].startswith("E     why         ")
    assert errors[:11] == [
        "E   AssertionError: connected expected, got refused by the client at handshake",
        "E     expected    connected with TLS_AES_128_GCM_SHA256",
        "E   - outcome: expected connected, got refused",
        "E   - server: expected no error, got SSLError TLSV1_ALERT_UNKNOWN_CA",
        "E   - client: expected no error, got ValueError not_trusted",
        "E   - alert: expected no fatal alert, got unknown_ca (48) from the client",
        "E   - suite: expected TLS_AES_128_GCM_SHA256, got TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "E     server      SSLError TLSV1_ALERT_UNKNOWN_CA, at handshake",
        "E     client      ValueError not_trusted, at handshake",
        "E     alert       unknown_ca(48) fatal from the client",
        "E     negotiated  TLSv1.2, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, secp256r1",
    ]
    assert not any("fixtures.py" in line for line in lines)


def test_every_difference_of_a_refusal(shown):
    """expect.refused compares outcome, side, stage, both errors and the alert at once."""
    lines = [line for line in shown[A_REFUSAL] if line.startswith("E   ") and not line.startswith("E     ")]
    assert lines == [
        "E   AssertionError: refused expected, got connected",
        "E   - outcome: expected refused, got connected",
        "E   - stage: expected handshake, got none",
        "E   - ended_by: expected server, got none",
        "E   - server.type: expected SSLError, got none",
        "E   - server.reason: expected NO_SHARED_CIPHER, got none",
        "E   - client.type: expected OSError, got none",
        "E   - client.number: expected -30592, got none",
        "E   - alert: expected handshake_failure (40) from the server, got none",
    ]


@pytest.mark.parametrize("body", MISTAKES)
def test_mistakes_are_one_line(shown, body):
    """An unknown name or setting is reported in one line with what is expected, without a traceback of the harness."""
    (line,) = shown[body]
    place, _, text = line.partition(": ")
    assert text.startswith(MISTAKES[body])
    number = list(shown).index(body)
    assert place == f"test_mine.py:{3 * number + 2}"


def test_an_unknown_certificate(shown):
    """The error for an unknown profile has the test's line, the nearest name, and where the list is."""
    (line,) = shown[UNKNOWN_CERTIFICATE]
    assert line.startswith(
        "test_mine.py:8: unknown certificate profile 'server-p257'; did you mean 'server-p256'? (`tls-harness files certs` prints "
        "the folder that declares all "
    )


def test_profiles_of_a_folder(suite):
    """`tls_certs` names a folder of own profiles, relative to the ini file; a profile of a test is added to them."""
    (suite.folder / "profiles").mkdir()
    suite.write("profiles/lab.toml", LAB_PROFILE)
    suite.write("pytest.ini", "[pytest]\ntls_certs = profiles\n")
    suite.write("test_mine.py", OWN_PROFILES)
    ran = suite.run()
    assert (ran.status, ran.summary()) == (0, "2 passed"), ran.text
    (refused,) = [row for row in ran.record()["results"] if row["case"] == "own/mine-explicit"]
    assert refused["explanation"]["rule"] == "certificates/explicit-curve"
    suite.write("profiles/lab.toml", LAB_PROFILE.replace("p384", "p385"))
    ran = suite.run("-k", "both")
    assert ran.status == 1
    assert ran.line(
        f"tls_certs: {suite.folder / 'profiles' / 'lab.toml'}: profile 'lab-broker': key = 'p385': expected 'rsa-1024', "
    )


def test_a_board_fault_in_a_fixture_test(suite):
    """A board that cannot be opened gives `error: ` and the reason, also in a test without cases."""
    suite.write("test_mine.py", "def test_it(board):\n    board.info\n")
    ran = suite.run("--board", "/dev/ttyNOPE7")
    assert (ran.status, ran.summary()) == (10, "1 failed")
    assert ran.line("error: /dev/ttyNOPE7: no such port; ")
    assert "Traceback" not in ran.text


def test_a_fixture_of_the_same_name(suite):
    """`board` is a common name: a suite's own fixture of that name takes precedence, also with --board."""
    suite.write(
        "test_mine.py",
        "import pytest\n@pytest.fixture\ndef board():\n    return 'chess'\ndef test_it(board):\n    assert board == 'chess'\n",
    )
    ran = suite.run("--board", "unix", "--board", "/dev/null", "-v")
    assert (ran.status, ran.summary()) == (0, "1 passed")
    assert ran.line("test_mine.py::test_it PASSED")
