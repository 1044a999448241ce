"""Certificates that cannot be loaded, read or used: each rule matches only its own failure and gives the stored text."""

import pytest

from harness.explain import candidates
from harness.model import Expectation, KeyFacts, Outcome, ServerFacts, Side, Stage


@pytest.mark.parametrize("reason", ["KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"])
def test_two_pairs_of_two_kinds(made, reason):
    """OpenSSL has other error names if key and certificate have different types (invented; tests/unit/diagnose has a real one)."""
    failure = {"type": "SSLError", "reason": reason}
    said = candidates(made(stage=Stage.CONFIG, server=failure, by=Side.SERVER))
    assert [item.rule for item in said] == ["certificates/two-pairs"]


def test_no_signature_scheme(made, stored):
    """TLS 1.3 with a key whose signatures the client cannot check (invented: a distribution's build)."""
    result = made(
        "OSError", -30592, by=Side.SERVER, server={"type": "SSLError", "reason": "NO_SUITABLE_SIGNATURE_ALGORITHM"}
    )
    stored("certificates/no-signature-scheme", result)


def test_use_not_checked(made, stored):
    """Insecure: mbedTLS 2 accepted a certificate that is not valid for server authentication (invented: firmware up to 1.22)."""
    expected = Expectation(
        source="stated", outcome=Outcome.REFUSED, client_number=-31232, note="mbedTLS 2.x does not look"
    )
    words = {"outcome": Outcome.CONNECTED, "by": None, "expected": expected}
    stored("certificates/use-not-checked", made(info=made.board("1.22.0", tls_version="mbed TLS 2.28.3"), **words))
    (said,) = candidates(made(info=made.board("1.23.0", tls_version="Mbed TLS 3.5.1"), **words))
    assert said.rule == "identity/accepted-unchecked"  # mbedTLS 3 always checks: that is not the reason


@pytest.mark.parametrize(
    ("key", "size", "rule", "fixes"),
    [
        ("EC", 17000, "certificates/chain-too-large", ["send a shorter chain, with fewer names"]),
        (
            "RSA",
            17000,
            "certificates/chain-too-large",
            ["send a shorter chain, with fewer names", "an EC chain instead of an RSA one: a tenth of the size"],
        ),
        (
            "EC",
            16384,
            "peer/fragments-too-small",
            ["larger records on the server: at least one message each", "update the board's firmware"],
        ),
    ],
)
def test_a_message_that_spans_records(made, key, size, rule, fixes):
    """mbedTLS before 3.6.3 has one number for a chain that is too large and for small records: the size decides."""
    keys = (KeyFacts(type=key, bits=2048, chain_bytes=size),)
    facts = ServerFacts(python="3.11.7", openssl="OpenSSL 3.0.19", openssl_number=0x30000130, suites=(), keys=keys)
    (said,) = candidates(made("OSError", -28800, server_facts=facts))
    assert (said.rule, [fix.title for fix in said.fixes]) == (rule, fixes)
    spans = "mbedTLS before 3.6.3 refuses a message that spans records before it looks at the size"
    assert (spans in said.why) == (size > 16384)


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        (-0x2480, "certificates/unreadable"),
        (-0x2500, "certificates/unknown-extension"),
        (-0x2562, "certificates/unknown-extension"),
        (-0x2580, "certificates/unreadable"),
        (-0x2100, "certificates/unreadable"),
        (-0x2162, "certificates/unreadable"),
        (-0x2780, "certificates/unreadable"),
    ],
)
def test_numbers_of_certificates(made, number, rule):
    """A number is its error or that error and a low-level one added; its neighbours belong to other errors."""
    assert [item.rule for item in candidates(made("OSError", number))] == [rule]
