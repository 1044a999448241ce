"""Every expected refusal names both sides, or cites the race that leaves one open."""

from dataclasses import replace

import pytest

from harness.cases import all_cases, find_case
from harness.expectations.builders import connected, refused
from harness.expectations.needs import OFFERS_ECDHE_RSA, unmet
from harness.model import BoardInfo, Case, Expectation, HelloFacts, Outcome, ServerFacts, Stage

SUITES = ("1301", "c02b", "c02f", "c024", "003d")
HELLO = HelloFacts(
    record_version="0303", versions=("0304", "0303"), suites=SUITES, groups=("0017",), signature_algorithms=("0403",), extensions=(0,),
    sni="tls.test",
)  # fmt: skip
NEW = BoardInfo(
    implementation="micropython",
    version=(1, 28, 0),
    tls_module="tls",
    tls_library="mbedTLS",
    tls_version="Mbed TLS 3.6.6",
    api=("tls.SSLContext.set_ciphers", "tls.SSLContext.load_verify_locations", "tls.SSLContext.load_cert_chain"),
    platform="linux",
    hello=HELLO,
)
OLD = BoardInfo(
    implementation="micropython",
    version=(1, 20, 0),
    tls_module="ussl",
    tls_library="mbedTLS",
    tls_version="mbed TLS 2.28.1",
    api=("ussl.wrap_socket(cadata)", "ussl.wrap_socket(key)"),
    platform="esp32",
    hello=HELLO,
)
AXTLS = BoardInfo(
    implementation="micropython",
    version=(1, 19, 1),
    tls_module="ussl",
    tls_library="axTLS",
    api=("ussl.wrap_socket(key)",),
    platform="esp8266",
)
BOARDS = {"new": NEW, "old": OLD, "axtls": AXTLS}
SERVERS = {
    "openssl-3": ServerFacts(
        python="3.11.7",
        openssl="OpenSSL 3.0.19",
        openssl_number=0x300000D0,
        suites=((0xC02F, "TLSv1.2", "x"),),
        security_level=2,
    ),
    "openssl-1.1.1": ServerFacts(
        python="3.8.18",
        openssl="OpenSSL 1.1.1w",
        openssl_number=0x1010117F,
        suites=((0x3D, "TLSv1.2", "y"),),
        security_level=1,
    ),
}


def left_open(expected: Expectation) -> list[str]:
    """Return the fields that an expected refusal leaves open."""
    missing = [name for name, value in (("stage", expected.stage), ("ended_by", expected.ended_by)) if value is None]
    if expected.alert is None and not expected.no_alert:
        missing.append("alert")
    if not expected.no_server_error and not _says_server(expected):
        missing.append("server")
    if not expected.no_client_error and not _says_client(expected):
        missing.append("client")
    return missing


def _says_server(expected: Expectation) -> bool:
    if expected.server_type is None:
        return False
    # OS errors are identified by their type; OpenSSL's by a reason, or by a number if there is none.
    return not expected.server_type.startswith("SSL") or (expected.server_reason, expected.server_errno) != (None, None)


def _says_client(expected: Expectation) -> bool:
    if expected.client_type is None:
        return False
    if expected.client_type == "OSError":
        return expected.client_number is not None or expected.client_name is not None
    # MicroPython's ValueErrors of a bad setting have only a text, which firmware words differently.
    return expected.client_flags is not None or expected.stage is Stage.CONFIG or expected.client_type != "ValueError"


def stated_by(case: Case) -> dict[str, Expectation]:
    """Return what a case expects, evaluated for boards and servers if it depends on them; nothing if it is predicted."""
    if case.expect is None:
        return {}
    if isinstance(case.expect, Expectation):
        return {"anywhere": case.expect}
    return {
        f"{board_name} at {server_name}": case.expect(board, server)
        for board_name, board in BOARDS.items()
        for server_name, server in SERVERS.items()
    }


def test_every_refusal_names_every_side():
    """Outcome, stage, ending side, alert and both errors are stated; an open field cites its race."""
    open_ = {
        f"{case.id}, {where}": missing
        for case in all_cases()
        for where, expected in stated_by(case).items()
        if expected.outcome is Outcome.REFUSED and not expected.open_because
        if (missing := left_open(expected))
    }
    assert open_ == {}


def test_open_fields_do_not_grow():
    """A race opens these fields, and no others: a case that opens one more is no longer compared there."""
    open_ = {
        case.id: missing
        for case in all_cases()
        for expected in stated_by(case).values()
        if expected.outcome is Outcome.REFUSED and (missing := left_open(expected))
    }
    assert open_ == {
        "app/requests-server-closes": ["client"],
        "app/requests-without-ca": ["client"],
        "app/umqtt-context-server-closes": ["client"],
        "app/umqtt-params-server-closes": ["client"],
        "app/websocket-server-closes": ["client"],
        "cut-off/fin-after-shd": ["alert", "client"],
    }


def test_every_positive_control_connects():
    """The positive control exists, connects, and verifies the certificate like the refusing case."""
    wrong = {
        case.id: control.id
        for case in all_cases()
        if case.positive_control and (control := find_case(case.positive_control))
        if control.expect is None
        or any(stated.outcome is not Outcome.CONNECTED for stated in stated_by(control).values())
        or control.client.verify is not case.client.verify
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("expected", "missing"),
    [
        (refused(by="server", server="X", alert=40, client=-1), []),
        (refused(by="server", stage="config", server="X"), []),
        (refused(by="client", stage="config", client_type="ValueError"), []),
        (refused(by="client", server="X", alert=48, flags=("expired",)), []),
        (refused(by="client", server="X", alert=48, client_type="ValueError"), ["client"]),
        (refused(by="server", server="X", alert=40, client_type="OSError"), ["client"]),
        (refused(by="server", server_type="SSLError", alert=40, client=-1), ["server"]),
        (refused(by="server", server_type="SSLError", server_errno=9, alert=40, client=-1), []),
        (refused(by="server", server="X", open_because="a race"), ["alert", "client"]),
        (connected(), ["stage", "ended_by"]),
    ],
)
def test_fields_that_count_as_open(expected, missing):
    """The check reports each field that is left open."""
    assert left_open(expected) == missing


def test_a_usage_for_encryption_never_meets_tls_rsa():
    """RFC 5246 section 7.4.2: TLS_RSA requires keyEncipherment, so a client that accepts it there is right."""
    case = find_case("cert/ku-keyenc-only-ecdhe")
    assert case.server.ciphers == "ECDHE+aRSA"
    assert unmet(case.needs, NEW, {}) is None
    plain_rsa = replace(NEW, hello=replace(HELLO, versions=("0303",), suites=("003d",)))
    assert unmet(case.needs, plain_rsa, {}) is OFFERS_ECDHE_RSA
