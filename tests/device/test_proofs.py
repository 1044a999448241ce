"""For each rule that a real case on this machine triggers, its fixes are tried, and one of them connects."""

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.cases import select
from harness.diagnose.given import GivenCertificates
from harness.diagnose.own import case_of
from harness.diagnose.request import Files
from harness.diagnose.settings import Settings
from harness.diagnose.trying import Trials
from harness.errors import HarnessError
from harness.model import BoardSpec, Outcome, VerdictWord
from harness.run.lab import Lab
from harness.run.options import RunOptions

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix")
# Hundreds of combinations of the same causes, and cases that are slow on purpose.
LEFT_OUT = ("pairs/", "timing/", "suite/rare-", "fragments/slow")
# Rules whose fixes cannot help in their representative case, and why.
NO_PROOF = {
    "certificates/unreadable": "the server damages what it sends, on purpose, whatever its certificate",
    "identity/leaf-as-ca": "the CA that issued it is not at hand: nobody gave a file",
    "names/unknown-to-server": "the server refuses every name, on purpose",
    "versions/alert-only": "the server sends this alert and nothing else, on purpose",
}


@pytest.mark.slow
def test_every_rule_has_a_fix_that_connects():
    """A proved fix has the record of a session; any other has the record of a failure, or the reason why it was not tried."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    certificates = GivenCertificates(Files(), host="tls.test")
    lab = Lab(RunOptions(boards=(SPEC,)), certificates=certificates)
    proved = {}
    try:
        runner = lab.runner(SPEC, "in-process")
        for case in select("full"):
            if case.id.startswith(LEFT_OUT):
                continue
            first = runner.run(case)
            said = first.explanation
            if said is None or proved.get(said.rule) or not any(fix.change for fix in said.fixes):
                continue
            trying = Trials(
                lambda name, settings: runner.run(case_of(name, settings)),
                certificates=certificates,
                progress=lambda _line: None,
            )
            start = Settings(server=case.server, client=case.client)
            trials = [trying._one(fix, start) for fix in said.fixes]
            for trial in trials:
                seen = trial.result.observation if trial.result else None
                connected = seen is not None and seen.outcome is Outcome.CONNECTED
                assert bool(trial.fix.proved) == (connected and trial.result.verdict.word is VerdictWord.PASS)
                assert trial.result is not None or trial.note
            proved[said.rule] = proved.get(said.rule, False) or any(trial.fix.proved for trial in trials)
    finally:
        lab.close()
    assert len(proved) > 25
    assert {rule for rule, good in proved.items() if not good} <= set(NO_PROOF)
