"""What the client's own API accepts or refuses before the server is involved."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, checked, ordinary, table
from harness.expectations.builders import connected
from harness.expectations.clients import refused_by_client, refuses_own_settings
from harness.expectations.needs import CHECKS_CERTIFICATES, READS_PEM
from harness.model import BoardInfo, Expectation, ServerFacts, Subject, Tier, Verify
from harness.wire import mbedtls_numbers as mbedtls


def no_hostname(board: BoardInfo, server: ServerFacts) -> Expectation:
    """CERT_REQUIRED needs a host name since `load_verify_locations` exists; the older API checks only the chain."""
    if board.names_verify_reason:
        return refuses_own_settings(note="CERT_REQUIRED requires server_hostname")
    return connected(note="this API accepts CERT_REQUIRED without a host name and compares none")


@table(tier=Tier.FULL)
def verify_modes() -> Iterable[Row]:
    """CERT_REQUIRED, CERT_OPTIONAL and CERT_NONE without a CA or a host name."""
    yield Row(
        "required-no-hostname",
        "CERT_REQUIRED without server_hostname. The client refuses before it sends a byte; the server sees an empty connection.",
        checked("server-p256", server_hostname=None, expect=no_hostname, subject=Subject.CONFIG),
    )
    yield Row(
        "required-no-ca",
        "CERT_REQUIRED without a CA. The client reads the certificate and then has no CA to verify it with.",
        ordinary(
            "server-p256",
            verify=Verify.REQUIRED,
            expect=refused_by_client(client=mbedtls.SSL_CA_CHAIN_REQUIRED, alert="unknown_ca"),
            needs=(CHECKS_CERTIFICATES,),
            positive_control="cert/good",
        ),
    )
    yield Row(
        "optional-no-ca",
        "CERT_OPTIONAL without a CA. The client cannot verify anything and refuses nothing.",
        ordinary(
            "server-p256",
            verify=Verify.OPTIONAL,
            expect=connected(
                note="CERT_OPTIONAL: the client verifies the certificate and accepts it whatever it finds"
            ),
            subject=Subject.SERVER_CERTIFICATE,
            needs=(CHECKS_CERTIFICATES,),
        ),
    )
    yield Row(
        "none-no-ca-no-host",
        "CERT_NONE without a CA or a host name. The connection is encrypted, but the server may be any.",
        ordinary("server-p256", server_hostname=None, expect=connected(), subject=Subject.SERVER_CERTIFICATE),
    )


@table(tier=Tier.FULL)
def authorities() -> Iterable[Row]:
    """Forms of the data for load_verify_locations."""
    refused = refuses_own_settings()
    yield Row(
        "ca-der",
        "The CA as DER. Every firmware reads this form.",
        checked("server-p256", ca_format="der"),
    )
    yield Row(
        "ca-pem",
        "The CA as PEM. The usual form, which only some firmware reads.",
        checked("server-p256", ca_format="pem", needs=(READS_PEM,)),
    )
    yield Row(
        "ca-bundle-3",
        "Three CAs in one PEM text. Downloaded bundles look like this.",
        checked("server-p256", ca=("ca-other", "ca-rsa", "ca-p256"), ca_format="pem-bundle", needs=(READS_PEM,)),
    )
    yield Row(
        "ca-bundle-with-bad-one",
        "Three CAs in one PEM text, the last one damaged. The client rejects all of them.",
        checked("server-p256", ca=("ca-p256", "ca-rsa", "ca-other"), ca_format="damaged-bundle", expect=refused),
    )
    yield Row(
        "ca-garbage",
        "Bytes that are not a certificate. The client raises `invalid cert` at once.",
        checked("server-p256", ca_format="garbage", expect=refused),
    )
    yield Row(
        "ca-truncated-pem",
        "Half a PEM text. A full filesystem leaves such a file.",
        checked("server-p256", ca_format="pem-cut", expect=refused),
    )
