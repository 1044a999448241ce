"""What firmware without ECDHE_ECDSA leaves untried, and why: by its recorded ClientHello and its API, without a board."""

import json
from collections import Counter
from pathlib import Path

import pytest

from harness.cases import all_cases, form_for
from harness.expectations.needs import MBEDTLS, OFFERS_ECDHE_ECDSA, unmet
from harness.model import BoardInfo
from harness.wire.handshake import read_client_hello

DATA = json.loads((Path(__file__).parents[1] / "data" / "client_hellos.json").read_text())["hellos"]
# The server has whatever a case asks for.
SERVER = {"has_wrap_socket": True, "has_psk": True}
FIRMWARE = {
    "1.19.1-stm32": BoardInfo(tls_library="mbedTLS", api=("ussl.wrap_socket(key)",), reads_pem=False),
    "1.20.0-axtls": BoardInfo(tls_library="axTLS", api=("ussl.wrap_socket(key)",), reads_pem=False),
}
# Of the topics whose cases are not about a setting that this firmware lacks. A reason may disappear, and a count may shrink.
TOPICS = ("mtls", "fragments", "cut-off", "tampered", "records", "close", "not-tls", "alert", "timing", "key")
UNTRIED = {
    "1.19.1-stm32": {"verification": 3, "ecdhe-rsa": 3, "reads-pem": 1},
    "1.20.0-axtls": {
        "verification": 3,
        "ecdhe-rsa": 3,
        "mbedtls": 48,
        "full-records": 3,
        "lost-connection": 3,
    },
}


def untried(firmware):
    """Return case -> the need that the firmware does not meet."""
    info = FIRMWARE[firmware]
    hello = read_client_hello(bytes.fromhex(DATA[firmware]["hex"]))
    info = BoardInfo(tls_library=info.tls_library, api=info.api, reads_pem=info.reads_pem, hello=hello)
    cases = [form_for(case, info) for case in all_cases() if case.topic in TOPICS]
    return {case.id: need for case in cases if (need := unmet(case.needs, info, SERVER)) is not None}


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_what_is_left_untried(firmware):
    """Nothing is left untried because its key is a P-256 key; what is has one of these reasons."""
    found = untried(firmware)
    assert OFFERS_ECDHE_ECDSA not in found.values()
    assert dict(Counter(need.name for need in found.values())) == UNTRIED[firmware]


def test_what_was_never_tried_with_axtls():
    """Only single messages that axTLS mishandles in a way that its source does not decide, client certificates, and changed flights."""
    found = [case for case, need in untried("1.20.0-axtls").items() if need is MBEDTLS]
    assert {case for case in found if not case.startswith(("mtls/", "tampered/"))} == {
        "not-tls/record-len-0-then-fin",
        "alert/close-notify-fatal",
        "alert/truncated",
        "close/plaintext-after-handshake",
        "fragments/hs-records-1",
    }
