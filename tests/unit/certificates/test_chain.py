"""One certificate and one reason for each way in which a chain fails, in the order in which they are solved."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509 import verification

from harness.certificates.chain import read_chain
from harness.certificates.chain_problems import TRUST, Reason, Role, Rules
from harness.certificates.placed import Origin, Placed
from tests.certificate_issuer import NOW, issue

SERVER = Rules(in_order=False, needs_root=True, purpose="clientAuth", ca_purposes=True)


def placed(origin, *found, file=None):
    """Return certificates with their places."""
    return [
        Placed(der=one.der, origin=origin, file=file, number=at, count=len(found))
        for at, one in enumerate(found, start=1)
    ]


def read(sent, trusted=(), nearby=(), *, host="tls.test", rules=None, now=NOW):
    """Follow a chain of issued certificates."""
    return read_chain(
        placed(Origin.SENT, *sent),
        trusted=placed(Origin.TRUSTED, *trusted, file="ca.pem"),
        nearby=placed(Origin.NEARBY, *nearby, file="near.pem"),
        rules=rules,
        host=host,
        now=now,
    )


def problems(reading):
    """Return each problem as (reason, role, name of the certificate, detail)."""
    return [
        (item.reason.value, item.role.value, item.link.parsed.name if item.link else "", item.detail)
        for item in reading.problems
    ]


def leaf(issuer, **words):
    """Issue a server's certificate for tls.test."""
    return issue("tls.test", issuer, **{"dns": ("tls.test",), **words})


@pytest.fixture(scope="module")
def root():
    """A CA."""
    return issue("Root", ca=True)


@pytest.fixture(scope="module")
def inter(root):
    """Its intermediate."""
    return issue("Inter", root, ca=True)


def test_a_good_chain_has_no_problem(root, inter):
    """With and without the root, and with one unrelated certificate in between."""
    for sent in ([inter], [inter, root], [issue("Other", ca=True), inter]):
        found = read([leaf(inter), *sent], [root])
        assert [link.parsed.name for link in found.path] == ["tls.test", "Inter", "Root"]
        assert problems(found) == []
        assert [link.parsed.name for link in found.complete] == ["tls.test", "Inter"]


def test_a_trusted_intermediate_is_enough_for_a_board_but_not_for_openssl(root, inter):
    """OpenSSL wants the self-signed root, unless X509_V_FLAG_PARTIAL_CHAIN is set."""
    assert problems(read([leaf(inter)], [inter])) == []
    client = leaf(inter, purposes=("clientAuth",))
    assert problems(read([client], [inter], rules=SERVER, host=None)) == [("no-root", "root", "Inter", "Root")]
    assert problems(read([client], [inter, root], rules=SERVER, host=None)) == []
    found = read([client], [inter], [root], rules=SERVER, host=None)
    assert problems(found) == [("no-root", "root", "Inter", "Root")]
    assert found.problems[0].other.at.file == "near.pem"


def test_the_missing_intermediate(root, inter):
    """Unknown where it is: the certificate whose issuer is missing. Found in the folder: the intermediate itself."""
    assert problems(read([leaf(inter)], [root])) == [("unknown-issuer", "leaf", "tls.test", "Inter")]
    found = read([leaf(inter)], [root], [issue("Inter", ca=True), inter])
    assert problems(found) == [("missing", "intermediate", "Inter", "")]
    assert found.problems[0].at == Placed(der=inter.der, origin=Origin.NEARBY, file="near.pem", number=2, count=2)
    assert [link.parsed.name for link in found.complete] == ["tls.test", "Inter"]


def test_an_intermediate_that_the_board_does_not_read(root, inter):
    """It is in the file of the board's CA, of which the board reads only the first certificate."""
    trusted = placed(Origin.TRUSTED, root, file="ca.der")
    unused = Placed(der=inter.der, origin=Origin.TRUSTED, file="ca.der", number=2, count=2, unused=True)
    found = read_chain(placed(Origin.SENT, leaf(inter)), trusted=[*trusted, unused], host="tls.test", now=NOW)
    assert problems(found) == [("not-loaded", "intermediate", "Inter", "")]


def test_the_wrong_ca(root, inter):
    """The root that issued it is in the folder, or nowhere, or is sent."""
    other = issue("Other", ca=True)
    assert problems(read([leaf(root)], [other], [root])) == [("other-ca", "root", "Root", "")]
    assert problems(read([leaf(root)], [other])) == [("unknown-issuer", "leaf", "tls.test", "Root")]
    assert problems(read([leaf(root), root], [other])) == [("untrusted-root", "root", "Root", "Root")]


