"""Boards and servers of one process."""

import re
import sys
from dataclasses import replace

import pytest

from harness.boards.session import BoardSession
from harness.boards.spec import parse_board
from harness.boards.virtual import faulty
from harness.certificates import Certificates
from harness.errors import BoardError, UsageError
from harness.model import BoardInfo, BoardSettings, BoardSpec, FirmwareChoice, UnexpectedPeers
from harness.server.local import LocalServer
from harness.server.unexpected_peers import CountedServer
from harness.system.deadline import Deadline


def test_nothing_is_opened_before_its_use(new_lab):
    """A lab itself starts nothing, and closing it twice is allowed."""
    lab = new_lab()
    assert lab.boards() == ()
    lab.close()
    lab.close()


def test_a_board_is_opened_once(new_lab, spec):
    """Board, probe and first contact are shared by all that use the board against one server."""
    lab = new_lab()
    runner = lab.runner(spec, "in-process")
    assert lab.runner(spec, "in-process") is runner
    (board,) = lab.boards()
    assert board.info.implementation == "micropython"
    assert board.info.hello.fingerprint is not None
    assert (runner.addresses.bind, runner.addresses.advertise, runner.addresses.peers) == (
        "127.0.0.1",
        "127.0.0.1",
        ("127.0.0.1",),
    )


def test_two_boards_at_once(new_lab, spec, second_board):
    """Each has its own session; neither disturbs the other."""
    lab = new_lab(boards=(spec, second_board))
    one, two = lab.runner(spec, "in-process"), lab.runner(second_board, "in-process")
    assert one.board is not two.board
    assert one.board.link.device != two.board.link.device
    assert one.server is two.server


def test_what_is_closed_first(new_lab, spec, monkeypatch):
    """The board, which may still use its server; then the server, which may still use its keys; then the keys."""
    lab, closed = new_lab(), []
    lab.runner(spec, "in-process")
    for kind in (Certificates, LocalServer, BoardSession):
        close = kind.close
        monkeypatch.setattr(
            kind, "close", lambda self, close=close, **more: (closed.append(type(self).__name__), close(self, **more))
        )
    lab.close()
    assert closed == ["BoardSession", "LocalServer", "Certificates"]


def test_unexpected_peers_of_one_server(new_lab, monkeypatch):
    """Those of all its clocks count together, those of another server apart."""
    lab = new_lab(servers=(sys.executable,))
    for name, behind_s in (("in-process", 0), ("in-process", 60), (sys.executable, 0)):
        lab.server(name, behind_s=behind_s)
    monkeypatch.setattr(CountedServer, "take_unexpected_peers", lambda self: UnexpectedPeers(count=1))
    assert [lab.take_unexpected_peers(name).count for name in ("in-process", sys.executable)] == [2, 1]


def test_a_board_that_is_quarantined_later(new_lab, spec):
    """It keeps its runner, whose results say why nothing is tried; it is not connected to another server."""
    lab = new_lab(servers=(sys.executable,))
    runner = lab.runner(spec, "in-process")
    runner.board.quarantine("a test")
    assert lab.runner(spec, "in-process") is runner
    with pytest.raises(BoardError, match=r"^unix: quarantined after a test$"):
        lab.runner(spec, sys.executable)


def test_a_failure_to_open_is_remembered(new_lab):
    """The second attempt raises the first error without waiting again."""
    lab = new_lab()
    missing = BoardSpec(
        text="/dev/ttyNOPE7", kind="serial", target="/dev/ttyNOPE7", label="ttyNOPE7", settings=BoardSettings()
    )
    with pytest.raises(BoardError, match="no such port") as first:
        lab.runner(missing, "in-process")
    with pytest.raises(BoardError, match="no such port") as second:
        lab.runner(missing, "in-process")
    assert first.value is second.value
    assert lab.open(missing).info is None


def test_whose_error_makes_a_board_unusable(new_lab, spec):
    """The errors that a lab raises again for each use name their board; the fault of one connection names none."""
    lab = new_lab()
    missing = BoardSpec(text="/dev/ttyNOPE7", kind="serial", target="/dev/ttyNOPE7", label="ttyNOPE7")
    with pytest.raises(BoardError) as caught:
        lab.runner(missing, "in-process")
    assert lab.unusable_because(caught.value) == "ttyNOPE7"
    runner = lab.runner(spec, "in-process")
    assert lab.unusable_because(BoardError("unix: the line dropped")) is None
    runner.board.quarantine("seed/x: silence")
    with pytest.raises(BoardError) as caught:
        runner.board.refuse_if_quarantined()
    assert lab.unusable_because(caught.value) == "unix"


