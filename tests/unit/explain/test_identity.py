"""Certificates that are not trusted: each rule matches only its own failure and gives the stored text."""

from harness.model import Expectation, Outcome


def test_one_number_for_all(made, stored):
    """1.20 and 1.21 have one number for every reason (invented: no such interpreter here; micropython #10832)."""
    result = made("OSError", -9984, "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED", info=made.board("1.20.0"))
    stored("identity/one-number-for-all", result)


def test_other_reason(made, stored):
    """An uncommon text of mbedTLS is shown unchanged (invented)."""
    stored("identity/other-reason", made("ValueError", "\nThe certificate has been revoked (is on a CRL)\n"))


def test_accepted_unchecked(made, stored):
    """Insecure: accepted what had to be refused (invented)."""
    expected = Expectation(source="stated", outcome=Outcome.REFUSED, client_flags=("not_trusted",))
    stored("identity/accepted-unchecked", made(outcome=Outcome.CONNECTED, by=None, expected=expected))
