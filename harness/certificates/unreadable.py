"""What the library raises for a certificate that it cannot read, or does not know a part of: not all of it is a ValueError."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm

#: Unknown algorithms, a version that no RFC has, an extension that is there twice, a kind of name that it does not know.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    InternalError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