def test_an_unreachable_server_is_remembered(new_lab, spec):
    """The connection error between board and server is remembered; the board itself stays open."""
    lab = new_lab(peers=("127.0.0.2",))
    errors = []
    for _ in range(2):
        with pytest.raises(
            BoardError, match=r"and only 127\.0\.0\.2 may connect: behind NAT, specify the address"
        ) as caught:
            lab.runner(spec, "in-process")
        errors.append(caught.value)
    assert errors[0] is errors[1]
    assert errors[0].kind == "network"
    assert lab.boards()[0].error is None


def test_every_address(new_lab, spec):
    """For a server that listens on every address, the board gets one that it can connect to."""
    runner = new_lab(bind="0.0.0.0", peers=("127.0.0.1",)).runner(spec, "in-process")
    assert (runner.addresses.bind, runner.addresses.advertise) == ("0.0.0.0", "127.0.0.1")


def test_server_under_another_python(new_lab, spec):
    """A server under another Python has its short name in results and describes itself."""
    lab = new_lab(servers=(sys.executable,), server_names={sys.executable: "python-here"})
    assert lab.runner(spec, sys.executable).server_label == "python-here"
    described = lab.describe_server("python-here")
    assert (described["server"], described["implementation"]) == ("python-here", "CPython")


def test_another_board_under_the_same_name(new_lab, spec):
    """A board that is opened again must be the same one, or its results would be recorded under the wrong firmware."""
    lab = new_lab()
    session = lab.open(spec).session
    lab.release(spec)
    assert lab.open(spec).error is None
    lab.release(spec)
    lab._first_seen["unix"] = replace(session.info, version=(1, 25, 0))
    opened = lab.open(spec)
    assert opened.session is None
    assert opened.error.kind == "replaced"
    assert str(opened.error).startswith("unix: this is no longer the board that was probed: firmware 1.25.0 -> 1.")


def test_another_board_than_the_resumed_one(new_lab, spec):
    """Under its name all must be the same; with a firmware of which there is no result, the chip, as in a run that was not interrupted."""
    lab = new_lab()
    runs = lab.open(spec).info.firmware
    with_firmware, other = (
        replace(spec, label=f"unix@{word}", firmware=FirmwareChoice(text=word, version=runs)) for word in ("a", "b")
    )
    lab = new_lab(boards=(spec, with_firmware, other))
    lab.recorded = {"unix": {"firmware": runs}}
    assert lab.open(spec).error is None
    lab.release(spec)
    lab.recorded = {"unix": {"firmware": "1.0.0"}}
    opened = lab.open(spec)
    text = "differs from the board in the record that --resume continues, so no case was run on it"
    assert (opened.session, opened.error.kind) == (None, "replaced")
    assert str(opened.error) == f"unix: {text}: firmware 1.0.0 -> {runs}"
    lab.recorded = {"unix@b": {"firmware": "1.0.0", "platform": "linux"}}
    if sys.platform == "linux":
        assert lab.open(with_firmware).error is None
        lab.release(with_firmware)
        lab.recorded = {"unix@b": {"firmware": "1.0.0", "platform": "rp2"}}
        assert str(lab.open(with_firmware).error) == f"unix@a: {text}: platform rp2 -> linux"


def test_two_firmwares_of_one_board(new_lab, spec):
    """The next firmware closes the one before; everything of the board may change but its chip."""
    lab = new_lab()
    runs = lab.open(spec).info.firmware
    lab.release(spec)
    one, two, wrong = (
        replace(spec, label=f"unix@{word}", firmware=FirmwareChoice(text=word, version=version))
        for word, version in (("a", runs), ("b", runs), ("c", "1.0"))
    )
    first = lab.open(one)
    assert first.error is None
    opened = lab.open(wrong)
    assert opened.error.kind == "firmware"
    assert (
        str(opened.error) == f"unix@c: its interpreter runs micropython {runs}, expected 1.0.0; no case was run with it"
    )
    assert lab.open(two).error is None
    assert [board.spec.label for board in lab.boards()] == ["unix@b"]
    with pytest.raises(BoardError, match="closed"):
        first.session.link.enter_raw_repl(deadline=Deadline(60))
    lab._hardware["unix"] = {"platform": "rp2", "unique id": None, "firmware": "1.0.0"}
    reason = "unix@a: this is no longer the board that was probed: platform rp2 -> linux"
    if sys.platform == "linux":
        assert str(lab.open(one).error) == reason


def test_no_interpreter(new_lab):
    """A program that is not Python is refused and leaves nothing behind."""
    with pytest.raises(UsageError, match="is not a Python interpreter"):
        new_lab().server("/bin/true")


