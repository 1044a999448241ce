"""The choice of a group."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.model import HelloFacts, ServerFacts
from harness.oracle.prediction.groups import KeyExchange, offered_groups, shared_group, tls13_group
from harness.oracle.prediction.refusal import Refusal

MakeHello = Callable[..., HelloFacts]
MakeServer = Callable[..., ServerFacts]


def test_the_server_prefers_and_the_client_lists(build_hello: MakeHello, build_server: MakeServer) -> None:
    """P-521 first in the hello still gives P-256, because Python's servers decide; otherwise the client does."""
    hello = build_hello(like="p521-first")
    assert offered_groups(hello) == ("secp521r1", "secp384r1", "secp256r1")
    assert shared_group(hello, server=build_server()) == "secp256r1"
    assert shared_group(hello, server=build_server(server_preference=False)) == "secp521r1"


@pytest.mark.parametrize("like", ["no-groups", "only-k256", "only-ffdhe"])
def test_no_group_in_tls12(like: str, build_hello: MakeHello, build_server: MakeServer) -> None:
    """No list, a curve off by default, and finite fields give no ECDHE in TLS 1.2."""
    assert shared_group(build_hello(like=like), server=build_server()) is None


@pytest.mark.parametrize(
    ("shares", "before", "since"),
    [
        (("0018", "0017"), KeyExchange(group="secp384r1", retry=False), KeyExchange(group="secp256r1", retry=False)),
        (("0018",), KeyExchange(group="secp384r1", retry=False), KeyExchange(group="secp256r1", retry=True)),
        ((), KeyExchange(group="secp256r1", retry=True), KeyExchange(group="secp256r1", retry=True)),
    ],
)
def test_key_shares_by_release(
    shares: tuple[str, ...], before: KeyExchange, since: KeyExchange, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """Before 3.5 the first matching share wins; since 3.5 an earlier tuple justifies another round trip."""
    hello = build_hello(like="tls13", groups="00180017", shares=shares)
    found = [tls13_group(hello, server=build_server(openssl_number=number)) for number in (0x30400010, 0x30500070)]
    assert found == [before, since]


@pytest.mark.parametrize(
    ("like", "expected"),
    [
        ("tls13-no-shares", Refusal(reason="NO_SUITABLE_KEY_SHARE", alert=109)),
        ("tls13-no-groups", Refusal(reason="MISSING_SUPPORTED_GROUPS_EXTENSION", alert=109)),
        ("tls13-stray-share", Refusal(reason="BAD_KEY_SHARE", alert=47)),
        ("tls13-brainpool", Refusal(reason="NO_SUITABLE_KEY_SHARE", alert=40)),
    ],
)
def test_shares_that_cannot_be_used(
    like: str, expected: Refusal, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """A missing extension, a share for an unlisted group, and no group in common are refused differently."""
    assert tls13_group(build_hello(like=like), server=build_server()) == expected


@pytest.mark.parametrize(
    ("groups", "shares", "preference", "expected"),
    [
        ("0017001d", ("0017", "001d"), True, KeyExchange(group="x25519", retry=False)),
        ("0017001d", ("0017", "001d"), False, KeyExchange(group="secp256r1", retry=False)),
        ("0017001d", ("0017",), True, KeyExchange(group="secp256r1", retry=False)),
        ("0018001d", ("0018",), True, KeyExchange(group="x25519", retry=True)),
        ("00180017001d", ("0018",), True, KeyExchange(group="x25519", retry=True)),
        ("00180017001d", ("0018",), False, KeyExchange(group="secp256r1", retry=True)),
        ("00180019", ("0019",), True, KeyExchange(group="secp521r1", retry=False)),
    ],
)
def test_tuples_since_3_5(
    groups: str,
    shares: tuple[str, ...],
    preference: bool,
    expected: KeyExchange,
    build_hello: MakeHello,
    build_server: MakeServer,
) -> None:
    """The first tuple with a common group decides; in it an existing share comes first, in the order of the deciding side."""
    hello = build_hello(like="tls13", groups=groups, shares=shares)
    server = build_server(openssl_number=0x30500070, server_preference=preference)
    assert tls13_group(hello, server=server) == expected


def test_before_3_5_the_client_s_first_usable_share_wins(build_hello: MakeHello, build_server: MakeServer) -> None:
    """This holds whatever the server prefers; without a usable share it requests its first group that the client lists."""
    hello = build_hello(like="tls13", groups="001a00180017", shares=("001a", "0018", "0017"))
    assert tls13_group(hello, server=build_server()) == KeyExchange(group="secp384r1", retry=False)
    hello = build_hello(like="tls13", groups="001800190017", shares=())
    assert tls13_group(hello, server=build_server()) == KeyExchange(group="secp256r1", retry=True)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        (("0017", "0018", "001d"), KeyExchange(group="secp256r1", retry=False)),
        (("001a", "0018", "0017"), Refusal(reason="BAD_KEY_SHARE", alert=47)),
        (("001a", "0018"), Refusal(reason="BAD_KEY_SHARE", alert=47)),
    ],
)
def test_how_far_3_0_reads_the_shares(
    shares: tuple[str, ...], expected: KeyExchange | Refusal, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """3.0 reads up to the first usable share: one that is only listed (brainpool) does not count, a stray one after it is not read."""
    hello = build_hello(like="tls13", groups="0017001d001a", shares=shares)
    assert tls13_group(hello, server=build_server()) == expected


@pytest.mark.parametrize("number", [0x30000130, 0x30500070])
def test_groups_below_the_security_level_do_not_count(
    number: int, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """Level 4 allows 192 bits and more, in every version, and a share of a weaker group does not help."""
    server = build_server(openssl_number=number, security_level=4)
    hello = build_hello(like="tls13", groups="0017001d0018", shares=("0017",))
    assert shared_group(hello, server=server) == "secp384r1"
    assert tls13_group(hello, server=server) == KeyExchange(group="secp384r1", retry=True)


@pytest.mark.parametrize("number", [0x30000130, 0x30500070])
def test_groups_of_other_versions_do_not_count(number: int, build_hello: MakeHello, build_server: MakeServer) -> None:
    """A server that is set to secp256k1 and finite fields uses the one in TLS 1.2 and the others in TLS 1.3."""
    server = build_server(openssl_number=number, groups=("secp256k1", "ffdhe2048"))
    hello = build_hello(like="tls13", groups="00160100", shares=())
    assert shared_group(hello, server=server) == "secp256k1"
    assert tls13_group(hello, server=server) == KeyExchange(group="ffdhe2048", retry=True)


def test_a_stray_share_before_the_matching_one(build_hello: MakeHello, build_server: MakeServer) -> None:
    """A share for a group that the client does not list is refused by every release if it comes first."""
    hello = build_hello(like="tls13", groups="0017", shares=("0018", "0017"))
    for number in (0x30000130, 0x30400000, 0x30500070):
        assert tls13_group(hello, server=build_server(openssl_number=number)) == Refusal(
            reason="BAD_KEY_SHARE", alert=47
        )


def test_a_stray_share_after_the_matching_one(build_hello: MakeHello, build_server: MakeServer) -> None:
    """3.0 stops at the first usable share; 3.5 continues and refuses the hello."""
    hello = build_hello(like="tls13-stray-share-last")
    found = [tls13_group(hello, server=build_server(openssl_number=number)) for number in (0x30000130, 0x30500070)]
    assert found == [KeyExchange(group="secp256r1", retry=False), Refusal(reason="BAD_KEY_SHARE", alert=47)]
