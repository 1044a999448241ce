"""Too little heap: each rule fits its own failure alone, and says it in the stored words."""

import pytest


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
    """Every error that running out of memory causes has the one explanation (hand-made: the virtual board has enough)."""
    assert [item.rule for item in made(kind, *args).fitting()] == ["memory/out-of-memory"]


def test_out_of_memory(made, stored):
    """OSError 16 prints as EBUSY and is MPI_ALLOC_FAILED."""
    stored("memory/out-of-memory", made("OSError", 16, free_before=30000))


def test_looks_like_a_bad_certificate(made, stored):
    """A good chain is called untrusted when the heap runs out while it is checked."""
    text = "\nThe certificate is not correctly signed by the trusted CA\n"
    stored("memory/looks-like-a-bad-certificate", made("ValueError", text, free_before=30000))


def test_with_enough_heap_it_is_the_certificate(made):
    """The same message with 100 kB free is what it says."""
    text = "\nThe certificate is not correctly signed by the trusted CA\n"
    assert [item.rule for item in made("ValueError", text, free_before=100000).fitting()] == ["identity/unknown-issuer"]
