"""Groups and curves: each rule matches only its own failure and gives the stored text."""

from harness.model import Side

SERVER = {"type": "SSLError", "reason": "NO_SUITABLE_KEY_SHARE"}


def test_no_key_share(made, stored):
    """TLS 1.3 has a separate reason for it (invented: a distribution's build)."""
    stored("groups/no-common-group-tls13", made("OSError", -30592, by=Side.SERVER, server=SERVER))
