"""`tls-harness report`: the records of two real runs rendered and compared."""

import json
import shutil

import pytest

from harness import cli
from harness.reports.formats import REPORT_SUFFIXES
from harness.reports.record.diff import MEANING
from harness.reports.text.diff_text import SCHEMA


@pytest.mark.parametrize("part", ["render", "diff", "merge", "trend", "metrics", "badge", "check"])
def test_help(part, capsys):
    """Each subcommand has an example and its exit codes; diff explains its kinds."""
    with pytest.raises(SystemExit) as end:
        cli.main(["report", part, "--help"])
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert f"$ tls-harness report {part} " in text
    assert "exit codes: 0 " in text
    if part == "diff":
        assert [kind for kind in MEANING if f"\n  {kind}" not in text] == []


def test_no_subcommand(capsys):
    """`report` alone is a usage error on one line."""
    with pytest.raises(SystemExit) as end:
        cli.main(["report"])
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "tls-harness report: the following arguments are required: COMMAND (see `tls-harness report --help`)\n"
    )


def test_render(good_run, report, tmp_path):
    """All formats can be written by one command."""
    outputs = [tmp_path / f"out{suffix}" for suffix in REPORT_SUFFIXES]
    assert report("render", good_run, *(f"-o{path}" for path in outputs)) == (0, [], [])
    assert json.loads((tmp_path / "out.json").read_text()) == json.loads(good_run.read_text())
    assert [path for path in outputs if "unix" not in path.read_text(encoding="utf-8")] == []


def test_render_a_journal_of_a_killed_run(good_run, report, tmp_path):
    """Missing results are reported on stderr and recorded."""
    lines = good_run.with_suffix(".jsonl").read_text().splitlines()
    (tmp_path / "run.jsonl").write_text("\n".join(lines[:-4]) + "\n" + lines[-4][:60])
    number = len(json.loads(good_run.read_text())["results"])
    code, out, err = report("render", tmp_path / "run.jsonl", "-o", tmp_path / "out.json")
    assert (code, out) == (0, [])
    last = len(lines) - 3
    assert err == [
        f"tls-harness: {tmp_path}/run.jsonl: the last line, {last}, is incomplete and was ignored",
        f"tls-harness: {tmp_path}/run.jsonl: the run was killed or is still running; it has {number - 3} of {number} results",
    ]
    assert len(json.loads((tmp_path / "out.json").read_text())["missing"]) == 3


def test_render_a_journal_without_results(good_run, report, tmp_path):
    """A run that was killed in its first case: every report shows that nothing ran."""
    lines = good_run.with_suffix(".jsonl").read_text().splitlines()
    head = [line for line in lines if line.startswith(('{"record": "run"', '{"record": "plan"', '{"record": "case"'))]
    (tmp_path / "run.jsonl").write_text("\n".join(head) + "\n")
    outputs = [tmp_path / f"out{suffix}" for suffix in REPORT_SUFFIXES]
    number = len(json.loads(good_run.read_text())["results"])
    code, out, err = report("render", tmp_path / "run.jsonl", *(f"-o{path}" for path in outputs))
    assert (code, out) == (0, [])
    assert err == [
        f"tls-harness: {tmp_path}/run.jsonl: the run was killed or is still running; it has 0 of {number} results"
    ]
    assert f"**0 results: {number} not run**" in (tmp_path / "out.md").read_text()
    assert "Boards and servers" not in (tmp_path / "out.md").read_text()
    assert "not run" in (tmp_path / "out.html").read_text()


def test_diff_of_a_run_and_itself(good_run, report):
    """A run compared with itself has no regression: exit code 0, and the counts."""
    number = len(json.loads(good_run.read_text())["results"])
    code, out, err = report("diff", good_run, good_run)
    assert (code, err) == (0, [])
    assert out[-1] == f"no regression: nothing changed ({number} compared, {number} unchanged)"


def test_diff(good_run, bad_run, report, tmp_path):
    """A regression ends with exit code 1; the suffix or an option selects the format."""
    number = len(json.loads(good_run.read_text())["results"])
    answer = f"REGRESSION: {number} new failure ({number} compared, 0 unchanged)"
    code, text, err = report("diff", good_run, bad_run)
    assert (code, err, text[-1]) == (1, [], answer)
    assert text[2] == f"new failure ({number}): regression"
    outputs = [tmp_path / name for name in ("d.json", "d.md", "d.txt")]
    code, out, _ = report("diff", good_run, bad_run, *(f"-o{path}" for path in outputs))
    assert (code, out) == (1, [answer])
    assert [path.read_text().splitlines() for path in outputs[1:]] == [
        report("diff", good_run, bad_run, "--markdown")[1],
        text,
    ]
    data = json.loads("\n".join(report("diff", good_run, bad_run, "--json")[1]))
    assert data == json.loads(outputs[0].read_text())
    assert (data["schema"], data["regression"], data["counts"]["new failure"]) == (SCHEMA, True, number)
    assert len(data["changes"]) == number
    assert report("diff", bad_run, good_run)[0] == 0


