"""What is sent with the certificate: intermediates, their order, and sizes. The board always checks."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, table
from harness.cases.cert import accept, number, refuse
from harness.expectations.clients import left_silently
from harness.model import Tier
from harness.wire import mbedtls_numbers as mbedtls


@table(tier=Tier.FULL)
def depth() -> Iterable[Row]:
    """How many certificates are sent; mbedTLS follows eight intermediates."""
    yield accept("depth-2", "One intermediate. What public CAs issue.", "server-depth-2", Tier.CORE)
    yield accept(
        "depth-2-rsa", "One intermediate, all RSA. Two RSA signatures to check.", "server-rsa2048-depth-2", ca="ca-rsa"
    )
    yield accept("depth-5", "Four intermediates. Nobody needs them; it must work.", "server-depth-5")
    yield accept("depth-9", "Eight intermediates. As many as mbedTLS follows.", "server-depth-9", Tier.CORE)
    yield refuse(
        "depth-10",
        "Nine intermediates. One more than mbedTLS follows: its own fatal error, not a verdict on trust.",
        "server-depth-10",
        expect=number(mbedtls.X509_FATAL_ERROR, "access_denied"),
        tier=Tier.CORE,
    )
    yield accept(
        "trust-inter-only",
        "Only the intermediate is trusted. An anchor need not be a root.",
        "server-depth-2",
        ca="inter-1",
    )


@table(tier=Tier.FULL)
def links() -> Iterable[Row]:
    """Certificates that are missing, in the wrong order, or may not sign."""
    yield refuse(
        "missing-inter",
        "The intermediate is not sent. cert.pem instead of fullchain.pem: browsers hide it, boards do not.",
        "server-missing-intermediate",
        "not_trusted",
        tier=Tier.CORE,
    )
    yield refuse(
        "missing-middle",
        "The middle one of three is not sent. The chain ends in the air.",
        "server-missing-middle",
        "not_trusted",
    )
    yield refuse(
        "reversed",
        "Four intermediates in reverse order. mbedTLS looks for an issuer only behind the certificate it signed.",
        "server-chain-reversed",
        "not_trusted",
    )
    yield refuse(
        "swapped",
        "Two intermediates, the wrong one first. The shortest chain whose order can be wrong.",
        "server-chain-swapped",
        "not_trusted",
    )
    yield accept("with-stranger", "A foreign certificate in between. It is passed over.", "server-chain-with-stranger")
    yield accept("with-root", "The root is sent as well. Bytes for nothing, but allowed.", "server-chain-with-root")
    yield refuse(
        "inter-not-ca",
        "Signed by a certificate with CA:FALSE. Accepting it lets every site speak for every other.",
        "server-issuer-not-ca",
        "not_trusted",
        tier=Tier.CORE,
    )
    yield refuse(
        "inter-no-bc",
        "Signed by one without BasicConstraints. In X.509 version 3 that is no CA.",
        "server-issuer-without-basic-constraints",
        "not_trusted",
    )
    yield refuse(
        "inter-expired",
        "Good, under an intermediate that has ended. Every link has a time.",
        "server-expired-intermediate",
        "expired",
    )
    yield refuse(
        "path-length",
        "A CA below one that may sign leaves only. pathLenConstraint must be counted.",
        "server-path-length",
        "not_trusted",
    )


@table(tier=Tier.FULL)
def sizes() -> Iterable[Row]:
    """How large the Certificate message is; a record, and mbedTLS's buffer, hold 16384 bytes."""
    yield accept("size-6000", "About 6 kB. More than small buffers hold.", "server-size-6000")
    yield accept("size-8000", "About 8 kB. A usual size for a chain with RSA-4096.", "server-size-8000")
    yield accept("size-15000", "About 15 kB. Still one record.", "server-size-15000", Tier.CORE)
    yield refuse(
        "size-17000",
        "About 17 kB. More than a record and than the client's buffer.",
        "server-size-17000",
        expect=left_silently(mbedtls.SSL_BAD_INPUT_DATA),
        tier=Tier.CORE,
    )
    yield refuse(
        "size-30000",
        "About 30 kB. Two full records, nearly.",
        "server-size-30000",
        expect=left_silently(mbedtls.SSL_BAD_INPUT_DATA),
    )
    yield accept("san-many-400", "400 names, 8 kB. A certificate of a hosting company.", "server-names-400")
    yield refuse(
        "san-many-1000",
        "1000 names, 20 kB. More than the client's buffer.",
        "server-names-1000",
        expect=left_silently(mbedtls.SSL_BAD_INPUT_DATA),
    )
