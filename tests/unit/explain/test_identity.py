"""Certificates that are not believed: each rule fits its own failure alone, and says it in the stored words."""

import pytest

from harness.model import Expectation, Outcome

REAL = {
    "identity/self-signed": "cert/selfsigned-untrusted",
    "identity/leaf-as-ca": "cert/trust-leaf-pinned",
    "identity/broken-chain": "cert/untrusted-twin",
    "identity/unknown-issuer": "chain/missing-inter",
    "identity/no-ca": "api/required-no-ca",
    "identity/several-reasons": "cert/two-errors-expired-wronghost",
}


@pytest.mark.parametrize("rule", REAL)
def test_real(rule, real, stored):
    """What the virtual board and a real server did, explained."""
    stored(rule, real(REAL[rule]))


def test_one_number_for_all(made, stored):
    """1.20 and 1.21 have one number for every reason (hand-made: no such interpreter here; micropython #10832)."""
    result = made("OSError", -9984, "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED", info=made.board("1.20.0"))
    stored("identity/one-number-for-all", result)


def test_other_reason(made, stored):
    """A text that is not among mbedTLS's common ones is shown as it is (hand-made)."""
    stored("identity/other-reason", made("ValueError", "\nThe certificate has been revoked (is on a CRL)\n"))


def test_accepted_unchecked(made, stored):
    """Insecure: accepted what had to be refused (hand-made)."""
    expected = Expectation(source="stated", outcome=Outcome.REFUSED, client_flags=("not_trusted",))
    stored("identity/accepted-unchecked", made(outcome=Outcome.CONNECTED, by=None, expected=expected))
