"""Certificates with their places."""

from harness.certificates.placed import Origin, Placed, placed


def test_the_certificates_of_a_file():
    """Numbered from one; one file, one form."""
    assert placed((b"a", b"b"), origin=Origin.NEARBY, file="x.der", form="der") == (
        Placed(der=b"a", origin=Origin.NEARBY, file="x.der", number=1, count=2, form="der"),
        Placed(der=b"b", origin=Origin.NEARBY, file="x.der", number=2, count=2, form="der"),
    )
