"""harness.pytest_plugin.junit: which failures of pytest's JUnit file become errors."""

from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from harness.pytest_plugin.junit import mark_fault


@pytest.mark.parametrize(
    ("when", "outcome", "fault", "verdict", "tag"),
    [
        ("call", "failed", True, None, "error"),
        ("call", "failed", False, "error", "error"),
        ("call", "failed", False, "fail", "failure"),
        ("call", "failed", False, None, "failure"),
        ("setup", "failed", True, None, "failure"),  # pytest itself calls these errors
        ("call", "skipped", True, None, "failure"),
    ],
)
def test_only_a_fault_in_the_test_itself(when, outcome, fault, verdict, tag):
    """The element's tag and pytest's two counts change together; other elements of the test stay."""
    nodes = [ElementTree.Element("system-out"), ElementTree.Element("failure")]
    xml = SimpleNamespace(node_reporter=lambda report: SimpleNamespace(nodes=nodes), stats={"failure": 3, "error": 1})
    config = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugins=lambda: [object(), xml]))
    report = SimpleNamespace(when=when, failed=outcome == "failed", tls_fault=fault)
    if verdict:
        report.tls = {"result": {"verdict": verdict}}
    mark_fault(config, report)
    assert [node.tag for node in nodes] == ["system-out", tag]
    assert xml.stats == ({"failure": 2, "error": 2} if tag == "error" else {"failure": 3, "error": 1})
