"""A judgement by a policy, as text and as JSON (`tls-harness/check/1`). Pure."""

from __future__ import annotations

import json
from dataclasses import asdict

from harness.reports.record.plain import one_line
from harness.reports.record.policy import Judgement, Offence, Policy

SCHEMA = "tls-harness/check/1"
# Of one rule as many as fit on a screen; --json has all.
LISTED = 25


def check_text(judgement: Judgement, policy: Policy, *, target: str, is_run: bool) -> str:
    """Render a judgement: the total, then each rule with what breaks it."""
    lines = [one_line(_total(judgement, policy, target=target, is_run=is_run))]
    for rule in policy.rules:
        found = [offence for offence in judgement.offences if offence.rule == rule]
        if not found:
            continue
        lines += ["", one_line(f"{rule}: {policy.meaning(rule)} ({len(found)})")]
        lines += [f"  {one_line(_line(offence))}" for offence in found[:LISTED]]
        lines += [f"  ... and {len(found) - LISTED} more, in --json"] if len(found) > LISTED else []
    if judgement.not_judged:
        lines += ["", one_line(f"not judged: {'; '.join(judgement.not_judged)}")]
    return "\n".join(lines) + "\n"


def check_json(judgement: Judgement, policy: Policy, *, target: str) -> str:
    """Render a judgement as JSON."""
    data = {
        "schema": SCHEMA,
        "policy": policy.name,
        "rules": {rule: policy.meaning(rule) for rule in policy.rules},
        "target": target,
        "judged": judgement.judged,
        "met": not judgement.offences,
        "offences": [asdict(offence) for offence in judgement.offences],
        "not_judged": list(judgement.not_judged),
    }
    return json.dumps(data, indent=1) + "\n"


def _total(judgement: Judgement, policy: Policy, *, target: str, is_run: bool) -> str:
    if not is_run:
        how = "breaks" if judgement.offences else "meets"
        return f"{target} {how} the policy {policy.name}"
    cells = len({(item.board, item.server, item.case) for item in judgement.offences})
    sessions = f"{judgement.judged} session{'s' * (judgement.judged != 1)}"
    if not judgement.offences:
        return f"{target}: all of {sessions} meet the policy {policy.name}"
    return f"{target}: {cells} cell{'s' * (cells != 1)} break{'s' * (cells == 1)} the policy {policy.name} ({sessions} judged)"


def _line(offence: Offence) -> str:
    cell = " ".join(text for text in (offence.board, offence.server, offence.case) if text)
    return f"{cell}: {offence.text}" if cell else offence.text
