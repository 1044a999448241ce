"""Run records read back: real ones, old ones, journals cut anywhere, and files that are not run records."""

import copy
import json
import os
import random
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.reports.formats import FORMATS, rendered
from harness.reports.record import reading
from harness.reports.record.diff import By, compare
from harness.reports.record.merge import Part, merge
from harness.reports.record.reading import EXPECTED, parse_run, read_run
from harness.reports.record.run_types import SCHEMA, RunRecord
from harness.reports.text.diff_text import Compared, diff_text

RUN_1 = Path(__file__).parent / "data" / "run-1.json"


def as_written(run):
    """A record as it is in the file."""
    return json.loads(json.dumps(run.as_json()))


@pytest.fixture(scope="module")
def record(good_run):
    """A real run record."""
    return json.loads(good_run.read_text(encoding="utf-8"))


def test_a_real_record(good_run, record):
    """What pytest wrote is read back as it is."""
    file = read_run(str(good_run))
    assert (as_written(file.run), file.notes, file.folder) == (record, (), good_run.parent)


def test_a_record_of_version_1():
    """It is read, and written as version 2 with all of its keys; former case names are replaced."""
    file, old = read_run(str(RUN_1)), json.loads(RUN_1.read_text(encoding="ascii"))
    new = as_written(file.run)
    assert (old["schema"], new["schema"]) == ("tls-harness/run/1", SCHEMA)
    assert file.notes == (f"{RUN_1}: the run was interrupted; it has {len(old['results'])} of 9 results",)
    assert new["results"][0]["case"] == "not-tls/http-400"
    assert new["missing"] == [{"board": "unix", "server": "in-process", "case": "versions/12-13"}]
    text = RUN_1.read_text(encoding="ascii").replace("run/1", "run/2")
    for former, name in (("raw", "not-tls"), ("ver", "versions")):
        text = (
            text.replace(f'"{former}"', f'"{name}"')
            .replace(f'"{former}/', f'"{name}/')
            .replace(f"-{former}/", f"-{name}/")
        )
    assert new == json.loads(text)


def test_what_a_record_of_version_1_is_good_for(good_run):
    """It is merged, compared and rendered in every format."""
    old, new = read_run(str(RUN_1)).run, read_run(str(good_run)).run
    merged = merge([Part(path="1", run=old), Part(path="2", run=new)], renames=["2:unix=now"]).run
    assert [source.file for source in merged.sources] == ["1", "2"]
    assert len(merged.results) == len(old.results) + len(new.results)
    found = compare(old, new)
    assert found.compared > 0
    for item in FORMATS:
        assert "not-tls/http-400" in item.render(merged).replace("&#8203;", "") or item.suffix == ".md"


def test_keys_of_a_later_version_are_ignored(record):
    """Keys may be added anywhere without a new version."""
    later = copy.deepcopy(record)
    for place in (later, later["run"], later["host"], later["boards"][0], later["servers"][0], later["results"][0]):
        place["later"] = {"new": [1, None]}
    run, notes = parse_run(json.dumps(later).encode(), where="j")
    assert (as_written(run), notes) == (record, ())


def test_a_real_journal(good_run, record):
    """The journal of a whole run is the record, in its order, with every case and every board described."""
    run = as_written(read_run(str(good_run.with_suffix(".jsonl"))).run)
    for key in ("schema", "host", "boards", "servers", "cases", "results"):
        assert run[key] == record[key]


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
    """Wherever a run was killed, whole lines are read, and a note names an incomplete one."""
    data = good_run.with_suffix(".jsonl").read_bytes()
    planned = [result["case"] for result in record["results"]]
    ends = [at for at, byte in enumerate(data) if byte == ord("\n")]
    for at in sorted(
        {ends[0] + 1, *ends[1:], *(end + 1 for end in ends), *(end + 40 for end in ends[:-1]), len(data) - 2}
    ):
        found, notes = parse_run(cut_journal(good_run, at), where="j")
        run = as_written(found)
        whole = sum(end <= at for end in ends)
        torn = data[ends[whole - 1] + 1 : at]
        number = len(run["results"])
        assert run["results"] == record["results"][:number]
        assert [cell["case"] for cell in run["missing"]] == planned[number:] * (whole > 1)
        assert {result["board"] for result in run["results"]} <= {board["board"] for board in run["boards"]}
        assert any("is incomplete and was ignored" in note for note in notes) == bool(torn)


def test_zeros_at_the_end(good_run):
    """Zeros that a file system leaves after a power cut are an incomplete line, too."""
    at = good_run.with_suffix(".jsonl").read_bytes().index(b'{"record": "result"')
    run, notes = parse_run(cut_journal(good_run, at) + b"\0" * 500, where="j")
    assert run.results == ()
    assert "is incomplete and was ignored" in notes[0]


def test_a_journal_without_its_run(good_run):
    """A kill within the very first line leaves nothing to read."""
    with pytest.raises(UsageError, match=r"^j: invalid JSON at line 1, column \d+ \(.*\); expected a run\.json"):
        parse_run(cut_journal(good_run, 100), where="j")


