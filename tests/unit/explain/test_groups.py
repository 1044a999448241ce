"""Groups and curves: each rule fits its own failure alone, and says it in the stored words."""

import pytest

from harness.model import Side

SERVER = {"type": "SSLError", "reason": "NO_SUITABLE_KEY_SHARE"}
REAL = {
    "groups/key-curve": "no-shared-cipher/key-curve-p224",
    "groups/no-common-group": "no-shared-cipher/no-group-ec-key",
    "groups/unknown-name": "group/unknown-name",
}


@pytest.mark.parametrize("rule", REAL)
def test_real(rule, real, stored):
    """What the virtual board and a real server did, explained."""
    stored(rule, real(REAL[rule]))


def test_no_key_share(made, stored):
    """TLS 1.3 names it by a reason of its own (hand-made: a distribution's build)."""
    stored("groups/no-common-group-tls13", made("OSError", -30592, by=Side.SERVER, server=SERVER))
