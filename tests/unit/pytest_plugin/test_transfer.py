"""Reports that are sent between processes."""

import marshal
from types import SimpleNamespace

import pytest

from harness.expectations.builders import connected, refused
from harness.pytest_plugin.run import LAB
from harness.pytest_plugin.transfer import PACKED, pack, unpack
from harness.reports.record.run_record import expected_entry
from harness.wire.alerts import AlertCode

REPORT = {
    "$report_type": "TestReport",
    "nodeid": "t.py::test_case[unix-seed/x]",
    "location": ("t.py", 1, "test_case"),
    "longrepr": ("t.py", 3, "Skipped: nothing"),
    "user_properties": [("verdict", "pass")],
    "sections": [],
    "duration": 0.25,
    "tls": {"result": {"case": "seed/\u00e9", "n": [1, None, {"x": True}]}},
}


@pytest.fixture
def worker():
    """Return the configuration of a worker that had a board."""
    return SimpleNamespace(workerinput={}, stash={LAB: "a lab"})


def test_nothing_is_lost(worker):
    """The received data equals the sent data, tuples included; execnet writes one string."""
    sent = pack(dict(REPORT), worker)
    assert set(sent) == {"$report_type", PACKED}
    assert type(sent[PACKED]) is bytes
    unpack(sent)
    assert sent == REPORT
    assert type(sent["location"]) is tuple


def test_others_are_unchanged(worker):
    """Reports of a worker without a board or of the controller, without data, or with data that cannot be packed are unchanged."""
    assert pack(REPORT, SimpleNamespace(workerinput={}, stash={})) is REPORT
    assert pack(REPORT, SimpleNamespace(stash=worker.stash)) is REPORT
    assert pack(None, worker) is None
    odd = {**REPORT, "sections": [object()]}
    assert pack(odd, worker) is odd
    plain = dict(REPORT)
    unpack(plain)
    assert plain == REPORT


def test_an_expectation_can_be_packed():
    """A result has only plain values: marshal and execnet cannot send an enumeration, and the worker would end without a message."""
    for expected in (
        connected(),
        refused(by="server", server="NO_SHARED_CIPHER", alert=AlertCode.HANDSHAKE_FAILURE, client=-30592),
    ):
        marshal.dumps(expected_entry(expected).as_json())
