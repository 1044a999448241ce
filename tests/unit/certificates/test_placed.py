"""Certificates with their places."""

from pathlib import Path

from harness.certificates.placed import Origin, Placed, placed


def test_the_certificates_of_a_file():
    """Numbered from one; the name is shown as the user wrote it, commands get the absolute path."""
    source = str(Path.cwd() / "x.der")
    assert placed((b"a", b"b"), origin=Origin.NEARBY, file=Path("x.der"), form="der") == (
        Placed(der=b"a", origin=Origin.NEARBY, file="x.der", source=source, number=1, count=2, form="der"),
        Placed(der=b"b", origin=Origin.NEARBY, file="x.der", source=source, number=2, count=2, form="der"),
    )
    assert placed((b"a",), origin=Origin.SENT) == (Placed(der=b"a", origin=Origin.SENT),)
