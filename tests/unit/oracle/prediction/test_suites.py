"""The choice of a cipher suite and the reasons against the others."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from harness.model import HelloFacts, KeyFacts, ServerFacts, as_json
from harness.oracle.prediction.suites import Exclusion, SuiteVerdict, judge_suites
from harness.oracle.prediction.versions import suite_fits
from harness.wire.suites import suite_info

MakeHello = Callable[..., HelloFacts]
MakeServer = Callable[..., ServerFacts]


def test_every_reason_is_listed(build_hello: MakeHello, build_server: MakeServer) -> None:
    """With the seed's suites and an RSA key, each pairing lists everything that is wrong with it, in the hello's order."""
    verdicts = judge_suites(build_hello(like="1.20.0-stm32"), server=build_server("rsa"), version=0x0303)
    assert [(verdict.code, verdict.reasons) for verdict in verdicts] == [
        ("c024", (Exclusion.KEY_TYPE,)),
        ("c00a", (Exclusion.NOT_ALLOWED, Exclusion.KEY_TYPE)),
        ("c023", (Exclusion.KEY_TYPE,)),
        ("c009", (Exclusion.NOT_ALLOWED, Exclusion.KEY_TYPE)),
        ("003d", (Exclusion.NOT_ALLOWED,)),
        ("0035", (Exclusion.NOT_ALLOWED,)),
        ("003c", (Exclusion.NOT_ALLOWED,)),
        ("002f", (Exclusion.NOT_ALLOWED,)),
        ("00ff", (Exclusion.SIGNAL,)),
    ]


def test_who_decides_the_order(build_hello: MakeHello, build_server: MakeServer) -> None:
    """The server's list decides by default, the client's without the option; one suite is chosen."""
    hello = build_hello(suites="c02fc030")
    chosen = [
        [verdict.name for verdict in judge_suites(hello, server=server, version=0x0303) if verdict.chosen]
        for server in (build_server("rsa"), build_server("rsa", server_preference=False))
    ]
    assert chosen == [["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"], ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]]


def test_a_sha384_suite_does_not_need_a_sha384_signature(build_hello: MakeHello, build_server: MakeServer) -> None:
    """The hash in a suite's name is not the signature's: SHA-256 signatures alone still give an AES-256 suite."""
    verdicts = judge_suites(build_hello(signatures="04030401"), server=build_server("p256"), version=0x0303)
    assert [verdict.name for verdict in verdicts if verdict.chosen] == ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]


def test_an_edwards_key_serves_ecdsa_suites_in_tls12_only(build_hello: MakeHello, build_server: MakeServer) -> None:
    """RFC 8422 section 5.10: Ed25519 goes with ECDHE_ECDSA if the client lists the scheme; not before TLS 1.2."""
    hello = build_hello(like="edwards-in-tls12")
    server = build_server(KeyFacts(type="Ed25519", bits=256), static_rsa=True)
    newer, older = ({v.code: v for v in judge_suites(hello, server=server, version=n)} for n in (0x0303, 0x0302))
    assert newer["c02c"].chosen
    assert Exclusion.VERSION in older["c009"].reasons


def test_the_best_of_several_keys_counts(build_hello: MakeHello, build_server: MakeServer) -> None:
    """An ECDSA suite accepts an EC or an Edwards key: only the key with the fewest obstacles counts, in either order."""
    hello = build_hello(suites="c02c", groups="0017", signatures="08070403")
    curve = KeyFacts(type="EC", bits=521, curve="secp521r1")
    edwards = KeyFacts(type="Ed25519", bits=256)
    for keys in ((curve, edwards), (edwards, curve)):
        (suite,) = judge_suites(hello, server=build_server(*keys), version=0x0303)
        assert (suite.reasons, suite.chosen) == ((), True)
    unusable = build_hello(suites="c02c", groups="0017", signatures="0403")
    refused = (KeyFacts(type="EC", bits=521, curve="secp521r1", key_usage=("keyCertSign",)), edwards)
    for keys in (refused, refused[::-1]):
        (suite,) = judge_suites(unusable, server=build_server(*keys), version=0x0303)
        assert suite.reasons == (Exclusion.NO_SIGNATURE,)


def test_key_exchanges_that_python_servers_do_not_support(build_hello: MakeHello, build_server: MakeServer) -> None:
    """DHE without parameters, PSK without a callback, static ECDH and unknown codes each have their reason."""
    suites = ((0x009F, "TLSv1.2", "DHE-RSA-AES256-GCM-SHA384"), (0x00A9, "TLSv1.2", "PSK-AES256-GCM-SHA384"))
    hello = build_hello(suites="009f00a9c02e0a0a")
    plain = judge_suites(hello, server=build_server("rsa", suites=suites), version=0x0303)
    assert [verdict.reasons for verdict in plain] == [
        (Exclusion.NO_DH_PARAMETERS,),
        (Exclusion.NO_PSK,),
        (Exclusion.NOT_ALLOWED, Exclusion.KEY_TYPE, Exclusion.NOT_IMPLEMENTED),
        (Exclusion.UNKNOWN,),
    ]
    shared = build_server(suites=suites, behaviour={"name": "psk"})
    assert [v.code for v in judge_suites(hello, server=shared, version=0x0303) if v.chosen] == ["00a9"]


@pytest.mark.parametrize(
    ("curve", "level", "groups", "accepted"),
    [
        ("secp256r1", 2, "0017", True),
        ("secp256r1", 2, "0018", False),
        ("secp256r1", 2, None, True),
        ("secp192r1", 1, None, True),
        ("secp192r1", 2, None, False),
        (None, 0, None, False),
    ],
)
def test_the_curve_of_a_key(
    curve: str | None, level: int, groups: str | None, accepted: bool, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """The level must allow it, and the client must list it if it lists any; explicit parameters have no name to list."""
    server = build_server(KeyFacts(type="EC", bits=256, curve=curve), security_level=level)
    (suite,) = judge_suites(build_hello(suites="c02c", groups=groups), server=server, version=0x0303)
    assert (Exclusion.KEY_CURVE not in suite.reasons) is accepted


DHE = ((0x009E, "TLSv1.2", "DHE-RSA-AES128-GCM-SHA256"),)
SIGNS = KeyFacts(type="EC", bits=256, curve="secp256r1", key_usage=("digitalSignature", "keyAgreement"))


@pytest.mark.parametrize(
    ("suite", "keys", "hello", "changes", "version", "reasons"),
    [
        ("c02f", ("rsa",), {}, {}, 0x0303, ()),
        ("c02f", ("rsa",), {}, {}, 0x0302, (Exclusion.VERSION,)),
        ("1301", ("rsa",), {}, {}, 0x0304, ()),
        ("1301", ("rsa",), {}, {}, 0x0303, (Exclusion.VERSION,)),
        ("c02f", (), {}, {}, 0x0303, (Exclusion.NO_CERTIFICATE,)),
        # An RSA key has no requirement before the suite is chosen; an EC key needs its usage and a scheme.
        ("c02f", ("rsa",), {"signatures": "0403"}, {}, 0x0303, ()),
        ("c02c", ("p256",), {"signatures": "0401"}, {}, 0x0303, (Exclusion.NO_SIGNATURE,)),
        ("c02c", (SIGNS,), {}, {}, 0x0303, ()),
        # Only ECDHE needs a group.
        ("c02f", ("rsa",), {"groups": None}, {}, 0x0303, (Exclusion.NO_GROUP,)),
        ("009d", ("rsa",), {"groups": None}, {"static_rsa": True}, 0x0303, ()),
        # A Python server has no DH parameters; a probed server has them if it accepted such a suite.
        ("009e", ("rsa",), {}, {"suites": DHE}, 0x0303, (Exclusion.NO_DH_PARAMETERS,)),
        ("009e", ("rsa",), {}, {"suites": DHE, "python": ""}, 0x0303, ()),
        ("009e", ("rsa",), {}, {"python": ""}, 0x0303, (Exclusion.NOT_ALLOWED, Exclusion.NO_DH_PARAMETERS)),
    ],
)
def test_obstacles_of_one_suite(
    suite: str,
    keys: tuple[KeyFacts | str, ...],
    hello: dict[str, str | None],
    changes: dict[str, object],
    version: int,
    reasons: tuple[Exclusion, ...],
    build_hello: MakeHello,
    build_server: MakeServer,
) -> None:
    """Each obstacle is reported alone, and the same suite without it has none."""
    (verdict,) = judge_suites(
        build_hello(suites=suite, **hello), server=build_server(*keys, **changes), version=version
    )
    assert verdict.reasons == reasons


def test_a_pss_key_does_not_serve_rsa_key_exchange(build_hello: MakeHello, build_server: MakeServer) -> None:
    """RFC 4055 section 1.2: a key for RSASSA-PSS only must not decrypt, but can be used with ECDHE-RSA."""
    hello = build_hello(suites="009dc030", signatures="0809")
    pss = build_server(KeyFacts(type="RSA-PSS", bits=2048), static_rsa=True)
    assert [verdict.reasons for verdict in judge_suites(hello, server=pss, version=0x0303)] == [
        (Exclusion.KEY_TYPE,),
        (),
    ]


def test_versions_of_the_table_are_openssl_s() -> None:
    """The version that the suite's name gives is the one under which OpenSSL lists it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    wrong = {}
    for entry in context.get_ciphers():
        info = suite_info(entry["id"] & 0xFFFF)
        if info is None:  # a build's own, not IANA's
            continue
        fits = [
            [suite_fits(oldest, version=version) for version in (0x0301, 0x0302, 0x0303, 0x0304)]
            for oldest in (entry["protocol"], info.minimum_version)
        ]
        if fits[0] != fits[1]:
            wrong[info.name] = entry["protocol"]
    assert wrong == {}


