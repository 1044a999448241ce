"""`tls-harness boards --probe SPEC`: print each step of the check of one board. The steps are in `harness.run.board_walk`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import FAULT_EXIT_CODE

if TYPE_CHECKING:
    from harness.model import BoardSpec
    from harness.run.board_walk import WalkStep


def heading(spec: BoardSpec) -> str:
    """Return the name of a board, with its port if that is something else."""
    return spec.label if spec.label == spec.text else f"{spec.label} ({spec.text})"


def check(spec: BoardSpec) -> int:
    """Check one board, printing a line for each step as soon as it is over."""
    from harness.run.board_walk import BoardWalk

    failed = False
    print(heading(spec), flush=True)
    with BoardWalk(spec) as walk:
        for step in walk.steps():
            failed = step.failed
            print("\n".join(step_lines(step)), flush=True)
        for limit in walk.limits():
            print(f"  {'cannot run':<11} {limit}", flush=True)
    return FAULT_EXIT_CODE if failed else 0


def step_lines(step: WalkStep) -> list[str]:
    """Return one step of the check as text; the lines that a user may copy stay as they are."""
    from harness.reports.record.plain import plain

    first, *more = [plain(line) for line in step.text.splitlines()]
    lines = [f"  {step.name:<11} {'FAILED: ' * step.failed}{first}", *(f"    {line}" for line in more)]
    return [*lines, *(f"  {'fix':<11} {fix}" for fix in step.fixes)]