def test_two_problems_of_trust_in_the_order_from_the_leaf(root, inter):
    """A missing intermediate, and above it a CA that the board does not have."""
    found = read([leaf(inter)], [issue("Other", ca=True)], [root, inter])
    assert problems(found) == [("missing", "intermediate", "Inter", ""), ("other-ca", "root", "Root", "")]


def test_the_problem_nearest_to_the_leaf_comes_first():
    """Whatever its reason is: the chain is repaired from the leaf up."""
    top = issue("Top", ca=False)
    middle = issue("Middle", top, ca=True)
    assert problems(read([leaf(middle)], [top], [middle])) == [
        ("missing", "intermediate", "Middle", ""),
        ("not-ca", "root", "Top", "None"),
    ]


def test_of_two_certificates_within_reach_the_valid_one_is_named(root):
    """One CA, renewed: the expired one comes first in its file."""
    old = issue("Root", ca=True, key=root.key, days=(-90, -3))
    found = read([leaf(root)], [issue("Other", ca=True)], [old, root])
    assert problems(found) == [("other-ca", "root", "Root", "")]
    assert found.problems[0].at.number == 2


def test_a_self_signed_certificate(root):
    """Not trusted; trusted; and a certificate of a CA that is trusted itself instead of its issuer."""
    own = leaf(None)
    assert problems(read([own], [root])) == [("self-signed", "leaf", "tls.test", "tls.test")]
    assert problems(read([own], [own])) == []
    issued = leaf(root)
    assert problems(read([issued], [issued])) == [("leaf-trusted", "leaf", "tls.test", "Root")]


def test_a_regenerated_ca(root):
    """Same name, another key: the right one is in the folder or not; and it was sent."""
    again = issue("Root", ca=True)
    found = read([leaf(again)], [root])
    assert problems(found) == [("other-key", "leaf", "tls.test", "")]
    assert found.problems[0].other.at.file == "ca.pem"
    assert problems(read([leaf(again)], [root], [again])) == [("other-key", "leaf", "tls.test", "near.pem")]
    assert problems(read([leaf(again), again], [root])) == [("other-key", "root", "Root", "")]


def test_several_trusted_certificates_with_one_name(root):
    """All are tried, not only the first."""
    assert problems(read([leaf(root)], [issue("Root", ca=True), issue("Root", ca=True), root])) == []


def test_an_rsa_ca_that_became_an_ec_ca(root):
    """Another kind of key is another key."""
    again = issue("Root", ca=True, key="RSA")
    assert problems(read([leaf(again)], [root])) == [("other-key", "leaf", "tls.test", "")]


@pytest.mark.parametrize(
    ("words", "reason", "detail"),
    [
        ({"ca": False}, "not-ca", "None"),
        ({"ca": None}, "no-basic-constraints", "None"),
        ({"ca": True, "usages": ("crl_sign", "digital_signature")}, "no-cert-sign", "None"),
    ],
)
def test_an_issuer_that_may_not_sign(root, words, reason, detail):
    """As an intermediate and as the CA of the board; the chain is followed further."""
    bad = issue("Bad", root, **words)
    found = read([leaf(bad), bad], [root])
    assert problems(found) == [(reason, "intermediate", "Bad", detail)]
    assert found.problems[0].other.parsed.name == "tls.test"
    assert [link.parsed.name for link in found.path] == ["tls.test", "Bad", "Root"]
    bad = issue("Bad", **words)
    assert problems(read([leaf(bad)], [bad])) == [(reason, "root", "Bad", detail)]


def test_key_usage_that_nobody_checks(root):
    """mbedTLS 2 of MicroPython does not look at KeyUsage."""
    bad = issue("Bad", root, ca=True, usages=("crl_sign",))
    assert problems(read([leaf(bad, usages=("key_agreement",)), bad], [root], rules=Rules(key_usage=False))) == []


def test_the_path_length(inter):
    """pathlen:0 may sign leaves, not a CA; pathlen:1 may."""
    for length, expected in ((0, [("path-length", "root", "Top", "0")]), (1, [])):
        top = issue("Top", ca=True, path_length=length)
        below = issue("Below", top, ca=True)
        assert problems(read([leaf(below), below], [top])) == expected
        assert problems(read([leaf(top)], [top])) == []


def test_the_wrong_order(root, inter):
    """A board looks for an issuer only after the certificate that it signed; OpenSSL does not care. Named once."""
    low = issue("Low", inter, ca=True)
    lower = issue("Lower", low, ca=True)
    sent = [leaf(lower), inter, low, lower]
    assert problems(read(sent, [root])) == [("wrong-order", "intermediate", "Low", "")]
    assert problems(read(sent, [root], rules=Rules(in_order=False))) == []
    assert [link.parsed.name for link in read(sent, [root]).complete] == ["tls.test", "Lower", "Low", "Inter"]


