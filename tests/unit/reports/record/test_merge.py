"""Merged run records: each result keeps its run, nothing is mixed, and the result is a run record again."""

import copy
import json
from types import SimpleNamespace

import jsonschema
import pytest

from harness.errors import UsageError
from harness.reports import formats
from harness.reports.formats import REPORT_SUFFIXES
from harness.reports.record import merge as merging
from harness.reports.record.diff import compare
from harness.reports.record.merge import Part
from harness.reports.record.reading import parse_run
from harness.reports.record.run_types import RunRecord
from harness.reports.record.schema import run_schema


@pytest.fixture(scope="module")
def real(good_run):
    """A real run record, of fewer cases."""
    record = json.loads(good_run.read_text(encoding="utf-8"))
    return {**record, "results": record["results"][:6]}


@pytest.fixture
def another(real):
    """The record of another run, a day later: of other firmware, or on another machine."""

    def make(*, firmware=None, machine=None, python=None, started="2030-01-01T00:00:00.000+00:00", identity="another"):
        made = copy.deepcopy(real)
        made["run"] |= {"id": identity, "started": started, "finished": started}
        if firmware:
            made["boards"][0]["firmware"] = firmware
        if machine:
            made["host"]["machine"] = machine
        for item in (made["servers"][0], made["host"]) if python else ():
            item["python"] = python
        return made

    return make


def part(run, path="a.json", link=""):
    """A file; the record is given in JSON."""
    return Part(path=path, run=RunRecord.of_json(run), link=link)


def merge(parts, **options):
    """Merge, and return the record in JSON with the notes."""
    found = merging.merge(parts, **options)
    return SimpleNamespace(run=json.loads(json.dumps(found.run.as_json())), notes=found.notes)


def rendered(run, *, suffix):
    """Render a record that is given in JSON."""
    return formats.rendered(RunRecord.of_json(run), suffix=suffix)


def run_id(run):
    """The id of a record that is given in JSON."""
    return merging.run_id(RunRecord.of_json(run))


def check(merged):
    """A merged record is a run record: it is the same when read back, and every result has its source."""
    read, notes = parse_run(json.dumps(merged.run).encode(), where="m")
    assert (json.loads(json.dumps(read.as_json())), notes) == (merged.run, ())
    sources = {source["id"]: source for source in merged.run["sources"]}
    for kind in ("board", "server", "case"):
        assert {result[kind] for result in merged.run["results"]} <= {item[kind] for item in merged.run[f"{kind}s"]}
    for result in merged.run["results"]:
        source = sources[result["source"]]
        assert result["board"] in source["boards"]
        assert result["server"] in source["servers"]
    assert [source["results"] for source in merged.run["sources"]] == [
        sum(result["source"] == source["id"] for result in merged.run["results"]) for source in merged.run["sources"]
    ]
    return merged


def test_two_firmwares(real, another):
    """A board before and after flashing becomes two columns."""
    other = another(firmware="9.9.9")
    merged = check(merge([part(real), part(other, "b.json")]))
    old = real["boards"][0]["firmware"]
    assert [board["board"] for board in merged.run["boards"]] == [f"unix@{old}", "unix@9.9.9"]
    assert merged.notes == (
        f"a.json: board unix is called unix@{old}",
        "b.json: board unix is called unix@9.9.9",
    )
    assert len(merged.run["results"]) == 2 * len(real["results"])
    assert [(source["file"], source["boards"]) for source in merged.run["sources"]] == [
        ("a.json", {f"unix@{old}": "unix"}), ("b.json", {"unix@9.9.9": "unix"}),
    ]  # fmt: skip
    assert {result["at"] for result in merged.run["results"]} == {result["at"] for result in real["results"]}
    assert merged.run["run"]["started"] == real["run"]["started"]
    assert merged.run["run"]["finished"] == "2030-01-01T00:00:00.000+00:00"


def test_every_format(real, another):
    """The merged record is rendered like any other, with both columns."""
    merged = merge([part(real), part(another(firmware="9.9.9"), "b.json")])
    jsonschema.validate(merged.run, run_schema(), jsonschema.Draft202012Validator)
    for suffix in REPORT_SUFFIXES:
        text = rendered(merged.run, suffix=suffix).replace("&#8203;", "")
        assert "unix@9.9.9" in text
    assert "| b.json | another | 2030-01-01T00:00:00.000+00:00 |" in rendered(merged.run, suffix=".md")


