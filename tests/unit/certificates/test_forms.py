"""The forms in which the board gets certificates and keys, read back by the cryptography package, which did not make them."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.certificates import Certificates
from harness.certificates.forms import CA_FORMATS, CERTIFICATE_FORMATS, GARBAGE, authorities, own_certificate
from harness.errors import UsageError

TRUSTED = ("ca-p256", "ca-rsa")


@pytest.fixture(scope="module")
def trusted(made: Certificates):
    """Return two certificates to trust."""
    return [made.make(name) for name in TRUSTED]


@pytest.fixture(scope="module", params=["client-p256", "client-rsa2048"])
def own(request, made: Certificates):
    """Return a client's own certificate, with either kind of key."""
    return made.make(request.param)


def serials(pem: bytes) -> list[int]:
    """Return the certificates in a text, by serial number."""
    return [each.serial_number for each in x509.load_pem_x509_certificates(pem)]


def test_der_is_one_call_per_certificate(trusted):
    """DER cannot contain two certificates in one argument."""
    given = authorities(trusted, form="der")
    assert [x509.load_der_x509_certificate(each).subject for each in given] == [
        x509.load_pem_x509_certificate(each.certificate_pem).subject for each in trusted
    ]


def test_pem_one_by_one_or_as_a_bundle(trusted):
    """A bundle is one text with all of them, in their order."""
    alone = [serials(each) for each in authorities(trusted, form="pem")]
    assert [len(each) for each in alone] == [1, 1]
    (bundle,) = authorities(trusted, form="pem-bundle")
    assert serials(bundle) == [each for (each,) in alone]


def test_a_damaged_bundle_still_looks_like_pem(trusted):
    """Only the last certificate is damaged, and only inside: a client that counts BEGIN and END finds no error."""
    (whole,) = authorities(trusted, form="pem-bundle")
    (damaged,) = authorities(trusted, form="damaged-bundle")
    for line in (b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"):
        assert (damaged.count(line), whole.count(line)) == (2, 2)
    good, _, bad = damaged.partition(b"-----END CERTIFICATE-----\n")
    assert serials(good + b"-----END CERTIFICATE-----\n") == serials(trusted[0].certificate_pem)
    with pytest.raises(ValueError):  # noqa: PT011 # the parser's text is OpenSSL's or Rust's, by release
        serials(bad)


def test_a_cut_text_has_no_end(trusted):
    """It is half a certificate, like a file that was not transferred completely."""
    (cut,) = authorities(trusted, form="pem-cut")
    assert trusted[0].certificate_pem.startswith(cut)
    assert b"-----BEGIN CERTIFICATE-----" in cut
    assert b"-----END" not in cut


def test_garbage_is_not_a_certificate(trusted, own):
    """Neither form begins like it: `-----` is PEM, 30 is a DER sequence; the other part of a pair is intact."""
    assert authorities(trusted, form="garbage") == [GARBAGE]
    assert not GARBAGE.startswith((b"-----", b"\x30"))
    assert own_certificate(own, form="garbage-certificate") == (GARBAGE, own.key_der)
    assert own_certificate(own, form="garbage-key") == (own.certificate_der, GARBAGE)


@pytest.mark.parametrize("form", ["der", "pem", "pkcs8", "pem-chain"])
def test_certificate_and_key_are_a_pair(own, form):
    """Whatever the form, the key is the certificate's."""
    certificate, key = own_certificate(own, form=form)
    if form.startswith("pem"):
        loaded, private = x509.load_pem_x509_certificate(certificate), serialization.load_pem_private_key(key, None)
    else:
        loaded, private = x509.load_der_x509_certificate(certificate), serialization.load_der_private_key(key, None)
    assert private.public_key() == loaded.public_key()


def test_pkcs8_is_another_form_of_the_same_key(own):
    """Only the key's envelope differs, so nothing else distinguishes firmware that cannot read PKCS#8."""
    assert own_certificate(own, form="der")[0] == own_certificate(own, form="pkcs8")[0]
    plain, wrapped = own_certificate(own, form="der")[1], own_certificate(own, form="pkcs8")[1]
    assert plain != wrapped
    # RFC 5208: the older form is an OCTET STRING inside; for EC without the curve, which is outside.
    key = serialization.load_der_private_key(plain, None)
    assert wrapped == key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_a_chain_adds_the_intermediates(made: Certificates):
    """The certificate comes first (RFC 8446 section 4.4.2), then its issuer."""
    deep = made.make("client-depth-2")
    alone, key = own_certificate(deep, form="pem")
    chain, same_key = own_certificate(deep, form="pem-chain")
    assert same_key == key
    assert serials(chain)[0] == serials(alone)[0]
    assert len(serials(chain)) == len(deep.chain_der) > 1


def test_every_form_is_known(trusted, own):
    """An unknown form is refused with the list of those that are accepted."""
    assert all(authorities(trusted, form=form) for form in CA_FORMATS)
    assert all(all(own_certificate(own, form=form)) for form in CERTIFICATE_FORMATS)
    with pytest.raises(UsageError, match="ca_format 'p12': expected one of der, pem, pem-bundle, "):
        authorities(trusted, form="p12")
    with pytest.raises(UsageError, match="certificate_format 'p12': expected one of der, pem, pkcs8, "):
        own_certificate(own, form="p12")
