"""Run records read back: real ones, journals cut anywhere, and files that are none."""

import copy
import json
import random

import pytest

from harness.errors import UsageError
from harness.reports.formats import rendered
from harness.reports.record import reading
from harness.reports.record.diff import compare
from harness.reports.record.merge import Part, merge
from harness.reports.record.reading import WANTED, parse_run, read_run
from harness.reports.record.run_record import SCHEMA
from harness.reports.text.diff_text import Compared, diff_text


@pytest.fixture(scope="module")
def record(good_run):
    """A real run record."""
    return json.loads(good_run.read_text(encoding="utf-8"))


def test_a_real_record(good_run, record):
    """What pytest wrote is read back as it is."""
    file = read_run(str(good_run))
    assert (file.run, file.notes, file.folder) == (record, (), good_run.parent)


def test_a_real_journal(good_run, record):
    """The journal of a whole run is the record, in its order, with every case and every board described."""
    file = read_run(str(good_run.with_suffix(".jsonl")))
    for key in ("schema", "host", "boards", "servers", "cases", "results"):
        assert file.run[key] == record[key]


def test_former_case_ids(record):
    """A record of a version whose topics were abbreviated reads as if written today, so that it compares with newer ones."""
    today = copy.deepcopy(record)
    for item in (*today["cases"], *today["results"]):
        item["case"] = "not-tls/" + item["case"].partition("/")[2]
    for item in today["cases"]:
        item["topic"] = "not-tls"
    today["missing"] = [{"board": "unix", "server": "in-process", "case": "cut-off/fin-after-shd"}]
    for item in today["results"]:
        item["rerun"] = f"pytest 't.py::test_case[unix-{item['case']}]'"
    former = json.dumps(today).replace("not-tls", "raw").replace("cut-off/", "cut/").encode()
    assert b"not-tls" not in former
    assert parse_run(former, where="old.json")[0] == parse_run(json.dumps(today).encode(), where="old.json")[0]


def cut_journal(good_run, at):
    """The journal as a kill at this byte leaves it."""
    return good_run.with_suffix(".jsonl").read_bytes()[:at]


def test_a_journal_that_is_cut_anywhere(good_run, record):
    """However a run was killed: what was whole is there, what was torn is said, and nothing else is ever said."""
    data = good_run.with_suffix(".jsonl").read_bytes()
    planned = [result["case"] for result in record["results"]]
    ends = [at for at, byte in enumerate(data) if byte == ord("\n")]
    for at in sorted(
        {ends[0] + 1, *ends[1:], *(end + 1 for end in ends), *(end + 40 for end in ends[:-1]), len(data) - 2}
    ):
        run, notes = parse_run(cut_journal(good_run, at), where="j")
        whole = sum(end <= at for end in ends)
        torn = data[ends[whole - 1] + 1 : at]
        number = len(run["results"])
        assert run["results"] == record["results"][:number]
        assert [cell["case"] for cell in run["missing"]] == planned[number:] * (whole > 1)
        assert {result["board"] for result in run["results"]} <= {board["board"] for board in run["boards"]}
        assert any("is torn and left out" in note for note in notes) == bool(torn)


def test_zeros_at_the_end(good_run):
    """What a file system leaves after a power cut is torn, too."""
    at = good_run.with_suffix(".jsonl").read_bytes().index(b'{"record": "result"')
    run, notes = parse_run(cut_journal(good_run, at) + b"\0" * 500, where="j")
    assert run["results"] == []
    assert "is torn and left out" in notes[0]


def test_a_journal_without_its_run(good_run):
    """A kill within the very first line leaves nothing to read."""
    with pytest.raises(UsageError, match=r"^j: no JSON at line 1, column \d+ \(.*\); wanted is a run\.json"):
        parse_run(cut_journal(good_run, 100), where="j")


