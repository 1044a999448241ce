"""Allocation failures by their many names. Pure."""

from __future__ import annotations

from harness.model import ClientFailure
from harness.wire import mbedtls_numbers as mbedtls

_ENOMEM = 12


def is_out_of_memory(failure: ClientFailure) -> bool:
    """Whether a client failed because an allocation failed: MemoryError, ENOMEM, -17040, or 16 (mbedTLS -16 as an errno).

    A certificate that is called bad because memory is short is not recognised: it looks like any other.
    """
    if failure.type == "MemoryError" or failure.number in (_ENOMEM, -_ENOMEM, mbedtls.SSL_ALLOC_FAILED):
        return True
    return any(name.endswith("ALLOC_FAILED") or name == "ENOMEM" for name in (failure.name or "").split("|"))
