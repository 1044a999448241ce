"""Policies: what breaks one in a session and at a server, and files that are refused."""

from dataclasses import replace

import pytest

from harness.errors import UsageError
from harness.model import KeyFacts, ServerFacts
from harness.reports.record.policy import (
    Offence,
    Policy,
    judge_run,
    judge_server,
    packaged_text,
    parse_policy,
    read_policy,
)

SUITE = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
KEY = {"type": "EC", "bits": 256, "curve": "secp256r1", "signature_hash": "sha256"}
SESSION = {"version": "TLSv1.2", "suite": SUITE, "group": "secp256r1", "verified": True, "server_key": KEY}
RFC_9325 = read_policy(None)
FACTS = ServerFacts(
    python="",
    openssl="x",
    openssl_number=0x30000000,
    suites=((0xC02B, "TLSv1.2", "x"), (0x1301, "TLSv1.3", "x")),
    keys=(KeyFacts(type="EC", bits=256, curve="secp256r1", signature_hash="sha256"),),
    minimum_version="TLSv1.2",
    maximum_version="TLSv1.3",
    groups=("secp256r1", "x25519"),
    security_level=0,
)


def session(**changes):
    """What was observed of a session."""
    words = {**SESSION, **changes}
    known = {key: words[key] for key in ("verified", "server_key") if words[key] is not None}
    negotiated = {key: words[key] for key in ("version", "suite", "group")}
    return {"server": None, "client": None, "alerts": [], "client_hello": None, "negotiated": negotiated, **known}


def judge(a_run, policy=RFC_9325, verdict="pass", **changes):
    """Judge a run of one session; return rule, text and whether it is known."""
    result = a_run.result("t/a", verdict, outcome="connected", observed=session(**changes))
    return [(item.rule, item.text, item.known) for item in judge_run(a_run(1, result), policy).offences]


def rsa(bits=2048, **more):
    """An RSA key."""
    return {"type": "RSA", "bits": bits, "signature_hash": "sha256", **more}


