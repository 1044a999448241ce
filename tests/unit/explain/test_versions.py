"""Protocol versions: each rule fits its own failure alone, and says it in the stored words."""

import pytest

REAL = {
    "versions/server-too-new": "versions/13-only",
    "versions/server-too-old": "versions/11-only-sec0",
    "versions/server-settings-leave-none": "versions/11-only-sec2",
    "versions/alert-only": "alert/protocol-version",
}


@pytest.mark.parametrize("rule", REAL)
def test_real(rule, real, stored):
    """What the virtual board and a real server did, explained."""
    stored(rule, real(REAL[rule]))
