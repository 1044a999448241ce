"""Facts about a board that only a handshake can show, each learned once: PEM, PKCS#8, and RSA-PSS in TLS 1.2.

Knows handshakes; must not know cases or verdicts.
"""

from __future__ import annotations

from harness.model import ClientPlan, ServerProfile, Side, Stage, Verify
from harness.run.handshake import Handshakes
from harness.wire import mbedtls_numbers as mbedtls

NO_TLS = "no ssl, tls or ussl module in this firmware"

_EC_SERVER = ServerProfile(certificates=("server-p256",), maximum_version="TLSv1.2")
_PSS_SERVER = ServerProfile(certificates=("server-rsa2048",), ciphers="ECDHE+aRSA", maximum_version="TLSv1.2")


def learn_pem(handshakes: Handshakes) -> None:
    """Learn whether the board reads PEM: whether it connects with a valid CA certificate in PEM."""
    board = handshakes.board
    if board.info.reads_pem is None and board.info.can_verify:
        plan = ClientPlan(verify=Verify.REQUIRED, ca=("ca-p256",), ca_format="pem")
        board.learn(reads_pem=_accepts(plan, handshakes=handshakes))


def learn_pkcs8(handshakes: Handshakes) -> None:
    """Learn whether the board reads PKCS#8: whether it connects with such a key loaded, which no server asks for."""
    board = handshakes.board
    if board.info.reads_pkcs8 is None and board.info.can_load_certificate:
        plan = ClientPlan(certificate="client-p256", certificate_format="pkcs8")
        board.learn(reads_pkcs8=_accepts(plan, handshakes=handshakes))


def takes_own_pss(handshakes: Handshakes) -> bool:
    """Return whether the board accepts in TLS 1.2 the RSA-PSS that it offers (`harness.oracle.own_offer`)."""
    board = handshakes.board
    if board.info.takes_own_pss is None:
        seen = handshakes.make(_PSS_SERVER, ClientPlan()).observation
        refused = seen.client is not None and seen.client.number == mbedtls.SSL_ILLEGAL_PARAMETER
        board.learn(takes_own_pss=not refused)
    return board.info.takes_own_pss is not False


def _accepts(plan: ClientPlan, *, handshakes: Handshakes) -> bool | None:
    """Whether the board accepts these settings: False if it refuses them itself, None if something else failed."""
    handshake = handshakes.make(_EC_SERVER, plan)
    seen = handshake.observation
    refused = seen.stage is Stage.CONFIG and seen.ended_by is Side.CLIENT
    return True if handshake.connected else False if refused else None