def test_two_machines(real, another):
    """A virtual board is identified by its host; facts of the hosts are joined, and each source has its own."""
    merged = check(merge([part(real), part(another(machine="other", python="3.99.0"), "b.json")]))
    mine = real["host"]["machine"]
    assert [(board["board"], board["machine"]) for board in merged.run["boards"]] == [
        (f"unix@{mine}", mine),
        ("unix@other", "other"),
    ]
    assert merged.run["host"]["machine"] == f"{mine}, other"
    assert [source["host"]["machine"] for source in merged.run["sources"]] == [mine, "other"]
    assert [server["server"] for server in merged.run["servers"]] == [
        f"in-process@python{real['host']['python']}", "in-process@python3.99.0",
    ]  # fmt: skip


def test_two_results_for_one_cell(real, another):
    """Rejected with the cell and both files; --prefer takes the newer one; a new name keeps both."""
    again = another()
    cell, number = real["results"][0]["case"], len(real["results"])
    with pytest.raises(UsageError) as caught:
        merge([part(real), part(again, "b.json")])
    assert str(caught.value) == (
        f"duplicate results for unix in-process {cell} and {number - 1} more cells: in a.json ({real['run']['started']}) and in b.json "
        "(2030-01-01T00:00:00.000+00:00); --prefer newest takes those from the newer run, --rename b.json:unix=NAME keeps both"
    )
    for order in ([part(real), part(again, "b.json")], [part(again, "b.json"), part(real)]):
        merged = check(merge(order, prefer="newest"))
        assert {result["source"] for result in merged.run["results"]} == {"another"}
        assert merged.notes == (f"{number} cells had results from several runs: those from the newest run are used",)
    both = check(merge([part(real), part(again, "b.json")], renames=["b.json:unix=later"]))
    assert [board["board"] for board in both.run["boards"]] == ["unix", "later"]


def test_an_unknown_name(real):
    """The message lists the names in the files."""
    with pytest.raises(UsageError) as caught:
        merge([part(real)], renames=["a.json:desk=x"])
    assert str(caught.value) == (
        "--rename 'a.json:desk=x': expected FILE:OLD=NEW, OLD a board or server of FILE (a.json has unix, in-process)"
    )


def test_parts_of_one_set(real, another):
    """Runs that split a set between them make one column; what neither has is missing."""
    half = len(real["results"]) // 2
    one, other = copy.deepcopy(real), another()
    one["results"], other["results"] = one["results"][:half], other["results"][half + 1 :]
    gone = real["results"][half]
    one["missing"] = [
        {key: result[key] for key in ("board", "server", "case")} for result in real["results"][half : half + 2]
    ]
    merged = merge([part(one), part(other, "b.json")])
    assert [result["case"] for result in merged.run["results"]] == [
        result["case"] for result in real["results"] if result is not gone
    ]
    assert merged.run["missing"] == [{"board": "unix", "server": "in-process", "case": gone["case"]}]
    assert compare(RunRecord.of_json(real), RunRecord.of_json(merged.run)).counts["gone"] == 1


def test_again_and_again(real, another):
    """A merged record is merged like any other; a run that is in two files is one run."""
    first = merge([part(real), part(another(firmware="9"), "b.json")])
    old = real["boards"][0]["firmware"]
    again = check(merge([part(first.run, "m.json"), part(another(firmware="10", identity="third"), "c.json")]))
    assert [board["board"] for board in again.run["boards"]] == [f"unix@{old}", "unix@9", "unix"]
    assert [(source["file"], source["boards"]) for source in again.run["sources"]] == [
        ("a.json", {f"unix@{old}": "unix"}), ("b.json", {"unix@9": "unix"}), ("c.json", {"unix": "unix"}),
    ]  # fmt: skip
    for order in ([part(first.run, "m.json"), part(real)], [part(real), part(first.run, "m.json")]):
        known = check(merge(order))
        assert len(known.run["results"]) == len(first.run["results"])
        assert len(known.run["boards"]) == 2
    same = check(merge([part(real), part(real, "copy.json")]))
    assert len(same.run["results"]) == len(real["results"])
    assert len(same.run["sources"]) == 1


