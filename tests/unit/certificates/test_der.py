"""DER is split and joined without loss, and damaged DER is refused."""

from __future__ import annotations

import subprocess

import pytest

from harness.certificates import Certificates, build, der


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_tlv_writes_the_shortest_length(length: int) -> None:
    """The length octets are the definite, shortest form (X.690 section 10.1), and are read back."""
    element = der.tlv(der.OCTET_STRING, b"x" * length)
    header = {0: "0400", 1: "0401", 127: "047f", 128: "048180", 255: "0481ff", 256: "04820100", 65535: "0482ffff"}
    assert element.hex().startswith(header.get(length, "0483010000"))
    assert der.children(der.tlv(der.SEQUENCE, element + element)) == [element, element]


def test_children_of_a_certificate_are_complete(made: Certificates) -> None:
    """A certificate is body, algorithm and signature, and nothing is lost between them."""
    certificate = made.make("server-p256").certificate_der
    parts = der.children(certificate)
    assert len(parts) == 3
    assert der.tlv(der.SEQUENCE, b"".join(parts)) == certificate


def test_children_refuse_a_certificate_cut_anywhere(made: Certificates) -> None:
    """Every shortened certificate, and a lengthened one, is a ValueError."""
    certificate = made.make("server-p256").certificate_der
    for end in range(len(certificate)):
        with pytest.raises(ValueError, match=r"cut off|no length"):
            der.children(certificate[:end])
    with pytest.raises(ValueError, match="1 bytes after the element"):
        der.children(certificate + b"\0")


def test_children_refuse_an_element_that_is_too_long() -> None:
    """An inner element may not be longer than its container."""
    with pytest.raises(ValueError, match="the element is cut off"):
        der.children(der.tlv(der.SEQUENCE, bytes.fromhex("0405aabb")))


def test_resigned_replaces_both_algorithm_identifiers(made: Certificates) -> None:
    """Inner and outer identifier are the same (RFC 5280 section 4.1.1.2), and the signature covers the new body."""
    certificate = made.make("server-p256").certificate_der
    seen: list[bytes] = []

    def sign(body: bytes) -> bytes:
        seen.append(body)
        return b"signature"

    algorithm = der.WEAK_SIGNATURES["sha1", "EC"]
    body, outer, signature = der.children(der.resigned(certificate, sign=sign, signature=algorithm))
    assert outer == algorithm
    assert der.children(body)[2] == algorithm
    assert signature.endswith(b"\0signature")
    assert seen == [body]


@pytest.mark.parametrize(
    ("kind", "name"), [("p224", "secp224r1"), ("p256", "prime256v1"), ("p384", "secp384r1"), ("p521", "secp521r1")]
)
def test_a_curve_that_is_spelled_out_is_that_of_openssl(kind: str, name: str) -> None:
    """The parameters are byte for byte those that `openssl ecparam -param_enc explicit` writes, without the optional seed."""
    command = ["openssl", "ecparam", "-name", name, "-param_enc", "explicit", "-no_seed", "-outform", "der"]
    try:
        written = subprocess.run(command, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this machine's openssl does not write them: {error}")
    _oid, parameters = der.children(der.explicit_curve(build.prime_curve(kind)))
    assert parameters == written
