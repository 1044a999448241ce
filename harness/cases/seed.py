"""The failure that started this project, with its causes and fixes as cases.

A MicroPython 1.20 board offered ECDHE_ECDSA and plain RSA suites; the Python 3.11 server had an RSA key and refuses plain RSA.
That client spoke TLS 1.2, so these servers are limited to it: a TLS 1.3 client limited to 1.2 suites fails for another
reason (docs/facts/python-ssl.md, "A TLS 1.3 client restricted to TLS 1.2 suites").
"""

from __future__ import annotations

from harness.cases import Situation, case
from harness.expectations.builders import connected, fatal_alert_number, refused
from harness.expectations.clients import offers_tls13
from harness.expectations.needs import (
    CHECKS_CERTIFICATES,
    LEGACY_WRAP_SOCKET,
    LOADS_CLIENT_CERTIFICATE,
    OFFERS_ECDHE_ECDSA,
    OFFERS_ECDHE_RSA,
    OFFERS_TLS_RSA,
    READS_DER_ONLY,
    can_offer_exactly,
)
from harness.model import (
    BoardInfo,
    ClientPlan,
    Expectation,
    ServerFacts,
    ServerProfile,
    Side,
    Stage,
    Subject,
    Tier,
    Verify,
)
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.suites import suite_code, suite_name

TLS12 = "TLSv1.2"
# What the board in the original question offered: c024 c00a c023 c009 003d 0035 003c 002f.
QUESTION_SUITES = (
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
)
QUESTION_CLIENT = ClientPlan(suites=QUESTION_SUITES)


def rsa_key_result(board: BoardInfo, server: ServerFacts) -> Expectation:
    """Return the expected result of the original client with an RSA key; this server's enabled suites decide, not its version."""
    plain_rsa = {suite_code(name) for name in QUESTION_SUITES if name.startswith("TLS_RSA_")}
    shared = [code for code, _protocol, _name in server.suites if code in plain_rsa]
    if shared and not (offers_tls13(board) and server.maximum_version != TLS12):
        return connected(
            version=TLS12,
            suite=suite_name(shared[0]),
            note=f"Python {server.python} accepts plain RSA ({suite_name(shared[0])}), so the original failure cannot happen here",
        )
    return refused(
        by=Side.SERVER,
        server="NO_SHARED_CIPHER",
        alert="handshake_failure",
        client=fatal_alert_number(board, "handshake_failure"),
        note=f"Python {server.python} has no plain RSA suite enabled, and the client has no ECDHE_RSA suite"
        if not shared
        else "both sides speak TLS 1.3, and the client lists none of its suites",
    )


@case(tier=Tier.SMOKE)
def rsa_key_no_shared_cipher() -> Situation:
    """RSA key, a client without ECDHE_RSA. The original failure: no suite matches the key type, and neither side's message says so.
    The server's live settings show whether it offers plain RSA."""
    return Situation(
        server=ServerProfile(certificates=("server-rsa2048",), maximum_version=TLS12),
        client=QUESTION_CLIENT,
        expect=rsa_key_result,
        subject=Subject.NEGOTIATION,
        needs=(can_offer_exactly(QUESTION_SUITES),),
    )


@case(tier=Tier.SMOKE)
def ecdsa_key_connects() -> Situation:
    """ECDSA P-256 key, the same client. The fix that keeps Python's default settings: the client has ECDHE_ECDSA."""
    return Situation(
        server=ServerProfile(certificates=("server-p256",), maximum_version=TLS12),
        client=QUESTION_CLIENT,
        expect=connected(version=TLS12),
        needs=(can_offer_exactly(QUESTION_SUITES), OFFERS_ECDHE_ECDSA),
    )


def highest_version(board: BoardInfo, server: ServerFacts) -> Expectation:
    """Expect TLS 1.3 if the client offers it, else TLS 1.2."""
    return connected(version="TLSv1.3" if board.hello is not None and "0304" in board.hello.versions else TLS12)


@case(tier=Tier.SMOKE)
def ecdhe_rsa_client_connects() -> Situation:
    """RSA key, a client that has ECDHE_RSA. The other fix: firmware since 1.24 (rp2: 1.20, esp32: always) connects unchanged.
    The server allows TLS 1.3, because an mbedTLS 3.6 client with TLS 1.3 refuses its own RSA-PSS offer in TLS 1.2."""
    return Situation(
        server=ServerProfile(certificates=("server-rsa2048",)),
        expect=highest_version,
        needs=(OFFERS_ECDHE_RSA,),
    )


@case(tier=Tier.SMOKE)
def forced_tls_rsa() -> Situation:
    """The first client, a server forced to plain RSA. It connects, but without forward secrecy: do not use it."""
    return Situation(
        server=ServerProfile(
            certificates=("server-rsa2048",),
            ciphers="AES256-SHA256:AES128-SHA256:AES256-SHA:AES128-SHA",
            maximum_version=TLS12,
        ),
        client=QUESTION_CLIENT,
        expect=connected(version=TLS12, suite="TLS_RSA_WITH_AES_256_CBC_SHA256"),
        needs=(can_offer_exactly(QUESTION_SUITES), OFFERS_TLS_RSA),
    )


