"""Recognise allocation failures by their names."""

import pytest

from harness.model import ClientFailure, Stage
from harness.oracle.out_of_memory import is_out_of_memory


@pytest.mark.parametrize(
    ("type_", "number", "name", "expected"),
    [
        ("MemoryError", None, None, True),
        ("OSError", 12, "ENOMEM", True),
        ("OSError", -12, None, True),
        ("OSError", 16, "MBEDTLS_ERR_MPI_ALLOC_FAILED", True),
        ("OSError", -17040, "MBEDTLS_ERR_RSA_PUBLIC_FAILED|MBEDTLS_ERR_MPI_ALLOC_FAILED", True),
        ("OSError", -32512, "MBEDTLS_ERR_SSL_ALLOC_FAILED", True),
        ("OSError", 104, "ECONNRESET", False),
        ("OSError", -30592, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE", False),
        ("ValueError", None, None, False),
    ],
)
def test_names(type_, number, name, expected):
    """They are recognised by type, by number, or by any of the names that a number may have."""
    failure = ClientFailure(type=type_, args=(number,), number=number, flags=None, name=name, stage=Stage.HANDSHAKE)
    assert is_out_of_memory(failure) is expected
