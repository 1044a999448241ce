"""Names that a CA may not issue for: the same as OpenSSL, which verifies the same chains here in memory."""

import ssl

import pytest

from harness.certificates.chain import read_chain
from harness.certificates.chain_problems import OPENSSL_EXTENSIONS, Reason, Rules
from harness.certificates.name_constraints import NameConstraints, Violation, violation
from harness.certificates.placed import Origin, placed
from tests.certificate_issuer import issue

RULES = Rules(
    in_order=False, needs_root=True, purpose="clientAuth", name_constraints=True, extensions=OPENSSL_EXTENSIONS
)


@pytest.fixture(scope="module")
def root():
    """A CA, and what serves as the server's own certificate."""
    return issue("Root", ca=True, days=(-3000, 3000))


def openssl_code(chain, root, folder):
    """Return the code with which OpenSSL in a server refuses a client's chain; 0 if it accepts."""
    for name, found in (("own", [root]), ("client", chain)):
        (folder / f"{name}.pem").write_bytes(b"".join(one.pem for one in found) + found[0].key_pem)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(folder / "own.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(folder / "own.pem")
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.load_cert_chain(folder / "client.pem")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)]
    for _flight in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_code
    return 0


@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize(
    ("words", "leaf", "code"),
    [
        ({"permitted": ("test",)}, {"dns": ("tls.test",)}, 0),
        ({"permitted": ("test",)}, {"dns": ("test",)}, 0),
        ({"permitted": ("test",)}, {"dns": ("TLS.Test",)}, 0),
        ({"permitted": ("test",)}, {"dns": ("tlstest",)}, 47),
        ({"permitted": (".test",)}, {"dns": ("tls.test",)}, 0),
        ({"permitted": (".test",)}, {"dns": ("test",)}, 47),
        ({"permitted": ("example",)}, {"dns": ("tls.test",)}, 47),
        ({"permitted": ("example", "test")}, {"dns": ("tls.test",)}, 0),
        ({"permitted": ("test",)}, {"dns": ("tls.test", "a.example")}, 47),
        ({"excluded": ("example",)}, {"dns": ("a.example",)}, 48),
        ({"excluded": ("example",)}, {"dns": ("tls.test",)}, 0),
        ({"permitted": ("test",), "excluded": ("tls.test",)}, {"dns": ("tls.test",)}, 48),
        ({"permitted": ("test",)}, {"ip": ("192.168.1.2",)}, 0),
        ({"permitted": ("192.168.1.0/24",)}, {"ip": ("192.168.1.2",)}, 0),
        ({"permitted": ("192.168.1.0/24",)}, {"ip": ("192.168.2.2",)}, 47),
        ({"permitted": ("192.168.1.0/24",)}, {"dns": ("tls.test",)}, 0),
        ({"excluded": ("192.168.0.0/16",)}, {"ip": ("192.168.2.2",)}, 48),
        ({"excluded": ("192.168.0.0/16",)}, {"ip": ("fe80::1",)}, 0),
        ({"permitted": ("test",)}, {}, 0),
        ({"permitted": ("test",)}, {"name": "board.example"}, 47),
        ({"permitted": ("test",)}, {"name": "board.test"}, 0),
    ],
)
def test_as_openssl(root, tmp_path, words, leaf, code, critical):
    """The reading has the violation exactly where OpenSSL refuses for it (X509_V_ERR_PERMITTED_VIOLATION 47, EXCLUDED 48)."""
    inter = issue("Inter", root, ca=True, days=(-2000, 2000), critical_constraints=critical, **words)
    chain = [issue(**{"name": "board", "issuer": inter, "days": (-1000, 2000), **leaf}), inter]
    reading = read_chain(
        placed([one.der for one in chain], origin=Origin.SENT),
        trusted=placed([root.der], origin=Origin.TRUSTED),
        rules=RULES,
    )
    found = [problem for problem in reading.problems if problem.reason is Reason.NAME_CONSTRAINT]
    assert openssl_code(chain, root, tmp_path) == code
    assert [problem.reason for problem in reading.problems] == [Reason.NAME_CONSTRAINT] * bool(code)
    assert [(problem.violation.is_excluded, problem.other.parsed.name) for problem in found] == [
        (code == 48, "Inter")
    ] * bool(code)


def test_a_limit_of_the_root(tmp_path):
    """A trusted root limits its whole chain; the certificate with the name is named, not the CA between."""
    root = issue("Root", ca=True, days=(-3000, 3000), permitted=("test",))
    inter = issue("Inter", root, ca=True, days=(-2000, 2000))
    chain = [issue("board", inter, days=(-1000, 2000), dns=("a.example",)), inter]
    reading = read_chain(
        placed([one.der for one in chain], origin=Origin.SENT),
        trusted=placed([root.der], origin=Origin.TRUSTED),
        rules=RULES,
    )
    assert openssl_code(chain, root, tmp_path) == 47
    (problem,) = reading.problems
    assert (problem.link.parsed.name, problem.other.parsed.name) == ("board", "Root")


@pytest.mark.parametrize(("critical", "found"), [(True, [Reason.EXTENSION]), (False, [])])
def test_as_mbedtls(root, critical, found):
    """mbedTLS cannot read them: a certificate in which they are critical is refused, otherwise they are ignored."""
    inter = issue("Inter", root, ca=True, permitted=("example",), critical_constraints=critical)
    chain = [issue("tls.test", inter, dns=("tls.test",)), inter]
    reading = read_chain(
        placed([one.der for one in chain], origin=Origin.SENT), trusted=placed([root.der], origin=Origin.TRUSTED)
    )
    assert [problem.reason for problem in reading.problems] == found


def test_what_is_named():
    """The name, and what is permitted instead or excludes it."""
    limits = NameConstraints(permitted_dns=("test", "example"), excluded_networks=("10.0.0.0/8",))
    assert violation(limits, dns=("a.test", "b.org"), addresses=()) == Violation(
        name="b.org", limit="test, example", is_excluded=False
    )
    assert violation(limits, dns=(), addresses=("10.1.2.3",)) == Violation(
        name="10.1.2.3", limit="10.0.0.0/8", is_excluded=True
    )
