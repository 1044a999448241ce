"""harness.oracle.own_hello: the ClientHello that follows from a plan."""

from dataclasses import replace

import pytest

from harness.model import HelloFacts
from harness.oracle.own_hello import Difference, HelloPlan, Part, hello_differences
from harness.wire.suites import mbedtls_suite_name, suite_name

# MicroPython 1.28, and one with TLS 1.3 (shortened).
COMMON = HelloFacts(
    record_version="0303",
    versions=("0303",),
    suites=("c02c", "c030", "c00a", "c014", "c02b", "009d", "0035", "002f", "00ff"),
    groups=("0017", "0018", "0019"),
    signature_algorithms=("0603", "0601", "0403"),
    extensions=(0, 10, 13, 11),
    sni="tls.test",
)
TLS13 = HelloFacts(
    record_version="0303",
    versions=("0304", "0303"),
    suites=("1303", "1302", "c02c", "c030", "009d", "00ff"),
    groups=("001d", "0017", "0100"),
    signature_algorithms=("0403", "0804"),
    extensions=(0, 43, 51, 45, 10, 13, 11, 22, 23, 35),
    sni="tls.test",
    key_share_groups=("001d",),
)
USUAL = HelloPlan(server_name="tls.test")
BOTH = pytest.mark.parametrize("own", [COMMON, TLS13], ids=["common", "tls13"])


def words(*codes: str) -> tuple[str, ...]:
    """The suites as `set_ciphers` gets them."""
    return tuple(mbedtls_suite_name(suite_name(int(code, 16))) for code in codes)


def parts(hello: HelloFacts, *, own: HelloFacts | None = COMMON, plan: HelloPlan = USUAL) -> list[Part]:
    """The parts in which a hello differs."""
    return [difference.part for difference in hello_differences(hello, plan=plan, unrestricted=own)]


@BOTH
def test_the_same_hello_again(own: HelloFacts):
    """Another random and another server name make no difference by themselves."""
    assert parts(replace(own, random="ff" * 32), own=own) == []
    assert parts(replace(own, sni="other.test"), own=own, plan=HelloPlan(server_name="other.test")) == []


@BOTH
def test_signals_and_grease_are_not_compared(own: HelloFacts):
    """SCSVs come and go with the version; GREASE is random by design."""
    greased = replace(
        own,
        suites=("1a1a", *own.suites[:-1], "5600"),
        groups=("2a2a", *own.groups),
        versions=("3a3a", *own.versions),
        extensions=(0x4A4A, *own.extensions, 21),
    )
    assert parts(greased, own=own) == []


CHANGES = {
    "suite dropped": (Part.SUITES, lambda hello: replace(hello, suites=hello.suites[1:])),
    "suite added": (Part.SUITES, lambda hello: replace(hello, suites=("cca9", *hello.suites))),
    "suites reversed": (Part.SUITES, lambda hello: replace(hello, suites=hello.suites[::-1])),
    "no name": (Part.SERVER_NAME, lambda hello: replace(hello, sni=None)),
    "other name": (Part.SERVER_NAME, lambda hello: replace(hello, sni="tls.tes")),
    "version": (Part.VERSIONS, lambda hello: replace(hello, versions=("0302",))),
    "group dropped": (Part.GROUPS, lambda hello: replace(hello, groups=hello.groups[1:])),
    "groups reversed": (Part.GROUPS, lambda hello: replace(hello, groups=hello.groups[::-1])),
    "signature": (
        Part.SIGNATURE_ALGORITHMS,
        lambda hello: replace(hello, signature_algorithms=hello.signature_algorithms[1:]),
    ),
    "key share": (Part.KEY_SHARES, lambda hello: replace(hello, key_share_groups=("0018",))),
    "alpn": (Part.ALPN, lambda hello: replace(hello, alpn=("h2",))),
    "extension added": (Part.EXTENSIONS, lambda hello: replace(hello, extensions=(*hello.extensions, 16))),
    "extension dropped": (Part.EXTENSIONS, lambda hello: replace(hello, extensions=(0, *hello.extensions[2:]))),
}