def test_a_journal_with_a_broken_middle(good_run):
    """Only the last line may be torn: a journal that somebody edited is refused by the line."""
    lines = good_run.with_suffix(".jsonl").read_bytes().split(b"\n")
    lines[2] = lines[2][:-30]
    with pytest.raises(UsageError, match=r"^j: line 3 is no line of a journal; wanted"):
        parse_run(b"\n".join(lines), where="j")
    with pytest.raises(UsageError, match=r"^j: line 1 is no run line; a journal begins with one"):
        parse_run(b"\n".join(lines[1:]), where="j")


def test_lines_of_a_later_version(good_run):
    """Lines may be added within the version: they are counted and left out."""
    data = good_run.with_suffix(".jsonl").read_bytes() + b'{"record": "weather", "rain": true}\n'
    _run, notes = parse_run(data, where="j")
    assert notes[0] == "j: 1 lines of a kind that this version does not know are left out"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"no JSON at line 1, column 1 "),
        (b"\xff\xfe\x00", "no JSON that can be read; "),
        (b'{"schema": NaN}', "no JSON that can be read; "),
        (b'{"schema": 1e999}', "no JSON that can be read; "),
        (b'{"schema": ' + b"9" * 5000 + b"}", "no JSON that can be read; "),
        (b"[" * 100_000, "no JSON that can be read; "),
        (b"[1]", "JSON, but no object; "),
        (b"null", "JSON, but no object; "),
        (b"{}", "names no schema; this version reads tls-harness/run/1 "),
        (b'{"schema": "tls-harness/run/2"}', "has the schema 'tls-harness/run/2'; this version reads tls-harness/run/1 "),
        (b'{"schema": "tls-harness/diff/1"}', "has the schema 'tls-harness/diff/1'; this version reads "),
        (b'{"schema": ["\\u001b[31m"]}', "has the schema "),
        (b'{"schema": "tls-harness/run/1"}', "not as tls-harness/run/1 says: data must contain "),
        (b'{"record": "run", "schema": "tls-harness/run/9"}\n', "has the schema 'tls-harness/run/9'; "),
        (b'{"record": "run", "run": 5}\n{"record": "end"}\n', "names no schema; "),
    ],
)  # fmt: skip
def test_what_is_no_record(data, message):
    """One line that says what is wrong and what is wanted, and no control character of the file."""
    with pytest.raises(UsageError, match=rf"^j: {message}") as caught:
        parse_run(data, where="j")
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 800


def test_no_such_file(tmp_path):
    """The path is named, with the reason of the system."""
    with pytest.raises(UsageError) as caught:
        read_run(str(tmp_path / "none.json"), told="--baseline")
    assert str(caught.value) == f"--baseline {tmp_path}/none.json: cannot be read (No such file or directory); {WANTED}"
    with pytest.raises(UsageError, match=r"cannot be read \(Is a directory\)"):
        read_run(str(tmp_path))


def test_a_file_without_an_end(monkeypatch):
    """A device or a pipe is read up to a limit: it must not take the machine's memory."""
    monkeypatch.setattr(reading, "_SIZE_LIMIT_BYTES", 1 << 20)
    with pytest.raises(UsageError, match=r"^/dev/zero: longer than 1 MB; wanted is a run\.json"):
        read_run("/dev/zero")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("results", 3, "verdict"), "passed", r"results\[3\]\.verdict must be one of \['pass'"),
        (("results", 0, "observed", "alerts"), {}, r"results\[0\]\.observed"),
        (("results",), None, "results must be array"),
        (("run", "cases"), "all", r"run\.cases must be one of"),
        (("boards", 0, "firmware"), 5, r"boards\[0\]\.firmware must be string or null"),
    ],
)
def test_a_value_that_does_not_fit(record, path, value, message):
    """The place in the file is named."""
    changed = copy.deepcopy(record)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(UsageError, match=rf"^j: not as {SCHEMA} says: {message}"):
        parse_run(json.dumps(changed).encode(), where="j")


def test_half_characters(record):
    """JSON may hold halves of characters, which no file can: they are replaced; whole ones stay."""
    changed = copy.deepcopy(record)
    changed["results"][0]["explanation"] = None
    changed["boards"][0]["notes"] = ["a\ud800b", "\U0001f600"]
    run, _notes = parse_run(json.dumps(changed).encode(), where="j")
    assert run["boards"][0]["notes"] == ["a\ufffdb", "\U0001f600"]


