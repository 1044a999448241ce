"""Tests of harness/wire/alerts.py."""

from __future__ import annotations

import ssl

from harness.wire.alerts import alert_code, alert_level, alert_name


def test_names_agree_with_python() -> None:
    """Every alert Python's ssl knows has the same code here (Python spells them in capitals)."""
    theirs = {item.name.removeprefix("ALERT_DESCRIPTION_").lower(): item.value for item in ssl.AlertDescription}
    theirs["user_canceled"] = theirs.pop("user_cancelled")  # RFC 8446 spells it with one l
    assert len(theirs) > 20
    assert theirs == {name: alert_code(name) for name in theirs}


def test_newer_alerts() -> None:
    """Alerts that are newer than Python's list have their RFC's name."""
    names = {100: "no_renegotiation", 109: "missing_extension", 116: "certificate_required"}
    names[120] = "no_application_protocol"
    assert names == {code: alert_name(code) for code in names}


def test_unknown_alert() -> None:
    """An unknown alert or level keeps its number."""
    assert (alert_name(99), alert_level(7), alert_code("nonsense")) == ("alert_99", "level_7", None)
    assert (alert_level(1), alert_level(2)) == ("warning", "fatal")