def test_dates_of_every_certificate(root):
    """The leaf, an intermediate and the board's CA; each with its day, from the leaf up."""
    old = issue("Old", ca=True, days=(-90, -3))
    middle = issue("Middle", old, ca=True, days=(-60, -2))
    assert problems(read([leaf(middle, days=(-30, -1)), middle], [old])) == [
        ("expired", "leaf", "tls.test", "2026-05-31"),
        ("expired", "intermediate", "Middle", "2026-05-30"),
        ("expired", "root", "Old", "2026-05-29"),
    ]
    late = leaf(root, days=(1, 9))
    assert problems(read([late], [root])) == [("not-yet-valid", "leaf", "tls.test", "2026-06-02")]
    assert problems(read([late], [root], now=None)) == []


def test_an_expired_root_that_was_renewed(root):
    """The renewed one has the same name and key; the valid one of two trusted is taken."""
    old = issue("Root", ca=True, key=root.key, days=(-90, -3))
    found = read([leaf(root)], [old], [root])
    assert problems(found) == [("expired", "root", "Root", "2026-05-29")]
    assert found.problems[0].other.at.file == "near.pem"
    assert problems(read([leaf(root)], [old, root])) == []


def test_a_cross_signed_root(root, inter):
    """The old root is expired, the new one is trusted: the cross certificate that is sent does no harm."""
    old = issue("Old", ca=True, days=(-90, -3))
    cross = issue("Root", old, ca=True, key=root.key)
    sent = [leaf(inter), inter, cross]
    assert problems(read(sent, [root])) == []
    assert problems(read(sent, [old])) == [("expired", "root", "Old", "2026-05-29")]
    # Of two certificates of one CA, the one that leads to the trusted root is missing.
    valid = issue("Valid", ca=True)
    other = issue("Root", valid, ca=True, key=root.key)
    found = read(sent[:2], [valid], [root, other])
    assert problems(found) == [("missing", "intermediate", "Root", "")]
    assert found.problems[0].link.parsed.der == other.der


def test_keys(root):
    """RSA under 2048 bits, a curve under 256 bits: of the leaf, and of the board's CA."""
    assert problems(read([leaf(root, key="P-224")], [root])) == [("curve", "leaf", "tls.test", "secp224r1")]
    assert problems(read([leaf(root, key="P-224")], [root], rules=Rules(ec_bits=224))) == []
    short = issue("Short", ca=True, key="RSA-1024")
    assert problems(read([leaf(short)], [short])) == [("key-too-short", "root", "Short", "1024")]
    assert problems(read([leaf(short)], [short], rules=Rules(rsa_bits=1024))) == []


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("server-sha1", [("hash", "leaf", "tls.test", "sha1")]),
        ("server-rsa2048-md5", [("hash", "leaf", "tls.test", "md5")]),
        ("server-under-sha1-root", []),
        ("server-rsa2048-pss-signed", [("signature-algorithm", "leaf", "tls.test", "RSA-PSS")]),
        ("server-unknown-critical-extension", [("extension", "leaf", "tls.test", "1.3.6.1.4.1.32473.2")]),
        ("server-unknown-extension", []),
        ("server-name-constraint-kept", [("extension", "intermediate", "TLS harness inter-for-test", "2.5.29.30")]),
    ],
)
def test_signatures_and_extensions(made, profile, expected):
    """A root's own signature is not looked at; an extension only if it is critical."""
    own = made.make(profile)
    sent = [Placed(der=der, origin=Origin.SENT) for der in own.chain_der]
    trusted = [Placed(der=own.root_der, origin=Origin.TRUSTED)]
    assert problems(read_chain(sent, trusted=trusted, host="tls.test", now=made.now + timedelta(minutes=1))) == expected


def test_the_signature_of_a_trusted_certificate(root):
    """It is not looked at: neither its algorithm nor its hash."""
    trusted = issue("Trusted", root, ca=True, key="RSA")
    found = [leaf(trusted), issue("Trusted", root, ca=True, key=trusted.key)]
    only_rsa = Rules(signatures=frozenset({"RSA"}))
    assert problems(read(found[:1], [trusted], rules=only_rsa)) == []
    assert problems(read(found, [root], rules=only_rsa)) == [("signature-algorithm", "intermediate", "Trusted", "EC")]


def test_uses_of_a_servers_certificate(root):
    """ExtendedKeyUsage and KeyUsage of the leaf."""
    bad = leaf(root, purposes=("clientAuth",), usages=("key_encipherment",))
    assert problems(read([bad], [root])) == [
        ("purpose", "leaf", "tls.test", "serverAuth"),
        ("key-usage", "leaf", "tls.test", "digitalSignature"),
    ]
    assert (
        problems(read([leaf(root, usages=("key_encipherment",))], [root], rules=Rules(usage="keyEncipherment"))) == []
    )


