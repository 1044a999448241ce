"""The programs' cases: the same for each program, and on their page."""

from __future__ import annotations

from pathlib import Path

from harness.cases import select
from harness.model import PROGRAMS, Verify

PAGE = (Path(__file__).parents[3] / "docs" / "programs.md").read_text(encoding="utf-8")
CASES = {case.id: case for case in select("smoke", on_request=True) if case.topic == "app"}
USUAL = {"unverified", "large-answer", "verified", "client-certificate", "wrong-ca", "wrong-name", "server-closes"}


def test_every_program_has_the_same_cases() -> None:
    """A program is tested with and without verification, against each server that it must refuse, and in its usual use."""
    for name in PROGRAMS:
        found = {case_id.removeprefix(f"app/{name}-") for case_id, case in CASES.items() if case.client.program == name}
        assert found - {"without-ca"} == USUAL


def test_only_what_may_verify_is_given_a_ca() -> None:
    """Refusals of a certificate need verification and its positive control; the other cases need neither."""
    for case_id, case in CASES.items():
        refuses = "-wrong-" in case_id
        verifies = refuses or case_id.endswith(("-verified", "-client-certificate"))
        assert (case.client.verify is Verify.REQUIRED, bool(case.client.ca)) == (verifies, verifies)
        assert (case.positive_control is not None) == refuses


def test_the_page_names_every_case() -> None:
    """docs/programs.md has a row for each case of the first program, and names the others by their program."""
    assert all(f"`{case_id}`" in PAGE for case_id in CASES if case_id.startswith("app/requests-"))
    assert all(f"`{name}`" in PAGE for name in PROGRAMS)
