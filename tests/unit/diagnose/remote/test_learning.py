"""Learning what a server accepts, from the answers of a real OpenSSL in memory."""

import ssl

import pytest

from harness.diagnose.remote.learning import SEEN, learn
from harness.model import Side, Verify, WireChunk
from harness.oracle.predict import predict
from harness.wire.handshake import parse_client_hello
from harness.wire.hello_bytes import client_hello
from harness.wire.reading import read_wire
from harness.wire.suites import suite_code

ECDHE_RSA, PLAIN_RSA = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256"


@pytest.fixture
def server(certificates, hold_to):
    """Return a function that makes a server's context: `server("server-rsa2048", ciphers=...)`."""

    def make(*names, ciphers=None, versions=("TLSv1_2", "TLSv1_2"), curve=None, verify=ssl.CERT_NONE):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version, context.maximum_version = (getattr(ssl.TLSVersion, name) for name in versions)
        for name in names:
            material = certificates.make(name)
            context.load_cert_chain(material.chain_file, material.key_file)
        if ciphers:
            context.set_ciphers(ciphers)
        if curve:
            hold_to(context, curve)
        context.verify_mode = verify
        return context

    return make


def asking(context):
    """Return a function that asks this server, and the list of its questions."""
    asked = []

    def ask(hello):
        asked.append(hello)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(hello)
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        with pytest.raises(ssl.SSLError):
            tls.do_handshake()
        chunks = [WireChunk(sender=Side.CLIENT, at_ms=0.0, data=hello)]
        return read_wire([*chunks, WireChunk(sender=Side.SERVER, at_ms=0.0, data=outgoing.read())])

    return ask, asked


def learned(context, **words):
    """Return what is learned about this server."""
    return learn(asking(context)[0], name="tls.test", **words).facts()


def test_suites_and_key(server):
    """Exactly the suites that the server accepts are found, and its key type."""
    facts = learned(server("server-rsa2048", ciphers="ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA256"))
    assert [code for code, _protocol, _name in facts.suites] == [suite_code(ECDHE_RSA), suite_code(PLAIN_RSA)]
    assert [(key.type, key.bits) for key in facts.keys] == [("RSA", 2048)]
    assert (facts.minimum_version, facts.maximum_version) == ("TLSv1.2", "TLSv1.2")
    assert (facts.python, facts.openssl, facts.verify) == ("", SEEN, Verify.NONE)


def test_the_offered_ones_come_first(server):
    """The board's suites are asked before all others, because time is limited."""
    ask, asked = asking(server("server-rsa2048", ciphers="AES256-SHA256"))
    learn(ask, name=None, first=[suite_code(PLAIN_RSA)])
    hellos = [parse_client_hello(data[9:], record_version=0x0301) for data in asked]
    tls12 = [hello.suites for hello in hellos if hello.versions == ("0303",)]
    assert tls12[0] == (f"{suite_code(PLAIN_RSA):04x}", "00ff")
    assert len(tls12[1]) > 20


def test_two_keys_and_client_certificates(server, certificates):
    """Both certificates are found, and the request for a client certificate: the server sends its own first."""
    context = server("server-rsa2048", "server-p256", verify=ssl.CERT_REQUIRED)
    context.load_verify_locations(cadata=certificates.make("client-p256").root_pem.decode())
    facts = learned(context)
    assert {key.type for key in facts.keys} == {"RSA", "EC"}
    assert facts.verify is Verify.OPTIONAL


@pytest.mark.parametrize(
    ("names", "curve", "groups"),
    [
        (("server-rsa2048",), "secp384r1", ("secp384r1",)),
        (("server-rsa2048",), "X25519", ("x25519",)),
        (("server-p256",), "secp384r1", ("secp384r1",)),
        # The curve of an EC key must stay in the list and is chosen, so the other groups cannot be found.
        (("server-p256",), "prime256v1", None),
    ],
)
def test_groups(server, names, curve, groups):
    """The server's groups are found, if its key allows it."""
    assert learned(server(*names, curve=curve)).groups == groups


def test_tls13(server):
    """In TLS 1.3, version, suites and groups are visible, the certificate is not."""
    facts = learned(server("server-p256", versions=("TLSv1_3", "TLSv1_3")))
    assert (facts.minimum_version, facts.maximum_version) == ("TLSv1.3", "TLSv1.3")
    assert (facts.keys, len(facts.suites)) == ((), 3)
    assert "secp256r1" in facts.groups


def test_a_server_that_refuses_everything(server):
    """Without a certificate the server refuses every offer, and nothing is learned."""
    ask, _asked = asking(server())
    assert learn(ask, name=None) is None


@pytest.mark.parametrize(
    ("words", "suites", "groups", "reason"),
    [
        ({}, (ECDHE_RSA,), (0x0017,), None),
        ({"ciphers": "ECDHE+AESGCM"}, (PLAIN_RSA,), (0x0017,), "NO_SHARED_CIPHER"),
        ({"curve": "secp384r1"}, (ECDHE_RSA,), (0x0017,), "NO_SHARED_CIPHER"),
        ({"versions": ("TLSv1_3", "TLSv1_3")}, (ECDHE_RSA,), (0x0017,), "UNSUPPORTED_PROTOCOL"),
    ],
)
def test_predictions_from_what_was_learned(server, words, suites, groups, reason):
    """The prediction for another client is what that client gets."""
    context = server("server-rsa2048", **words)
    hello = client_hello(
        version=0x0303,
        suites=[suite_code(name) for name in suites],
        groups=groups,
        signature_algorithms=[0x0401, 0x0804],
        name="tls.test",
    )
    answer = asking(context)[0](hello)
    wanted = predict(answer.client_hello, learned(context))
    assert wanted.server_reason == reason
    assert [alert.code for alert in answer.alerts] == ([wanted.alert.code] if wanted.alert else [])


def test_the_oldest_version(server):
    """A server with several versions is asked for each."""
    facts = learned(server("server-rsa2048", versions=("TLSv1_2", "TLSv1_3")))
    assert (facts.minimum_version, facts.maximum_version) == ("TLSv1.2", "TLSv1.3")
    assert {protocol for _code, protocol, _name in facts.suites} >= {"TLSv1.3", "TLSv1.2"}
    assert facts.groups[:2] == ("x25519", "secp256r1")  # from TLS 1.3, where the key's curve does not matter


def test_an_unknown_certificate(server):
    """Bytes that are not a certificate are ignored."""
    ask, _asked = asking(server("server-rsa2048", ciphers="AES256-SHA256"))
    found = learn(ask, name=None)
    found.take_chain((b"no certificate",))
    assert [key.type for key in found.keys] == ["RSA"]
