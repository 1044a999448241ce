"""Too little heap: each rule matches only its own failure and gives the stored text."""

import pytest

from harness.explain import candidates
from harness.model import Stage


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("OSError", (16,)),
        ("OSError", (12,)),
        ("OSError", (-17040, "MBEDTLS_ERR_RSA_PUBLIC_FAILED+MBEDTLS_ERR_MPI_ALLOC_FAILED")),
        ("OSError", (-17168, "RSA - The private key operation failed : BIGNUM - Memory allocation failed")),
        ("OSError", (-10368,)),
        ("OSError", (106,)),
        ("MemoryError", ("memory allocation failed, allocating 16725 bytes",)),
    ],
)
def test_every_name_of_it(kind, args, made):
    """Every error that a lack of memory causes has the same explanation (invented: the virtual board has enough)."""
    assert [item.rule for item in candidates(made(kind, *args))] == ["memory/out-of-memory"]


def test_out_of_memory(made, stored):
    """OSError 16 is printed as EBUSY but means MPI_ALLOC_FAILED."""
    stored("memory/out-of-memory", made("OSError", 16, free_before=30000))


@pytest.mark.parametrize(
    ("stage", "when", "fix"),
    [
        (Stage.CONFIG, "while it loaded its certificates and its key", "free memory before the handshake"),
        (Stage.HANDSHAKE, "in the handshake", "free memory before the handshake"),
        (Stage.WRITE, "while it wrote, after a good handshake", "read and write in pieces of at most 1 KB"),
        (Stage.READ, "while it read, after a good handshake", "read and write in pieces of at most 1 KB"),
    ],
)
def test_d3_when_memory_ran_out(made, stage, when, fix):
    """What was tried at that moment decides what helps: a smaller key is no fix for a large write."""
    (said,) = candidates(made("MemoryError", stage=stage))
    assert (said.title, said.fixes[0].title) == (f"the board ran out of memory {when}", fix)
    advises_key = any("smaller server key" in item.title for item in said.fixes)
    assert advises_key is (stage in (Stage.CONFIG, Stage.HANDSHAKE))


def test_looks_like_a_bad_certificate(made, stored):
    """A good chain is reported as untrusted if the heap runs out during the check."""
    text = "\nThe certificate is not correctly signed by the trusted CA\n"
    stored("memory/looks-like-a-bad-certificate", made("ValueError", text, free_before=30000))


def test_with_enough_heap_it_is_the_certificate(made):
    """With 100 kB free, the same message means the certificate."""
    text = "\nThe certificate is not correctly signed by the trusted CA\n"
    assert [item.rule for item in candidates(made("ValueError", text, free_before=100000))] == [
        "identity/unknown-issuer"
    ]