def test_a_plan_that_is_none(good_run):
    """Of a line of the plan each part is asked for, as of the lines that the schema knows."""
    lines = [json.loads(line) for line in good_run.with_suffix(".jsonl").read_text().splitlines()]
    for change in ({"cases": "all"}, {"cases": [1]}, {"board": None}):
        lines[1] = {"record": "plan", "board": "unix", "server": "s", "cases": [], **change}
        with pytest.raises(UsageError, match=r"^j: line 2 is no plan \(board, server and a list of cases\); wanted"):
            parse_run("\n".join(map(json.dumps, lines)).encode(), where="j")


@pytest.mark.parametrize(
    ("run", "note"),
    [
        ({"finished": None, "planned": 99}, "j: the run was killed or still goes on; it has {there} of 99 results"),
        ({"finished": None, "planned": None}, "j: the run was killed or still goes on; it has {there} results"),
        ({"planned": 99}, "j: the run was interrupted; it has {there} of 99 results"),
    ],
)
def test_a_run_that_is_not_whole(record, run, note):
    """A run that did not get to its end says so, with what it has."""
    changed = {**record, "run": {**record["run"], **run}}
    _run, notes = parse_run(json.dumps(changed).encode(), where="j")
    assert notes == (note.format(there=len(record["results"])),)


def test_repeated_cells_of_a_journal(good_run):
    """A journal of --repeat has its statistics, which run.json has from the end of the run."""
    lines = [json.loads(line) for line in good_run.with_suffix(".jsonl").read_text().splitlines()]
    lines += [{**line, "repeat": 2} for line in lines if line["record"] == "result"][:2]
    run, _notes = parse_run("\n".join(map(json.dumps, lines)).encode(), where="j")
    assert run["soak"]["repeat"] == 2
    assert [cell["runs"] for cell in run["soak"]["cells"]][:3] == [2, 2, 1]


def test_a_board_that_is_described_again(good_run):
    """What was learned of a board on the way is written as another line: the last word counts."""
    lines = [json.loads(line) for line in good_run.with_suffix(".jsonl").read_text().splitlines()]
    (board,) = [line for line in lines if line["record"] == "board"]
    lines.insert(-1, {**board, "notes": ["quarantined"]})
    run, _notes = parse_run("\n".join(map(json.dumps, lines)).encode(), where="j")
    assert [item["notes"] for item in run["boards"]] == [["quarantined"]]


def places(value, place=()):
    """Every place in a JSON value, of lists the first two items."""
    if place:
        yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*place, key))


def test_a_record_of_anybody(record):
    """Whatever stands in a file: it is refused with one line, or it can be shown, compared and merged."""
    small = {
        **record,
        "results": record["results"][:2],
        "changes": [],
        "missing": [{"board": "b", "server": "s", "case": "c/d"}],
    }
    spots, chance = list(places(small)), random.Random(5)
    shown, messages = 0, []
    for _ in range(300):
        changed = copy.deepcopy(small)
        *way, last = chance.choice(spots)
        at = changed
        for key in way:
            at = at[key]
        at[last] = chance.choice([None, True, -1, 2**70, "", "\x1b[31m\ud800<b>", [], {}, [None], "x" * 3000])
        try:
            run, _notes = parse_run(json.dumps(changed).encode(), where="j")
        except UsageError as error:
            messages.append(str(error))
            continue
        shown += 1
        joined = merge([Part(path="a", run=run), Part(path="b", run=small)], prefer="newest").run
        told = Compared(path="j", started="now", results=2)
        found = compare(small, run, by="firmware")
        texts = [rendered(part, suffix=".md") for part in (run, joined)] + [diff_text(found, old=told, new=told)]
        assert not [text for text in texts if "\x1b" in text or not text.encode()]
    assert [text for text in messages if not text.isprintable()] == []
    assert min(shown, len(messages)) > 20