@pytest.mark.parametrize(
    ("suite", "weakest_refused"),
    [
        ("c018", 1),  # ECDH_anon: anonymous
        ("0004", 1),  # RC4 and MD5
        ("0005", 2),  # RC4
        ("003b", 1),  # NULL
        ("000a", 3),  # 3DES: 112 bits
        ("002f", 3),  # no forward secrecy
        ("c009", 4),  # SHA-1 as MAC, 128 bits
        ("c00a", 4),  # SHA-1 as MAC: 160 bits
        ("c02b", 4),  # 128 bits
        ("c0ae", 1),  # CCM8: 64 bits since 3.2
        ("c02c", 6),  # 256 bits
    ],
)
def test_the_lowest_level_that_refuses_a_suite(
    suite: str, weakest_refused: int, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """ssl_security_default_callback: strength in bits, at some levels also anonymous, MD5, RC4, SHA-1, no forward secrecy."""
    code = int(suite, 16)
    refusing = [
        level
        for level in range(6)
        for verdict in judge_suites(
            build_hello(suites=suite),
            server=build_server(
                "rsa",
                "p256",
                suites=((code, "TLSv1.2", "x"),),
                security_level=level,
                openssl="OpenSSL 3.2.0",
                openssl_number=0x30200000,
            ),
            version=0x0303,
        )
        if Exclusion.SECURITY_LEVEL in verdict.reasons
    ]
    assert refusing == list(range(weakest_refused, 6))


def test_security_levels(build_hello: MakeHello, build_server: MakeServer) -> None:
    """Level 3 requires forward secrecy, level 5 more than 128 bits, and the reasons say so."""
    hello = build_hello(suites="009dc02f")
    found = [
        [
            v.reasons
            for v in judge_suites(hello, server=build_server("rsa", static_rsa=True, security_level=n), version=0x0303)
        ]
        for n in (2, 3)
    ]
    assert found == [[(), ()], [(Exclusion.SECURITY_LEVEL,), ()]]


def test_a_verdict_is_json_safe() -> None:
    """Reports carry the table as JSON."""
    verdict = SuiteVerdict(code="00ff", name="x", reasons=(Exclusion.SIGNAL,))
    assert as_json(verdict) == {"code": "00ff", "name": "x", "reasons": ["signal"], "chosen": False}
