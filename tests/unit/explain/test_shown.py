"""Certificates as evidence: names, issuer, dates; damaged ones are omitted."""

from harness.explain.shown import read_certificates


def test_names_and_issuer(certificates):
    """The alternative names and the issuer are shown."""
    (shown,) = read_certificates((certificates.make("server-p256").certificate_der,))
    assert (shown.subject, shown.issuer, shown.is_self_issued) == ("CN=tls.test", "CN=TLS harness ca-p256", False)
    assert shown.names_text == "tls.test"
    assert shown.not_before < shown.not_after


def test_common_name_only(certificates):
    """Without alternative names, the common name is shown."""
    (shown,) = read_certificates((certificates.make("server-common-name-only").certificate_der,))
    assert shown.names_text == "CN=tls.test"


def test_pem_is_read_too(certificates):
    """A PEM certificate is read too, because a board may get the file's text."""
    made = certificates.make("ca-p256")
    assert read_certificates((made.certificate_pem,)) == read_certificates((made.certificate_der,))


def test_many_names_are_cut(certificates):
    """A long list of names is cut."""
    (shown,) = read_certificates((certificates.make("server-names-400").certificate_der,))
    assert shown.names_text.endswith(" more")
    assert len(shown.names_text) < 200


def test_damaged_certificates_are_omitted(certificates):
    """A certificate that cannot be read is omitted without an error."""
    good = certificates.make("server-self-signed").certificate_der
    shown = read_certificates((b"", b"\x30\x03\x02\x01\x01", good[:-20], good))
    assert [item.is_self_issued for item in shown] == [True]