def test_a_journal_with_a_broken_middle(good_run):
    """Only the last line may be incomplete: in an edited journal the message names the line."""
    lines = good_run.with_suffix(".jsonl").read_bytes().split(b"\n")
    lines[2] = lines[2][:-30]
    with pytest.raises(UsageError, match=r"^j: line 3: not a journal entry; expected"):
        parse_run(b"\n".join(lines), where="j")
    with pytest.raises(UsageError, match=r"^j: line 1: not the start of a journal"):
        parse_run(b"\n".join(lines[1:]), where="j")


def test_lines_of_a_later_version(good_run):
    """Kinds of lines may be added within the version: they are counted and ignored."""
    data = good_run.with_suffix(".jsonl").read_bytes() + b'{"record": "weather", "rain": true}\n'
    _run, notes = parse_run(data, where="j")
    assert notes[0] == "j: ignored 1 line of a kind that this version does not know"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"invalid JSON at line 1, column 1 "),
        (b"\xff\xfe\x00", "unreadable JSON; "),
        (b'{"schema": NaN}', "unreadable JSON; "),
        (b'{"schema": 1e999}', "not a run record: Number out of range - at `\\$.schema`; "),
        (b'{"schema": ' + b"9" * 5000 + b"}", "not a run record: Integer value out of range - at `\\$.schema`; "),
        (b"[" * 100_000, "not a run record: Expected `object`, got `array`; "),
        (b'{"x": ' + b"[" * 100_000, "unreadable JSON; "),
        (b"[1]", "not a run record: Expected `object`, got `array`; "),
        (b"null", "not a run record: Expected `object`, got `null`; "),
        (b"{}", "names no schema; this version reads tls-harness/run/2 and tls-harness/run/1 "),
        (b'{"schema": "tls-harness/run/3"}', "has the schema 'tls-harness/run/3'; this version reads tls-harness/run/2 "),
        (b'{"schema": "tls-harness/diff/1"}', "has the schema 'tls-harness/diff/1'; this version reads "),
        (b'{"schema": ["\\u001b[31m"]}', "has the schema "),
        (b'{"schema": "tls-harness/run/1"}', "does not match tls-harness/run/2: Object missing required field `run`"),
        (b'{"record": "run", "schema": "tls-harness/run/9"}\n', "has the schema 'tls-harness/run/9'; "),
        (b'{"record": "run", "run": 5}\n{"record": "end"}\n', "names no schema; "),
    ],
)  # fmt: skip
def test_what_is_not_a_record(data, message):
    """The message is one line that says what is wrong and what is expected, without control characters of the file."""
    with pytest.raises(UsageError, match=rf"^j: {message}") as caught:
        parse_run(data, where="j")
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 800


def test_no_such_file(tmp_path):
    """The message has the path and the reason of the system."""
    with pytest.raises(UsageError) as caught:
        read_run(str(tmp_path / "none.json"), source="--baseline")
    assert (
        str(caught.value) == f"--baseline {tmp_path}/none.json: cannot be read (No such file or directory); {EXPECTED}"
    )
    with pytest.raises(UsageError, match=r"cannot be read \(not a regular file\)"):
        read_run(str(tmp_path))


def test_a_file_without_an_end(tmp_path, monkeypatch):
    """A device or FIFO is refused at once, and a file is read up to a limit: it must not use up the machine's memory."""
    monkeypatch.setattr(reading, "_SIZE_LIMIT_BYTES", 1 << 20)
    os.mkfifo(tmp_path / "fifo")
    for path in ("/dev/zero", str(tmp_path / "fifo")):
        with pytest.raises(UsageError, match=rf"^{path}: cannot be read \(not a regular file\); expected a run\.json"):
            read_run(path)
    (tmp_path / "large").write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(UsageError, match=r"^.*/large: cannot be read \(longer than 1 MB\); expected a run\.json"):
        read_run(str(tmp_path / "large"))


def test_a_byte_order_mark_is_accepted(tmp_path):
    """Editors on Windows write one."""
    (tmp_path / "run.json").write_bytes(b"\xef\xbb\xbf" + RUN_1.read_bytes())
    assert read_run(str(tmp_path / "run.json")).run == read_run(str(RUN_1)).run


