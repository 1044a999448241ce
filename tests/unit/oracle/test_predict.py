"""The predictions for common situations: every field of the refusals, and each cause by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest

from harness.model import Expectation, ExpectedAlert, HelloFacts, KeyFacts, Outcome, ServerFacts, Side, Stage
from harness.oracle.predict import Exclusion, explain_selection, predict

MakeHello = Callable[..., HelloFacts]
MakeServer = Callable[..., ServerFacts]

SEED = "1.20.0-stm32"
DISTRIBUTION = "tls13"


def refused(reason: str | None, *, alert: int, name: str, number: int = -30592) -> Expectation:
    """Return a refusal by the server."""
    return Expectation(
        source="predicted",
        outcome=Outcome.REFUSED,
        stage=Stage.HANDSHAKE,
        ended_by=Side.SERVER,
        server_type="SSLError",
        server_reason=reason,
        client_type="OSError",
        client_number=number,
        alert=ExpectedAlert(sender=Side.SERVER, code=alert, name=name),
    )


def connected(version: str, suite: str, group: str | None) -> Expectation:
    """Return a working session."""
    return Expectation(source="predicted", outcome=Outcome.CONNECTED, version=version, suite=suite, group=group)


NO_SHARED_CIPHER = refused("NO_SHARED_CIPHER", alert=40, name="handshake_failure")


def test_the_seed_cases(build_hello: MakeHello, build_server: MakeServer) -> None:
    """With the original firmware an RSA key fails on python.org's suites and works with static RSA, and an EC key works."""
    hello = build_hello(like=SEED)
    results = [
        predict(hello, build_server("rsa")),
        predict(hello, build_server("rsa", static_rsa=True)),
        predict(hello, build_server("p256")),
        predict(hello, build_server("rsa", "p256")),
    ]
    over_ec = connected("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "secp256r1")
    static = connected("TLSv1.2", "TLS_RSA_WITH_AES_256_CBC_SHA256", None)
    assert results == [NO_SHARED_CIPHER, static, over_ec, over_ec]


ED25519 = KeyFacts(type="Ed25519", bits=256)
PSS = KeyFacts(type="RSA-PSS", bits=2048)
P224 = KeyFacts(type="EC", bits=224, curve="secp224r1")
BRAINPOOL = KeyFacts(type="EC", bits=256, curve="brainpoolP256r1")


@pytest.mark.parametrize(
    ("hello", "keys", "changes", "reasons"),
    [
        pytest.param("only-ecdhe-ecdsa", ("rsa",), {}, {Exclusion.KEY_TYPE}, id="a-key-type"),
        pytest.param("only-krsa", ("rsa",), {}, {Exclusion.NOT_ALLOWED}, id="b-static-rsa-only"),
        pytest.param("only-ecdhe-rsa", ("p256",), {}, {Exclusion.KEY_TYPE}, id="c-rsa-suites-ec-key"),
        pytest.param("only-cbc-sha1", ("p256",), {}, {Exclusion.NOT_ALLOWED}, id="d-sha1-suites-only"),
        pytest.param("common", (), {}, {Exclusion.NO_CERTIFICATE}, id="e-no-certificate"),
        pytest.param("common", (ED25519,), {}, {Exclusion.NO_SIGNATURE}, id="f-ed25519"),
        pytest.param("common", (PSS,), {}, {Exclusion.NO_SIGNATURE}, id="f-rsa-pss"),
        pytest.param("common", (P224,), {}, {Exclusion.KEY_CURVE}, id="g-p224"),
        pytest.param("common", (BRAINPOOL,), {}, {Exclusion.KEY_CURVE}, id="g-brainpool"),
        pytest.param("common", ("p256",), {"groups": ("x25519",)}, {Exclusion.NO_GROUP}, id="h-x25519-only-server"),
        pytest.param("common", ("rsa",), {"groups": ("X25519MLKEM768",)}, {Exclusion.NO_GROUP}, id="h-ml-kem-only"),
        pytest.param("tls13-with-tls12-suites", ("rsa", "p256"), {}, {Exclusion.VERSION}, id="i-tls13-without-suites"),
    ],
)
def test_each_cause_of_no_shared_cipher(
    hello: str,
    keys: tuple[str, ...],
    changes: dict[str, object],
    reasons: set[Exclusion],
    build_hello: MakeHello,
    build_server: MakeServer,
) -> None:
    """The nine causes look the same on the wire; the table of suites names the actual one."""
    offer, server = build_hello(like=hello), build_server(*keys, **changes)
    assert predict(offer, server) == NO_SHARED_CIPHER
    named = {reason for verdict in explain_selection(offer, server) for reason in verdict.reasons}
    assert reasons <= named


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (("keyCertSign",), NO_SHARED_CIPHER),
        (("keyAgreement",), NO_SHARED_CIPHER),
        (("digitalSignature",), connected("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "secp256r1")),
        (None, connected("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "secp256r1")),
    ],
)
def test_key_usage_of_an_ec_key(
    usage: tuple[str, ...] | None, expected: Expectation, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """TLS 1.2 servers use an EC key only if its certificate may sign; RSA certificates are not checked."""
    key = KeyFacts(type="EC", bits=256, curve="secp256r1", key_usage=usage)
    assert predict(build_hello(), build_server(key)) == expected
    rsa = KeyFacts(type="RSA", bits=2048, key_usage=("keyCertSign",))
    assert predict(build_hello(), build_server(rsa)).outcome is Outcome.CONNECTED


def test_versions_without_overlap(build_hello: MakeHello, build_server: MakeServer) -> None:
    """A TLS 1.3 server refuses a TLS 1.2 client, a TLS 1.1 server a TLS 1.3 client, both with protocol_version."""
    refusal = refused("UNSUPPORTED_PROTOCOL", alert=70, name="protocol_version")
    old = {"minimum_version": "TLSv1.1", "maximum_version": "TLSv1.1", "security_level": 0, "static_rsa": True}
    assert predict(build_hello(), build_server("rsa", minimum_version="TLSv1.3")) == refusal
    assert predict(build_hello(like=DISTRIBUTION), build_server("rsa", **old)) == refusal


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1.1"])
def test_old_versions_by_client(version: str, build_hello: MakeHello, build_server: MakeServer) -> None:
    """mbedTLS 3.x itself refuses an older ServerHello; 2.x and axTLS accept it."""
    server = build_server("rsa", minimum_version=version, maximum_version=version, security_level=0, static_rsa=True)
    newer = predict(build_hello(), server)
    assert (newer.ended_by, newer.server_reason, newer.client_number, newer.alert) == (
        Side.CLIENT,
        "TLSV1_ALERT_PROTOCOL_VERSION",
        -28288,
        ExpectedAlert(sender=Side.CLIENT, code=70, name="protocol_version"),
    )
    for older in (SEED, "1.19.1-stm32", "1.20.0-axtls"):
        assert predict(build_hello(like=older), server) == connected(version, "TLS_RSA_WITH_AES_256_CBC_SHA", None)


@pytest.mark.parametrize(
    ("openssl", "suites", "expected"),
    [
        (0x30000130, True, refused("NO_SUITABLE_SIGNATURE_ALGORITHM", alert=80, name="internal_error")),
        (0x30000130, False, refused("NO_CIPHERS_AVAILABLE", alert=40, name="handshake_failure")),
        (0x30100040, True, refused("NO_PROTOCOLS_AVAILABLE", alert=70, name="protocol_version")),
        (0x30500070, True, refused("NO_PROTOCOLS_AVAILABLE", alert=70, name="protocol_version")),
        (0x1010117F, True, connected("TLSv1.1", "TLS_RSA_WITH_AES_256_CBC_SHA", None)),
    ],
)
def test_tls11_at_a_security_level(
    openssl: int, suites: bool, expected: Expectation, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """A TLS 1.1 server above level 0 fails with signatures in 3.0 and with versions since 3.1; it works in 1.1.1."""
    versions = {"minimum_version": "TLSv1.1", "maximum_version": "TLSv1.1"}
    server = build_server("rsa", static_rsa=suites, openssl_number=openssl, security_level=2, **versions)
    assert predict(build_hello(like=SEED), server) == expected


def test_axtls_shows_the_alert(build_hello: MakeHello, build_server: MakeServer) -> None:
    """axTLS raises the alert's own number where mbedTLS hides it."""
    hello = build_hello(like="1.20.0-axtls")
    numbers = [
        predict(hello, server).client_number
        for server in (build_server("rsa"), build_server("rsa", minimum_version="TLSv1.3"))
    ]
    assert numbers == [-40, -70]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("rsa",), connected("TLSv1.3", "TLS_AES_256_GCM_SHA384", "x25519")),
        ((ED25519,), refused("NO_SUITABLE_SIGNATURE_ALGORITHM", alert=40, name="handshake_failure")),
        ((PSS,), refused("NO_SUITABLE_SIGNATURE_ALGORITHM", alert=40, name="handshake_failure")),
        (
            (KeyFacts(type="RSA", bits=512),),
            refused("NO_SUITABLE_SIGNATURE_ALGORITHM", alert=40, name="handshake_failure"),
        ),
        ((BRAINPOOL,), connected("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "x25519")),
        ((), NO_SHARED_CIPHER),
    ],
)
def test_tls13_clients(
    keys: tuple[KeyFacts | str, ...], expected: Expectation, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """In TLS 1.3 the key must sign with an offered scheme; without a key for it OpenSSL falls back to TLS 1.2."""
    assert predict(build_hello(like=DISTRIBUTION), build_server(*keys)) == expected


def test_brainpool_since_3_2(build_hello: MakeHello, build_server: MakeServer) -> None:
    """Since 3.2 a brainpool key has TLS 1.3 schemes, so the server does not fall back, and the client lacks the schemes."""
    expected = refused("NO_SUITABLE_SIGNATURE_ALGORITHM", alert=40, name="handshake_failure")
    server = build_server(BRAINPOOL, openssl="OpenSSL 3.2.2", openssl_number=0x30200020)
    assert predict(build_hello(like=DISTRIBUTION), server) == expected


def test_a_group_that_tls13_does_not_have(build_hello: MakeHello, build_server: MakeServer) -> None:
    """OpenSSL 1.1.1 requests brainpoolP256r1 in TLS 1.3, and the client refuses it; 3.0 does not request it."""
    hello = build_hello(like=DISTRIBUTION)
    asked = predict(hello, build_server("rsa", groups=("brainpoolP256r1",), openssl_number=0x101010FF))
    assert (asked.ended_by, asked.client_number, asked.alert) == (
        Side.CLIENT,
        -26112,
        ExpectedAlert(sender=Side.CLIENT, code=47, name="illegal_parameter"),
    )
    unasked = predict(hello, build_server("rsa", groups=("brainpoolP256r1",)))
    assert (unasked.ended_by, unasked.server_reason) == (Side.SERVER, "NO_SUITABLE_KEY_SHARE")


RSA512 = KeyFacts(type="RSA", bits=512)
STRAY = {"groups": "0017", "shares": ("0018",)}


@pytest.mark.parametrize(
    ("hello", "keys", "changes", "expected"),
    [
        # TLS 1.3: suite, then what is wrong with the key share, then what is missing, then the signature.
        ({"suites": "00ff", "signatures": None}, ("rsa",), {}, ("NO_SHARED_CIPHER", 40)),
        ({"suites": "00ff", **STRAY}, ("rsa",), {}, ("NO_SHARED_CIPHER", 40)),
        ({"signatures": None, **STRAY}, ("rsa",), {}, ("BAD_KEY_SHARE", 47)),
        ({"signatures": None, "groups": None}, ("rsa",), {}, ("MISSING_SUPPORTED_GROUPS_EXTENSION", 109)),
        ({"signatures": None}, ("rsa",), {}, ("MISSING_SIGALGS_EXTENSION", 109)),
        ({"signatures": None, "groups": "001a", "shares": ("001a",)}, ("rsa",), {}, ("MISSING_SIGALGS_EXTENSION", 109)),
        ({"signatures": "0402", "groups": "001a", "shares": ("001a",)}, ("rsa",), {}, ("NO_SUITABLE_KEY_SHARE", 40)),
        ({"signatures": "0402"}, ("rsa",), {}, ("NO_SHARED_SIGNATURE_ALGORITHMS", 40)),
        ({"signatures": "0401"}, ("rsa",), {}, ("NO_SUITABLE_SIGNATURE_ALGORITHM", 40)),
        # TLS 1.2: a list without anything in common takes precedence over the suite; no list means SHA-1.
        ({"versions": None, "signatures": "0402", "suites": "00ff"}, ("rsa",), {}, ("NO_SHARED_SIGNATURE_ALGORITHMS", 40)),
        ({"versions": None, "signatures": None}, ("rsa",), {}, ("NO_SUITABLE_SIGNATURE_ALGORITHM", 40)),
        ({"versions": None, "signatures": None}, ("rsa",), {"openssl_number": 0x1010117F}, (None, 80)),
        (
            {"versions": None, "signatures": "0403"}, ("rsa",), {"openssl_number": 0x1010117F},
            ("NO_SUITABLE_SIGNATURE_ALGORITHM", 40),
        ),
        # A signature that does not match the key is noticed while signing, so not with static RSA.
        ({"versions": None, "signatures": "0501"}, (RSA512,), {"security_level": 0}, (None, 80)),
    ],
)  # fmt: skip
def test_the_order_of_openssl_s_checks(
    hello: dict[str, object],
    keys: tuple[str, ...],
    changes: dict[str, object],
    expected: tuple[str | None, int],
    build_hello: MakeHello,
    build_server: MakeServer,
) -> None:
    """If several things are wrong the first check decides (tls_early_post_process_client_hello, tls_choose_sigalg)."""
    result = predict(build_hello(like="tls13", **hello), build_server(*keys, **changes))
    assert result.alert is not None
    assert (result.server_reason, result.alert.code) == expected


def test_a_group_of_tls12_only_is_no_obstacle_there(build_hello: MakeHello, build_server: MakeServer) -> None:
    """Only in TLS 1.3 does a client refuse a group that TLS 1.3 does not have; static RSA has no group."""
    hello = build_hello(groups="0016")
    assert predict(hello, build_server("rsa", groups=("secp256k1",))).group == "secp256k1"


def test_suites_that_sign_nothing(build_hello: MakeHello, build_server: MakeServer) -> None:
    """Static RSA does not sign, whatever the key size allows; a pre-shared key needs no signature."""
    hello = build_hello(suites="009d", signatures="0501")
    static = predict(hello, build_server(RSA512, static_rsa=True, security_level=0))
    assert (static.outcome, static.group) == (Outcome.CONNECTED, None)
    psk = ((0x00A9, "TLSv1.2", "PSK-AES256-GCM-SHA384"),)
    shared = build_server(suites=psk, maximum_version="TLSv1.2", behaviour={"name": "psk"})
    assert predict(build_hello(suites="00a9"), shared).outcome is Outcome.CONNECTED


def test_without_a_common_version_suites_are_judged_for_tls12(build_hello: MakeHello, build_server: MakeServer) -> None:
    """The table still shows which pairings would have worked."""
    hello = build_hello(suites="c02f", legacy="0301")
    assert [verdict.reasons for verdict in explain_selection(hello, build_server("rsa"))] == [()]


def test_no_key_share_in_common(build_hello: MakeHello, build_server: MakeServer) -> None:
    """A server restricted to a group that the client lacks fails with a separate reason in TLS 1.3."""
    hello = build_hello(like=DISTRIBUTION, groups="00170018", shares=("0017",))
    expected = refused("NO_SUITABLE_KEY_SHARE", alert=40, name="handshake_failure")
    assert predict(hello, build_server("rsa", groups=("x25519",))) == expected


def test_a_prediction_never_leaves_half_a_refusal(
    hellos: dict[str, bytes], build_hello: MakeHello, build_server: MakeServer
) -> None:
    """Every refusal names stage, who ended it, both sides' error types, the client's number and the alert."""
    must = ("stage", "ended_by", "server_type", "client_type", "client_number", "alert")
    assert set(must) < {field.name for field in fields(Expectation)}
    for like in hellos:
        for keys in ((), ("rsa",), ("p256",), (ED25519,)):
            expectation = predict(build_hello(like=like), build_server(*keys))
            assert expectation.source == "predicted"
            if expectation.outcome is Outcome.REFUSED:
                assert [name for name in must if getattr(expectation, name) is None] == []
            else:
                assert None not in (expectation.version, expectation.suite)