def test_a_report_is_not_written_over_a_record(good_run, bad_run, report, tmp_path, monkeypatch):
    """A run record cannot be overwritten by mistake, under any name."""
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    shutil.copy(good_run, old)
    shutil.copy(bad_run, new)
    (tmp_path / "link.json").symlink_to(new)
    monkeypatch.chdir(tmp_path)
    for output, name in (("old.json", "old.json"), (f"{tmp_path}/new.json", "new.json"), ("link.json", "new.json")):
        assert report("diff", "old.json", "new.json", "-o", output) == (
            2,
            [],
            [f"tls-harness: -o {output!r}: would overwrite the run record {name}; give another path"],
        )
    assert report("render", "old.json", "-o", "old.json")[0] == 2
    assert old.read_bytes() == good_run.read_bytes()
    assert new.read_bytes() == bad_run.read_bytes()


def test_merge(good_run, bad_run, report, tmp_path):
    """Two results for one cell are an error, unless the newer run or another name is chosen; the output lists the runs."""
    number = len(json.loads(good_run.read_text())["results"])
    started = [json.loads(path.read_text())["run"]["started"] for path in (good_run, bad_run)]
    host = json.loads(good_run.read_text())["host"]
    out = tmp_path / "all.json"
    code, lines, err = report("merge", good_run, bad_run, "-o", out)
    assert (code, lines, out.exists()) == (2, [], False)
    assert err[0].startswith("tls-harness: duplicate results for unix in-process ")
    code, lines, err = report("merge", good_run, bad_run, "-o", out, "--prefer", "newest")
    assert (code, err) == (
        0,
        [f"tls-harness: {number} cells had results from several runs: those from the newest run are used"],
    )
    where = f"{host['machine']}, Python {host['python']}"
    assert lines == [
        f"{good_run}: 0 results, {started[0]}, {where}",
        f"{bad_run}: {number} results, {started[1]}, {where}",
    ]
    code, lines, err = report(
        "merge", good_run, bad_run, f"--rename={bad_run}:unix=far", "-o", out, "-o", tmp_path / "all.md"
    )
    assert (code, err) == (0, [f"tls-harness: {bad_run}: board unix is called far"])
    assert "| far | " in (tmp_path / "all.md").read_text()
    assert report("diff", good_run, out)[:2] == (
        0,
        [
            *report("diff", good_run, out)[1][:-1],
            f"no regression: {number} new case ({number} compared, {number} unchanged)",
        ],
    )
    assert report("diff", out, out)[0] == 0


def test_wrong_usage(good_run, report, tmp_path):
    """A usage error is one line with exit code 2, and nothing is written."""
    assert report("render", good_run, "-o", "x.pdf") == (
        2, [], [f"tls-harness: -o 'x.pdf': unknown suffix '.pdf' (expected one of {', '.join(REPORT_SUFFIXES)})"],
    )  # fmt: skip
    assert report("diff", good_run, good_run, "-o", "x.html") == (
        2, [], ["tls-harness: -o 'x.html': unknown suffix '.html' (expected one of .json, .md, .txt)"],
    )  # fmt: skip
    code, out, err = report("diff", good_run, tmp_path / "none.json")
    assert (code, out) == (2, [])
    assert err[0].startswith(f"tls-harness: {tmp_path}/none.json: cannot be read (No such file or directory); expected")
    code, out, err = report("merge", good_run, "-o", tmp_path / "x.json", "--rename", "x=y")
    assert (code, out) == (2, [])
    assert err[0].startswith("tls-harness: --rename 'x=y': expected FILE:OLD=NEW")
    code, out, err = report("merge", good_run, "-o", tmp_path / "x.pdf")
    assert (code, err[0].partition(" (")[0]) == (2, f"tls-harness: -o '{tmp_path}/x.pdf': unknown suffix '.pdf'")
    code, out, err = report("diff", good_run, good_run, "--pair", "unix=desk")
    assert (code, out) == (2, [])
    assert err[0].startswith("tls-harness: --pair 'unix=desk': expected OLD=NEW")


def test_nothing_to_compare(good_run, report, tmp_path):
    """Comparing runs of different boards is an error, not a success."""
    text = good_run.read_text().replace('"board": "unix"', '"board": "desk"')
    (tmp_path / "other.json").write_text(text)
    code, out, err = report("diff", good_run, tmp_path / "other.json")
    assert (code, out) == (2, [])
    assert err == [
        f"tls-harness: {good_run} and {tmp_path}/other.json have no cell in common: one has results of unix, in-process, "
        "the other of desk, in-process (use --pair OLD=NEW or --by firmware)"
    ]
    assert report("diff", good_run, tmp_path / "other.json", "--by", "firmware")[0] == 0
    assert report("diff", good_run, tmp_path / "other.json", "--pair", "unix=desk")[0] == 0


def test_a_report_that_cannot_be_written(good_run, report, tmp_path):
    """The message names the file; exit code 10."""
    shutil.copy(good_run, tmp_path / "file")
    code, out, err = report("render", good_run, "-o", tmp_path / "file" / "out.md")
    assert (code, out) == (10, [])
    assert err == [f"tls-harness: no report: cannot write {tmp_path}/file/out.md (File exists)"]