def test_the_order_of_files_does_not_matter(real, another):
    """The results, their names and the id of the record are the same."""
    files = [part(real), part(another(firmware="9"), "b.json")]
    one, other = merge(files).run, merge(files[::-1]).run
    assert one["run"] == other["run"]
    key = lambda result: (result["board"], result["case"])  # noqa: E731
    assert sorted(one["results"], key=key) == sorted(other["results"], key=key)


def test_evidence_is_found_from_the_new_place(real):
    """The path of a capture is relative to the merged record."""
    run = copy.deepcopy(real)
    run["results"][0]["artifacts"] = {"pcapng": "x.pcapng", "transcript": None}
    run["results"][1]["artifacts"] = {"pcapng": "/abs/x.pcapng", "transcript": None}
    results = merge([part(run, link="../lab-a/.compat")]).run["results"]
    assert [result["artifacts"]["pcapng"] for result in results[:3]] == [
        "../lab-a/.compat/x.pcapng",
        "/abs/x.pcapng",
        None,
    ]


def test_repeats(real, another):
    """Repeats of one cell stay one cell; its statistics are computed again."""
    one, other = copy.deepcopy(real), another()
    for result in other["results"]:
        result["repeat"] = 2
    other["results"][0]["verdict"] = "insecure"
    merged = merge([part(one), part(other, "b.json")])
    assert (merged.run["soak"]["repeat"], merged.run["soak"]["flaky"]) == (2, 1)


@pytest.mark.parametrize(
    ("sets", "whole", "expected"),
    [
        (("full", "full"), (True, True), ("full", True)),
        (("smoke", "full"), (True, True), ("full", False)),
        (("full", "core"), (True, True), ("full", False)),
        (("smoke", "core"), (True, True), ("core", False)),
        (("full", "full"), (True, False), ("full", False)),
        (("full", "full"), (False, True), ("full", False)),
    ],
)
def test_whole_only_if_every_part_is(real, another, sets, whole, expected):
    """The larger set is named; its cells count as asked for only if every run had all of that one set."""
    runs = real | {"run": dict(real["run"])}, another(firmware="9")
    for run, name, all_of_it in zip(runs, sets, whole, strict=True):
        run["run"] |= {"cases": name, "whole": all_of_it}
    merged = merge([part(runs[0]), part(runs[1], "b.json")]).run["run"]
    assert (merged["cases"], merged["whole"]) == expected


def test_one_cell_in_two_runs_names_no_others(real, another):
    """With one cell twice there are no others to count; the files are named in their order."""
    one, other = {**real, "results": real["results"][:1]}, another()
    with pytest.raises(UsageError) as caught:
        merge([part(other, "b.json"), part(one)])
    cell = one["results"][0]["case"]
    assert str(caught.value) == (
        f"duplicate results for unix in-process {cell}: in b.json (2030-01-01T00:00:00.000+00:00) and in "
        f"a.json ({real['run']['started']}); "
        "--prefer newest takes those from the newer run, --rename a.json:unix=NAME keeps both"
    )
    merged = merge([part(one), part(other, "b.json")], prefer="newest")
    assert merged.notes == ("1 cells had results from several runs: those from the newest run are used",)


def test_the_same_cell_through_another_client(real, another):
    """It is another cell: both are kept, those of one column together; a second result for it names the column."""
    cases = [result["case"] for result in real["results"][:2]]
    one, other = {**real, "results": real["results"][:2]}, another()
    other["results"] = [{**result, "client": "asyncio"} for result in other["results"][:2]]
    merged = merge([part(other, "b.json"), part(one)]).run
    assert [(item.get("client"), item["case"]) for item in merged["results"]] == [
        (client, case) for client in (None, "asyncio") for case in cases
    ]
    with pytest.raises(
        UsageError, match=rf"^duplicate results for unix asyncio in-process {cases[0]} and 1 more cells: "
    ):
        merge([part(other, "b.json"), part({**other, "run": {**other["run"], "id": "third"}}, "c.json")])


def test_a_run_in_two_files_is_taken_from_the_first(real):
    """Its evidence is where the first file says it is."""
    run = copy.deepcopy(real)
    run["results"][0]["artifacts"] = {"pcapng": "x.pcapng", "transcript": None}
    merged = merge([part(run, link="first"), part(run, "copy.json", link="second")]).run
    assert merged["results"][0]["artifacts"]["pcapng"] == "first/x.pcapng"
    assert [source["file"] for source in merged["sources"]] == ["a.json"]


