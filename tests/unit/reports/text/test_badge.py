"""The badge of a run: green only if everything was as expected and nothing is missing."""

import json
from xml.etree import ElementTree

import pytest

from harness.reports.text.badge import badge_of


def of(a_run, words, **more):
    """The badge of a run with these verdicts."""
    return badge_of(a_run(1, *(a_run.result(f"t/{at}", word) for at, word in enumerate(words.split())), **more))


@pytest.mark.parametrize(
    ("words", "message", "color"),
    [
        ("pass pass", "2 as expected", "brightgreen"),
        ("pass known unsupported", "2 as expected", "brightgreen"),
        ("pass error", "1 error, 1 as expected", "yellow"),
        ("pass error fail fail", "2 fail, 1 error, 1 as expected", "red"),
        ("insecure", "1 insecure, 0 as expected", "red"),
        ("unsupported", "0 as expected", "lightgrey"),
        ("", "0 as expected", "lightgrey"),
    ],
)
def test_colours(a_run, words, message, color):
    """The worst verdict decides; a run without any statement about TLS is grey."""
    badge = of(a_run, words)
    assert (badge.message, badge.color, badge.is_error) == (message, color, color == "red")


def test_incomplete_runs(a_run):
    """Missing results and unusable boards are never green."""
    missing = of(a_run, "pass", missing=[{"board": "lab-1", "server": "s", "case": "t/z"}])
    assert (missing.message, missing.color) == ("1 as expected, 1 not run", "yellow")
    gone = {
        "board": "x",
        "spec": "u1",
        "kind": "serial",
        "firmware": None,
        "error": "no answer",
        "notes": [],
        "facts": None,
    }
    unusable = of(a_run, "pass", boards=[gone])
    assert (unusable.message, unusable.color) == ("1 as expected, 1 board unusable", "yellow")


def test_the_worst_of_repeated_results_counts(a_run):
    """A cell that failed once is no pass."""
    results = [a_run.result("t/a", word, repeat=at) for at, word in enumerate(("pass", "fail"), 1)]
    assert badge_of(a_run(1, *results)).message == "1 fail, 0 as expected"


def test_endpoint(a_run):
    """What shields.io's endpoint badge requires."""
    assert json.loads(of(a_run, "pass fail").as_endpoint()) == {
        "schemaVersion": 1, "label": "MicroPython TLS", "message": "1 fail, 1 as expected", "color": "red", "isError": True,
    }  # fmt: skip


def test_image(a_run):
    """Well-formed XML with the text for screen readers, whatever the label is."""
    label = 'a <b> & "c"'
    svg = badge_of(a_run(1, a_run.result("t/a")), label=label).as_svg()
    root = ElementTree.fromstring(svg)
    assert root.attrib["aria-label"] == f"{label}: 1 as expected"
    texts = [item.text for item in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [label, "1 as expected"]
    assert int(root.attrib["width"]) == 7 * len(label + "1 as expected") + 24