@BOTH
@pytest.mark.parametrize("name", CHANGES)
def test_each_part_that_differs(own: HelloFacts, name: str):
    """One change is one difference."""
    part, change = CHANGES[name]
    if name == "extension dropped" and own is COMMON:
        change = lambda hello: replace(hello, extensions=(0, 10, 11))  # noqa: E731 - one place
    assert parts(change(own), own=own) == [part]


def test_suites_are_offered_exactly():
    """`set_ciphers` with three suites: these three in this order."""
    plan = replace(USUAL, suites=words("c02b", "c00a", "009d"))
    asked = replace(COMMON, suites=("c02b", "c00a", "009d", "00ff"))
    assert parts(asked, plan=plan) == []
    assert parts(replace(asked, suites=("c00a", "c02b", "009d")), plan=plan) == [Part.SUITES]
    assert parts(replace(asked, suites=("c02b", "c00a")), plan=plan) == [Part.SUITES]
    assert hello_differences(COMMON, plan=plan, unrestricted=COMMON) == (
        Difference(part=Part.SUITES, text="offered 8 suites, expected 3"),
    )


def test_the_first_suite_that_differs_is_named():
    """With as many as expected, the place and both names."""
    plan = replace(USUAL, suites=words("c02b", "009d"))
    (found,) = hello_differences(replace(COMMON, suites=("c02b", "0035")), plan=plan, unrestricted=None)
    assert found.text == (
        "offered TLS_RSA_WITH_AES_256_CBC_SHA as suite 2 of 2, expected TLS_RSA_WITH_AES_256_GCM_SHA384"
    )


@BOTH
def test_a_suite_that_cannot_be_offered(own: HelloFacts):
    """A client leaves out suites of a version it does not speak and, without a key, those for a pre-shared key."""
    plan = replace(USUAL, suites=words("c02b", "00a8"))
    assert parts(replace(own, suites=("c02b",)), own=own, plan=plan) == []
    plan = replace(USUAL, suites=words("1301", "c02b"))
    assert parts(replace(own, suites=("c02b",)), own=own, plan=plan) == ([Part.SUITES] if own is TLS13 else [])


def test_a_word_of_another_library():
    """Its suite is not known here, so the list cannot be compared; the rest is."""
    plan = replace(USUAL, suites=("AES128-SHA",))
    assert parts(replace(COMMON, suites=("002f",), groups=(), sni=None), plan=plan) == [Part.SERVER_NAME]


def test_without_elliptic_curves():
    """A client with RSA suites only needs neither groups nor point formats, but sends no others."""
    plan = replace(USUAL, suites=words("009d"))
    plain = replace(COMMON, suites=("009d",), groups=(), extensions=(0, 13))
    assert parts(plain, plan=plan) == []
    assert parts(replace(plain, groups=("001d",)), plan=plan) == [Part.GROUPS]
    assert parts(replace(plain, groups=("0019", "0017")), plan=plan) == [Part.GROUPS]
    assert parts(replace(plain, extensions=(0,)), plan=plan) == [Part.EXTENSIONS]


def test_only_old_suites_of_a_client_with_tls13():
    """The groups for TLS 1.3 and the point formats go with the suites that need them."""
    plan = replace(USUAL, suites=words("009d"))
    plain = replace(TLS13, suites=("009d",), groups=("001d", "0017"), extensions=(0, 43, 10, 13, 22, 23, 35))
    assert parts(replace(plain, key_share_groups=()), own=TLS13, plan=plan) == []


def test_encrypt_then_mac_goes_with_the_last_cbc_suite():
    """RFC 7366 is for CBC suites: one of them is enough to need the extension."""
    without = replace(TLS13, extensions=tuple(code for code in TLS13.extensions if code != 22))
    for codes, expected in ((("c02c", "c030"), []), (("c02c", "c00a"), [Part.EXTENSIONS])):
        plan = replace(USUAL, suites=words(*codes))
        assert parts(replace(without, suites=codes), own=TLS13, plan=plan) == expected


