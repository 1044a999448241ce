"""What the client's own API refuses, or lets through, before the server has a word in it."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, checked, ordinary, table
from harness.expectations.builders import connected
from harness.expectations.clients import refused_by_client, refuses_own_settings
from harness.expectations.needs import CHECKS_CERTIFICATES, READS_PEM
from harness.model import BoardInfo, Expectation, ServerFacts, Tier, Verify
from harness.wire import mbedtls_numbers as mbedtls


def no_hostname(board: BoardInfo, server: ServerFacts) -> Expectation:
    """With `load_verify_locations` came the rule that CERT_REQUIRED wants a name; the API before checks the chain only."""
    if board.names_verify_reason:
        return refuses_own_settings(note="CERT_REQUIRED requires server_hostname")
    return connected(note="this API takes CERT_REQUIRED without a name and then compares none")


@table(tier=Tier.FULL)
def verify_modes() -> Iterable[Row]:
    """CERT_REQUIRED, CERT_OPTIONAL and CERT_NONE with too little to go by."""
    yield Row(
        "required-no-hostname",
        "CERT_REQUIRED without server_hostname. Refused before a byte is sent; the server sees a connection that says nothing.",
        checked("server-p256", server_hostname=None, expect=no_hostname),
    )
    yield Row(
        "required-no-ca",
        "CERT_REQUIRED without a CA. The client reads the certificate first and then has nothing to hold it against.",
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
        "CERT_OPTIONAL without a CA. Nothing to check against, and nothing is refused.",
        ordinary("server-p256", verify=Verify.OPTIONAL, needs=(CHECKS_CERTIFICATES,)),
    )
    yield Row(
        "none-no-ca-no-host",
        "CERT_NONE, no CA, no name. The least that a client can say; encrypted, and to anybody.",
        ordinary("server-p256", server_hostname=None),
    )


@table(tier=Tier.FULL)
def authorities() -> Iterable[Row]:
    """What load_verify_locations is handed."""
    refused = refuses_own_settings()
    yield Row(
        "ca-der",
        "The CA as DER. The form that every firmware reads.",
        checked("server-p256", ca_format="der"),
    )
    yield Row(
        "ca-pem",
        "The CA as PEM. The form that everybody has; only some firmware reads it.",
        checked("server-p256", ca_format="pem", needs=(READS_PEM,)),
    )
    yield Row(
        "ca-bundle-3",
        "Three CAs in one PEM text. What a downloaded bundle is.",
        checked("server-p256", ca=("ca-other", "ca-rsa", "ca-p256"), ca_format="pem-bundle", needs=(READS_PEM,)),
    )
    yield Row(
        "ca-bundle-with-bad-one",
        "Three CAs in one PEM text, the last one damaged. All or nothing: the good ones are not taken either.",
        checked("server-p256", ca=("ca-p256", "ca-rsa", "ca-other"), ca_format="damaged-bundle", expect=refused),
    )
    yield Row(
        "ca-garbage",
        "Bytes that are no certificate. `invalid cert`, at once.",
        checked("server-p256", ca_format="garbage", expect=refused),
    )
    yield Row(
        "ca-truncated-pem",
        "Half a PEM text. What a file is after a full filesystem.",
        checked("server-p256", ca_format="pem-cut", expect=refused),
    )
