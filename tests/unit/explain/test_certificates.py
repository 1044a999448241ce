"""Certificates that cannot be loaded, read or used: each rule matches only its own failure and gives the stored text."""

from pathlib import Path

import pytest

from harness.certificates.placed import Origin, placed
from harness.explain import candidates
from harness.model import Expectation, KeyFacts, Outcome, ServerFacts, Side, Stage
from tests.certificate_issuer import issue

# openssl ecparam -name prime256v1 -genkey -noout -param_enc explicit; openssl req -x509 -subj /CN=x
EXPLICIT = bytes.fromhex(
    "3082026430820209a00302010202143d5938beb32b2aed9b26883f0290361654f83ab7300a06082a8648ce3d040302300c310a3008060355"
    "04030c01783020170d3236313132383133303333325a180f32313236313130343133303333325a300c310a300806035504030c0178308201"
    "4b3082010306072a8648ce3d02013081f7020101302c06072a8648ce3d0101022100ffffffff00000001000000000000000000000000ffff"
    "ffffffffffffffffffff305b0420ffffffff00000001000000000000000000000000fffffffffffffffffffffffc04205ac635d8aa3a93e7"
    "b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b031500c49d360886e704936a6678e1139d26b7819f7e900441046b17d1f2e12c"
    "4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf"
    "51f5022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551020101034200047a1fa3ab93abca390d50e660"
    "1ce21e19ab800181a232794c86209784af7c2ea62bdcb88b09d0f27577924c93c45611497c79046aecf754ce377574cfa16ceacaa3533051"
    "301d0603551d0e04160414868fe0de83447bc19ebb6657f3e9631314581844301f0603551d23041830168014868fe0de83447bc19ebb6657"
    "f3e9631314581844300f0603551d130101ff040530030101ff300a06082a8648ce3d0403020349003046022100a5a2c1aacc5d8a9a1a777b"
    "59dcf60199dc92d6a23cc5dfafeb2c1a79fb8de7d9022100e4f8cae6a8c9f473143a76014b6339d293e88793153111ddc58d1dec268500c5"
)


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


def test_a_short_key_of_an_issuer_in_the_servers_file(made, stored):
    """OpenSSL at level 2 refuses the whole file (invented: this Python's level is not known here)."""
    root = issue("Root", ca=True)
    short = issue("Short", root, ca=True, key="RSA-1024")
    files = placed((issue("tls.test", short).der, short.der), origin=Origin.SENT, file=Path("server.pem"))
    failure = {"type": "SSLError", "reason": "CA_KEY_TOO_SMALL"}
    result = made(stage=Stage.CONFIG, server=failure, by=Side.SERVER, server_places=files)
    stored("certificates/ca-key-too-short", result)


def test_a_curve_that_is_spelled_out(made, stored):
    """The board has a number for it, which other causes have too: the certificate decides (tests/unit/certificates/test_parsed.py)."""
    files = placed((EXPLICIT,), origin=Origin.SENT, file=Path("server.pem"))
    stored("certificates/explicit-curve", made("OSError", -20096, server_places=files))
    assert candidates(made("OSError", -20096, server_places=placed((issue("x").der,), origin=Origin.SENT))) == ()
