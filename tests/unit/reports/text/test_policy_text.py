"""A judgement as text and as JSON."""

import json

from harness.reports.record.policy import Judgement, Offence, Policy
from harness.reports.text.policy_text import LISTED, SCHEMA, check_json, check_text

POLICY = Policy(name="ours", rsa_bits=3072, verification=True)


def offence(number=1, rule="verification", text="not verified"):
    """What breaks a rule in one cell."""
    return Offence(rule=rule, text=text, board="lab-1", server="s", case=f"t/{number}")


def test_a_run():
    """The total, then each broken rule with its meaning and cells, in the order of the policy."""
    found = Judgement(
        judged=4, offences=(offence(), offence(2), offence(2, "rsa_bits", "the server's 2048-bit RSA key"))
    )
    assert check_text(found, POLICY, target="run.json", is_run=True) == (
        "run.json: 2 cells break the policy ours (4 sessions judged)\n"
        "\nrsa_bits: RSA keys of at least 3072 bits (1)\n"
        "  lab-1 s t/2: the server's 2048-bit RSA key\n"
        "\nverification: the board verifies the server's certificate (2)\n"
        "  lab-1 s t/1: not verified\n"
        "  lab-1 s t/2: not verified\n"
    )


def test_a_policy_that_is_met():
    """One line."""
    met = Judgement(judged=1, offences=())
    assert check_text(met, POLICY, target="r", is_run=True) == "r: all of 1 session meet the policy ours\n"
    assert check_text(met, POLICY, target="h:1", is_run=False) == "h:1 meets the policy ours\n"


def test_a_server():
    """What it accepts, without cells, and what cannot be seen there."""
    found = Judgement(judged=1, offences=(Offence(rule="rsa_bits", text="accepts\nx"),), not_judged=("a", "b"))
    assert check_text(found, POLICY, target="h:1", is_run=False) == (
        "h:1 breaks the policy ours\n\nrsa_bits: RSA keys of at least 3072 bits (1)\n  accepts x\n\nnot judged: a; b\n"
    )


def test_long_lists_are_counted():
    """As many as fit on a screen; the JSON has all."""
    found = Judgement(judged=99, offences=tuple(map(offence, range(LISTED + 2))))
    lines = check_text(found, POLICY, target="r", is_run=True).splitlines()
    assert lines[-1] == "  ... and 2 more, in --json"
    assert sum(": not verified" in line for line in lines) == LISTED
    assert len(json.loads(check_json(found, POLICY, target="r"))["offences"]) == LISTED + 2


def test_json():
    """The rules with their meaning, and each offence with its cell."""
    data = json.loads(check_json(Judgement(judged=1, offences=(offence(),)), POLICY, target="r"))
    assert data == {
        "schema": SCHEMA,
        "policy": "ours",
        "rules": {
            "rsa_bits": "RSA keys of at least 3072 bits", "verification": "the board verifies the server's certificate",
        },
        "target": "r",
        "judged": 1,
        "met": False,
        "offences": [
            {
                "rule": "verification", "text": "not verified", "board": "lab-1", "server": "s", "case": "t/1", "known": True,
            },
        ],
        "not_judged": [],
    }  # fmt: skip
    assert json.loads(check_json(Judgement(judged=1, offences=()), POLICY, target="r"))["met"] is True
