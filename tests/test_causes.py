"""The catalogue of causes: its ids are those of the rules of harness/explain, and docs/causes/ has a page for each."""

import os
from pathlib import Path

import harness.explain
from harness.explain.catalogue.causes import all_causes, find_cause
from harness.explain.catalogue.page import file_name, index, page
from harness.explain.registry import evidence_of, names

PAGES = Path(__file__).resolve().parents[1] / "docs" / "causes"


def test_every_rule_is_a_cause():
    """A new rule needs its entry, with the rule's id, in its topic's file of harness/explain/catalogue/causes."""
    harness.explain._load()
    assert [name for name in names() if find_cause(name) is None] == []


def test_every_cause_has_its_page():
    """docs/causes/ is what the catalogue and the rules generate; UPDATE_TEXTS=1 writes it."""
    harness.explain._load()
    expected = {file_name(cause.id): page(cause, evidence=evidence_of(cause.id)) for cause in all_causes()} | {
        "README.md": index()
    }
    if os.environ.get("UPDATE_TEXTS"):
        PAGES.mkdir(exist_ok=True)
        for path in PAGES.glob("*.md"):
            path.unlink()
        for name, text in expected.items():
            (PAGES / name).write_text(text, encoding="utf-8")
    there = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    assert sorted(there) == sorted(expected), "run this test with UPDATE_TEXTS=1"
    assert [name for name, text in expected.items() if there[name] != text] == [], "run this test with UPDATE_TEXTS=1"
