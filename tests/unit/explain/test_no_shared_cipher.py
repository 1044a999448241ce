"""The causes of NO_SHARED_CIPHER: of several obstacles, the one that is easiest to remove decides."""

import dataclasses

import pytest

from harness.explain.evidence import Evidence
from harness.explain.no_shared_cipher import Cause, cause, settings, suite_table
from harness.model import KeyFacts, ServerFacts, Side

RSA = KeyFacts(type="RSA", bits=2048)
RSA_PSS = KeyFacts(type="RSA-PSS", bits=2048)
P256 = KeyFacts(type="EC", bits=256, curve="secp256r1")
P224 = KeyFacts(type="EC", bits=224, curve="secp224r1")
ED25519 = KeyFacts(type="Ed25519", bits=256)
ECDHE = (
    (0xC02B, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    (0xC02F, "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"),
    (0xC024, "TLSv1.2", "ECDHE-ECDSA-AES256-SHA384"),
)
PSK = (0x00A8, "TLSv1.2", "PSK-AES128-GCM-SHA256")
RSA_PSK = (0x00AC, "TLSv1.2", "RSA-PSK-AES128-GCM-SHA256")
TLS13 = (0x1301, "TLSv1.3", "TLS_AES_128_GCM_SHA256")
UNKNOWN = (0xFFFE, "TLSv1.2", "x")
FACTS = ServerFacts(
    python="3.11.7", openssl="OpenSSL 3.0.19", openssl_number=0x30000130, suites=ECDHE, security_level=2
)
NO_SHARED_CIPHER = {"server": {"type": "SSLError", "reason": "NO_SHARED_CIPHER"}, "by": Side.SERVER}


def evidence_of(made, offered, **server):
    """Return the evidence for a client with these suites and a server with these settings."""
    hello = dataclasses.replace(made.hello, suites=tuple(offered.split()))
    facts = dataclasses.replace(FACTS, **server)
    return made("OSError", -30592, **NO_SHARED_CIPHER, client_hello=hello, server_facts=facts)


@pytest.mark.parametrize(
    ("offered", "server", "expected"),
    [
        ("c024 003d 00ff", {"keys": (RSA,)}, Cause.KEY_TYPE),
        ("003d 002f", {"keys": (RSA,)}, Cause.PLAIN_RSA_ONLY),
        ("003d 002f", {"keys": (P256,)}, Cause.PLAIN_RSA_ONLY),
        ("c02f 003d", {"keys": (P256,)}, Cause.RSA_SUITES_ONLY),
        ("c013", {"keys": (RSA,)}, Cause.SHA1_MAC_ONLY),
        ("c02b", {}, Cause.NO_CERTIFICATE),
        ("c02b", {"keys": (ED25519,)}, Cause.KEY_SIGNATURE),
        ("c02b", {"keys": (P224,)}, Cause.KEY_CURVE),
        ("c02b", {"keys": (P256,), "groups": ("x25519",)}, Cause.NO_GROUP),
        ("c02f", {"keys": (RSA,), "groups": ("x25519",)}, Cause.NO_GROUP),
        ("c02b", {"keys": (dataclasses.replace(P256, key_usage=("keyCertSign",)),)}, Cause.KEY_USAGE),
        ("c02b", {"keys": (RSA,), "suites": ECDHE[:1]}, Cause.CONTRADICTION),
        ("c030", {"keys": (RSA,), "suites": ECDHE[1:2]}, Cause.NOTHING_IN_COMMON),
        ("00ff", {"keys": (RSA,)}, Cause.NOTHING_OFFERED),
        ("00a8", {"keys": (RSA,)}, Cause.PRE_SHARED_KEY),
        ("00a8 c02b", {"keys": (RSA,), "suites": ECDHE[1:2]}, Cause.NOTHING_IN_COMMON),
        ("c02b", {"suites": (PSK,), "behaviour": {"name": "psk"}}, Cause.PRE_SHARED_KEY),
        ("c02b", {"suites": (PSK, *ECDHE), "behaviour": {"name": "psk"}}, Cause.NO_CERTIFICATE),
        ("c02b", {"suites": (PSK,)}, Cause.NO_CERTIFICATE),
        # Removing one of several obstacles is not enough.
        ("c02b", {"keys": (P224,), "groups": ("x25519",)}, Cause.NOTHING_IN_COMMON),
        ("c030", {"keys": (P256,)}, Cause.RSA_SUITES_ONLY),
        ("c024", {"keys": (RSA,), "suites": ECDHE[1:2]}, Cause.NOTHING_IN_COMMON),
        ("c024 c030", {"keys": (P256,), "suites": ECDHE[:1]}, Cause.NOTHING_IN_COMMON),
        ("c013", {"keys": (RSA,), "suites": (*ECDHE, (0xC014, "TLSv1.0", "SHA"))}, Cause.NOTHING_IN_COMMON),
        ("c013 c02f", {"keys": (RSA,), "suites": (*ECDHE[:1], (0xC030, "TLSv1.2", "x"))}, Cause.NOTHING_IN_COMMON),
        # Suites of TLS 1.3, of pre-shared keys and of no known name say nothing about the server's key.
        ("c02b", {"keys": (RSA,), "suites": (TLS13, UNKNOWN)}, Cause.NOTHING_IN_COMMON),
        ("c02b", {"keys": (RSA,), "suites": (TLS13, UNKNOWN, RSA_PSK, ECDHE[0])}, Cause.CONTRADICTION),
        ("c030", {"keys": (RSA_PSS,), "suites": ECDHE[1:2]}, Cause.NOTHING_IN_COMMON),
        ("c030", {"keys": (RSA_PSS,), "suites": ECDHE[:1]}, Cause.CONTRADICTION),
    ],
)
def test_cause(offered, server, expected, made):
    """Each combination of offer and settings has one cause."""
    assert cause(evidence_of(made, offered, **server)) is expected


# Cause -> a suite with only this obstacle, and the settings that cause it; in order of precedence.
OBSTACLES = {
    Cause.KEY_USAGE: ("c02b", {"keys": (dataclasses.replace(P256, key_usage=("keyCertSign",)), RSA)}),
    Cause.KEY_CURVE: ("c02b", {"keys": (P224, RSA)}),
    Cause.KEY_SIGNATURE: ("c02b", {"keys": (ED25519, RSA)}),
    Cause.NO_GROUP: ("c02f", {"keys": (RSA,), "groups": ("x25519",)}),
    Cause.NO_DH_PARAMETERS: ("009e", {"keys": (RSA,)}),
    Cause.SECURITY_LEVEL: ("009c", {"keys": (RSA,), "security_level": 3}),
}
# The first four exclude each other: a server uses its best key, and every suite with a signature by an EC key needs a group.
TOGETHER = [
    (first, second)
    for at, first in enumerate(OBSTACLES)
    for second in list(OBSTACLES)[max(at + 1, 4) :]
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), TOGETHER)
def test_precedence_of_single_obstacles(first, second, made):
    """If two suites have one obstacle each, the order is the server's key, groups, DH parameters, security level."""
    suites = (*ECDHE, (0x009E, "TLSv1.2", "DHE-RSA-AES128-GCM-SHA256"), (0x009C, "TLSv1.2", "AES128-GCM-SHA256"))
    for names in ((first, second), (second, first)):
        offered = " ".join(OBSTACLES[name][0] for name in names)
        settings = OBSTACLES[second][1] | OBSTACLES[first][1] | {"suites": suites}
        assert cause(evidence_of(made, offered, **settings)) is first
    alone = OBSTACLES[second][1] | {"suites": suites}
    assert cause(evidence_of(made, OBSTACLES[second][0], **alone)) is second


