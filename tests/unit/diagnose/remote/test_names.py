"""The names to try: from real certificates of every kind of name, without those that a board cannot ask for."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.diagnose.remote.names import candidates, passes_name, with_names
from harness.model import Change, Fix


def certificate(*names, common=None):
    """Return a self-signed certificate with these alternative names, none without any, and this common name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)] if common else [])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=now,
        not_valid_after=now + timedelta(days=1),
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def dns(*names):
    """Return DNS names."""
    return [x509.DNSName(name) for name in names]


def ip(address):
    """Return an address as an alternative name."""
    return x509.IPAddress(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("found", "target", "expected"),
    [
        ([certificate(*dns("a.example", "b.example"))], "192.0.2.1", ("a.example", "b.example")),
        ([certificate(*dns("a.example"), ip("192.0.2.1"))], "192.0.2.1", ("192.0.2.1", "a.example")),
        ([certificate(*dns("a.example"), ip("2001:db8::1"))], "2001:0db8::0001", ("2001:db8::1", "a.example")),
        ([certificate(*dns("a.example", "B.example"))], "b.Example", ("b.example", "a.example")),
        ([certificate(*dns("*.example", "a.example"))], "192.0.2.1", ("a.example",)),
        ([certificate(x509.RFC822Name("me@a.example"), *dns("a.example"))], "192.0.2.1", ("a.example",)),
        ([certificate(common="c.example")], "192.0.2.1", ("c.example",)),
        ([certificate(common="My Server")], "192.0.2.1", ("192.0.2.1",)),
        ([certificate()], "192.0.2.1", ("192.0.2.1",)),
        ([certificate(*dns("a.example"), common="c.example")], "192.0.2.1", ("a.example",)),
        ([certificate(*dns("a.example")), certificate(*dns("b.example"))], "x", ("a.example", "b.example")),
        ([certificate(*dns("a.example")), certificate(*dns("a.example"))], "x", ("a.example",)),
        ([certificate(*dns(*(f"{n}.example" for n in range(9))))], "x", tuple(f"{n}.example" for n in range(4))),
        ([b"damaged"], "192.0.2.1", ("192.0.2.1",)),
        ([], "192.0.2.1", ()),
    ],
)
def test_candidates(found, target, expected):
    """Names and addresses of the certificates in their order, the target first; without any, the target; without a certificate, none."""
    assert candidates(found, target=target, tried=None) == expected


def test_a_name_is_not_tried_twice():
    """The name that the board has used is left out."""
    found = [certificate(*dns("a.example", "b.example"))]
    assert candidates(found, target="x", tried="a.example") == ("b.example",)
    assert candidates([certificate()], target="192.0.2.1", tried="192.0.2.1") == ()


NAMELESS = Fix(
    title="pass the name",
    client_lines=("import tls", 'stream = context.wrap_socket(sock, server_hostname="HOST")'),
    change=Change(client={"server_hostname": "*", "verify": "required"}),
)


def test_a_fix_for_each_name():
    """Each name gets its own fix, with its own lines and change."""
    one, other = with_names(NAMELESS, ("a.example", "b.example"))
    assert (one.title, other.title) == ("pass the name: a.example", "pass the name: b.example")
    assert one.client_lines == ("import tls", 'stream = context.wrap_socket(sock, server_hostname="a.example")')
    assert other.change == Change(client={"server_hostname": "b.example", "verify": "required"})


def test_a_placeholder_is_never_tried():
    """Without a name there is nothing to try, and the fix says which option names it."""
    (fix,) = with_names(NAMELESS, ())
    assert fix.change is None
    assert fix.title == "pass the name: the server shows none, so give --hostname NAME"
    assert fix.client_lines[1].endswith('server_hostname="NAME")')


@pytest.mark.parametrize(
    "fix",
    [
        Fix(title="x"),
        Fix(title="x", change=Change(server={"ciphers": None})),
        Fix(title="x", change=Change(client={"server_hostname": "a.example"})),
    ],
)
def test_other_fixes(fix):
    """A fix that passes no name, or a name that it knows, is unchanged."""
    assert not passes_name(fix)
    assert with_names(fix, ("b.example",)) == (fix,)
