"""The records of a chain that is followed: certificates with their places, what a verifier checks, and the problems found. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.certificates.name_constraints import Violation
from harness.certificates.parsed import Parsed
from harness.certificates.placed import Origin, Placed

# Critical extensions that mbedTLS can read (library/x509_crt.c, x509_get_crt_ext): key identifiers, usages, names, constraints, policies.
MBEDTLS_EXTENSIONS = frozenset(f"2.5.29.{last}" for last in (14, 15, 17, 19, 32, 35, 37)) | {"2.16.840.1.113730.1.1"}
# Those that OpenSSL can read in addition: names that a CA may issue for, and policies (crypto/x509/v3_purp.c, X509_supported_extension).
OPENSSL_EXTENSIONS = MBEDTLS_EXTENSIONS | {"2.5.29.30", "2.5.29.36", "2.5.29.54"}


class Reason(StrEnum):
    """Why a verifier refuses a certificate; the first group concerns trust, in the order in which problems are named."""

    UNREADABLE = "unreadable"
    SELF_SIGNED = "self-signed"
    LEAF_TRUSTED = "leaf-trusted"
    NOT_CA = "not-ca"
    NO_BASIC_CONSTRAINTS = "no-basic-constraints"
    NO_CERT_SIGN = "no-cert-sign"
    PATH_LENGTH = "path-length"
    WRONG_ORDER = "wrong-order"
    NOT_LOADED = "not-loaded"
    OTHER_KEY = "other-key"
    MISSING = "missing"
    OTHER_CA = "other-ca"
    UNKNOWN_ISSUER = "unknown-issuer"
    UNTRUSTED_ROOT = "untrusted-root"
    NO_ROOT = "no-root"
    UNCHECKED_SIGNATURE = "unchecked-signature"
    EXTENSION = "extension"
    SIGNATURE_ALGORITHM = "signature-algorithm"
    KEY_TOO_SHORT = "key-too-short"
    CURVE = "curve"
    EXPLICIT_CURVE = "explicit-curve"
    HASH = "hash"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    NAME_CONSTRAINT = "name-constraint"
    CA_PURPOSE = "ca-purpose"
    PURPOSE = "purpose"
    KEY_USAGE = "key-usage"
    NO_NAME = "no-name"
    ADDRESS_NAME = "address-name"
    OTHER_NAME = "other-name"


TRUST = frozenset(list(Reason)[: list(Reason).index(Reason.EXTENSION)])
NOT_AN_ISSUER = frozenset({Reason.NOT_CA, Reason.NO_BASIC_CONSTRAINTS, Reason.NO_CERT_SIGN, Reason.PATH_LENGTH})
KEYS = frozenset({Reason.KEY_TOO_SHORT, Reason.CURVE, Reason.EXPLICIT_CURVE})
NAMES = frozenset({Reason.NO_NAME, Reason.ADDRESS_NAME, Reason.OTHER_NAME})
USES = frozenset({Reason.PURPOSE, Reason.KEY_USAGE, Reason.CA_PURPOSE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A certificate that could be read, with its place."""

    parsed: Parsed
    at: Placed

    @property
    def trusted(self) -> bool:
        """Whether the verifier trusts it."""
        return self.at.origin is Origin.TRUSTED and not self.at.unused


class Role(StrEnum):
    """The place of a certificate in its chain."""

    LEAF = "leaf"
    INTERMEDIATE = "intermediate"
    ROOT = "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One certificate and one reason.

    `other` is the certificate that belongs to the reason: the one that would fit, or the one that has the same name. `detail` is the
    value: a date, a size, a hash, a name; `violation` the name that a CA (`other`) may not issue for.
    """

    reason: Reason
    role: Role
    at: Placed
    link: Link | None = None
    other: Link | None = None
    detail: str = ""
    violation: Violation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one verifier checks. The defaults are those of MicroPython's mbedTLS 3 on a board that verifies a server.

    `in_order`: an issuer is looked for only after the certificate it signed. `needs_root`: a trusted intermediate alone is not enough.
    `key_usage`: KeyUsage is checked at all. `purpose` and `usage` are what the leaf needs; `ca_purposes`: the issuers must allow that
    purpose as well. `name_constraints`: the names that a CA may issue for are enforced.
    `addresses`: iPAddress alternative names are compared. `signatures`, `hashes` and `extensions` (critical ones, OIDs)
    are those that it can read.
    """

    in_order: bool = True
    needs_root: bool = False
    key_usage: bool = True
    purpose: str = "serverAuth"
    usage: str = "digitalSignature"
    ca_purposes: bool = False
    name_constraints: bool = False
    addresses: bool = True
    rsa_bits: int = 2048
    ec_bits: int = 256
    hashes: frozenset[str] = frozenset({"sha256", "sha384", "sha512"})
    signatures: frozenset[str] = frozenset({"RSA", "EC"})
    extensions: frozenset[str] = MBEDTLS_EXTENSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A chain from the leaf up, as far as it could be followed, and every problem, the first to solve first."""

    path: tuple[Link, ...]
    problems: tuple[Problem, ...]

    def of(self, reasons: Iterable[Reason]) -> tuple[Problem, ...]:
        """Return the problems with one of these reasons."""
        wanted = frozenset(reasons)
        return tuple(problem for problem in self.problems if problem.reason in wanted)

    @property
    def complete(self) -> tuple[Link, ...]:
        """The chain as it should be sent: without the root, in order."""
        return tuple(link for at, link in enumerate(self.path) if not at or not link.parsed.is_self_issued)