def test_tls13_without_suites(made):
    """The client offers TLS 1.3 without its suites."""
    evidence = evidence_of(made, "c02b", keys=(P256,), suites=((0x1301, "TLSv1.3", "TLS_AES_128_GCM_SHA256"), *ECDHE))
    evidence.seen = dataclasses.replace(
        evidence.seen,
        client_hello=dataclasses.replace(evidence.hello, versions=("0304", "0303"), extensions=(0, 10, 13, 43, 51)),
    )
    assert cause(evidence) is Cause.TLS13_WITHOUT_SUITES
    evidence = evidence_of(made, "1302 c02b", keys=(P256,), suites=(TLS13, *ECDHE))
    evidence.seen = dataclasses.replace(
        evidence.seen,
        client_hello=dataclasses.replace(evidence.hello, versions=("0304", "0303"), extensions=(0, 10, 13, 43, 51)),
    )
    assert cause(evidence) is Cause.NOTHING_IN_COMMON


def test_another_reason_has_no_cause(made):
    """Only NO_SHARED_CIPHER has these causes."""
    result = made("OSError", -30592, server={"type": "SSLError", "reason": "UNSUPPORTED_PROTOCOL"}, by=Side.SERVER)
    assert cause(result) is None


def test_no_cause_without_the_facts(made):
    """There is no cause for another reason, or if the facts of one side are unknown."""
    known = evidence_of(made, "c02b", keys=(RSA,))
    assert cause(known) is not None
    for changes in (
        {"client_hello": None},
        {"server_facts": None},
        {"server": dataclasses.replace(known.seen.server, reason="UNSUPPORTED_PROTOCOL")},
    ):
        less = Evidence(known.case, dataclasses.replace(known.seen, **changes), known.info)
        assert cause(less) is None
        if "server" not in changes:
            assert suite_table(less) == ()


