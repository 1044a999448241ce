"""Files of a run."""

import json
import os
import stat

import pytest

from harness.errors import UsageError
from harness.reports.record.journal import Journal, relative_link, write_private, write_text
from harness.reports.record.run_types import JournalEnd, JournalPlan


def test_a_line_is_there_at_once(tmp_path):
    """An added line can be read at once: one JSON object per line, ASCII only."""
    journal = Journal(tmp_path / "new" / "deep")
    journal.add("end", JournalEnd(finished="x"))
    journal.add("plan", JournalPlan(board="\u00fc\x1b\u2028\n\ud800", server="s", cases=("c",)))
    lines = journal.path.read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == [
        {"record": "end", "finished": "x"},
        {"record": "plan", "board": "\u00fc\x1b\u2028\n\ud800", "server": "s", "cases": ["c"]},
    ]
    assert lines[-1] == b""
    assert journal.path.read_bytes().isascii()
    journal.close()


def test_reports_of_the_previous_run_are_deleted(tmp_path):
    """A killed run must not leave the record and page of the previous run next to its journal. Captures stay."""
    for name in ("run.json", "matrix.html", "run.jsonl", "old.pcapng"):
        (tmp_path / name).write_text("old")
    journal = Journal(tmp_path)
    journal.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"run.jsonl": "", "old.pcapng": "old"}


def test_a_folder_that_cannot_be_made(tmp_path):
    """A file where the directory should be is wrong usage of --artifacts."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"^--artifacts .*/file: cannot be written \(File exists\)$"):
        Journal(tmp_path / "file")


def test_write_text(tmp_path):
    """A report is written whole, is readable for everyone who may read its folder, and replaces the old one."""
    path = tmp_path / "sub" / "deep" / "run.json"
    write_text(path, "old")
    write_text(path, "new \u00fc")
    assert path.read_text(encoding="utf-8") == "new \u00fc"
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert [item.name for item in path.parent.iterdir()] == ["run.json"]


def test_write_text_fails_whole(tmp_path):
    """If writing fails, the old file stays, and no half-written file is left."""
    path = tmp_path / "run.json"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("folder", "start", "link"),
    [("a/b", "a/b", ""), ("a/b", "a", "b"), ("a", "a/b", ".."), ("a/b", "a/c", "../b"), ("a/b/c", "a", "b/c")],
)
def test_a_relative_link(tmp_path, folder, start, link):
    """The path of the artifacts as seen from a report; empty for the report's own folder."""
    assert relative_link(tmp_path / folder, start=tmp_path / start) == link


def test_write_private(tmp_path):
    """Only this user may read secrets, even if the file existed before."""
    path = tmp_path / "x" / "y" / "capture"
    write_private(path, b"first and longer")
    write_private(path, b"second")
    assert path.read_bytes() == b"second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def victim_and_link(folder, name):
    """A file outside the folder, and a link to it under a name in the folder."""
    victim = folder.parent / "victim"
    victim.write_text("keep me")
    victim.chmod(0o644)
    folder.mkdir(exist_ok=True)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to("../victim")
    return victim


def test_no_link_in_the_folder_is_followed(tmp_path):
    """A link under a name that is written is replaced, and what it points to keeps its content and mode."""
    folder = tmp_path / "artifacts"
    for name in ("run.jsonl", "run.json", "matrix.html", "case.pcapng"):
        victim = victim_and_link(folder, name)
        journal = Journal(folder)
        journal.add("end", JournalEnd(finished="x"))
        journal.close()
        write_private(folder / "case.pcapng", b"secrets")
        write_text(folder / "run.json", "{}")
        assert victim.read_text() == "keep me"
        assert stat.S_IMODE(victim.stat().st_mode) == 0o644
        assert not any(path.is_symlink() for path in folder.iterdir())
    assert json.loads((folder / "run.jsonl").read_text()) == {"record": "end", "finished": "x"}


def test_no_hard_link_is_written_to(tmp_path):
    """A second name of another file is replaced too: the other name keeps its content."""
    (tmp_path / "victim").write_text("keep me")
    (tmp_path / "folder").mkdir()
    os.link(tmp_path / "victim", tmp_path / "folder" / "run.jsonl")
    Journal(tmp_path / "folder").close()
    write_private(tmp_path / "folder" / "run.jsonl", b"x")
    assert (tmp_path / "victim").read_text() == "keep me"


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/dev/null", path)])
def test_a_device_is_not_replaced(make, tmp_path):
    """Root could rename a file over /dev/null or the terminal; a FIFO may be another program's."""
    make(tmp_path / "out")
    for write in (write_text, write_private):
        with pytest.raises(OSError, match=r"^\[Errno 22\] not a regular file: '.*/out'$"):
            write(tmp_path / "out", "" if write is write_text else b"")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_two_journals_of_one_name(tmp_path):
    """A second journal takes the place of the first, whose lines do not get into it."""
    first, second = Journal(tmp_path), Journal(tmp_path)
    first.add("end", JournalEnd(finished="first"))
    second.add("end", JournalEnd(finished="second"))
    first.close()
    second.close()
    assert json.loads((tmp_path / "run.jsonl").read_text())["finished"] == "second"
