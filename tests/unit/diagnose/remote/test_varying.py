"""What a server insists on, found with hellos that offer more and less: invented servers with known requirements."""

import dataclasses
import itertools

import pytest

from harness.diagnose.remote.varying import insistence
from harness.model import HelloFacts, Side, WireChunk
from harness.wire.extensions import Extension
from harness.wire.handshake import read_client_hello
from harness.wire.insistence import Addition
from harness.wire.reading import read_wire

HELLO = HelloFacts(
    record_version="0303",
    versions=("0303",),
    suites=("c02b", "003d", "00ff"),
    groups=("0017", "0018"),
    signature_algorithms=("0403", "0401"),
    extensions=(10, 11, 13),
    sni=None,
)
# A ServerHello of TLS 1.2 with ECDHE-ECDSA-AES128-GCM-SHA256 and no extension; handshake_failure.
SERVER_HELLO = bytes.fromhex("160303002a02000026" + "0303" + "11" * 32 + "00" + "c02b" + "00")
ALERT = bytes.fromhex("15030300020228")
MEETS = {
    Addition.SERVER_NAME: lambda hello: hello.sni == "a.example",
    Addition.ALPN: lambda hello: "mqtt" in hello.alpn,
    Addition.GROUPS: lambda hello: "001d" in hello.groups,
    Addition.SIGNATURES: lambda hello: "0804" in hello.signature_algorithms,
    Addition.EXTENDED_MASTER_SECRET: lambda hello: Extension.EXTENDED_MASTER_SECRET in hello.extensions,
}


class Server:
    """Goes on with a hello that has all of these additions, and refuses any other with an alert."""

    def __init__(self, *requires, refuses=ALERT):
        self.requires, self.refuses, self.seen = requires, refuses, []

    def __call__(self, record):
        hello = read_client_hello(record)
        self.seen.append(hello)
        good = all(MEETS[item](hello) for item in self.requires)
        answer = SERVER_HELLO if good else self.refuses
        chunks = [(Side.CLIENT, record), (Side.SERVER, answer)]
        return read_wire([WireChunk(sender=who, at_ms=0.0, data=data) for who, data in chunks])


@pytest.mark.parametrize(
    "requires", [set_ for size in (1, 2, 5) for set_ in itertools.combinations(Addition, size)], ids="+".join
)
@pytest.mark.parametrize("refuses", [ALERT, b""], ids=["alert", "closes"])
def test_exactly_what_is_required_is_found(requires, refuses):
    """Whatever a server requires, alone or together, is found, and nothing else, in at most seven hellos."""
    server = Server(*requires, refuses=refuses)
    assert insistence(server, HELLO, name="a.example").additions == requires
    assert len(server.seen) <= 7


def test_the_first_hello_is_the_boards():
    """It offers what the board offers, in the board's order, and the additions come after that."""
    server = Server(Addition.GROUPS)
    insistence(server, HELLO, name="a.example")
    bare, full = server.seen[:2]
    for field in ("versions", "suites", "groups", "signature_algorithms", "sni", "extensions"):
        assert getattr(bare, field) == getattr(HELLO, field)
    assert full.groups[:2] == HELLO.groups
    assert full.signature_algorithms[:2] == HELLO.signature_algorithms
    assert len(set(full.groups)) == len(full.groups)


def test_a_server_that_accepts_the_boards_hello():
    """The hello is not the cause: nothing is required."""
    server = Server()
    assert insistence(server, HELLO, name=None) is None
    assert len(server.seen) == 1


def test_a_server_that_refuses_everything():
    """The cause is elsewhere: nothing is claimed."""
    server = Server(*Addition)
    assert insistence(server, HELLO, name="b.example") is None
    assert len(server.seen) == 2


def test_a_server_that_does_not_answer():
    """Without an answer nothing is claimed."""
    assert insistence(lambda _record: None, HELLO, name="a.example") is None


def test_no_name_is_added_without_need():
    """A name that is not known, or that the board sends already, is not added."""
    server = Server(Addition.ALPN)
    assert insistence(server, HELLO, name=None).additions == (Addition.ALPN,)
    assert {hello.sni for hello in server.seen} == {None}
    server = Server(Addition.ALPN)
    insistence(server, dataclasses.replace(HELLO, sni="b.example"), name="a.example")
    assert ({hello.sni for hello in server.seen}, len(server.seen)) == ({"b.example"}, 6)


def test_what_the_server_chose():
    """The choice of the last accepted hello is kept; the name only if it was needed."""
    found = insistence(Server(Addition.SERVER_NAME), HELLO, name="a.example")
    assert (found.name, found.alpn, found.group) == ("a.example", None, None)
    assert insistence(Server(Addition.ALPN), HELLO, name="a.example").name is None
