"""The evidence of a case as files."""

import errno
import stat
from dataclasses import replace

import pytest

from harness.model import (
    CaseResult,
    ClientApi,
    Observation,
    Outcome,
    ServerReport,
    Side,
    Verdict,
    VerdictWord,
    WireChunk,
)
from harness.run import artifacts
from harness.run.artifacts import keep, keep_capture
from harness.run.handshake import Handshake

SEEN = Observation(outcome=Outcome.NOT_RUN, stage=None, ended_by=None, server=None, client=None)


def result(**more):
    """A failed result of a case with an awkward board name."""
    return CaseResult(
        board="unix:1.20/x",
        server="in-process",
        case="topic/name",
        attempt=1,
        verdict=Verdict(word=VerdictWord.FAIL),
        expected=None,
        observation=SEEN,
        **more,
    )


def attempt(*chunks):
    """A handshake that recorded these bytes."""
    report = ServerReport(facts=None, failure=None, wire=chunks, key_log="CLIENT_RANDOM 00 11\n", started_unix_s=1.0)
    return Handshake(observation=SEEN, report=report, answer=None)


def test_files(tmp_path, case_named):
    """Only this user may read capture and transcript, because they contain secrets; the file names are safe and in the result."""
    chunk = WireChunk(sender=Side.CLIENT, at_ms=1.0, data=b"\x16\x03\x01\x00\x00")
    kept, lost = keep(
        result(transcript="> x\n< y"), attempt(chunk), folder=tmp_path / "new", case=case_named("topic/name")
    )
    assert lost == ()
    assert kept.artifacts == {
        "pcapng": "unix_1.20_x-in-process-topic_name.pcapng",
        "transcript": "unix_1.20_x-in-process-topic_name.serial.txt",
    }
    capture = tmp_path / "new" / kept.artifacts["pcapng"]
    assert b"CLIENT_RANDOM" in capture.read_bytes()
    assert stat.S_IMODE(capture.stat().st_mode) == 0o600
    transcript = tmp_path / "new" / kept.artifacts["transcript"]
    assert transcript.read_text() == "> x\n< y\n"
    assert stat.S_IMODE(transcript.stat().st_mode) == 0o600


def test_each_client_has_its_own_files(tmp_path, case_named):
    """The default keeps the name that it had before there was another."""
    made = [result(transcript="x", client=client) for client in ClientApi]
    kept = [keep(one, None, folder=tmp_path, case=case_named("topic/name"))[0].artifacts["transcript"] for one in made]
    assert kept == [f"unix_1.20_x-in-process-{client}topic_name.serial.txt" for client in ("", "asyncio-")]


def test_every_run_of_a_soak(tmp_path, case_named):
    """The first run's files keep their names; each later run has its own."""
    case = case_named("topic/name")
    kept = [keep(result(transcript="x", repeat=number), None, folder=tmp_path, case=case)[0] for number in (1, 2, 10)]
    stem = "unix_1.20_x-in-process-topic_name"
    assert [entry.artifacts["transcript"] for entry in kept] == [
        f"{stem}.serial.txt",
        f"{stem}-2.serial.txt",
        f"{stem}-10.serial.txt",
    ]


def test_a_full_disk_loses_evidence_only(tmp_path, case_named, monkeypatch):
    """What cannot be written has no name in the result, and one line says why; the verdict stays."""

    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    chunk = WireChunk(sender=Side.CLIENT, at_ms=1.0, data=b"\x16\x03\x01\x00\x00")
    monkeypatch.setattr(artifacts, "write_private", full)
    kept, lost = keep(result(transcript="x"), attempt(chunk), folder=tmp_path, case=case_named("topic/name"))
    assert kept == replace(result(transcript="x"), artifacts={"pcapng": None, "transcript": None})
    assert lost == (f"captures or transcripts are missing: {tmp_path} cannot be written (No space left on device)",)


def test_an_older_transcript_becomes_private(tmp_path, case_named):
    """A transcript that was readable for all users is private once it is written again."""
    old = tmp_path / "unix_1.20_x-in-process-topic_name.serial.txt"
    old.write_text("old and longer than the new one")
    old.chmod(0o644)
    keep(result(transcript="new"), None, folder=tmp_path, case=case_named("topic/name"))
    assert (old.read_text(), stat.S_IMODE(old.stat().st_mode)) == ("new\n", 0o600)


@pytest.mark.parametrize("made", [None, attempt()])
def test_nothing_to_keep(tmp_path, case_named, made):
    """Without bytes and transcript no files are written."""
    kept, lost = keep(result(), made, folder=tmp_path, case=case_named("topic/name"))
    assert (kept.artifacts, lost) == ({"pcapng": None, "transcript": None}, ())
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def case_named():
    """Make a case that is only a name."""
    from harness.expectations.builders import connected
    from harness.model import Case, ClientPlan, ServerProfile, Tier

    def make(name):
        return Case(
            id=name,
            title="",
            description="",
            tier=Tier.CORE,
            server=ServerProfile(),
            client=ClientPlan(),
            expect=connected(),
        )

    return make


def test_a_capture_in_the_given_file(tmp_path):
    """The capture goes to the given file, and the line says whether Wireshark can decrypt it."""
    chunk = WireChunk(sender=Side.CLIENT, at_ms=1.0, data=b"\x16\x03\x01\x00\x00")
    file, made = tmp_path / "board.pcapng", attempt(chunk)
    kept, said = keep_capture(result(), made, file=file)
    assert (kept.artifacts["pcapng"], len(kept.packets) > 0) == (str(file), True)
    assert said == f"capture: {file}; with the session's secrets"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    foreign = replace(made, report=replace(made.report, key_log=""))
    assert keep_capture(result(), foreign, file=file)[1] == f"capture: {file}; without the session's secrets"


def test_nothing_to_capture(tmp_path):
    """Without a connection no file is written, and the line says so."""
    file = tmp_path / "board.pcapng"
    assert keep_capture(result(), attempt(), file=file) == (
        result(),
        f"capture: {file} was not written because the board did not connect",
    )
    assert not file.exists()
