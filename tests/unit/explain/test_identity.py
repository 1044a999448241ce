"""Certificates that are not trusted: each rule matches only its own failure and gives the stored text."""

import dataclasses
from pathlib import Path

import pytest

from harness.certificates.placed import Origin, placed
from harness.explain import candidates
from harness.model import Alert, ClientPlan, Expectation, ExpectedAlert, Outcome, Verify
from harness.wire.reading import WireReading
from tests.certificate_issuer import NOW, issue

NOT_TRUSTED = "\nThe certificate is not correctly signed by the trusted CA\n"
PLAN = ClientPlan(verify=Verify.REQUIRED, ca=("x",), server_hostname="tls.test")


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


@pytest.mark.parametrize(
    ("client", "fix"),
    [
        (ClientPlan(verify=Verify.OPTIONAL, ca=("root",)), "load the CA that issued the server's certificate, as DER"),
        (ClientPlan(verify=Verify.REQUIRED), "load the CA that issued the server's certificate, as DER"),
        (
            ClientPlan(verify=Verify.REQUIRED, ca=("root",), server_hostname=None),
            "pass server_hostname to wrap_socket: without it the board compares no name",
        ),
        (
            ClientPlan(verify=Verify.REQUIRED, ca=("root",), server_hostname="tls.test"),
            "report it to the firmware's developers: the board has the CA, the name and CERT_REQUIRED",
        ),
    ],
)
def test_f17_a_ca_that_is_loaded_is_not_loaded_again(made, client, fix):
    """A certificate was accepted wrongly: the fix is what the board's settings lack, if they lack anything."""
    expected = Expectation(source="stated", outcome=Outcome.REFUSED, client_flags=frozenset({"cn_mismatch"}))
    (said,) = candidates(made(outcome=Outcome.CONNECTED, by=None, expected=expected, client=client))
    assert said.rule == "identity/accepted-unchecked"
    assert [item.title for item in said.fixes] == [fix]


@pytest.fixture
def refused(made):
    """Return a result in which the board does not trust what was sent, with certificates as `(file, [certificates])`."""

    def make(sent, trusted, nearby=(), *, form="pem"):
        wire = WireReading(certificates=tuple(one.der for one in sent))
        places = [
            at
            for origin, groups in ((Origin.TRUSTED, trusted), (Origin.NEARBY, nearby))
            for file, many in groups
            for at in placed([one.der for one in many], origin=origin, file=Path(file), form=form)
        ]
        if form == "der":
            places = [dataclasses.replace(at, unused=at.number > 1) for at in places]
        return made("ValueError", NOT_TRUSTED, client=PLAN, wire=wire, server_places=places)

    return make


def test_the_missing_intermediate_is_in_the_folder(refused, stored):
    """Its file is named, and the chain is put together from the user's files."""
    root = issue("Root", ca=True)
    inter = issue("Inter", root, ca=True)
    leaf = issue("tls.test", inter)
    near = [("/home/me/server.pem", [leaf]), ("/home/me/int.pem", [inter])]
    stored("identity/missing-intermediate", refused([leaf], [("ca.pem", [root])], near))


def test_a_der_file_with_two_certificates(refused, stored):
    """The second one is the CA."""
    root, other = issue("Root", ca=True), issue("Other", ca=True)
    stored("identity/ca-not-loaded", refused([issue("tls.test", root)], [("ca.der", [other, root])], form="der"))


def test_the_other_ca(refused, stored):
    """The CA that issued the certificate is in the folder."""
    root, other = issue("Root", ca=True), issue("Other", ca=True)
    stored(
        "identity/other-ca", refused([issue("tls.test", root)], [("ca.pem", [other])], [("/home/me/root.pem", [root])])
    )


def test_a_chain_that_looks_complete(refused, stored):
    """Nothing is wrong with it here."""
    root = issue("Root", ca=True)
    stored("identity/broken-chain", refused([issue("tls.test", root)], [("ca.pem", [root])]))


def test_a_certificate_in_the_chain_that_cannot_be_read(refused):
    """It is named by its place."""
    root = issue("Root", ca=True)
    damaged = dataclasses.replace(root, der=b"x")
    (said,) = candidates(refused([issue("tls.test", root), damaged], [("ca.pem", [root])]))
    assert (said.rule, said.title) == (
        "identity/broken-chain",
        "the second certificate that the server sends cannot be read",
    )


def test_where_the_unknown_issuer_can_be_downloaded(refused):
    """Public CAs write the address into the certificate."""
    inter = issue("Inter", ca=True)
    leaf = issue("tls.test", inter, url="http://ca.test/inter.der")
    (said,) = candidates(refused([leaf], [("ca.pem", [issue("Root", ca=True)])]))
    assert said.rule == "identity/unknown-issuer"
    assert said.why[-1] == "the issuer's certificate can be downloaded from http://ca.test/inter.der"


@pytest.mark.parametrize(
    ("code", "words", "title", "fix"),
    [
        (
            42,
            {"dns": ("a.test",)},
            "the server's certificate is for a.test, not for 192.0.2.1",
            "issue the certificate",
        ),
        (
            42,
            {"ip": ("192.0.2.1",)},
            "the server's certificate has the address 192.0.2.1 only as a name of type IP, which this firmware does not compare",
            "issue the certificate",
        ),
        (45, {"days": (-9, -2)}, "the server's certificate expired on 2026-05-30", "issue the certificate"),
    ],
)
def test_one_number_and_the_one_reason(made, code, words, title, fix):
    """The alert says which kind of reason it is, and the chain which certificate; an address also has a newer firmware as fix."""
    root = issue("Root", ca=True)
    alert = Alert(sender="client", level="fatal", code=code, name="x")
    seconds = int(NOW.timestamp())
    info = made.board("1.20.0", clock_unix_s=seconds, hello_unix_s=seconds, hello=made.hello)
    wire = WireReading(certificates=(issue("tls.test", root, **words).der,))
    plan = dataclasses.replace(PLAN, server_hostname="192.0.2.1")
    trusted = placed((root.der,), origin=Origin.TRUSTED)
    (said,) = candidates(
        made("OSError", -9984, info=info, alerts=(alert,), client=plan, wire=wire, server_places=trusted)
    )
    assert (
        said.title
        == f"the board rejects the certificate: {title}; this firmware has one number for every reason (trust, name, date, hash, memory)"
    )
    assert said.fixes[0].title.startswith(fix)
    assert any("compares names of type IP" in item.title for item in said.fixes) is ("ip" in words)
