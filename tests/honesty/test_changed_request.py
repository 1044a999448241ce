"""A man in the middle on the serial line: he changes single keys of each request, or the data sent before, and corrects the checksums.

The board then does something other than it was asked to. No verdict about TLS may come of that.
"""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from harness.boards.agent.check_sum import check_sum
from harness.boards.serial.raw_repl import Output, RawRepl
from harness.boards.virtual.interpreter import find_interpreter
from harness.cases import find_case, select
from harness.certificates import Unavailable
from harness.certificates.forms import authorities, own_certificate
from harness.errors import BoardError, HarnessError
from harness.model import BoardSettings, BoardSpec, Case, ClientPlan, ServerProfile, Stage, VerdictWord, Verify
from harness.run.case_runner import CaseRunner
from harness.run.lab import Lab
from harness.run.options import RunOptions
from harness.system.deadline import Deadline

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix", settings=BoardSettings())
SERVER = ServerProfile(certificates=("server-p256",), maximum_version="TLSv1.2")
MUTUAL = ServerProfile(
    certificates=("server-p256",), maximum_version="TLSv1.2", verify=Verify.REQUIRED, client_ca=("ca-p256",)
)
PLAIN = ClientPlan()
NAMED = ClientPlan(server_hostname="board.tls.test")
# Between them these plans send every key of a request, and each connects if nobody changes it.
EVERYTHING = ClientPlan(
    verify=Verify.REQUIRED,
    ca=("ca-p256",),
    certificate="client-p256",
    suites=("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    text="Hello from a test",
    send_bytes=40,
    receive_bytes=20,
    timeout_s=2.0,
)
TO_THE_END = ClientPlan(receive_bytes=0, read_to_end=True, timeout_s=0.3)
CLOSES_FIRST = ClientPlan(close_first=True)
KEYED = ClientPlan(psk_identity="board-1", psk_key="000102030405060708090a0b0c0d0e0f")
# key -> (the plan that sends it, its server, what it is changed to)
KEYS: dict[str, tuple[ClientPlan, ServerProfile, Any]] = {
    "host": (PLAIN, SERVER, "127.0.0.9"),
    "port": (PLAIN, SERVER, 9),
    "n": (PLAIN, SERVER, 100_000_000),
    "name": (NAMED, SERVER, "other.test"),
    "timeout": (EVERYTHING, MUTUAL, 1500),
    "verify": (EVERYTHING, MUTUAL, 1),
    "ca": (EVERYTHING, MUTUAL, "another blob"),
    "cert": (EVERYTHING, MUTUAL, "another blob"),
    "key": (EVERYTHING, MUTUAL, "another blob"),
    "suites": (EVERYTHING, MUTUAL, "another blob"),
    "psk_identity": (KEYED, SERVER, "board-2"),
    "psk_key": (KEYED, SERVER, "another blob"),
    "text": (EVERYTHING, MUTUAL, "Hello from another"),
    "send": (EVERYTHING, MUTUAL, 41),
    "recv": (EVERYTHING, MUTUAL, 13),
    "readtoend": (TO_THE_END, SERVER, 0),
    "closefirst": (CLOSES_FIRST, SERVER, 0),
}
# Keys that have no effect on an attempt that ended in one of these stages.
AFTER_SETTINGS, AFTER_HANDSHAKE = (Stage.CONFIG,), (Stage.CONFIG, Stage.HANDSHAKE)
UNUSED_IN = {
    **dict.fromkeys(("host", "port", "name", "timeout"), AFTER_SETTINGS),
    **dict.fromkeys(("text", "send", "recv", "readtoend", "closefirst"), AFTER_HANDSHAKE),
}
HARMLESS = (VerdictWord.ERROR, VerdictWord.UNSUPPORTED)


class Attacker:
    """Between the harness and the line of one board: changes calls of the agent on their way, as if nobody had."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.request: Callable[[dict[str, Any]], None] | None = None
        self.blob: Callable[[bytes], bytes] | None = None
        self.changed = 0
        self._exec = RawRepl.exec
        attacker = self

        def exec_changed(link: RawRepl, code: bytes, *, deadline: Deadline) -> Output:
            return attacker._exec(link, attacker.on_its_way(code), deadline=deadline)

        monkeypatch.setattr(RawRepl, "exec", exec_changed)

    def on_its_way(self, code: bytes) -> bytes:
        """What arrives of a call."""
        text = code.decode("ascii")
        if self.request is not None and text.startswith("th_run("):
            given, check = arguments(text)
            words = json.loads(given)
            self.request(words)
            return self._call("th_run", given, [json.dumps(words)], check)
        if self.blob is not None and text.startswith("th_put("):
            number, name, data, more, check = arguments(text)
            if data is not None:
                other = base64.b64encode(self.blob(base64.b64decode(data))).decode("ascii")
                self.changed += other != data
                new_check = check_sum((name + other).encode("ascii"), kind=check[0])
                return f"th_put({number},{name!r},{other!r},{more},{new_check!r})".encode("ascii")
        return code

    def _call(self, name: str, given: str, words: Sequence[str], check: str) -> bytes:
        (text,) = words
        self.changed += json.loads(given) != json.loads(text)
        return f"{name}({text!r},{check_sum(text.encode('ascii'), kind=check[0])!r})".encode("ascii")


def arguments(call: str) -> list[Any]:
    """The literals of a call."""
    (statement,) = ast.parse(call).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    return [ast.literal_eval(argument) for argument in statement.value.args]


def dropped(key: str) -> Callable[[dict[str, Any]], None]:
    """Take the key out of each request."""
    return lambda words: words.pop(key, None)


def renamed(key: str) -> Callable[[dict[str, Any]], None]:
    """Give the key another name."""

    def change(words: dict[str, Any]) -> None:
        if key in words:
            words[f"x{key}"] = words.pop(key)

    return change


def with_other_value(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Give the key another value."""

    def change(words: dict[str, Any]) -> None:
        if key in words:
            words[key] = value

    return change


def opened() -> Iterator[CaseRunner]:
    """A board that has made its first contact before anybody attacks."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    lab = Lab(RunOptions(boards=(SPEC,)))
    yield lab.runner(SPEC, "in-process")
    lab.close()


runner = pytest.fixture(opened, scope="module", name="runner")
fresh_runner = pytest.fixture(opened, name="fresh_runner")


@pytest.fixture
def attacker(monkeypatch: pytest.MonkeyPatch) -> Attacker:
    """The attacker, who does nothing yet."""
    return Attacker(monkeypatch)


def another_blob(runner: CaseRunner, key: str) -> Any:
    """A name that the board has in its store: of something that fits the key, but is not what the plan names."""
    make = runner.handshakes.certificates.make
    certificate, private_key = own_certificate(make("server-p256"), form="der")
    data = {
        "ca": authorities([make("ca-other")], form="der")[0],
        "cert": certificate,
        "key": private_key,
        "suites": b"TLS-ECDHE-ECDSA-WITH-AES-128-CBC-SHA,TLS-RSA-WITH-AES-128-CBC-SHA",
        "psk_key": b"another key",
    }[key]
    runner.board.blobs.provide({"other": data}, heap_free_bytes=None, deadline=Deadline(60))
    return ["other"] if key == "ca" else "other"


def test_the_plans_send_every_key(runner: CaseRunner) -> None:
    """Nothing in a request is left out here, and without an attack each plan connects or is refused as it should."""
    sent = set()
    for plan, _server, _value in KEYS.values():
        request, _blobs = runner.board.prepare(plan, runner.handshakes.certificates)
        sent |= set(json.loads(arguments(request.code(number=1, kind="c"))[0]))
    assert sent == set(KEYS)
    for plan, server in ((PLAIN, SERVER), (EVERYTHING, MUTUAL), (TO_THE_END, SERVER), (CLOSES_FIRST, SERVER)):
        assert runner.handshakes.make(server, plan).doubt is None
    assert runner.handshakes.make(MUTUAL, EVERYTHING).connected


@pytest.mark.parametrize("key", KEYS)
def test_a_connection_of_a_users_test(runner: CaseRunner, attacker: Attacker, key: str) -> None:
    """Whichever key is dropped, renamed or changed, `board.connect()` raises an error that is not about TLS."""
    plan, server, value = KEYS[key]
    other = another_blob(runner, key) if value == "another blob" else value
    for change in (dropped(key), renamed(key), with_other_value(key, other)):
        attacker.request, before = change, attacker.changed
        with pytest.raises(BoardError) as caught:
            runner.handshakes.make(server, plan)
        assert attacker.changed > before
        assert caught.value.kind in ("plan", "peer", "lying", "agent", "garbled")
        runner.server.cancel()
        runner.board.blobs.forget()
        if value == "another blob":
            another_blob(runner, key)


@pytest.mark.parametrize(
    ("plan", "server", "holds"),
    [(EVERYTHING, MUTUAL, 4), (KEYED, SERVER, 1)],
    ids=["certificates-and-suites", "pre-shared-key"],
)
def test_data_sent_before(
    runner: CaseRunner, attacker: Attacker, plan: ClientPlan, server: ServerProfile, holds: int
) -> None:
    """Each blob in turn arrives as another one under the same name, with the right checksum for the line."""
    _request, blobs = runner.board.prepare(plan, runner.handshakes.certificates)
    assert len(blobs) == holds
    for victim in blobs.values():
        runner.board.blobs.forget()
        attacker.blob = lambda data, victim=victim: data[:-1] + bytes([data[-1] ^ 1]) if data == victim else data
        with pytest.raises(BoardError) as caught:
            runner.handshakes.make(server, plan)
        assert caught.value.kind == "plan"
        runner.server.cancel()


def cases_with(key: str, runner: CaseRunner, *, count: int | None) -> tuple[Case, ...]:
    """Cases of the full set whose request has the key, spread over the set; `count` at most."""
    found = []
    for case in select("full"):
        try:
            request, _blobs = runner.board.prepare(case.client, runner.handshakes.certificates)
        except Unavailable:
            continue
        if key in json.loads(arguments(request.code(number=1, kind="c"))[0]):
            found.append(case)
    step = 1 if count is None else max(1, len(found) // count)
    return tuple(found[::step])


def verdicts_of(
    runner: CaseRunner,
    attacker: Attacker,
    cases: Sequence[Case],
    change: Callable[[dict[str, Any]], None],
    *,
    key: str,
) -> dict[str, VerdictWord]:
    """Run the cases under attack: case -> verdict.

    Left out are cases in which the attacker changed nothing, and those that pass before the board comes to what he changed.
    """
    found = {}
    for case in cases:
        attacker.request, before = change, attacker.changed
        result = runner.run(case)
        word, client = result.verdict.word, result.observation.client if result.observation is not None else None
        untouched = client is not None and client.stage in UNUSED_IN.get(key, ())
        if attacker.changed > before and not (word is VerdictWord.PASS and untouched):
            found[case.id] = word
    return found


@pytest.mark.parametrize("key", ["name", "verify", "suites"])
def test_cases_in_which_a_setting_is_ignored(runner: CaseRunner, attacker: Attacker, key: str) -> None:
    """The verdict is `error` with the setting in its reason; the board is not quarantined, because it works."""
    cases = {
        "name": ("cert/wildcard-two-labels", "sni/none", "cert/host-trailing-dot"),
        "verify": ("cert/expired", "seed/wrong-ca"),
        "suites": ("no-shared-cipher/key-type-rsa", "seed/ecdsa-key-connects", "seed/forced-tls-rsa"),
    }[key]
    said = {
        "name": "server_hostname",
        "verify": "verify_mode: passed nothing, expected 2",
        "suites": "the board ignored set_ciphers",
    }[key]
    attacker.request = renamed(key)
    for name in cases:
        result = runner.run(find_case(name))
        assert (result.verdict.word, result.recovery) == (VerdictWord.ERROR, ())
        assert said in (result.verdict.reason or "")
    assert runner.board.quarantine_reason is None
    attacker.request = None
    assert runner.run(find_case(cases[0])).verdict.word is VerdictWord.PASS


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("attack", ["dropped", "renamed", "changed"])
def test_every_case_under_attack(fresh_runner: CaseRunner, attacker: Attacker, key: str, attack: str) -> None:
    """No `pass`, `fail` or `insecure` in any case that sends the key (30 or more of them, or all)."""
    value = another_blob(fresh_runner, key) if KEYS[key][2] == "another blob" else KEYS[key][2]
    change = {"dropped": dropped(key), "renamed": renamed(key), "changed": with_other_value(key, value)}[attack]
    cases = cases_with(key, fresh_runner, count=30)
    words = verdicts_of(fresh_runner, attacker, cases, change, key=key)
    assert {case: word for case, word in words.items() if word not in HARMLESS} == {}