@pytest.mark.parametrize(
    "data",
    [
        b'{"schema": "tls-harness/run/2", "schema": "tls-harness/run/1"}',
        b'{"schema": "tls-harness/run/2", "run": {"id": "a", "id": "b"}}',
        b'{"record": "run", "schema": "tls-harness/run/2"}\n{"record": "end", "record": "run"}\n',
    ],
)
def test_a_key_that_is_there_twice_is_refused(data):
    """Two readers may take different ones of the two values: `verdict` must be what every reader sees."""
    with pytest.raises(UsageError, match=r"^x: duplicate key '(schema|id|record)'; expected a run\.json"):
        parse_run(data, where="x")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("results", 3, "verdict"), "passed", "Invalid enum value 'passed' - at `$.results[3].verdict`"),
        (
            ("results", 0, "observed", "alerts"),
            {},
            "Expected `array`, got `object` - at `$.results[0].observed.alerts`",
        ),
        (("results",), None, "Expected `array`, got `null` - at `$.results`"),
        (("results", 1, "attempt"), 0, "Expected `int` >= 1 - at `$.results[1].attempt`"),
        (("run", "cases"), "all", "Invalid enum value 'all' - at `$.run.cases`"),
        (("boards", 0, "firmware"), 5, "Expected `str | null`, got `int` - at `$.boards[0].firmware`"),
        (("results", 2, "outcome"), "x" * 999, f"Invalid enum value '{'x' * 280} ..."),
        (("results", 2, "observed"), None, "observed must not be null where outcome is {outcome} - at `$.results[2]`"),
        (("results", 2, "expected"), None, "expected must not be null where verdict is pass - at `$.results[2]`"),
    ],
)
def test_a_value_that_does_not_fit(record, path, value, message):
    """The message is one line that names the place in the file."""
    changed = copy.deepcopy(record)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(UsageError) as caught:
        parse_run(json.dumps(changed).encode(), where="j")
    assert str(caught.value) == f"j: does not match {SCHEMA}: {message.format(outcome=record['results'][2]['outcome'])}"


def test_half_characters(record):
    """JSON may contain halves of characters, which cannot be written to a file: they are replaced; whole ones stay."""
    changed = copy.deepcopy(record)
    changed["results"][0]["explanation"] = None
    changed["boards"][0]["notes"] = ["a\ud800b", "\U0001f600"]
    run, _notes = parse_run(json.dumps(changed).encode(), where="j")
    assert run.boards[0].notes == ("a\ufffdb", "\U0001f600")


def test_a_line_that_does_not_match(good_run):
    """Each line of a journal is checked; the message names the line."""
    lines = [json.loads(line) for line in good_run.with_suffix(".jsonl").read_text().splitlines()]
    for change, message in (
        ({"cases": "all"}, "Expected `array`, got `str` - at `$.cases`"),
        ({"cases": [1]}, "Expected `str`, got `int` - at `$.cases[0]`"),
        ({"board": None}, "Expected `str`, got `null` - at `$.board`"),
    ):
        lines[1] = {"record": "plan", "board": "unix", "server": "s", "cases": [], **change}
        with pytest.raises(UsageError) as caught:
            parse_run("\n".join(map(json.dumps, lines)).encode(), where="j")
        assert str(caught.value) == f"j: line 2: does not match {SCHEMA}: {message}"


@pytest.mark.parametrize(
    ("run", "note"),
    [
        ({"finished": None, "planned": 99}, "j: the run was killed or is still running; it has {there} of 99 results"),
        ({"finished": None, "planned": None}, "j: the run was killed or is still running; it has {there} results"),
        ({"planned": 99}, "j: the run was interrupted; it has {there} of 99 results"),
    ],
)
def test_a_run_that_is_not_complete(record, run, note):
    """A note says that a run did not finish, and how many results it has."""
    changed = {**record, "run": {**record["run"], **run}}
    _run, notes = parse_run(json.dumps(changed).encode(), where="j")
    assert notes == (note.format(there=len(record["results"])),)


def test_repeated_cells_of_a_journal(good_run):
    """The statistics of --repeat, which run.json contains, are computed for a journal."""
    lines = [json.loads(line) for line in good_run.with_suffix(".jsonl").read_text().splitlines()]
    lines += [{**line, "repeat": 2} for line in lines if line["record"] == "result"][:2]
    run, _notes = parse_run("\n".join(map(json.dumps, lines)).encode(), where="j")
    assert run.soak.repeat == 2
    assert [cell.runs for cell in run.soak.cells][:3] == [2, 2, 1]


def test_a_board_that_is_described_again(good_run):
    """When more is known about a board, another line describes it: the last one counts."""
    lines = [json.loads(line) for line in good_run.with_suffix(".jsonl").read_text().splitlines()]
    (board,) = [line for line in lines if line["record"] == "board"]
    lines.insert(-1, {**board, "notes": ["quarantined"]})
    run, _notes = parse_run("\n".join(map(json.dumps, lines)).encode(), where="j")
    assert [item.notes for item in run.boards] == [("quarantined",)]


def places(value, place=()):
    """Return every place in a JSON value, of lists the first two items."""
    if place:
        yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*place, key))


def test_a_damaged_record(record):
    """Whatever a file contains, it is rejected with one line, or it can be shown, compared and merged."""
    small = {
        **record,
        "results": record["results"][:2],
        "changes": [],
        "missing": [{"board": "b", "server": "s", "case": "c/d"}],
    }
    whole = RunRecord.of_json(small)
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
        joined = merge([Part(path="a", run=run), Part(path="b", run=whole)], prefer="newest").run
        told = Compared(path="j", started="now", results=2)
        found = compare(whole, run, by=By.FIRMWARE)
        texts = [rendered(part, suffix=".md") for part in (run, joined)] + [diff_text(found, old=told, new=told)]
        assert not [text for text in texts if "\x1b" in text or not text.encode()]
    assert [text for text in messages if not text.isprintable()] == []
    assert min(shown, len(messages)) > 20
