"""The key schedule, with the values of RFC 8448 section 3 (simple 1-RTT handshake)."""

import pytest

from harness.wire.records import Record
from harness.wire.tls13_keys import TLS13_SUITES, RecordOpener, expand_label, finished, server_secret

SHARED = bytes.fromhex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d")
HELLOS = bytes.fromhex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8")
SECRET = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"


def test_server_secret() -> None:
    """server_handshake_traffic_secret, and its key and IV."""
    secret = server_secret(SHARED, transcript=HELLOS, suite=0x1301)
    assert secret.hex() == SECRET
    assert expand_label(secret, "key", b"", length=16, hashed="sha256").hex() == "3fce516009c21727d0f2e4e86ee403bc"
    assert expand_label(secret, "iv", b"", length=12, hashed="sha256").hex() == "5d313eb2671276ee13000b30"


@pytest.mark.parametrize("suite", TLS13_SUITES)
def test_hash_of_the_suite(suite: int) -> None:
    """SHA-384 belongs to 0x1302 alone; Finished has its length."""
    size = 48 if suite == 0x1302 else 32
    secret = server_secret(SHARED, transcript=bytes(size), suite=suite)
    assert (len(secret), len(finished(secret, transcript=bytes(size), suite=suite))) == (size, size)


@pytest.mark.parametrize("suite", TLS13_SUITES)
def test_record_that_does_not_decrypt(suite: int) -> None:
    """A record under another key, or too short for its tag, gives None."""
    opener = RecordOpener(bytes(48 if suite == 0x1302 else 32), suite=suite)
    assert opener.open(Record(content_type=23, version="0303", payload=bytes(40))) is None
    assert opener.open(Record(content_type=23, version="0303", payload=b"x")) is None