def test_a_board_without_what_it_needs(new_lab):
    """A board that fails does not prevent the lab from closing the others."""
    lab = new_lab()
    broken = BoardSpec(text="unix:/bin/true", kind="unix", target="/bin/true", label="true", settings=BoardSettings())
    with pytest.raises(BoardError, match="no MicroPython prompt"):
        lab.runner(broken, "in-process")
    lab.close()
    assert lab.boards() == ()


@pytest.mark.parametrize(
    ("name", "text", "helped"),
    [
        ("flood", "/dev/pts/", "ctrl-c"),
        ("replug", "/dev/pts/", "port"),
    ],
)
def test_a_fault_before_the_first_case(new_lab, monkeypatch, name, text, helped):
    """The board is recovered and makes its baseline handshake again; a note says so, with the step that helped."""
    monkeypatch.setattr(faulty, "STRIKES_AT", 1)
    lab = new_lab()
    runner = lab.runner(parse_board(f"faulty:{name}", {}), "in-process")
    assert runner.health.was_healthy
    (note,) = runner.board.notes
    assert note.startswith(f"had a fault before its first case ({text}")
    assert note.endswith(f"; {helped} helped")


@pytest.mark.parametrize("name", ["reset", "replug", "flood", "stale-answer"])
def test_a_fault_while_the_board_is_prepared(new_lab, monkeypatch, name):
    """After a fault in the middle of the probe the board is recovered and prepared again."""
    monkeypatch.setattr(faulty, "STRIKES_AT", 1)
    monkeypatch.setattr(faulty, "REQUEST_MARK", b"platform")
    opened = new_lab().open(parse_board(f"faulty:{name}", {}))
    assert opened.error is None
    assert opened.info.tls_module == "tls"
    (note,) = opened.session.notes
    assert note.startswith("had a fault before its first case (")
    assert note.endswith(" helped")  # which step does is in tests/faults; on a busy machine it may be a later one


def test_a_fault_while_the_board_is_prepared_that_stays(new_lab, monkeypatch):
    """The error names the fault and the recovery steps that failed."""
    monkeypatch.setattr(faulty, "STRIKES_AT", 1)
    monkeypatch.setattr(faulty, "REQUEST_MARK", b"platform")
    opened = new_lab().open(parse_board("faulty:unplug", {}))
    assert opened.error.kind == "lost"
    assert re.search(
        r"^\S+: the port disappeared .*; port failed: the port did not come back within", str(opened.error)
    )


def test_a_fault_before_the_first_case_that_stays(new_lab, monkeypatch):
    """A board that cannot be recovered is quarantined, and each use raises the same error at once."""
    monkeypatch.setattr(faulty, "STRIKES_AT", 1)
    lab = new_lab()
    spec = parse_board("faulty:unplug", {})
    for _ in range(2):
        with pytest.raises(
            BoardError, match=r"^faulty:unplug: quarantined after its baseline handshake: .*; no step recovered it$"
        ) as raised:
            lab.runner(spec, "in-process")
    assert raised.value.kind == "set-aside"


def bare_lab(new_lab, spec, **options):
    """Return a lab whose open board was probed as an ESP32 without an address."""
    lab = new_lab(**options)
    session = lab.open(spec).session
    session.info = replace(session.info, platform="esp32", modules=(*session.info.modules, "network"))
    return lab


def test_f2_d5_a_bare_board(new_lab, spec, monkeypatch):
    """It is distinguished from a firewall before any socket is opened, and never sent to 127.0.0.1; its second case fails alike."""
    lab = bare_lab(new_lab, spec)
    monkeypatch.setattr(lab, "server", lambda *words, **more: pytest.fail("a server was started"))
    errors = []
    for _ in range(2):
        with pytest.raises(BoardError, match=r"^unix: the board is not on a network: it has no IP address") as caught:
            lab.runner(spec, "in-process")
        errors.append(caught.value)
    assert errors[0] is errors[1]
    assert errors[0].kind == "no-network"


def test_f2_a_bare_board_without_tls(new_lab, spec):
    """It cannot run any case: its cases are `unsupported`, and its network does not matter."""
    lab = bare_lab(new_lab, spec)
    session = lab.open(spec).session
    session.info = replace(session.info, tls_module=None)
    assert lab.runner(spec, "in-process").board is session
    assert lab.known_runner(spec, "in-process") is None  # nothing runs on it that could have to be ended


HOSTED, ALONE = BoardInfo(platform="linux"), BoardInfo(platform="esp32", modules=("network",))
REACHED = replace(ALONE, address="127.0.0.9")  # from there this machine's own address is 127.0.0.1


