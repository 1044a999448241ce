"""Certificates that are not trusted: each rule matches only its own failure and gives the stored text."""

import dataclasses

import pytest

from harness.explain import candidates
from harness.model import Alert, ClientPlan, Expectation, ExpectedAlert, Outcome, Verify


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


@pytest.mark.parametrize(
    ("code", "name", "reason", "fix"),
    [
        (42, "bad_certificate", "it is for another host", "issue the certificate again"),
        (43, "unsupported_certificate", "a key in its chain is too short", "give the server an EC key"),
        (45, "certificate_expired", "it has expired", "issue the certificate again"),
        (46, "certificate_unknown", "its hash is too old, or it is not valid yet", "issue the certificate again"),
        (48, "unknown_ca", "no CA that the board trusts issued it", "send the intermediates too"),
    ],
)
def test_the_alert_has_the_reason(made, code, name, reason, fix):
    """One number, but the alert differs: the first fix helps against that reason, and a newer firmware comes last."""
    alert = Alert(sender="client", level="fatal", code=code, name=name)
    (said,) = candidates(made("OSError", -9984, info=made.board("1.20.0"), alerts=(alert,)))
    assert said.title.startswith(f"the board rejects the certificate: {reason}; this firmware has one number")
    assert said.fixes[0].title.startswith(fix)
    assert said.fixes[-1].title == "update the board's firmware: 1.22 and later report the reason"


def test_an_expired_certificate_and_a_clock_that_was_never_set(made):
    """If the board's clock is wrong, setting it comes first."""
    alert = Alert(sender="client", level="fatal", code=45, name="certificate_expired")
    info = made.board("1.20.0", clock_unix_s=946684800)
    (said,) = candidates(made("OSError", -9984, info=info, alerts=(alert,)))
    assert said.fixes[0].title == "set the board's clock before connecting, in UTC"


def test_accepted_by_a_library_without_dates(made):
    """The CA is loaded and was checked; the library has no clock. The note of the expectation is the reason."""
    alert = ExpectedAlert(sender="client", code=45, name="certificate_expired")
    expected = Expectation(
        source="stated", outcome=Outcome.REFUSED, client_number=-9984, alert=alert, note="no date is checked"
    )
    hello = dataclasses.replace(made.hello, random="00" * 32)
    words = {"outcome": Outcome.CONNECTED, "by": None, "expected": expected}
    info = made.board("1.20.0", hello=hello, hello_unix_s=1767225600)
    (said,) = candidates(made(info=info, client=ClientPlan(verify=Verify.REQUIRED, ca=("root",)), **words))
    assert (said.rule, said.why) == ("clock/dates-not-checked", ("no date is checked",))
    (said,) = candidates(made(info=info, client=ClientPlan(verify=Verify.NONE), **words))
    assert said.rule == "identity/accepted-unchecked"
