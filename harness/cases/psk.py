"""Pre-shared keys: TLS without certificates, in Python 3.13 and MicroPython 1.29."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.cases import Row, Situation, ordinary, table
from harness.expectations.builders import connected, fatal_alert_number, refused
from harness.expectations.clients import refuses_own_settings, undecipherable
from harness.expectations.needs import CLIENT_PSK, SERVER_PSK
from harness.model import BoardInfo, Expectation, ExpectationRule, ServerFacts, Side, Tier
from harness.wire import mbedtls_numbers as mbedtls

TLS12 = "TLSv1.2"
IDENTITY = "board-1"
KEY = "000102030405060708090a0b0c0d0e0f"
OTHER_KEY = "ff" * 16
SUITES = tuple(
    f"PSK-{cipher}"
    for cipher in (
        *("AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-CBC-SHA384"),
        *("AES128-CBC-SHA256", "AES256-CBC-SHA", "AES128-CBC-SHA"),
    )
)


def shared(*, ciphers: str = "PSK", server_key: str = KEY, **words: Any) -> Situation:
    """A server with only a key, and a board with the same one."""
    behaviour = {"name": "psk", "key": server_key}
    for name in ("identity", "hint", "raises"):
        if name in words:
            behaviour[name] = words.pop(name)
    words.setdefault("maximum_version", TLS12)
    words.setdefault("expect", connected())
    words.setdefault("psk_identity", IDENTITY)
    words.setdefault("psk_key", KEY)
    return ordinary(ciphers=ciphers, behaviour=behaviour, needs=(CLIENT_PSK, SERVER_PSK), **words)


def refused_key(reason: str, alert: str) -> ExpectationRule:
    """Expect a refusal because the identity is unknown or the keys differ."""

    def rule(board: BoardInfo, server: ServerFacts) -> Expectation:
        return refused(by=Side.SERVER, server=reason, alert=alert, client=fatal_alert_number(board, alert))

    return rule


@table(tier=Tier.FULL)
def suites() -> Iterable[Row]:
    """Every PSK suite of MicroPython's configuration."""
    for name in SUITES:
        yield Row(
            name.removeprefix("PSK-").lower(),
            f"Only {name}. No certificate and no forward secrecy: the fastest handshake.",
            shared(ciphers=f"{name}:@SECLEVEL=0"),
        )


@table(tier=Tier.FULL)
def keys() -> Iterable[Row]:
    """Keys and identities of several sizes, and wrong ones."""
    yield Row(
        "key-32b",
        "A key of 32 bytes. mbedTLS allows at least this length (MBEDTLS_PSK_MAX_LEN is 32 or 48).",
        shared(psk_key="5a" * 32, server_key="5a" * 32),
    )
    yield Row(
        "key-64b",
        "A key of 64 bytes. Too long for the library, which refuses it before any connection.",
        shared(
            psk_key="5a" * 64, expect=refuses_own_settings(client_type="OSError", client=mbedtls.SSL_BAD_INPUT_DATA)
        ),
    )
    yield Row(
        "identity-129",
        "An identity of 129 bytes. RFC 4279 section 5.3 requires at least 128.",
        shared(psk_identity="i" * 129),
    )
    yield Row("hint", "The server sends an identity hint. The board may ignore it.", shared(hint="which board?"))
    yield Row(
        "wrong-key",
        "Different keys. The session keys differ, and the server cannot decrypt Finished.",
        shared(server_key=OTHER_KEY, expect=undecipherable),
    )
    yield Row(
        "unknown-identity",
        "An identity that the server does not know. Unlike a wrong key, it has an alert of its own.",
        shared(identity="another-board", expect=refused_key("PSK_IDENTITY_NOT_FOUND", "unknown_psk_identity")),
    )
    yield Row(
        "callback-raises",
        "The server's callback raises. The board sees an unknown identity.",
        shared(raises=True, expect=refused_key("PSK_IDENTITY_NOT_FOUND", "unknown_psk_identity")),
    )


@table(tier=Tier.FULL)
def one_side_only() -> Iterable[Row]:
    """Only one side has a key, or the version decides."""
    yield Row(
        "server-has-no-psk",
        "A board with a key, a server with a certificate. The board offers only PSK suites.",
        ordinary("server-p256", psk_identity=IDENTITY, psk_key=KEY, maximum_version=TLS12, needs=(CLIENT_PSK,)),
    )
    yield Row(
        "client-no-psk-server-psk-only",
        "A server with a key, a board without one. A tenth cause of NO_SHARED_CIPHER.",
        ordinary(ciphers="PSK", behaviour={"name": "psk", "key": KEY}, maximum_version=TLS12, needs=(SERVER_PSK,)),
    )
    yield Row(
        "tls13-server-auto",
        "A server with a key that also allows TLS 1.3. The board's version decides.",
        shared(maximum_version=None),
    )
