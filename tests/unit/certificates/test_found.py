"""harness.certificates.found: certificates that the harness did not make."""

from pathlib import Path

from harness.certificates.found import material_of, pem_of
from harness.model import KeyFacts


def test_a_chain(certificates):
    """The first certificate is the server's and the last one the root; the key is in its file only, by its absolute path."""
    made = certificates.make("server-chain-with-root")
    found = material_of("given", made.chain_der, chain_file=Path("c.pem"), key_file=Path("k.pem"))
    assert (found.name, found.chain_file, found.key_file) == (
        "given",
        Path("c.pem").absolute(),
        Path("k.pem").absolute(),
    )
    assert (found.certificate_der, found.root_der) == (made.chain_der[0], made.chain_der[-1])
    assert found.chain_pem == pem_of(made.chain_der) == made.chain_pem
    assert (found.certificate_pem, found.root_pem) == (pem_of(made.chain_der[:1]), pem_of(made.chain_der[-1:]))
    assert (found.key_pem, found.key_der, found.key_pkcs8_der) == (b"", b"", b"")
    assert found.facts == made.facts


def test_what_is_no_certificate():
    """It is kept as it is, with an unknown key: the server refuses it, and its own error is the better one."""
    found = material_of("given", (b"junk", b"more"))
    assert found.facts == KeyFacts(type="unknown", bits=0, chain_bytes=8)
