"""Settings that OpenSSL refuses: compared with real contexts of this Python at every security level."""

from __future__ import annotations

import ssl

import pytest

from harness.expectations.servers import (
    OPENSSL_3_0,
    OPENSSL_3_2,
    bad_record,
    refuses_old_hash,
    refuses_short_issuer,
    refuses_short_key,
    short_client_key,
)
from harness.model import KeyFacts, ServerFacts, Side, Stage
from harness.server.engine.security_levels import checks_own_signature

LEVELS = (0, 1, 2, 3)


RSA_1024 = KeyFacts(type="RSA", bits=1024)


def facts(*, level=2, number=OPENSSL_3_0, checks=True, keys=(RSA_1024,)):
    """Return a server's facts; only these matter here."""
    return ServerFacts(
        python="3",
        openssl="OpenSSL",
        openssl_number=number,
        suites=(),
        keys=keys,
        security_level=level,
        checks_own_signature=checks,
    )


def loading(material, *, level):
    """Return (facts, reason of the refusal or None) of `load_cert_chain` at this level."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(f"ALL:@SECLEVEL={level}")
    live = facts(
        level=context.security_level,
        number=ssl.OPENSSL_VERSION_NUMBER,
        checks=checks_own_signature(),
        keys=(material.facts,),
    )
    try:
        context.load_cert_chain(material.chain_file, material.key_file)
    except ssl.SSLError as error:
        return live, error.reason
    return live, None


@pytest.mark.parametrize("level", [*LEVELS, 4, 5])
def test_a_short_key_in_the_chain(certificates, level):
    """An RSA-2048 key of an intermediate is refused from level 3 on, even where the server's own key is long enough."""
    live, reason = loading(certificates.make("server-chain-with-stranger"), level=level)
    expected = refuses_short_key(live) or refuses_short_issuer(live, rsa_bits=2048)
    assert (expected and expected.server_reason) == reason
    assert (reason is None) is (level < 3)


@pytest.mark.parametrize(
    ("level", "bits", "issuer", "code"),
    [
        (1, 1024, 2048, None),
        (2, 1024, 2048, 66),
        (2, 2048, 2048, None),
        (3, 2048, 2048, 66),
        (3, 3072, 2048, 67),
        (3, 3072, 3072, None),
        (3, 2048, 3072, 66),
        (2, 2048, 1024, 67),
        (9, 15360, 15360, None),
    ],
)
def test_a_short_key_of_a_client(level, bits, issuer, code):
    """The client's own key comes first, then its issuer's; the numbers are OpenSSL's (EE_KEY_TOO_SMALL, CA_KEY_TOO_SMALL)."""
    assert short_client_key(facts(level=level), rsa_bits=bits, issuer_bits=issuer) == code


KEYS = ("rsa1024", "rsa2048", "p224", "p256", "p384", "p521", "secp256k1", "ed25519", "ed448", "rsa-pss")


@pytest.mark.parametrize("level", [*LEVELS, 4, 5])
@pytest.mark.parametrize("name", KEYS)
def test_a_short_key(certificates, name, level):
    """A key is refused exactly if this OpenSSL refuses it, with the same reason; the hash of its certificate is another matter."""
    live, reason = loading(certificates.make(f"server-{name}"), level=level)
    expected = refuses_short_key(live)
    assert (expected and expected.server_reason) == (None if reason == "CA_MD_TOO_WEAK" else reason)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("profile", "name"), [("server-sha1", "sha1"), ("server-sha3-256", "sha3-256"), ("server-p256", "sha256")]
)
def test_an_old_hash(certificates, profile, name, level):
    """The same for a hash: SHA-1 is too weak for level 1; a hash that OpenSSL does not know has no strength."""
    live, reason = loading(certificates.make(profile), level=level)
    expected = refuses_old_hash(live, name=name)
    assert (expected and expected.server_reason) == reason


def test_a_refusal_of_own_settings_is_the_server_s():
    """It ends before any connection: no error on the board, no alert on the wire. The note names the limit."""
    for expected in (refuses_short_key(facts(level=2)), refuses_old_hash(facts(level=2), name="sha1")):
        assert (expected.ended_by, expected.stage, expected.server_type) == (Side.SERVER, Stage.CONFIG, "SSLError")
        assert (expected.no_client_error, expected.no_alert) == (True, True)
        assert expected.note.startswith("security level 2 requires 112 bits")


def test_an_openssl_that_does_not_check_its_own_signature():
    """If the signature hash of the server's own certificate is not checked, it is accepted; the key length still counts."""
    blind = facts(level=2, checks=False)
    assert refuses_old_hash(facts(level=2), name="sha1") is not None
    assert refuses_old_hash(blind, name="sha1") is None
    assert refuses_short_key(blind) is not None


def test_sha1_counted_as_stronger_before_3_0():
    """OpenSSL 1.1.1 counts 80 bits for SHA-1: enough for level 1, where 3.0 refuses it, and not for level 2."""
    old, new = facts(level=1, number=0x101010FF), facts(level=1)
    assert refuses_old_hash(old, name="sha1") is None
    assert refuses_old_hash(new, name="sha1") is not None
    assert refuses_old_hash(facts(level=2, number=0x101010FF), name="sha1") is not None


def test_a_record_that_cannot_be_decrypted():
    """Python reads the last error of the queue: from 3.2 on the record layer adds its own."""
    assert bad_record(facts()) == "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
    assert bad_record(facts(number=OPENSSL_3_2)) == "RECORD_LAYER_FAILURE"


def test_a_level_above_the_last():
    """A level above the last has the limit of the last."""

    assert refuses_old_hash(facts(level=5), name="sha256") is not None
    assert refuses_old_hash(facts(level=9), name="sha256").note.startswith("security level 9 requires 256 bits")
