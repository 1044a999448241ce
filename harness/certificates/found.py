"""A certificate that was made elsewhere, as the record that profiles have too. Bytes in, record out; opens no file."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path

from harness.certificates.material import Material
from harness.certificates.reading import key_facts
from harness.model import KeyFacts


def material_of(name: str, chain: tuple[bytes, ...], *, chain_file: Path = Path(), key_file: Path = Path()) -> Material:
    """Return a record of the user's certificate; its key is in `key_file` only, which is neither read nor copied.

    Args:
        name: under which settings name it.
        chain: DER: the certificate, then what is sent after it. The last one is taken for the root.
        chain_file: PEM with the chain, for the server.
        key_file: PEM with the key, for the server.

    Not checked: that the chain is one, and that the key fits. A key that TLS does not support has the type `unknown`: the server
    reports it itself.
    """
    try:
        facts = key_facts(chain)
    except ValueError:
        facts = KeyFacts(type="unknown", bits=0, chain_bytes=sum(map(len, chain)))
    return Material(
        name=name,
        key_file=key_file.absolute(),
        chain_file=chain_file.absolute(),
        certificate_pem=pem_of(chain[:1]),
        certificate_der=chain[0],
        chain_pem=pem_of(chain),
        chain_der=chain,
        key_pem=b"",
        key_der=b"",
        key_pkcs8_der=b"",
        root_pem=pem_of(chain[-1:]),
        root_der=chain[-1],
        facts=facts,
    )


def pem_of(chain: Iterable[bytes]) -> bytes:
    """Return DER certificates as one PEM text."""
    return "".join(map(ssl.DER_cert_to_PEM_cert, chain)).encode("ascii")
