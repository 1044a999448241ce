"""Facts about a board that only a trial can show, each learned once: what it reads, checks and sets, and how its library answers.

Knows handshakes; must not know cases or verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from harness.expectations.needs import OFFERS_ECDHE_ECDSA
from harness.model import (
    BoardInfo,
    Case,
    ClientPlan,
    Expectation,
    ServerFacts,
    ServerProfile,
    Side,
    Stage,
    TlsVersion,
    Verify,
)
from harness.run.handshake import Handshake, Handshakes
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import alert_code

NO_TLS = "no ssl, tls or ussl module in this firmware"

# With the key that the board has suites for: an OpenSSL that is configured for a high security level refuses RSA-2048.
# TLS 1.2 whatever openssl.cnf says.
_TLS12: Mapping[str, Any] = {"minimum_version": TlsVersion.TLSv1_2, "maximum_version": TlsVersion.TLSv1_2}
_EC_SERVER = ServerProfile(certificates=("server-p256",), **_TLS12)
_RSA_SERVER = ServerProfile(certificates=("server-rsa2048",), ciphers="ECDHE+aRSA:kRSA+AES", **_TLS12)
_PSS_SERVER = ServerProfile(certificates=("server-rsa2048",), ciphers="ECDHE+aRSA", **_TLS12)
_EXPIRED_SERVER = ServerProfile(certificates=("server-expired",), **_TLS12)
_UNKNOWN_RECORD = ServerProfile(behaviour={"name": "not-tls.ff"})


def learn_pem(handshakes: Handshakes) -> None:
    """Learn whether the board reads PEM: whether it connects with a valid CA certificate in PEM."""
    board = handshakes.board
    if board.info.reads_pem is None and board.info.can_verify:
        authority = "ca-p256" if OFFERS_ECDHE_ECDSA.met(board.info, {}) else "ca-rsa"
        plan = ClientPlan(verify=Verify.REQUIRED, ca=(authority,), ca_format="pem")
        board.learn(reads_pem=_accepts(plan, handshakes=handshakes))


def learn_pkcs8(handshakes: Handshakes) -> None:
    """Learn whether the board reads PKCS#8: whether it connects with such a key loaded, which no server asks for.

    Firmware without ECDHE_ECDSA may read no EC keys in any format, so it is given an RSA key.
    """
    board = handshakes.board
    if board.info.reads_pkcs8 is None and board.info.can_load_certificate:
        certificate = "client-p256" if OFFERS_ECDHE_ECDSA.met(board.info, {}) else "client-rsa2048"
        plan = ClientPlan(certificate=certificate, certificate_format="pkcs8")
        board.learn(reads_pkcs8=_accepts(plan, handshakes=handshakes))


def learn_ec_keys(handshakes: Handshakes) -> None:
    """Learn whether the board reads EC keys: whether it connects with such a key loaded, which no server asks for."""
    board = handshakes.board
    if board.info.reads_ec_keys is None and board.info.can_load_certificate:
        board.learn(reads_ec_keys=_accepts(ClientPlan(certificate="client-p256"), handshakes=handshakes))


def learn_clock(handshakes: Handshakes) -> None:
    """Learn whether the board's clock can be set: it is set to the time that it is."""
    board = handshakes.board
    if board.info.sets_clock is None:
        board.learn(sets_clock=board.altered.can_set_clock())


def takes_own_pss(handshakes: Handshakes) -> bool:
    """Return whether the board accepts in TLS 1.2 the RSA-PSS that it offers (`harness.oracle.own_offer`)."""
    board = handshakes.board
    if board.info.takes_own_pss is None:
        seen = handshakes.make(_PSS_SERVER, ClientPlan()).observation
        refused = seen.client is not None and seen.client.number == mbedtls.SSL_ILLEGAL_PARAMETER
        board.learn(takes_own_pss=not refused)
    return board.info.takes_own_pss is not False


def learn_what_decides(case: Case, facts: ServerFacts | None, handshakes: Handshakes) -> None:
    """Learn what the ClientHello does not show and the expectation of a case depends on.

    Args:
        case: the case.
        facts: of its server; None if it reported none.
        handshakes: of the board and the server.

    Raises:
        BoardError, ServerError: the board, its line or the server failed.
    """
    for name, ask in _QUESTIONS.items():
        if facts is not None and _decides(name, case, facts, board=handshakes.board.info):
            handshakes.board.learn(**{name: ask(handshakes)})


def _decides(name: str, case: Case, facts: ServerFacts, *, board: BoardInfo) -> bool:
    """Whether this fact is unknown and the expectation differs with it."""
    rule = case.expect
    if rule is None or isinstance(rule, Expectation) or getattr(board, name) is not None:
        return False
    answers: tuple[dict[str, Any], ...] = ({name: True}, {name: False})
    yes, no = (rule(replace(board, **answer), facts) for answer in answers)
    return yes != no


def _refuses_expired(handshakes: Handshakes) -> bool | None:
    """Whether the board refuses an expired certificate because of its date; None if something else failed."""
    plan = ClientPlan(verify=Verify.REQUIRED, ca=("ca-p256",))
    handshake = handshakes.make(_EXPIRED_SERVER, plan)
    if handshake.connected:
        return False
    return True if _sent_alert(handshake, "certificate_expired") else None


def _alerts_unknown_record(handshakes: Handshakes) -> bool | None:
    """Whether the board answers a record of an unknown type with an alert; None if it does not refuse the record."""
    handshake = handshakes.make(_UNKNOWN_RECORD, ClientPlan())
    failure = handshake.observation.client
    if failure is None or failure.number != mbedtls.SSL_INVALID_RECORD:
        return None
    return _sent_alert(handshake, "unexpected_message")


_QUESTIONS: dict[str, Callable[[Handshakes], bool | None]] = {
    "refuses_expired": _refuses_expired,
    "alerts_unknown_record": _alerts_unknown_record,
}


def _sent_alert(handshake: Handshake, name: str) -> bool:
    """Whether the first fatal alert of the board is this one."""
    alert = handshake.observation.fatal_alert(sender=Side.CLIENT)
    return alert is not None and alert.code == alert_code(name)


def _accepts(plan: ClientPlan, *, handshakes: Handshakes) -> bool | None:
    """Whether the board accepts these settings: False if it refuses them itself, None if something else failed."""
    server = _EC_SERVER if OFFERS_ECDHE_ECDSA.met(handshakes.board.info, {}) else _RSA_SERVER
    handshake = handshakes.make(server, plan)
    seen = handshake.observation
    refused = seen.stage is Stage.CONFIG and seen.ended_by is Side.CLIENT
    return True if handshake.connected else False if refused else None
