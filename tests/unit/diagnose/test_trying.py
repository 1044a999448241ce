"""The order in which changes are tried. A simulated world decides what connects, so that every branch of the search is tested."""

import pytest

from harness.diagnose.given import GivenCertificates
from harness.diagnose.request import Request
from harness.diagnose.settings import as_given
from harness.diagnose.trying import BOARD_FAILED, NO_CHANGE, NOT_FROM_HERE, NOT_OURS, Trials, ladder
from harness.expectations.builders import connected
from harness.model import (
    BoardInfo,
    BoardSpec,
    CaseResult,
    Change,
    Explanation,
    Fix,
    Observation,
    Outcome,
    Side,
    Stage,
    Verdict,
    VerdictWord,
)
from harness.run.options import RunOptions

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix")
INFO = BoardInfo(tls_module="tls", api=("tls.SSLContext.load_cert_chain",))
SUITES = Fix(title="suites", change=Change(server={"ciphers": None}))
VERSION = Fix(title="version", change=Change(server={"minimum_version": "TLSv1.2"}))
UNCHECKED = Fix(title="unchecked", discouraged=True, because="x", change=Change(client={"server_hostname": None}))
FIRMWARE = Fix(title="firmware")


def result(rule=None, *fixes, word=None, weak=()):
    """Return a handshake's result: connected, refused with the fixes of a rule, or an error."""
    good = rule is None
    seen = Observation(
        outcome=Outcome.CONNECTED if good else Outcome.REFUSED,
        stage=None if good else Stage.HANDSHAKE,
        ended_by=None if good else Side.SERVER,
        server=None,
        client=None,
        weak=weak,
    )
    failed = word is VerdictWord.ERROR
    return CaseResult(
        board="unix",
        server="s",
        case="c",
        attempt=1,
        verdict=Verdict(
            word=word or (VerdictWord.PASS if good else VerdictWord.FAIL), reason="line lost" if failed else None
        ),
        expected=connected(),
        observation=None if failed else seen,
        explanation=None if good or failed else Explanation(rule=rule, title=rule, fixes=fixes),
    )


@pytest.fixture
def world(server):
    """Return trials in a simulated world: `world(first, decide)` returns the trials; `asked` has the settings that were tried."""
    given = GivenCertificates(server("server-p256"))
    words = {"ciphers": "X", "minimum_version": "TLSv1.3"}
    start = as_given(Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=given.files, **words), given)

    def go(first, decide, **options):
        go.asked = []

        def handshake(name, settings):
            go.asked.append(settings)
            return decide(settings.server, settings.client)

        trying = Trials(handshake, certificates=given, progress=lambda _line: None, **options)
        return [(trial.fix.title, trial.fix.proved, trial.note) for trial in trying.all(start, first).trials]

    return go


def test_each_fix_alone(world):
    """Fixes are tried in the rule's order, discouraged ones last; a fix without a change has a note."""
    first = result("a/b", UNCHECKED, SUITES, FIRMWARE)
    assert world(first, lambda server, client: result()) == [
        ("suites", True, None),
        ("firmware", None, NOT_FROM_HERE),
        ("unchecked", True, None),
    ]
    assert [asked.server.ciphers for asked in world.asked] == ["X", None]


def test_a_weak_session_comes_last(world):
    """A fix that leads to a weak session comes after the others, and before those that are discouraged; nothing general is tried then."""

    def decide(server, client):
        return result(weak=("no forward secrecy",)) if server.ciphers is None else result()

    first = result("a/b", UNCHECKED, SUITES, VERSION)
    assert [title for title, _word, _note in world(first, decide)] == ["version", "suites", "unchecked"]
    only_weak = world(result("a/b", SUITES), decide)
    assert only_weak == [("suites", True, None)]


def test_the_second_cause_is_followed(world):
    """A fix that uncovers another cause is kept, and that cause's fixes are tried on top of it."""

    def decide(server, client):
        if server.ciphers is None:
            return result() if server.minimum_version == "TLSv1.2" else result("c/d", VERSION)
        return result("a/b", SUITES)

    assert world(result("a/b", SUITES), decide) == [
        ("suites", False, None),
        ("suites; and version", True, None),
    ]