@pytest.mark.parametrize(
    ("info", "options", "own", "bind", "advertise"),
    [
        (HOSTED, {"bind": "127.0.0.2"}, "127.0.0.3", "127.0.0.2", "127.0.0.2"),
        (HOSTED, {}, "127.0.0.3", "127.0.0.3", "127.0.0.3"),
        (HOSTED, {"advertise": "127.0.0.4"}, None, "127.0.0.1", "127.0.0.4"),
        (HOSTED, {"peers": ("not an address",)}, None, "127.0.0.1", "127.0.0.1"),
        (REACHED, {"peers": ("not an address",)}, None, "127.0.0.1", "127.0.0.1"),
        (REACHED, {"advertise": "127.0.0.4"}, None, "127.0.0.1", "127.0.0.4"),
        (REACHED, {"bind": "0.0.0.0"}, None, "0.0.0.0", "127.0.0.1"),
        (ALONE, {"bind": "0.0.0.0", "peers": ("127.0.0.9",)}, None, "0.0.0.0", "127.0.0.1"),
    ],
)
def test_which_addresses(new_lab, info, options, own, bind, advertise):
    """The run's own comes before boards.toml, that before what faces the board; --peer says where a board is that reports no address."""
    spec = BoardSpec(text="u0", kind="serial", target="u0", label="u0", settings=BoardSettings(bind=own))
    chosen = new_lab(**options).addresses_for(info, spec)
    assert (chosen.bind, chosen.advertise) == (bind, advertise)


def test_which_of_every_address(new_lab, monkeypatch):
    """A server on every address gives a board the one that faces it."""
    monkeypatch.setattr("harness.run.lab.local_address_for", {"192.0.2.9": "192.0.2.1"}.__getitem__)
    spec = BoardSpec(text="u0", kind="serial", target="u0", label="u0", settings=BoardSettings())
    chosen = new_lab(bind="0.0.0.0").addresses_for(replace(ALONE, address="192.0.2.9"), spec)
    assert (chosen.bind, chosen.advertise) == ("0.0.0.0", "192.0.2.1")


@pytest.mark.parametrize(
    ("options", "bind", "advertise", "peers"),
    [
        ({"advertise": "127.0.0.1"}, "127.0.0.1", "127.0.0.1", ("127.0.0.1",)),
        ({"bind": "127.0.0.1"}, "127.0.0.1", "127.0.0.1", ("127.0.0.1",)),
        ({"peers": ("127.0.0.1",)}, "127.0.0.1", "127.0.0.1", ("127.0.0.1",)),
        (
            {"bind": "0.0.0.0", "advertise": "127.0.0.1", "peers": ("127.0.0.1",)},
            "0.0.0.0",
            "127.0.0.1",
            ("127.0.0.1",),
        ),
    ],
)
def test_f2_the_user_names_an_address(new_lab, spec, options, bind, advertise, peers):
    """A board without an address is then used, also over loopback."""
    used = bare_lab(new_lab, spec, **options).runner(spec, "in-process").addresses
    assert (used.bind, used.advertise, used.peers) == (bind, advertise, peers)


def test_a_board_without_an_address_is_not_answered_like_everybody(new_lab, spec):
    """A server that others can reach is not started for it."""
    lab = bare_lab(new_lab, spec, bind="0.0.0.0", advertise="127.0.0.1")
    with pytest.raises(
        BoardError,
        match=r"^unix: the board reports no IP address, and a server on 0\.0\.0\.0 would serve any",
    ) as caught:
        lab.runner(spec, "in-process")
    assert caught.value.kind == "no-network"


def test_a_board_of_this_machine_behind_every_address(new_lab, spec):
    """It needs no --peer: its connections come from this machine."""
    assert new_lab(bind="0.0.0.0").runner(spec, "in-process").addresses.peers == ("127.0.0.1",)


def test_an_advertised_address_of_another_machine(new_lab, spec):
    """It does not tell where to listen."""
    with pytest.raises(
        UsageError, match=r"^--advertise 'gate\.test': not an address of this machine, and the board reports"
    ):
        bare_lab(new_lab, spec, advertise="gate.test").runner(spec, "in-process")


@pytest.mark.parametrize(
    ("name", "when"), [("open_board", "it was opened"), ("first_contact", "it was connected to the server")]
)
def test_an_interrupted_board_is_not_waited_for_again(new_lab, spec, monkeypatch, name, when):
    """If the time limit of a test ends it while its board is opened or connected, the next test fails at once."""
    tries = []

    def interrupted(*_words, **_more):
        tries.append(name)
        raise KeyboardInterrupt

    monkeypatch.setattr(f"harness.run.lab.{name}", interrupted)
    lab = new_lab()
    with pytest.raises(KeyboardInterrupt):
        lab.runner(spec, "in-process")
    with pytest.raises(BoardError, match=f"^unix: the test in which {when} was interrupted$"):
        lab.runner(spec, "in-process")
    assert tries == [name]
