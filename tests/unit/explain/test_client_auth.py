"""The board's own certificate: each rule fits its own failure alone, and says it in the stored words."""

import pytest

from harness.model import ServerFacts, Side, Verify

REAL = {
    "client-auth/none-sent": "mtls/required-none-sent",
    "client-auth/untrusted": "mtls/untrusted",
    "client-auth/dates": "mtls/expired",
    "client-auth/wrong-use": "mtls/eku-server-only",
    "client-auth/key-too-short": "mtls/rsa1024",
    "client-auth/key-of-another-pair": "mtls/key-mismatch",
    "client-auth/too-large": "mtls/large-5k",
}


@pytest.mark.parametrize("rule", REAL)
def test_real(rule, real, stored):
    """What the virtual board and a real server did, explained."""
    stored(rule, real(REAL[rule]))


def test_refused_otherwise(made, stored):
    """Strict checks of Python 3.13: no AuthorityKeyIdentifier (hand-made)."""
    failure = {
        "type": "SSLCertVerificationError",
        "reason": "CERTIFICATE_VERIFY_FAILED",
        "verify_code": 85,
        "verify_message": "Missing Authority Key Identifier",
    }
    stored("client-auth/refused", made("OSError", -30592, by=Side.SERVER, server=failure))


def test_connection_cut(made, stored):
    """A server that closes at once destroys its own alert: the board sees EPIPE (hand-made; python-ssl.md finding 6)."""
    facts = ServerFacts(
        python="3.11.7", openssl="OpenSSL 3.0.19", openssl_number=0x30000130, suites=(), verify=Verify.REQUIRED
    )
    stored("client-auth/connection-cut", made("OSError", 32, server_facts=facts))
