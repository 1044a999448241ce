"""A replayed ClientHello differs from the recorded one in random, session id, key shares and name only."""

from dataclasses import replace

import pytest

from harness.firmware.table import firmware
from harness.wire.handshake import read_client_hello
from harness.wire.hello_replay import ReplayedHello


def test_same_name(stored_hello) -> None:
    """Sent with its own name, a hello has the same length and facts, and another random."""
    facts = read_client_hello(stored_hello.data)
    again = ReplayedHello(stored_hello.data, name=facts.sni)
    sent = read_client_hello(again.record)
    assert replace(sent, random="") == replace(facts, random="")
    assert len(again.record) == len(stored_hello.data)
    assert sent.random != facts.random
    assert again.random.hex() == sent.random


def test_other_name(stored_hello) -> None:
    """Another name replaces the recorded one in its place; without a name the extension is left out."""
    facts = read_client_hello(stored_hello.data)
    named = read_client_hello(ReplayedHello(stored_hello.data, name="broker.example").record)
    nameless = read_client_hello(ReplayedHello(stored_hello.data, name=None).record)
    assert (named.sni, named.extensions) == ("broker.example", facts.extensions)
    assert (nameless.sni, nameless.extensions) == (None, tuple(code for code in facts.extensions if code != 0))


def test_key_shares(stored_hello) -> None:
    """Each hello has fresh keys for the groups of the record."""
    facts = read_client_hello(stored_hello.data)
    one, other = (ReplayedHello(stored_hello.data, name="x") for _ in range(2))
    assert tuple(f"{group:04x}" for group in one.shares) == facts.key_share_groups
    for group, share in one.shares.items():
        assert share.public in one.record
        assert share.public != other.shares[group].public


def test_retry() -> None:
    """The second hello keeps the random and has one share of the requested group, and the cookie at the end."""
    hello = ReplayedHello(firmware("1.25.0", port="debian").hello.data, name="x")
    first = read_client_hello(hello.record)
    hello.retry(0x18, cookie=b"\x00\x02ab")
    second = read_client_hello(hello.record)
    assert (second.key_share_groups, second.random) == (("0018",), first.random)
    assert second.extensions == (*first.extensions, 44)
    assert hello.record.endswith(b"\x00\x2c\x00\x04\x00\x02ab")
    assert hello.message == hello.record[5:]


def test_name_that_is_not_ascii(stored_hello) -> None:
    """SNI holds ASCII only (RFC 6066 section 3)."""
    with pytest.raises(UnicodeEncodeError):
        ReplayedHello(stored_hello.data, name="brök.example")