def test_general_changes_keep_what_was_needed(world):
    """If none of the rule's fixes helps, general changes are added until it connects, and unnecessary ones are removed."""

    def decide(server, client):
        good = server.ciphers is None and "server-p256" in server.certificates
        return result() if good else result("a/b", FIRMWARE)

    found = world(result("a/b", FIRMWARE), decide)
    assert [(title, word) for title, word, _note in found] == [
        ("firmware", None),
        ("an EC key on P-256; and Python's own suites", True),
    ]


def test_nothing_helps(world):
    """The result of the last general change is shown."""
    found = world(result("a/b"), lambda server, client: result("a/b"))
    assert [word for _title, word, _note in found] == [False]
    assert "every suite that OpenSSL has, without certificate checks" in found[0][0]


def test_a_board_that_fails(world):
    """A fault proves nothing; after two faults, no further change is tried."""
    first = result("a/b", SUITES, VERSION, Fix(title="third", change=Change(server={"curve": "X25519"})))
    found = world(first, lambda server, client: result("x", word=VerdictWord.ERROR))
    assert found[:3] == [("suites", None, "line lost"), ("version", None, "line lost"), ("third", None, BOARD_FAILED)]
    assert len(world.asked) == 2


def test_a_foreign_server(world):
    """Only the board's side is changed, and no general changes are tried."""
    first = result("a/b", SUITES, UNCHECKED)
    assert world(first, lambda server, client: result("a/b"), own_server=False) == [
        ("suites", None, NOT_OURS),
        ("unchecked", False, None),
    ]


def test_nothing_is_tried_twice(world):
    """Two fixes with one change share one handshake."""
    again = Fix(title="again", change=SUITES.change)
    assert [word for _title, word, _note in world(result("a/b", SUITES, again), lambda *_: result())] == [True, True]
    assert len(world.asked) == 1


def test_a_change_of_nothing_is_not_tried(world):
    """What would be the same handshake again is not reported as no help, alone or on top of another change."""
    nothing = Fix(title="nothing", change=Change(server={"minimum_version": "TLSv1.3"}))

    def decide(server, client):
        return result() if server.minimum_version == "TLSv1.2" else result("c/d", nothing, VERSION)

    assert world(result("a/b", nothing, SUITES), decide) == [
        ("nothing", None, NO_CHANGE),
        ("suites", False, None),
        ("nothing", None, NO_CHANGE),
        ("suites; and version", True, None),
    ]


def test_an_issuer_that_is_not_found(world):
    """The issuer is searched before the handshake; the note has the reason."""
    fix = Fix(title="trust", change=Change(client={"verify": "required", "ca": ("issuer",)}))
    found = world(result("a/b", fix), lambda *_: result("a/b"))
    assert found[0][1:] == (
        None,
        "cannot be tried from here: it was not found in the given files, in their folders or in this machine's trust store",
    )


def test_the_general_changes(files, server):
    """Changes without effect are omitted; the one that needs a CA is only there if the board verifies."""
    given = GivenCertificates(server("server-p256", ca=files / "ca-p256" / "cert.pem"))
    start = as_given(Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=given.files), given)
    assert [step.title for step in ladder(start, kind="EC")] == [
        "a certificate from your own CA on the server, and that CA on the board",
        "an EC key on P-256",
        "add an RSA key",
        "DER files on the board",
        "every suite that OpenSSL has, without certificate checks",
    ]
    everything = {
        "ciphers": "X",
        "maximum_version": "TLSv1.2",
        "suites": ("TLS_RSA_WITH_AES_128_CBC_SHA",),
    }
    asked = GivenCertificates(server("server-p256", client_ca=files / "ca-p256" / "cert.pem"))
    request = Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=asked.files, **everything)
    assert [step.title for step in ladder(as_given(request, asked), kind="RSA")][2:-1] == [
        "Python's own suites",
        "TLS 1.2 and newer",
        "the board's own suites",
        "a client certificate from a CA that the server has",
    ]
