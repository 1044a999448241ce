"""A run as OpenMetrics: read back by Prometheus's own parsers, the strict one and that of the older text format."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
from prometheus_client.parser import text_string_to_metric_families as older

from harness.model import VerdictWord
from harness.reports.text.openmetrics import HELP, PREFIX, render_openmetrics

HOSTILE = 'a"b\\c\nd\x1b}'


def samples(text, parse=strict):
    """Return metric -> labels -> value."""
    found = {}
    for family in parse(text):
        for sample in family.samples:
            found.setdefault(sample.name.removeprefix(f"{PREFIX}_"), {})[tuple(sorted(sample.labels.items()))] = (
                sample.value
            )
    return found


@pytest.fixture
def night(a_run):
    """A run with one cell of each kind."""
    return a_run(
        1,
        a_run.result("t/a", ms=12.5, heap=50_000),
        a_run.result("t/b", "fail", client="asyncio"),
        a_run.result("t/b", "unsupported", reason="no"),
        missing=[{"board": "lab-1", "server": "s", "case": "t/z"}],
    )


@pytest.mark.parametrize("parse", [strict, older])
def test_what_is_in_it(night, parse):
    """Counts with zeros, so that an alert sees a verdict appear; measures per cell in seconds and bytes."""
    found = samples(render_openmetrics(night), parse)
    place = {"board": "lab-1", "server": "s"}

    def at(**labels):
        return tuple(sorted({**place, **labels}.items()))

    assert found["results"] == {
        at(verdict=word): {"pass": 1, "fail": 1, "unsupported": 1}.get(word, 0) for word in VerdictWord
    }
    assert found["cell_handshake_seconds"] == {at(case="t/a"): 0.0125}
    assert found["cell_free_heap_bytes"] == {at(case="t/a"): 50_000}
    assert found["board_info"] == {(("board", "lab-1"), ("firmware", "1.28"), ("port", "")): 1}
    assert (found["missing_results"], found["flaky_cells"]) == ({(): 1}, {(): 0})
    assert found["run_duration_seconds"] == {(): 3600}
    assert found["run_start_seconds"] == {(): 1772326800}


def test_cells_as_expected(a_run):
    """pass and known are 1, what fails is 0, unsupported has no value; another client is another cell."""
    words = {"t/a": "pass", "t/b": "known", "t/c": "fail", "t/d": "error", "t/e": "insecure", "t/f": "unsupported"}
    results = [a_run.result(case, word) for case, word in words.items()]
    found = samples(render_openmetrics(a_run(1, *results, a_run.result("t/a", "fail", client="asyncio"))))
    values = {labels: value for labels, value in found["cell_as_expected"].items()}
    by_case = {dict(labels)["case"]: value for labels, value in values.items() if "client" not in dict(labels)}
    assert by_case == {"t/a": 1, "t/b": 1, "t/c": 0, "t/d": 0, "t/e": 0}
    assert [value for labels, value in values.items() if dict(labels).get("client") == "asyncio"] == [0]


def test_a_board_that_could_not_be_used(a_run):
    """Its value is 0, and it has no firmware."""
    gone = {
        "board": "x",
        "spec": "u1",
        "kind": "serial",
        "firmware": None,
        "error": "no answer",
        "notes": [],
        "facts": None,
    }
    found = samples(render_openmetrics(a_run(1, boards=[gone])))
    assert found["board_usable"] == {(("board", "x"),): 0}
    assert found["board_info"] == {(("board", "x"), ("firmware", ""), ("port", "")): 1}


def test_a_run_that_was_killed(a_run):
    """No duration, and a start that cannot be read is absent; the rest is there."""
    killed = a_run(1, a_run.result("t/a")).as_json()
    run = type(a_run(1)).of_json({**killed, "run": {**killed["run"], "finished": None, "started": "?"}})
    found = samples(render_openmetrics(run))
    assert not {"run_duration_seconds", "run_start_seconds"} & found.keys()
    assert "run_info" in found


def test_texts_of_boards(a_run):
    """Quotes, backslashes and line breaks cannot end a label."""
    found = samples(render_openmetrics(a_run(1, a_run.result("t/a", board=HOSTILE), firmware=HOSTILE)))
    shown = 'a"b\\c d\\x1b}'
    assert list(found["board_usable"]) == [(("board", shown),)]


def test_an_empty_run(a_run):
    """Only what is known: still a valid exposition."""
    assert "results" not in samples(render_openmetrics(a_run(1)))


def test_every_family_is_described(night):
    """Each family that is written has a help text, and each text a family."""
    names = [
        line.split()[2].removeprefix(f"{PREFIX}_")
        for line in render_openmetrics(night).splitlines()
        if "# TYPE" in line
    ]
    assert names == list(HELP)
