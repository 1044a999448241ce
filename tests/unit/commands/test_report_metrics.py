"""`tls-harness report metrics` and `report badge` on the record of a real run."""

import json

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families


def test_metrics(report, good_run, tmp_path):
    """Printed, or written to a file; Prometheus's parser reads it."""
    code, out, err = report("metrics", good_run)
    assert (code, err) == (0, [])
    assert report("metrics", good_run, "-o", tmp_path / "m.prom") == (0, [], [])
    text = (tmp_path / "m.prom").read_text()
    assert text.splitlines() == out
    found = {family.name: family.samples for family in text_string_to_metric_families(text)}
    results = json.loads(good_run.read_text())["results"]
    assert sum(sample.value for sample in found["tls_harness_results"]) == len(results)
    assert {sample.value for sample in found["tls_harness_cell_as_expected"]} == {1.0}
    assert 0 < min(sample.value for sample in found["tls_harness_cell_handshake_seconds"]) < 10


def test_badge(report, good_run, tmp_path):
    """Image and endpoint say the same, with the given label."""
    number = len(json.loads(good_run.read_text())["results"])
    outputs = ["-o", tmp_path / "b.svg", "-o", tmp_path / "b.json"]
    assert report("badge", good_run, *outputs, "--label", "ESP32") == (0, [f"ESP32: {number} as expected"], [])
    assert json.loads((tmp_path / "b.json").read_text())["message"] == f"{number} as expected"
    assert f"ESP32: {number} as expected" in (tmp_path / "b.svg").read_text()


@pytest.mark.parametrize(
    ("part", "suffix", "accepted"), [("metrics", ".json", ".prom, .txt"), ("badge", ".png", ".json, .svg")]
)
def test_other_suffixes(report, good_run, part, suffix, accepted):
    """One line with what is accepted; the record itself is never overwritten."""
    code, _out, err = report(part, good_run, "-o", f"x{suffix}")
    assert (code, err) == (2, [f"tls-harness: -o 'x{suffix}': unknown suffix {suffix!r} (expected one of {accepted})"])


def test_the_record_is_not_overwritten(report, good_run):
    """A badge is JSON, too."""
    before = good_run.read_text()
    code, _out, err = report("badge", good_run, "-o", good_run)
    assert (code, "would overwrite the run record" in err[0]) == (2, True)
    assert good_run.read_text() == before
