"""What the server sends with its certificate: intermediates, their order, their sizes. The board verifies in every case."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, table
from harness.cases.cert import accept, refuse
from harness.expectations.builders import connected
from harness.expectations.certificates import refused_with
from harness.expectations.clients import left_silently
from harness.expectations.servers import refuses_short_issuer
from harness.model import BoardInfo, Expectation, ServerFacts, Tier
from harness.wire import mbedtls_numbers as mbedtls


def skipped(board: BoardInfo, server: ServerFacts) -> Expectation:
    """The unrelated certificate has an RSA-2048 key, which the server's security level may refuse; the client never looks at it."""
    return refuses_short_issuer(server, rsa_bits=2048) or connected()


@table(tier=Tier.FULL)
def depth() -> Iterable[Row]:
    """The length of the chain; mbedTLS follows eight intermediates."""
    yield accept("depth-2", "One intermediate. Public CAs issue such chains.", "server-depth-2", Tier.CORE)
    yield accept(
        "depth-2-rsa",
        "One intermediate, all RSA. The board verifies two RSA signatures.",
        "server-rsa2048-depth-2",
        ca="ca-rsa",
    )
    yield accept("depth-5", "Four intermediates. Longer than any real chain, and still valid.", "server-depth-5")
    yield accept("depth-9", "Eight intermediates. The most that mbedTLS follows.", "server-depth-9", Tier.CORE)
    yield refuse(
        "depth-10",
        "Nine intermediates. One more than mbedTLS follows; it reports a fatal error instead of a verification result.",
        "server-depth-10",
        expect=refused_with(mbedtls.X509_FATAL_ERROR, "access_denied"),
        tier=Tier.CORE,
    )
    yield accept(
        "trust-inter-only",
        "Only the intermediate is trusted. A trust anchor need not be a root.",
        "server-depth-2",
        ca="inter-1",
    )


@table(tier=Tier.FULL)
def links() -> Iterable[Row]:
    """Certificates that are missing, out of order, or not allowed to sign."""
    yield refuse(
        "missing-inter",
        "The intermediate is missing. The server loads cert.pem instead of fullchain.pem; browsers compensate for it, boards do not.",
        "server-missing-intermediate",
        "not_trusted",
        tier=Tier.CORE,
    )
    yield refuse(
        "missing-middle",
        "The middle one of three intermediates is missing. The chain is broken.",
        "server-missing-middle",
        "not_trusted",
    )
    yield refuse(
        "reversed",
        "Four intermediates in reverse order. mbedTLS looks for an issuer only after the certificate it signed.",
        "server-chain-reversed",
        "not_trusted",
    )
    yield refuse(
        "swapped",
        "Two intermediates in the wrong order. The shortest chain whose order can be wrong.",
        "server-chain-swapped",
        "not_trusted",
    )
    yield accept(
        "with-stranger",
        "An unrelated certificate in the chain. The client skips it.",
        "server-chain-with-stranger",
        expect=skipped,
    )
    yield accept("with-root", "The root is sent, too. Unnecessary, but allowed.", "server-chain-with-root")
    yield refuse(
        "inter-not-ca",
        "Signed by a certificate with CA:FALSE. A client that accepts it lets every site impersonate any other.",
        "server-issuer-not-ca",
        "not_trusted",
        tier=Tier.CORE,
    )
    yield refuse(
        "inter-no-bc",
        "Signed by a certificate without BasicConstraints. In X.509 version 3 that is not a CA.",
        "server-issuer-without-basic-constraints",
        "not_trusted",
    )
    yield refuse(
        "inter-expired",
        "A valid certificate under an expired intermediate. Every certificate of the chain has a validity period.",
        "server-expired-intermediate",
        "expired",
    )
    yield refuse(
        "path-length",
        "A CA below a CA that may sign only leaves. The client must apply pathLenConstraint.",
        "server-path-length",
        "not_trusted",
    )


@table(tier=Tier.FULL)
def sizes() -> Iterable[Row]:
    """The size of the Certificate message; a record and mbedTLS's buffer hold 16384 bytes."""
    yield accept("size-6000", "A chain of about 6 kB. Too large for small buffers.", "server-size-6000")
    yield accept("size-8000", "A chain of about 8 kB, a typical size for RSA-4096.", "server-size-8000")
    yield accept("size-15000", "A chain of about 15 kB. It still fits one record.", "server-size-15000", Tier.CORE)
    yield refuse(
        "size-17000",
        "A chain of about 17 kB. Larger than a record and the client's buffer.",
        "server-size-17000",
        expect=left_silently(mbedtls.SSL_BAD_INPUT_DATA),
        tier=Tier.CORE,
    )
    yield refuse(
        "size-30000",
        "A chain of about 30 kB. Almost two full records.",
        "server-size-30000",
        expect=left_silently(mbedtls.SSL_BAD_INPUT_DATA),
    )
    yield accept("san-many-400", "400 names, 8 kB. Hosting companies have such certificates.", "server-names-400")
    yield refuse(
        "san-many-1000",
        "1000 names, 20 kB. Larger than the client's buffer.",
        "server-names-1000",
        expect=left_silently(mbedtls.SSL_BAD_INPUT_DATA),
    )
