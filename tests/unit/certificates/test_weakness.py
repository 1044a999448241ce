"""What is weak in a chain: short keys and old hashes, of the leaf and of its CAs."""

from __future__ import annotations

import pytest

from harness.certificates import Certificates
from harness.certificates.weakness import weak_links


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("server-p256", ()),
        ("server-p224", ()),
        ("server-rsa2048", ()),
        ("server-ed25519", ()),
        ("server-rsa-pss", ()),
        ("server-rsa1024", ("1024-bit RSA key",)),
        ("server-sha1", ("SHA-1 signature on the certificate",)),
        ("server-rsa2048-md5", ("MD5 signature on the certificate",)),
        # The root's own signature is never verified.
        ("server-under-sha1-root", ()),
    ],
)
def test_chains(name: str, expected: tuple[str, ...], made: Certificates) -> None:
    """Keys below 2048 and 224 bits and signatures with MD5 or SHA-1, except that of a root."""
    material = made.make(name)
    assert weak_links((*material.chain_der, material.root_der)) == expected
    assert material.facts.weak == expected


def test_a_ca_is_named(made: Certificates) -> None:
    """A short key above the leaf is a CA's, whether it is sent or not; an unreadable certificate is passed over."""
    by_short_key = made.make("server-p256-by-rsa1024")
    chain = (by_short_key.certificate_der, b"damaged", by_short_key.root_der)
    assert weak_links(chain) == ("1024-bit RSA key of a CA",)
    assert weak_links((b"damaged",)) == weak_links(()) == ()


def test_each_weakness_once(made: Certificates) -> None:
    """The same words of two certificates are one."""
    root = made.make("server-p256-by-rsa1024").root_der
    leaf = made.make("server-p256").certificate_der
    assert weak_links((leaf, root, root)) == ("1024-bit RSA key of a CA",)
