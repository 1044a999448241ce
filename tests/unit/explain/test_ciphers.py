"""The causes of NO_SHARED_CIPHER: each rule matches only its own failure and gives the stored text."""

import dataclasses

import pytest

from harness.explain import candidates, fixes
from harness.model import ClientPlan, KeyFacts, ServerFacts, ServerProfile, Side, Stage

NO_SHARED_CIPHER = {"server": {"type": "SSLError", "reason": "NO_SHARED_CIPHER"}, "by": Side.SERVER}
SERVER = ServerFacts(python="3.11.7", openssl="OpenSSL 3.0.19", openssl_number=0x30000130, suites=(), security_level=2)


def test_tls13_without_suites(made, stored):
    """A TLS 1.3 client offers only TLS 1.2 suites: the server chooses 1.3 and finds none (invented: a distribution's build)."""
    hello = dataclasses.replace(
        made.hello, versions=("0304", "0303"), extensions=(0, 10, 13, 43, 51), key_share_groups=("0017",)
    )
    suites = ((0x1301, "TLSv1.3", "TLS_AES_128_GCM_SHA256"), (0xC02B, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"))
    key = KeyFacts(type="EC", bits=256, curve="secp256r1")
    facts = dataclasses.replace(SERVER, suites=suites, keys=(key,))
    result = made("OSError", -30592, **NO_SHARED_CIPHER, client_hello=hello, server_facts=facts)
    stored("ciphers/tls13-without-suites", result)


def test_unknown_words(made, stored):
    """set_ciphers raises the only SSLError without reason and number (invented; tests/unit/diagnose has a real one)."""
    failure = {"type": "SSLError", "reason": None, "errno": None}
    profile = ServerProfile(ciphers="TLS_RSA_WITH_AES_128_CBC_SHA")
    stored("ciphers/unknown-words", made(stage=Stage.CONFIG, server=failure, by=Side.SERVER, profile=profile))


def test_no_dh_parameters(made, stored):
    """Only DHE is shared, and Python loads no DH parameters by default (invented: esp32 up to 1.20 offers DHE)."""
    facts = dataclasses.replace(
        SERVER, suites=((0x009E, "TLSv1.2", "DHE-RSA-AES128-GCM-SHA256"),), keys=(KeyFacts(type="RSA", bits=2048),)
    )
    hello = dataclasses.replace(made.hello, suites=("009e", "00ff"))
    result = made("OSError", -30592, **NO_SHARED_CIPHER, client_hello=hello, server_facts=facts)
    stored("ciphers/no-dh-parameters", result)


def test_security_level(made, stored):
    """Security level 3 allows nothing without forward secrecy (invented)."""
    facts = dataclasses.replace(
        SERVER,
        suites=((0x009C, "TLSv1.2", "AES128-GCM-SHA256"),),
        keys=(KeyFacts(type="RSA", bits=3072),),
        security_level=3,
    )
    hello = dataclasses.replace(made.hello, suites=("009c", "00ff"))
    result = made("OSError", -30592, **NO_SHARED_CIPHER, client_hello=hello, server_facts=facts)
    stored("ciphers/security-level", result)


def test_axtls_with_current_python(made):
    """esp8266 raises alert 40 as a number; the cause is the same as for the oldest mbedTLS."""
    facts = dataclasses.replace(
        SERVER, suites=((0xC02F, "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"),), keys=(KeyFacts(type="RSA", bits=2048),)
    )
    hello = dataclasses.replace(made.hello, suites=("002f", "003c", "0035", "003d"), groups=(), extensions=(13, 0))
    info = made.board("1.22.0", tls_library="axTLS", platform="esp8266")
    result = made("OSError", -40, **NO_SHARED_CIPHER, info=info, client_hello=hello, server_facts=facts)
    assert [item.rule for item in candidates(result)] == ["ciphers/plain-rsa-only"]


def test_plain_rsa_is_discouraged():
    """TLS_RSA is always marked as discouraged, with the reason."""
    fix = fixes.plain_rsa("AES128-SHA256")
    assert (fix.discouraged, fix.because) == (True, fixes.NO_FORWARD_SECRECY)


EC, RSA = KeyFacts(type="EC", bits=256, curve="secp256r1"), KeyFacts(type="RSA", bits=2048)
RSA_PSS, ED25519 = KeyFacts(type="RSA-PSS", bits=2048), KeyFacts(type="Ed25519", bits=256)
ECDHE = ((0xC02B, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"), (0xC02F, "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"))
GCM = (*ECDHE, (0x009C, "TLSv1.2", "AES128-GCM-SHA256"))
NEW_EC = "give the server an EC key on P-256 (its certificate from the CA that the board trusts)"
NEW_RSA = "give the server an RSA key (2048 bits or more)"
BOARD_LIST = "leave set_ciphers out on the board: it then offers every suite it has"


def refused(made, offered, **words):
    """Return the only explanation for a board that offers these suites."""
    case = {name: words.pop(name) for name in ("info", "client", "profile") if name in words}
    hello = dataclasses.replace(made.hello, suites=tuple(offered.split()))
    suites = ((0x1301, "TLSv1.3", "TLS_AES_128_GCM_SHA256"), *words.pop("suites", ECDHE))
    facts = dataclasses.replace(SERVER, suites=suites, **words)
    (said,) = candidates(made("OSError", -30592, **NO_SHARED_CIPHER, client_hello=hello, server_facts=facts, **case))
    return said.rule, [fix.title for fix in said.fixes]


def test_a_pss_key_is_not_an_ec_key(made):
    """A board that offers ECDHE_ECDSA does not offer suites for RSA keys only, and there is no EC key to keep."""
    info = made.board("1.20.0", platform="stm32")
    assert refused(made, "c02b 003d", keys=(RSA_PSS,), info=info) == ("ciphers/key-type", [NEW_EC])


def test_a_list_without_the_suites_of_the_board(made):
    """An RSA key does not help a board whose TLS_RSA suites with CBC are not in the server's list."""
    rule, titles = refused(made, "003d 003c", keys=(EC,), suites=GCM)
    assert (rule, titles) == ("ciphers/plain-rsa-only", ["allow TLS_RSA suites on the server, and give it an RSA key"])


def test_an_rsa_key_and_no_common_group(made):
    """All that both sides list needs an EC key: the key is the cause, and the group comes second. set_ciphers was never called."""
    rule, titles = refused(made, "c02b 003d", keys=(RSA,), groups=("x25519",))
    assert rule == "ciphers/key-type"
    assert titles[0] == NEW_EC
    assert titles[2] == "let the server use P-256 for the key exchange"
    assert not [title for title in titles if "set_ciphers" in title]


def test_a_list_that_was_never_set(made):
    """Only a list that was set can be left out."""
    profile = ServerProfile(ciphers="ECDHE-RSA-AES256-GCM-SHA384")
    listed = {"keys": (RSA,), "suites": ((0xC030, "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"),)}
    allow = "allow what the board offers with forward secrecy"
    assert refused(made, "c02f", **listed) == ("ciphers/nothing-in-common", [allow])
    rule, titles = refused(made, "c02f", **listed, profile=profile)
    assert (rule, titles) == (
        "ciphers/nothing-in-common",
        ["leave set_ciphers out on the server: Python's own suites", allow],
    )


@pytest.mark.parametrize(("offered", "titles"), [("c02b 003d", [NEW_EC]), ("c02b c02f", [NEW_EC, NEW_RSA])])
def test_an_rsa_key_only_where_it_helps(made, offered, titles):
    """Firmware without ECDHE_RSA cannot use an RSA key with the server's suites."""
    assert refused(made, offered, keys=(ED25519,)) == ("ciphers/key-without-signature", titles)


def test_a_contradiction_without_ecdhe_rsa(made):
    """A server with an RSA key and suites for EC keys: Python's own list does not help firmware without ECDHE_RSA."""
    both = ["leave set_ciphers out on the server: Python's own suites", NEW_EC]
    for offered, titles in (("c02b 003d", [NEW_EC]), ("c02b c02f", both)):
        said = refused(made, offered, keys=(RSA,), suites=ECDHE[:1])
        assert said == ("ciphers/server-contradicts-itself", titles)


@pytest.mark.parametrize(("version", "there"), [("1.20.0", False), ("1.24.0", True)])
def test_firmware_without_set_ciphers(made, version, there):
    """The board's list can be left out only where the firmware has set_ciphers."""
    client = ClientPlan(suites=("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",))
    rule, titles = refused(made, "c02f", keys=(EC,), client=client, info=made.board(version))
    assert rule == "ciphers/ecdhe-rsa-only"
    assert (BOARD_LIST in titles) == there


@pytest.mark.parametrize(("suites", "update"), [((), True), (("TLS-RSA-WITH-AES-128-GCM-SHA256",), False)])
def test_gcm_is_there_already(made, suites, update):
    """Firmware that has GCM needs no update to get it."""
    info = made.board("1.20.0", suites=suites)
    rule, titles = refused(made, "c009", keys=(EC,), info=info)
    title = "update the board's firmware: GCM came with 1.24 (rp2: 1.20; esp32: every version)"
    assert (rule, title in titles) == ("ciphers/sha1-mac-only", update)
