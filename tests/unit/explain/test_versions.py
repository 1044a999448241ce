"""Protocol versions: each rule matches only its own failure and gives the stored text."""

import pytest

REAL = {
    "versions/server-too-new": "versions/13-only",
    "versions/server-too-old": "versions/11-only-sec0",
    "versions/server-settings-leave-none": "versions/11-only-sec2",
    "versions/alert-only": "alert/protocol-version",
}


@pytest.mark.parametrize("rule", REAL)
def test_real(rule, real, stored):
    """Failures of the virtual board with a real server."""
    stored(rule, real(REAL[rule]))
