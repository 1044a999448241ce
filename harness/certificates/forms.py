"""The form in which the board gets a certificate or key: DER, PEM, several at once, or damaged on purpose.

Pure: made material in, bytes out. `harness.boards.session` sends them; what a client must do with each is said by the
cases that use it.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.certificates.material import Material
from harness.errors import UsageError

GARBAGE = b"this is neither PEM nor DER"

CA_FORMATS = ("der", "pem", "pem-bundle", "damaged-bundle", "pem-cut", "garbage")
CERTIFICATE_FORMATS = ("der", "pem", "pkcs8", "pem-chain", "garbage-certificate", "garbage-key")


def authorities(materials: Sequence[Material], *, form: str) -> list[bytes]:
    """Return the arguments of `load_verify_locations`, one per call.

    Args:
        materials: the trusted certificates.
        form: one of `CA_FORMATS`. A bundle is one text with all of them, `damaged-bundle` with the last one broken;
            `pem-cut` is the first half of the first one, `garbage` no certificate at all.
    """
    if form == "der":
        return [each.certificate_der for each in materials]
    if form == "pem":
        return [each.certificate_pem for each in materials]
    if form == "pem-bundle":
        return [b"".join(each.certificate_pem for each in materials)]
    if form == "damaged-bundle":
        whole = b"".join(each.certificate_pem for each in materials[:-1])
        return [whole + _without_middle(materials[-1].certificate_pem)]
    if form == "pem-cut":
        return [materials[0].certificate_pem[: len(materials[0].certificate_pem) // 2]]
    if form == "garbage":
        return [GARBAGE]
    raise UsageError(f"ca_format {form!r}: expected one of {', '.join(CA_FORMATS)}")


def own_certificate(material: Material, *, form: str) -> tuple[bytes, bytes]:
    """Return (certificate, key) for `load_cert_chain`.

    Args:
        material: the client certificate.
        form: one of `CERTIFICATE_FORMATS`. `der` has the key as PKCS#1 or SEC1, `pkcs8` as PKCS#8; `pem-chain` adds
            the intermediates to the certificate.
    """
    if form == "der":
        return material.certificate_der, material.key_der
    if form == "pem":
        return material.certificate_pem, material.key_pem
    if form == "pkcs8":
        return material.certificate_der, material.key_pkcs8_der
    if form == "pem-chain":
        return material.chain_pem, material.key_pem
    if form == "garbage-certificate":
        return GARBAGE, material.key_der
    if form == "garbage-key":
        return material.certificate_der, GARBAGE
    raise UsageError(f"certificate_format {form!r}: expected one of {', '.join(CERTIFICATE_FORMATS)}")


def _without_middle(pem: bytes) -> bytes:
    """Remove lines from the middle: still PEM, but not a certificate."""
    lines = pem.splitlines(keepends=True)
    middle = len(lines) // 2
    return b"".join(lines[: middle - 1] + lines[middle + 1 :])
