"""Names by mbedTLS's rules."""

import pytest

from harness.certificates.host_match import matches
from harness.certificates.parsed import parsed
from tests.certificate_issuer import issue


@pytest.mark.parametrize(
    ("name", "host", "expected"),
    [
        ("tls.test", "tls.test", True),
        ("TLS.test", "tls.TEST", True),
        ("tls.test", "a.tls.test", False),
        ("*.tls.test", "a.tls.test", True),
        ("*.tls.test", "a.b.tls.test", False),
        ("*.tls.test", "tls.test", False),
        ("*.test", "tls.test", True),
        ("a*.tls.test", "ab.tls.test", False),
        ("*", "tls", False),
        ("192.0.2.1", "192.0.2.1", True),
    ],
)
def test_alternative_names(name, host, expected):
    """A wildcard is the whole first label and stands for exactly one; an address may be written as a DNS name."""
    assert matches(parsed(issue("x", dns=(name,)).der), host, addresses=False) is expected


def test_the_common_name_counts_only_alone():
    """With alternative names of any type it is ignored."""
    assert matches(parsed(issue("tls.test").der), "tls.test", addresses=True)
    assert not matches(parsed(issue("tls.test", dns=("a.test",)).der), "tls.test", addresses=True)
    assert not matches(parsed(issue("tls.test", ip=("192.0.2.1",)).der), "tls.test", addresses=True)


def test_addresses():
    """Compared by value, and only from mbedTLS 3.5 on."""
    found = parsed(issue("x", ip=("192.0.2.1", "2001:db8::1")).der)
    assert matches(found, "192.0.2.1", addresses=True)
    assert matches(found, "2001:DB8:0::1", addresses=True)
    assert not matches(found, "192.0.2.2", addresses=True)
    assert not matches(found, "192.0.2.1", addresses=False)
