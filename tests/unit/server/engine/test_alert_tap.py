"""The alerts that CPython's private message callback shows."""

from __future__ import annotations

from harness.server.engine.alert_tap import AlertTap


def test_alert_tap_knows_encrypted_alerts() -> None:
    """An alert is encrypted if its record is application data, or longer than two bytes."""
    tap = AlertTap()
    for header in (b"\x15\x03\x03\x00\x02", b"\x17\x03\x03\x00\x13", b"\x15\x03\x03\x00\x1a"):
        tap(None, "write", 0, 0x100, None, header)
        tap(None, "write", 0, 21, None, b"\x02\x28")
    tap(None, "read", 0, 22, None, b"\x01\x00")
    assert [alert["encrypted"] for alert in tap.alerts] == [False, True, True]
    assert tap.take()
    assert tap.take() == []