def test_the_time_of_a_merged_run(real, another):
    """From the first start to the last end; if no run ended, to the last start."""
    runs = [copy.deepcopy(real), another(firmware="9"), another(firmware="10", identity="third")]
    for run, (started, finished) in zip(runs, (("2", "5"), ("1", "3"), ("4", None)), strict=True):
        run["run"] |= {"started": started, "finished": finished}
    merged = merge([part(run, f"{place}.json") for place, run in enumerate(runs)]).run["run"]
    assert (merged["started"], merged["finished"]) == ("1", "5")
    for run in runs:
        run["run"]["finished"] = None
    merged = merge([part(run, f"{place}.json") for place, run in enumerate(runs)]).run["run"]
    assert (merged["started"], merged["finished"]) == ("1", "4")


def test_a_board_is_described_by_the_newest_run_that_could_probe_it(real, another):
    """Its firmware is not lost if a later run could not probe it; its position is that of its first run."""
    dead = another()
    dead["boards"][0] |= {"firmware": None, "facts": None}
    dead["results"] = dead["results"][:0]
    dead["missing"] = [{key: real["results"][0][key] for key in ("board", "server", "case")}]
    for order in ([part(real), part(dead, "b.json")], [part(dead, "b.json"), part(real)]):
        (board,) = merge(order).run["boards"]
        assert board["firmware"] == real["boards"][0]["firmware"]
    newer = another()
    newer["boards"][0]["notes"] = ["newer"]
    newer["results"] = []
    newer["missing"] = dead["missing"]
    for order in ([part(real), part(newer, "b.json")], [part(newer, "b.json"), part(real)]):
        (board,) = merge(order).run["boards"]
        assert board["notes"] == ["newer"]


def test_results_are_in_the_order_of_boards_servers_cases_and_repeats(real, another):
    """The order does not depend on the files."""
    one, other = copy.deepcopy(real), another(firmware="9")
    one["results"] = [{**one["results"][1], "repeat": 2}, one["results"][0], {**one["results"][1], "repeat": 1}]
    other["results"] = other["results"][1::-1]
    found = merge([part(one), part(other, "b.json")]).run["results"]
    first, second = (result["case"] for result in real["results"][:2])
    old = real["boards"][0]["firmware"]
    assert [(result["board"], result["case"], result["repeat"]) for result in found] == [
        (f"unix@{old}", first, 1),
        (f"unix@{old}", second, 1),
        (f"unix@{old}", second, 2),
        ("unix@9", first, 1),
        ("unix@9", second, 1),
    ]


def test_facts_of_the_host_that_differ(real, another):
    """Different texts are joined, each once; other facts that differ are empty or null; equal facts stay."""
    runs = [copy.deepcopy(real), another(firmware="9"), another(firmware="10", identity="third")]
    for run, (text, level, suites) in zip(runs, (("x", 1, ["TLS_A"]), ("y", 1, ["TLS_A"]), ("x", 2, [])), strict=True):
        run["host"] |= {"python": text, "openssl": "same", "security_level": level, "default_suites": suites}
    host = merge([part(run, f"{place}.json") for place, run in enumerate(runs)]).run["host"]
    assert (host["python"], host["openssl"], host["security_level"], host["default_suites"]) == (
        "x, y",
        "same",
        None,
        [],
    )


def test_several_tests_of_one_case(real):
    """Two tests of a suite may run the same case: no result of a run is dropped."""
    run = copy.deepcopy(real)
    run["results"].append({**run["results"][0], "verdict": "insecure", "reason": "x"})
    assert [result["verdict"] for result in merge([part(run)]).run["results"]].count("insecure") == 1
    assert len(merge([part(run), part(run, "copy.json")]).run["results"]) == len(run["results"])


def test_records_without_an_id(real):
    """A run of before there were ids gets one that stays the same."""
    run = copy.deepcopy(real)
    for key in ("id", "whole", "planned"):
        del run["run"][key]
    del run["host"]["machine"], run["missing"]
    merged = check(merge([part(run)]))
    assert merged.run["sources"][0]["id"] == run_id(run) == run_id(copy.deepcopy(run))
    assert run_id(run) != run_id(real)


def test_boards_and_servers_that_were_never_described(real):
    """Results of a board without a description are kept under its name."""
    run = copy.deepcopy(real)
    run["boards"], run["servers"] = [], []
    merged = merge([part(run)])
    assert {(result["board"], result["server"]) for result in merged.run["results"]} == {("unix", "in-process")}
