"""Tests of harness/firmware/fingerprint.py: recorded hellos have their family, restricted ones have none."""

from __future__ import annotations

import ssl
from dataclasses import replace

import pytest

from harness.firmware.fingerprint import families, fingerprint, library_of
from harness.firmware.table import stored_hellos
from harness.model import HelloFacts, TlsLibrary
from harness.wire.handshake import read_client_hello
from harness.wire.suites import all_suites, suite_info

TEN = ("A", "X", "B", "B3", "C", "C3", "E1", "E2", "E3", "D")


def _esp32(*, record_version: str, groups: tuple[str, ...], dhe: bool, aria: bool) -> HelloFacts:
    """Return a hello as IDF's configuration makes it.

    No esp32 hello is recorded here, so this one is put together: AES with these key exchanges, CCM for
    RSA and ephemeral keys, and their counts (48 with DHE, 58 with ARIA) are what is checked.
    """
    exchanges = {("ECDHE", "ECDSA"), ("ECDHE", "RSA"), ("RSA", "RSA"), ("ECDH", "RSA"), ("ECDH", "ECDSA")}
    exchanges |= {("DHE", "RSA")} if dhe else set()
    offered = []
    for code in all_suites():
        info = suite_info(code)
        if info is None or (info.key_exchange, info.authentication) not in exchanges:
            continue
        if info.cipher.startswith("AES") or (aria and info.cipher.startswith("ARIA")):
            offered.append(f"{code:04x}")
    return HelloFacts(
        record_version=record_version,
        versions=("0303",),
        suites=(*offered, "00ff"),
        groups=groups,
        signature_algorithms=("0603", "0601"),
        extensions=(0, 10, 13, 11, 22, 23, 35),
        sni="tls.test",
    )


E1 = _esp32(record_version="0301", groups=("0019", "0018", "0017"), dhe=True, aria=False)
E2 = _esp32(record_version="0303", groups=("001d", "0017", "0018", "0019", "001a"), dhe=False, aria=True)
E3 = replace(E2, groups=("0017", "0018", "0019"))


def test_stored_hellos(stored_hello) -> None:
    """Every recorded hello gives the family it was captured as; the packaged interpreter is C3."""
    facts = read_client_hello(stored_hello.data)
    assert facts is not None
    assert stored_hello.family == fingerprint(facts)
    if "packaged" in stored_hello.build:
        assert fingerprint(facts) == "C3"


def test_without_server_name(stored_hello) -> None:
    """A client without a server name has the same family."""
    facts = read_client_hello(stored_hello.data)
    assert facts is not None
    nameless = replace(facts, sni=None, extensions=tuple(code for code in facts.extensions if code != 0))
    assert stored_hello.family == fingerprint(nameless)


def test_restricted_hello_has_no_family(stored_hello) -> None:
    """A shorter suite list, another record version or a missing group gives no family, not the nearest one."""
    facts = read_client_hello(stored_hello.data)
    assert facts is not None
    assert fingerprint(replace(facts, suites=facts.suites[:2])) is None
    assert fingerprint(replace(facts, record_version="0302")) is None
    if facts.groups and stored_hello.family != "D":
        assert fingerprint(replace(facts, groups=facts.groups[1:])) is None


@pytest.mark.parametrize(
    ("hello", "count", "expected"),
    [(E1, 48, "E1"), (E2, 58, "E2"), (E3, 58, "E3")],
    ids=["E1", "E2", "E3"],
)
def test_esp32(hello: HelloFacts, count: int, expected: str) -> None:
    """The esp32 families have the documented suite counts; record version and X25519 distinguish them."""
    assert (count, expected) == (len(hello.suites) - 1, fingerprint(hello))
    assert fingerprint(replace(hello, extensions=(0, 10, 13, 11))) is None
    assert fingerprint(replace(hello, suites=hello.suites[4:])) is None


def test_esp32_without_aria() -> None:
    """The esp32-like build that was measured without ARIA (38 suites) is still the newest esp32 family."""
    hello = _esp32(record_version="0303", groups=("0017", "0018", "0019"), dhe=False, aria=False)
    assert (len(hello.suites) - 1, fingerprint(hello)) == (38, "E3")


@pytest.mark.parametrize("maximum", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_cpython_is_not_a_board(maximum: ssl.TLSVersion) -> None:
    """CPython's own hello has no MicroPython family."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = maximum
    context.set_ciphers("ALL:@SECLEVEL=0")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="tls.test").do_handshake()
    facts = read_client_hello(outgoing.read())
    assert facts is not None
    assert fingerprint(facts) is None


def test_the_library_of_a_family() -> None:
    """Only family X is axTLS."""
    assert [family for family in families() if library_of(family) is not TlsLibrary.MBEDTLS] == ["X"]
    assert library_of("X") is TlsLibrary.AXTLS


def test_every_family_is_described() -> None:
    """Each family's text names its builds, in ASCII."""
    assert tuple(families()) == TEN
    assert all(family.text.isascii() and len(family.text) > 20 for family in families().values())


def test_releases_of_a_family() -> None:
    """The first and last release series with a family are those of the table's rows; open where it has no more."""
    found = {name: (family.first, family.last) for name, family in families().items()}
    assert found == {
        "A": (None, (1, 19)),
        "X": (None, None),
        "B": ((1, 20), (1, 22)),
        "B3": ((1, 23), (1, 23)),
        "C": ((1, 20), (1, 22)),
        "C3": ((1, 23), None),
        "E1": (None, (1, 20)),
        "E2": ((1, 21), (1, 21)),
        "E3": ((1, 22), None),
        "D": ((1, 25), None),
    }


def test_families_with_alpn() -> None:
    """ALPN is compiled into the builds of ESP-IDF up to 1.21, and into those of distributions."""
    assert [name for name, family in families().items() if family.alpn] == ["E1", "E2", "D"]


def test_table_names_the_family_of_each_hello() -> None:
    """The family that the table names for a hello is the one that is recognised in it."""
    for hello in stored_hellos().values():
        assert fingerprint(hello.facts) == hello.family