def rsa_1024_result(board: BoardInfo, server: ServerFacts) -> Expectation:
    """OpenSSL accepts RSA-1024 only below security level 2 (80 bits, SSL_CTX_set_security_level(3))."""
    if server.security_level < 2:
        return connected(version=TLS12, note=f"security level {server.security_level} accepts a 1024-bit key")
    return refused(by=Side.SERVER, stage=Stage.CONFIG, server="EE_KEY_TOO_SMALL")


@case(tier=Tier.SMOKE)
def rsa_1024_key() -> Situation:
    """RSA-1024 key, as in the original question. OpenSSL's security level refuses it before any connection, so the real key there
    was longer."""
    return Situation(
        server=ServerProfile(certificates=("server-rsa1024",), maximum_version=TLS12),
        expect=rsa_1024_result,
        subject=Subject.CONFIG,
        predicted=True,
    )


@case(tier=Tier.SMOKE)
def ca_verified() -> Situation:
    """The board verifies the certificate with its CA. The positive control for refused certificates: a valid chain is accepted."""
    return Situation(
        server=ServerProfile(certificates=("server-p256",), maximum_version=TLS12),
        client=ClientPlan(verify=Verify.REQUIRED, ca=("ca-p256",)),
        expect=connected(version=TLS12),
        needs=(CHECKS_CERTIFICATES, OFFERS_ECDHE_ECDSA),
    )


def not_trusted(board: BoardInfo, server: ServerFacts) -> Expectation:
    """Expect a refusal of an untrusted chain. Firmware without `load_verify_locations` has one number for all reasons (#10832)."""
    if board.names_verify_reason:
        return refused(by=Side.CLIENT, server="TLSV1_ALERT_UNKNOWN_CA", alert="unknown_ca", flags=("not_trusted",))
    return refused(
        by=Side.CLIENT, server="TLSV1_ALERT_UNKNOWN_CA", alert="unknown_ca", client=mbedtls.X509_CERT_VERIFY_FAILED
    )


@case(tier=Tier.SMOKE)
def wrong_ca() -> Situation:
    """The board trusts another CA. It must refuse; a board that connects here would accept any server."""
    return Situation(
        server=ServerProfile(certificates=("server-p256",), maximum_version=TLS12),
        client=ClientPlan(verify=Verify.REQUIRED, ca=("ca-other",)),
        expect=not_trusted,
        needs=(CHECKS_CERTIFICATES, OFFERS_ECDHE_ECDSA),
        positive_control="seed/ca-verified",
    )


@case(tier=Tier.SMOKE)
def mutual_tls() -> Situation:
    """The client has a key and certificate, and the server requests it. Both sides verify each other."""
    return Situation(
        server=ServerProfile(
            certificates=("server-p256",), maximum_version=TLS12, verify=Verify.REQUIRED, client_ca=("ca-p256",)
        ),
        client=ClientPlan(verify=Verify.REQUIRED, ca=("ca-p256",), certificate="client-p256"),
        expect=connected(version=TLS12),
        needs=(CHECKS_CERTIFICATES, LOADS_CLIENT_CERTIFICATE, OFFERS_ECDHE_ECDSA),
    )


def pem_library_error(board: BoardInfo, server: ServerFacts) -> Expectation:
    """CPython reports OpenSSL's ERR_R_PEM_LIB (9) without a reason; OpenSSL 3 adds ERR_RFLAG_COMMON (include/openssl/err.h)."""
    number = 9 if server.openssl_number < 0x30000000 else 9 | 0x80000
    return refused(by=Side.SERVER, stage=Stage.CONFIG, server_type="SSLError", server_errno=number)


@case(tier=Tier.SMOKE)
def key_and_certificate_swapped() -> Situation:
    """Certificate and key swapped in load_cert_chain. Python reports only `PEM lib`, without a reason, before any connection."""
    return Situation(
        server=ServerProfile(certificates=("server-p256",), maximum_version=TLS12, swap_key_and_certificate=True),
        expect=pem_library_error,
        subject=Subject.CONFIG,
    )


@case(tier=Tier.SMOKE)
def pem_on_der_client() -> Situation:
    """PEM for a client that reads only DER. The client refuses its own settings; the server never sees a ClientHello."""
    return Situation(
        server=ServerProfile(certificates=("server-p256",), maximum_version=TLS12),
        client=ClientPlan(verify=Verify.REQUIRED, ca=("ca-p256",), ca_format="pem"),
        expect=refused(by=Side.CLIENT, stage=Stage.CONFIG, client_type="ValueError"),
        needs=(CHECKS_CERTIFICATES, READS_DER_ONLY),
    )


@case(tier=Tier.SMOKE)
def ssl_wrap_socket() -> Situation:
    """The original server, ssl.wrap_socket. Only Python before 3.12 has it, and it fails in the same way. It cannot be limited
    to TLS 1.2, so a TLS 1.3 client limited to 1.2 suites fails for another reason; the result is predicted."""
    return Situation(
        server=ServerProfile(certificates=("server-rsa2048",), legacy_wrap_socket=True),
        client=QUESTION_CLIENT,
        predicted=True,
        needs=(LEGACY_WRAP_SOCKET, can_offer_exactly(QUESTION_SUITES)),
    )
