"""Compare the cases' expectations with the numbers that were measured with each kind of client."""

import pytest

from harness.cases import find_case
from harness.expectations.builders import connected
from harness.model import BoardInfo, Expectation, HelloFacts, ServerFacts

SERVER = ServerFacts(python="3.11.7", openssl="OpenSSL 3.0.19", openssl_number=0x300000D0, suites=())
API = ("tls.SSLContext.load_verify_locations",)


def client(*, text=None, record="0303", versions=("0303",), suites=("c02b",), extensions=(0, 10, 11, 13), **changes):
    """Return a board with these probed facts."""
    hello = HelloFacts(
        record_version=record, versions=versions, suites=suites, groups=(), signature_algorithms=(), extensions=extensions,
        sni=None,
    )  # fmt: skip
    return BoardInfo(tls_library="mbedTLS", tls_version=text, hello=hello, api=API, **changes)


COMMON_366 = client(text="Mbed TLS 3.6.6")
COMMON_362 = client(text="Mbed TLS 3.6.2")
COMMON_228 = client(text="mbed TLS 2.28.3", record="0301")
OLD_216 = client(record="0301")
DEBIAN = client(text="Mbed TLS 3.6.3", versions=("0304", "0303"), suites=("1301", "cca9"), extensions=(0, 23, 43, 51))
AXTLS = BoardInfo(tls_library="axTLS")
BOARDS = {
    "3.6.6": COMMON_366, "3.6.2": COMMON_362, "2.28": COMMON_228, "2.16": OLD_216, "debian": DEBIAN, "axtls": AXTLS,
}  # fmt: skip


def expected(case_id, board):
    """Return what a case expects of a board."""
    stated = find_case(case_id).expect
    return stated if isinstance(stated, Expectation) else stated(board, SERVER)


# Case -> board -> the client's number, None for a session or for flags.
MEASURED = {
    "chain/size-17000": {"3.6.6": -28928, "3.6.2": -28800, "2.28": -28800, "debian": -28928},
    "fragments/hs-records-64": {"3.6.6": None, "3.6.2": -28800, "2.28": -28800, "debian": None},
    "fragments/hs-records-512": {"3.6.6": None, "3.6.2": None, "2.28": None, "debian": None},
    "tampered/sh-version-0302": {"3.6.6": -28288, "3.6.2": -28288, "2.28": -31104, "2.16": -31104},
    "tampered/sh-cipher-not-offered": {"3.6.6": -28928, "2.28": -28928, "debian": -30592},
    "tampered/cert-empty": {"3.6.6": -29440, "2.28": -31232, "2.16": -31232},
    "tampered/ske-bad-curve": {"3.6.6": -26112, "2.28": -31488, "debian": -26112},
    "tampered/ccs-missing": {"3.6.6": -29312, "3.6.2": -28800, "2.28": -28800, "debian": -29312},
    "tampered/hello-request-first": {"3.6.6": -29440, "2.28": -31104, "debian": -30464},
    "not-tls/record-ver-0304": {"3.6.6": -29184, "2.28": -29184, "debian": -30464},
    "not-tls/reflect-clienthello": {"3.6.6": -29440, "2.28": -31104, "debian": -30464},
    "not-tls/serverhellodone-first": {"3.6.6": -29440, "2.28": -31104, "debian": -30464},
    "not-tls/ccs-first": {"3.6.6": -30464, "2.28": -30464, "debian": -29312},
    "not-tls/http-400": {"3.6.6": -29184, "2.28": -29184, "debian": -29184, "axtls": -257},
    "mtls/large-5k": {"3.6.6": -27136, "2.28": -29952, "debian": None},
    "cert/pss-signed-by-ca": {"3.6.6": -8960, "2.28": -8960, "debian": None},
    "cert/ip-san-match": {"3.6.6": None, "3.6.2": None, "2.28": None, "debian": None},
}


@pytest.mark.parametrize(
    ("case_id", "name", "number"),
    [(case_id, name, number) for case_id, row in MEASURED.items() for name, number in row.items()],
)
def test_numbers_by_library(case_id, name, number):
    """The expectation for each library has the number that was measured with it."""
    assert expected(case_id, BOARDS[name]).client_number == number


def test_address_names_came_with_3_5():
    """Before 3.5 an address in the certificate is not compared, and the name does not match."""
    assert expected("cert/ip-san-match", COMMON_228).client_flags == ("cn_mismatch",)
    assert expected("cert/ip-san-match", COMMON_362) == connected()
