"""A certificate that was made: its bytes, its two files and the facts for predictions.

Knows no cryptography; `harness.certificates.factory` fills these records.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.model import KeyFacts


class Unavailable(HarnessError):
    """The cryptography library of this machine cannot make a profile; a case that needs it is `unsupported` with this text.

    Args:
        profile: name of the profile in `certs/`.
        reason: what is missing here.
    """

    def __init__(self, profile: str, reason: str) -> None:
        super().__init__(f"cannot generate the certificate of profile {profile!r} on this machine: {reason}")
        self.profile = profile
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        return (Unavailable, (self.profile, self.reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One profile, made: what the server loads from files and what the board gets as bytes.

    `key_file` (mode 0600) and `chain_file` are PEM in a private directory that goes away with the `Certificates` that
    made them. `key_der` is PKCS#1 for RSA, SEC1 for EC and PKCS#8 for anything else: the form every firmware takes that
    can take the key at all (MicroPython 1.23 refuses PKCS#8). `key_pem` is the same form as text. `chain_pem` is the
    certificate and what is sent after it. `root_*` is the certificate at the top of the issuers, to be trusted.
    The key belongs to another pair where the profile says `foreign_key`; `facts` always describe the certificate.
    `facts.chain_bytes` is the DER length of all of `chain_der`. `password` is that of the user's own `key_file`.
    """

    name: str
    key_file: Path
    chain_file: Path
    certificate_pem: bytes
    certificate_der: bytes
    chain_pem: bytes
    chain_der: tuple[bytes, ...]
    key_pem: bytes
    key_der: bytes
    key_pkcs8_der: bytes
    root_pem: bytes
    root_der: bytes
    facts: KeyFacts
    password: str | None = None

    def __repr__(self) -> str:
        # A private key must not end up in a test failure or a report through the repr that dataclasses write.
        return f"Material(name={self.name!r}, facts={self.facts!r})"