@pytest.mark.parametrize(
    ("changes", "offence"),
    [
        ({}, None),
        ({"version": "TLSv1.3", "suite": "TLS_AES_128_GCM_SHA256"}, None),
        ({"version": "TLSv1.1"}, ("minimum_version", "TLSv1.1", True)),
        ({"version": "SSLv3"}, ("minimum_version", "SSLv3", True)),
        ({"suite": "TLS_RSA_WITH_AES_128_GCM_SHA256"}, ("forward_secrecy", "TLS_RSA_WITH_AES_128_GCM_SHA256", True)),
        (
            {"suite": "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA"},
            ("forward_secrecy", "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA", True),
        ),
        (
            {"suite": "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"},
            ("forbidden_suites", "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", True),
        ),
        ({"suite": "TLS_ECDHE_RSA_WITH_RC4_128_SHA"}, ("forbidden_suites", "TLS_ECDHE_RSA_WITH_RC4_128_SHA", True)),
        (
            {"suite": "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
            ("forbidden_suites", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", True),
        ),
        ({"server_key": rsa(2048)}, None),
        ({"server_key": rsa(2047)}, ("rsa_bits", "the server's 2047-bit RSA key", True)),
        ({"server_key": rsa(1024, type="RSA-PSS")}, ("rsa_bits", "the server's 1024-bit RSA-PSS key", True)),
        ({"server_key": {**KEY, "bits": 224}}, None),
        ({"server_key": {**KEY, "bits": 192}}, ("ec_bits", "the server's 192-bit EC key", True)),
        ({"server_key": {"type": "Ed25519", "bits": 253}}, None),
        ({"group": "secp192r1"}, ("ec_bits", "the 192-bit group secp192r1", True)),
        ({"group": "secp224r1"}, None),
        ({"group": "x25519"}, None),
        (
            {"server_key": rsa(signature_hash="sha1")},
            ("forbidden_hashes", "the server's certificate is signed with sha1", True),
        ),
        ({"verified": False}, ("verification", "not verified", True)),
        ({"verdict": "insecure"}, ("verification", "the board accepted what it had to refuse", True)),
        (
            {"verified": None},
            ("verification", "the record does not say whether the board verified the certificate", False),
        ),
        ({"version": None}, ("minimum_version", "the version is not known", False)),
        # A session without a certificate.
        ({"suite": "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", "server_key": None}, None),
    ],
)
def test_sessions(a_run, changes, offence):
    """Each rule of the packaged policy with a session that just meets or just breaks it; nothing else is reported."""
    assert judge(a_run, **changes) == ([offence] if offence else [])


def test_what_is_not_known_breaks_the_policy(a_run):
    """A record of an older version does not say which key was used: a check must not pass because evidence is missing."""
    text = "the record does not say which key the server used"
    assert judge(a_run, server_key=None) == [
        (rule, text, False) for rule in ("rsa_bits", "ec_bits", "forbidden_hashes")
    ]
    assert judge(a_run, suite=None) == [
        ("forward_secrecy", "the suite is not known", False),
        ("forbidden_suites", "the suite is not known", False),
    ]


def test_a_rule_that_is_left_out_is_not_checked(a_run):
    """A policy with one rule judges by that one only."""
    weak = {"version": "TLSv1", "suite": "TLS_RSA_WITH_RC4_128_MD5", "server_key": rsa(512), "verified": False}
    assert judge(a_run, Policy(rsa_bits=1024), **weak) == [("rsa_bits", "the server's 512-bit RSA key", True)]
    assert judge(a_run, Policy(minimum_version="TLSv1"), **weak) == []
    assert judge(a_run, Policy(ec_bits=224), **weak, group=None) == []


def test_only_sessions_are_judged(a_run):
    """Refusals break nothing; patterns select cases; an offence of a repeated cell is reported once, and names its cell."""
    broken = {"outcome": "connected", "observed": session(verified=False)}
    run = a_run(
        1,
        a_run.result("key/a", **broken),
        a_run.result("key/a", **broken, repeat=2),
        a_run.result("t/b", **broken),
        a_run.result("key/c", outcome="refused", observed=session(version="TLSv1")),
        a_run.result("key/d"),
    )
    cell = Offence(rule="verification", text="not verified", board="lab-1", server="s", case="key/a")
    every = judge_run(run, RFC_9325)
    assert (every.judged, every.offences) == (3, (cell, replace(cell, case="t/b")))
    some = judge_run(run, RFC_9325, cases=["key/*"])
    assert (some.judged, some.offences) == (2, (cell,))
    assert judge_run(run, RFC_9325, cases=["t/b", "key/c"]).judged == 1


@pytest.mark.parametrize(
    ("changes", "offences"),
    [
        ({}, []),
        ({"minimum_version": "TLSv1.1"}, [("minimum_version", "accepts TLSv1.1", True)]),
        (
            {"suites": ((0x009C, "TLSv1.2", "x"),)},
            [("forward_secrecy", "accepts TLS_RSA_WITH_AES_128_GCM_SHA256", True)],
        ),
        ({"keys": (KeyFacts(type="RSA", bits=1024),)}, [("rsa_bits", "the server's 1024-bit RSA key", True)]),
        ({"groups": ("secp192r1", "x25519")}, [("ec_bits", "accepts the 192-bit group secp192r1", True)]),
        (
            {"keys": ()},
            [(rule, "its certificate is not known", False) for rule in ("rsa_bits", "ec_bits", "forbidden_hashes")],
        ),
    ],
)
def test_servers(changes, offences):
    """Everything that a server accepts is judged; whether boards verify it cannot be seen there."""
    found = judge_server(replace(FACTS, **changes), RFC_9325)
    assert [(item.rule, item.text, item.known) for item in found.offences] == offences
    assert found.not_judged == ("the board verifies the server's certificate",)


def test_groups_that_are_not_known():
    """A probe may be unable to learn the groups: that is said."""
    found = judge_server(replace(FACTS, groups=None), Policy(ec_bits=224))
    assert (found.offences, found.not_judged) == ((), ("which groups it accepts",))


def test_the_packaged_policy():
    """It has every rule."""
    assert RFC_9325.name == "RFC 9325"
    assert RFC_9325.rules == Policy.__struct_fields__[1:]
    assert parse_policy(packaged_text(), where="x") == RFC_9325


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rsa_bit = 1", "f: unknown key 'rsa_bit'; did you mean 'rsa_bits'?"),
        (
            "x = 1",
            "f: unknown key 'x'; expected one of name, minimum_version, forward_secrecy, forbidden_suites, rsa_bits, ec_bits, "
            "forbidden_hashes, verification",
        ),
        (
            'rsa_bits = "many"',
            "f: Expected `int | null`, got `str` - at `$.rsa_bits`; "
            "`tls-harness report check --print-policy` shows a value for each key",
        ),
        (
            "rsa_bits = 0",
            "f: Expected `int` >= 1 - at `$.rsa_bits`; `tls-harness report check --print-policy` shows a value for each key",
        ),
        (
            'minimum_version = "1.2"',
            "f: Invalid enum value '1.2' - at `$.minimum_version`; "
            "`tls-harness report check --print-policy` shows a value for each key",
        ),
        (
            'name = "empty"\nverification = false',
            "f: has no rule; expected one of minimum_version, forward_secrecy, forbidden_suites, rsa_bits, ec_bits, "
            "forbidden_hashes, verification",
        ),
        ("= 1", "f: not TOML: Invalid statement (at line 1, column 1)"),
    ],
)
def test_files_that_are_refused(text, message):
    """A rule that is misspelled must not be ignored; the message says what to write."""
    with pytest.raises(UsageError) as refused:
        parse_policy(text, where="f")
    assert str(refused.value) == message


def test_bytes_that_are_not_text(tmp_path):
    """A file that is not UTF-8 is not TOML; a folder is not a file."""
    (tmp_path / "p.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"p\.toml: not TOML: byte 0 is not UTF-8$"):
        read_policy(str(tmp_path / "p.toml"))
    with pytest.raises(
        UsageError, match=r"cannot be read \(not a regular file\); `tls-harness report check --print-policy`"
    ):
        read_policy(str(tmp_path))
