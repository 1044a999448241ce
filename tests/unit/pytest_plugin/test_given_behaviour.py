"""The behaviour of a server as a test gives it."""

import os
import re
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.model import BEHAVIOURS, Behaviour, Outcome
from harness.pytest_plugin.fixtures import Board
from harness.pytest_plugin.given_behaviour import behaviour_of, behaviour_table
from harness.pytest_plugin.server_settings import make_server
from harness.server.engine.engine import BEHAVIOURS as IMPLEMENTED
from harness.server.engine.flights import SERVER_HELLO, edit_body

REPORTS = Path(__file__).resolve().parents[3] / "docs" / "reports.md"
HEADING = "\n## Server behaviours\n"


def same(flight, index):
    """Change nothing."""
    return flight


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"given": None}, {}),
        ({"given": {}}, {}),
        ({"given": "close.rst"}, {"name": "close.rst"}),
        ({"given": {"name": "time.slow", "delay_ms": 5}}, {"name": "time.slow", "delay_ms": 5}),
        ({"given": None, "unwrap_first": True}, {"name": "close.notify-first"}),
        ({"given": None, "unwrap_first": False}, {}),
        ({"given": None, "suppress_ragged_eofs": False}, {"name": "close.read-to-end"}),
        ({"given": None, "suppress_ragged_eofs": True}, {}),
        ({"given": None, "flight": same}, {"name": "flight", "change": same}),
    ],
)
def test_forms(given, expected):
    """A name alone, a mapping, a function and a short form; nothing is a correct server."""
    assert behaviour_of(given.pop("given"), **given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"given": "close.rts"},
            "tls_server(behaviour=...): no behaviour 'close.rts'; did you mean 'close.rst'?; docs/reports.md lists them under "
            '"Server behaviours" (`tls-harness files docs`)',
        ),
        (
            {"given": {"name": "time.slow", "delay": 5}},
            "tls_server(behaviour=...): 'time.slow' has no key 'delay'; did you mean 'delay_ms'?; its keys: delay_ms",
        ),
        (
            {"given": {"name": "close.rst", "x": 5}},
            "tls_server(behaviour=...): 'close.rst' has no key 'x'; its keys: none",
        ),
        ({"given": "time.slow"}, "tls_server(behaviour=...): 'time.slow' needs the key 'delay_ms': milliseconds"),
        (
            {"given": {"delay_ms": 5}},
            "tls_server(behaviour=...): {'delay_ms': 5}: expected a name, or a mapping with 'name' and the keys of that behaviour",
        ),
        (
            {"given": "close.rst", "unwrap_first": True},
            "tls_server(): behaviour and unwrap_first exclude each other: a server has one behaviour",
        ),
        (
            {"given": None, "unwrap_first": True, "suppress_ragged_eofs": False},
            "tls_server(): unwrap_first and suppress_ragged_eofs exclude each other: a server has one behaviour",
        ),
        (
            {"given": None, "suppress_ragged_eofs": "no"},
            "tls_server(suppress_ragged_eofs='no'): expected True or False",
        ),
        ({"given": None, "unwrap_first": 1}, "tls_server(unwrap_first=1): expected True or False"),
        ({"given": None, "flight": 5}, "tls_server(flight=5): expected a function (flight, index) -> flight"),
    ],
)
def test_mistakes(given, message):
    """One line says what is wrong, what is near, and where the list is."""
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        behaviour_of(given.pop("given"), **given)


def test_each_behaviour_is_described():
    """Every behaviour that the engine has is in the table, and nothing else; a required key is one of its keys."""
    assert set(BEHAVIOURS) == set(Behaviour)
    assert {str(name) for name in Behaviour} == set(IMPLEMENTED) - {""}
    assert all(set(words.required) <= set(words.keys) for words in BEHAVIOURS.values())


def test_the_page_has_the_table():
    """docs/reports.md has the table as it is generated; UPDATE_TEXTS=1 rewrites it."""
    text = REPORTS.read_text(encoding="utf-8")
    start = text.index("| behaviour |", text.index(HEADING))
    end = text.find("\n\n", start) + 1 or len(text)
    if "UPDATE_TEXTS" in os.environ:
        text = text[:start] + behaviour_table() + text[end:]
        REPORTS.write_text(text, encoding="utf-8")
        end = start + len(behaviour_table())
    assert text[start:end] == behaviour_table()


def test_a_function_changes_the_flight(lab, spec):
    """The function gets each flight with its number, and what it returns is sent; another Python cannot run it."""
    seen = []

    def damage(flight, index):
        seen.append(index)
        return edit_body(flight, SERVER_HELLO, lambda body: b"\x03\x02" + body[2:]) if index == 0 else flight

    server = make_server("server-p256", maximum_version="TLSv1.2", flight=damage)
    made = Board(lab, spec, "in-process").connect(server)
    assert made.outcome is Outcome.REFUSED
    assert seen[0] == 0
    with pytest.raises(
        UsageError,
        match=r"^tls_server\(flight=\.\.\.\): not with --server 'python3\.9': the function is in this process$",
    ):
        Board(lab, spec, "python3.9").connect(server)
