"""Errors of the board's TLS API: each rule matches only its own failure and gives the stored text."""

import pytest

from harness.model import ClientPlan, Stage


@pytest.mark.parametrize(
    ("rule", "kind", "text", "version"),
    [
        ("unknown-keyword", "TypeError", "extra keyword arguments given", "1.19.1"),
        ("missing-method", "AttributeError", "'SSLContext' object has no attribute 'load_verify_locations'", "1.21.0"),
        ("missing-module", "ImportError", "no module named 'ussl'", "1.24.0"),
    ],
)
def test_what_firmware_lacks(rule, kind, text, version, made, stored):
    """Keywords, methods and modules that a version lacks (invented: no such interpreter here)."""
    stored(f"api/{rule}", made(kind, text, stage=Stage.CONFIG, info=made.board(version)))


def test_setting_refused(made, stored):
    """A pre-shared key that is too long (invented: MBEDTLS_PSK_MAX_LEN differs)."""
    plan = ClientPlan(psk_identity="board-1", psk_key="00" * 64)
    stored("api/setting-refused", made("OSError", -28928, stage=Stage.CONFIG, client=plan))
