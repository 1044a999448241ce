"""Groups and curves: each rule matches only its own failure and gives the stored text."""

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
    """Failures of the virtual board with a real server."""
    stored(rule, real(REAL[rule]))


def test_no_key_share(made, stored):
    """TLS 1.3 has a separate reason for it (invented: a distribution's build)."""
    stored("groups/no-common-group-tls13", made("OSError", -30592, by=Side.SERVER, server=SERVER))
