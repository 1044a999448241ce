"""`tls-harness report trend`: files and folders of records."""

import json

import pytest


@pytest.fixture
def records(good_run, tmp_path):
    """A folder with two nights of a real run, the second with a failure, and a file that is no record."""
    folder = tmp_path / "records"
    (folder / "second").mkdir(parents=True)
    run = json.loads(good_run.read_text())
    (folder / "first.json").write_text(json.dumps(run))
    run["run"] |= {"id": "second", "started": "2099-01-01T00:00:00+00:00"}
    run["results"][0] |= {"verdict": "fail", "reason": "wrong"}
    (folder / "second" / "run.json").write_text(json.dumps(run))
    (folder / "trend.json").write_text('{"schema": "tls-harness/trend/1"}')
    return folder


def test_page_and_json(report, records, tmp_path):
    """Both formats at once; the headline on stdout; other files of the folder are left out with a message."""
    outputs = [tmp_path / "t.html", tmp_path / "t.json"]
    code, out, err = report("trend", records, *(f"-o{path}" for path in outputs))
    data = json.loads(outputs[1].read_text())
    cells = len(data["cells"])
    assert code == 0
    assert out[0].endswith(f"; {cells} cells: 1 failing now, 0 flaky, 0 slower, 0 with less free heap")
    assert [line.partition(": has the schema")[0] for line in err] == [f"tls-harness: left out: {records}/trend.json"]
    assert data["cells"][0]["history"] == "pf"
    assert {cell["history"] for cell in data["cells"][1:]} == {"pp"}
    assert out[0] in outputs[0].read_text()


def test_the_summary_is_printed(report, records):
    """Without -o; files may be named one by one, in any order, and one of them twice."""
    first, second = records / "first.json", records / "second" / "run.json"
    code, out, err = report("trend", second, first, second)
    assert (code, err) == (0, [])
    assert out[0].startswith("2 runs, ")
    assert any(line.endswith("pass -> fail (same firmware and server)") for line in out)


def test_the_output_may_be_in_the_folder(report, records):
    """The next trend of that folder leaves it out."""
    code, _out, _err = report("trend", records, "-o", records / "trend.json")
    assert code == 0
    assert report("trend", records)[1][0].startswith("2 runs, ")


def test_what_is_refused(report, records, tmp_path):
    """A named file that is no record, a folder without any, an output that is an input, a run without results."""
    (tmp_path / "empty").mkdir()
    run = json.loads((records / "first.json").read_text()) | {"results": []}
    (tmp_path / "none.json").write_text(json.dumps(run))
    first = records / "first.json"
    refused = [
        ((records / "trend.json",), "has the schema"),
        ((tmp_path / "empty",), "no run.json in this folder; keep the run.json of each run (see docs/reports.md)"),
        ((first, "-o", first), "would overwrite the run record"),
        ((first, "-o", "t.xml"), "unknown suffix '.xml' (expected one of .html, .json)"),
        ((tmp_path / "none.json",), "no results in 1 record; give records of runs with cases"),
    ]
    for arguments, text in refused:
        code, out, err = report("trend", *arguments)
        assert (code, out) == (2, [])
        assert text in err[-1]