def test_only_new_suites():
    """TLS 1.3 needs none of the extensions of TLS 1.2."""
    plan = replace(USUAL, suites=words("1302"))
    assert parts(replace(TLS13, suites=("1302",), extensions=(0, 43, 51, 45, 10, 13)), own=TLS13, plan=plan) == []
    assert parts(replace(TLS13, suites=("1302",), extensions=(0, 43, 45, 10, 13)), own=TLS13, plan=plan) == [
        Part.EXTENSIONS
    ]


def test_a_pre_shared_key():
    """Suites for the key, none of another kind that the board does not offer itself, and the extensions for it."""
    plan = replace(USUAL, psk=True)
    alone = replace(COMMON, suites=("00a9", "00a8", "00ff"), groups=(), signature_algorithms=(), extensions=(0,))
    assert parts(alone, plan=plan) == []
    assert parts(replace(COMMON, suites=("00a9", *COMMON.suites), extensions=(0, 10, 13, 11, 41, 45)), plan=plan) == []
    assert parts(replace(COMMON, suites=("00a9", *COMMON.suites), extensions=(0, 10, 11)), plan=plan) == [
        Part.EXTENSIONS
    ]
    assert parts(replace(COMMON, extensions=(0, 10, 13, 11, 41))) == [Part.EXTENSIONS]
    assert parts(replace(COMMON, suites=("00a9", "cca9")), plan=plan) == [Part.SUITES]
    assert parts(COMMON, plan=plan) == [Part.SUITES]
    assert parts(alone) == [Part.SUITES]


def test_no_server_name():
    """None was asked for: none must be there."""
    assert parts(replace(COMMON, sni=None, extensions=(10, 13, 11)), plan=HelloPlan()) == []
    (found,) = hello_differences(COMMON, plan=HelloPlan(), unrestricted=COMMON)
    assert found.text == "sent server name 'tls.test', expected none"


def test_a_firmware_that_sends_no_server_name():
    """Its unrestricted hello has none although it was given one, so none is expected; a name would be another client's."""
    own = replace(COMMON, sni=None, extensions=(10, 13, 11))
    assert parts(own, own=own) == []
    assert parts(COMMON, own=own, plan=HelloPlan(server_name="x")) == [Part.SERVER_NAME]


def test_names_that_are_no_dns_names():
    """An address is not permitted as a server name, an empty one cannot be sent; what is not ASCII is shown escaped."""
    silent = replace(COMMON, sni=None)
    assert parts(silent, plan=HelloPlan(server_name="192.0.2.1")) == []
    assert parts(silent, plan=HelloPlan(server_name="")) == []
    assert parts(replace(COMMON, sni="192.0.2.1"), plan=HelloPlan(server_name="192.0.2.1")) == []
    assert parts(replace(COMMON, sni="\\xc3\\xbc.test"), plan=HelloPlan(server_name="\u00fc.test")) == []


def test_before_the_unrestricted_hello_is_known():
    """Only what the plan itself says is compared."""
    assert parts(replace(COMMON, suites=("cca9",), groups=()), own=None) == []
    assert parts(replace(COMMON, sni="x"), own=None) == [Part.SERVER_NAME]
    assert parts(COMMON, own=None, plan=replace(USUAL, suites=words("c02b"))) == [Part.SUITES]


def test_sentences():
    """What was offered and what was expected, by name."""
    hello = replace(COMMON, groups=("0018",), versions=("0302",), extensions=(0, 10, 11, 16))
    assert [found.text for found in hello_differences(hello, plan=USUAL, unrestricted=COMMON)] == [
        "offered versions TLSv1.1, expected TLSv1.2",
        "offered groups secp384r1, expected secp256r1 secp384r1 secp521r1",
        "sent the extension application_layer_protocol_negotiation, which it does not send by itself",
        "did not send the extension signature_algorithms",
    ]