@pytest.mark.parametrize(
    ("hello", "server", "lines"),
    [
        (
            {"groups": ()},
            {"keys": (), "groups": ()},
            (
                "server: Python 3.11.7, OpenSSL 3.0.19, 3 suites, key none, up to TLSv1.3",
                "none of the usual ones",
                "none",
            ),
        ),
        (
            {},
            {"keys": (P256, RSA), "groups": ("x25519", "secp256r1"), "python": ""},
            (
                "server: OpenSSL 3.0.19, 3 suites, key EC secp256r1, RSA 2048, up to TLSv1.3",
                "x25519, secp256r1",
                "secp256r1",
            ),
        ),
    ],
)
def test_the_settings_of_both_sides(hello, server, lines, made):
    """Missing settings are shown as none; a foreign server has only OpenSSL's name."""
    evidence = evidence_of(made, "c02b", **server)
    changed = dataclasses.replace(evidence.hello, **hello)
    evidence = Evidence(evidence.case, dataclasses.replace(evidence.seen, client_hello=changed), evidence.info)
    assert settings(evidence) == (lines[0], f"groups: server {lines[1]}; board {lines[2]}")


@pytest.mark.parametrize(
    ("offered", "server", "words"),
    [
        ("c02b", {"keys": (RSA,)}, "needs an EC key, the server's key is RSA"),
        ("c02f", {"keys": (P256, ED25519)}, "needs an RSA key, the server's key is EC and Ed25519"),
        ("0032", {"keys": (RSA,), "suites": ((0x32, "SSLv3", "x"),)}, "needs a DSA key, the server's key is RSA; "
         "the server has no DH parameters"),
        ("c02b", {"keys": (P224, RSA)}, "the board does not list the key's curve secp224r1"),
        ("fffe", {"keys": (RSA,)}, "unknown suite"),
    ],
)  # fmt: skip
def test_the_words_for_a_suite(offered, server, words, made):
    """The text names the needed key and the server's keys; of several keys the first curve."""
    assert suite_table(evidence_of(made, offered, **server))[0].split("  ")[-1] == words


def test_table_names_every_suite_and_both_sides(made):
    """The table has a line per suite with all obstacles, then the settings; signalling values are not suites."""
    assert suite_table(evidence_of(made, "c024 003d 00ff", keys=(RSA,))) == (
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384  needs an EC key, the server's key is RSA",
        "TLS_RSA_WITH_AES_256_CBC_SHA256          not in the server's list",
        "server: Python 3.11.7, OpenSSL 3.0.19, 3 suites, key RSA 2048, up to TLSv1.3",
        "groups: server OpenSSL's default; board secp256r1",
    )


def test_a_long_offer_is_cut(made):
    """A distribution's mbedTLS offers more than a hundred suites; the table is cut."""
    offered = " ".join(f"{code:04x}" for code in range(0xC023, 0xC023 + 60))
    lines = suite_table(evidence_of(made, offered, keys=(RSA,)))
    assert lines[24] == "... and 36 more suites"
    assert len(lines) == 27
    for number, more in ((24, None), (25, "... and 1 more suite")):
        fewer = suite_table(evidence_of(made, " ".join(offered.split()[:number]), keys=(RSA,)))
        assert len(fewer) == number + 2
        assert [line for line in fewer if line.startswith("...")] == ([more] if more else [])
