"""Equal skips of cases in the summary."""

from types import SimpleNamespace

from harness.pytest_plugin.skips import fold


def skipped(case, reason, **more):
    """Return what pytest's report of a skipped case has."""
    data = {"result": {"case": case, "reason": reason, "verdict": "unsupported"}, **more}
    return SimpleNamespace(tls=data, longrepr=("test_mine.py", 2, f"{case}: unsupported: {reason}"))


def test_equal_reasons_are_one_line():
    """All cases of one reason get one text, which names the first three; a reason of one case stays as it is."""
    reports = [skipped(f"psk/{number}", "no PSK") for number in range(5)] + [skipped("suite/a", "no suite")]
    fold(reports)
    assert {report.longrepr for report in reports[:5]} == {
        ("test_mine.py", 2, "unsupported: no PSK (psk/0, psk/1, psk/2 and 2 more)")
    }
    assert reports[5].longrepr == ("test_mine.py", 2, "suite/a: unsupported: no suite")


def test_three_are_named():
    """Up to three cases are all named; the rounds of one case count once."""
    reports = [skipped("psk/a", "no PSK"), skipped("psk/a", "no PSK"), skipped("psk/b", "no PSK")]
    fold(reports)
    assert reports[0].longrepr[2] == "unsupported: no PSK (psk/a, psk/b)"


def test_others_stay():
    """Skips without a case, and cases that did not run because of their board, stay as they are."""
    other = SimpleNamespace(longrepr=("a.py", 1, "x"))
    reports = [other, skipped("a/b", "r", not_run=True), skipped("a/c", "r", not_run=True)]
    texts = [report.longrepr for report in reports]
    fold(reports)
    assert [report.longrepr for report in reports] == texts