def test_uses_of_a_ca(root):
    """OpenSSL wants the purpose in each issuer that has the extension; mbedTLS looks at the leaf only."""
    narrow = issue("Narrow", root, ca=True, purposes=("serverAuth",))
    sent = [leaf(narrow, purposes=("clientAuth",)), narrow]
    assert problems(read(sent, [root], rules=SERVER, host=None)) == [
        ("ca-purpose", "intermediate", "Narrow", "clientAuth")
    ]
    assert problems(read(sent, [root], rules=Rules(purpose="clientAuth"), host=None)) == []
    bad = leaf(root, purposes=("serverAuth",))
    assert problems(read([bad], [root], rules=SERVER, host=None)) == [("purpose", "leaf", "tls.test", "clientAuth")]


def test_names(root):
    """Another name, no name at all, and an address that an old mbedTLS does not compare."""
    assert problems(read([leaf(root)], [root], host="x.test")) == [("other-name", "leaf", "tls.test", "x.test")]
    nameless = issue("", root)
    assert problems(read([nameless], [root], host="x.test")) == [("no-name", "leaf", "", "x.test")]
    by_address = leaf(root, ip=("192.0.2.1",))
    assert problems(read([by_address], [root], host="192.0.2.1")) == []
    old = Rules(addresses=False)
    assert problems(read([by_address], [root], host="192.0.2.1", rules=old)) == [
        ("address-name", "leaf", "tls.test", "192.0.2.1")
    ]
    assert problems(read([by_address], [root], host=None, rules=old)) == []


def test_everything_at_once_in_order(root):
    """Trust first, then the key, the date, the use and the name."""
    bad = leaf(root, key="P-224", days=(-9, -1), purposes=("clientAuth",))
    assert [item[0] for item in problems(read([bad], [issue("Other", ca=True)], host="x.test"))] == [
        *("unknown-issuer", "curve", "expired", "purpose", "other-name")
    ]


def test_what_cannot_be_read(root):
    """A damaged certificate is named by its place; without a leaf nothing else can be said."""
    damaged = Placed(der=b"\x30\x03abc", origin=Origin.SENT, number=2, count=2)
    good = Placed(der=leaf(root).der, origin=Origin.SENT, number=1, count=2)
    trusted = placed(Origin.TRUSTED, root)
    found = read_chain([good, damaged], trusted=trusted, host="tls.test", now=NOW)
    assert [(item.reason, item.role, item.at.number) for item in found.problems] == [
        (Reason.UNREADABLE, Role.INTERMEDIATE, 2)
    ]
    found = read_chain([damaged, good], trusted=trusted, host="tls.test", now=NOW)
    assert ([item.role for item in found.problems], found.path) == ([Role.LEAF], ())
    assert read_chain([], trusted=trusted).problems == ()


def test_a_circle_ends():
    """Two CAs that signed each other."""
    one = issue("One", ca=True)
    two = issue("Two", one, ca=True)
    back = issue("One", two, ca=True, key=one.key)
    found = read([leaf(two), two, back, two, back], [])
    assert [link.parsed.name for link in found.path] == ["tls.test", "Two", "One"]


def test_second_opinion(made):
    """The verifier of `cryptography` (the Web PKI's rules, which are stricter) accepts no chain in which trust is broken."""
    agreed = 0
    rules = Rules(in_order=False, extensions=frozenset())
    for name in made.names():
        if made.profile(name).role != "server" or made.profile(name).key in ("ed448", "rsa-8192", "rsa-4096"):
            continue
        own = made.make(name)
        sent = [Placed(der=der, origin=Origin.SENT) for der in own.chain_der]
        moment = made.now + timedelta(minutes=1)
        found = read_chain(
            sent,
            trusted=[Placed(der=own.root_der, origin=Origin.TRUSTED)],
            rules=rules,
            host="tls.test",
            now=moment,
        )
        accepted = _accepts([item.der for item in sent], own.root_der, moment=moment)
        if accepted:
            assert not found.of(TRUST - {Reason.WRONG_ORDER}), name
            assert not found.of({Reason.EXPIRED, Reason.NOT_YET_VALID}), name
        agreed += accepted
    assert agreed >= 10


def _accepts(chain, root, *, moment):
    store = verification.Store([x509.load_der_x509_certificate(root)])
    verifier = verification.PolicyBuilder().store(store).time(moment).build_server_verifier(x509.DNSName("tls.test"))
    loaded = [x509.load_der_x509_certificate(der) for der in chain]
    try:
        verifier.verify(loaded[0], loaded[1:])
    except (verification.VerificationError, ValueError):
        return False
    return True
