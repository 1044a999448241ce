"""The table of client differences: its rows refer to declared cases, depend on facts, and hide no insecure client."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from harness.cases import all_cases, find_case
from harness.expectations.builders import connected
from harness.expectations.clients import left_silently
from harness.expectations.differences import DIFFERENCES, Difference, differ, with_differences
from harness.model import BoardInfo, Expectation, HelloFacts, Outcome, ServerFacts

COMMON = HelloFacts(
    record_version="0303", versions=("0303",), suites=("c02b",), groups=(), signature_algorithms=(), extensions=(0, 10), sni="tls.test",
)  # fmt: skip
DISTRIBUTION = replace(
    COMMON, versions=("0304", "0303"), suites=("1301", "cca9"), extensions=(0, 10, 23, 43), fingerprint="D"
)
# One of each kind that a row distinguishes: MicroPython's own build, its oldest, Espressif's, a distribution's, axTLS, unknown.
BOARDS = {
    "new": BoardInfo(tls_library="mbedTLS", tls_version="Mbed TLS 3.6.6", hello=COMMON),
    "before-3.6.3": BoardInfo(tls_library="mbedTLS", tls_version="Mbed TLS 3.6.2", hello=COMMON),
    "silent-3": BoardInfo(tls_library="mbedTLS", hello=COMMON),
    "silent-2": BoardInfo(tls_library="mbedTLS", hello=replace(COMMON, record_version="0301")),
    "esp32-idf4": BoardInfo(
        tls_library="mbedTLS",
        tls_version="mbed TLS 2.28.1",
        hello=replace(COMMON, record_version="0301", extensions=(0, 10, 23), fingerprint="E1"),
    ),
    "2.16": BoardInfo(tls_library="mbedTLS", alerts_unknown_record=True, hello=replace(COMMON, record_version="0301")),
    "esp32-2.16": BoardInfo(
        tls_library="mbedTLS",
        alerts_unknown_record=True,
        hello=replace(COMMON, record_version="0301", extensions=(0, 10, 23), fingerprint="E1"),
    ),
    "distribution": BoardInfo(tls_library="mbedTLS", tls_version="Mbed TLS 3.6.5", hello=DISTRIBUTION),
    "axtls": BoardInfo(tls_library="axTLS", hello=COMMON),
}
SERVER = ServerFacts(python="3.11.7", openssl="OpenSSL 3.0.19", openssl_number=0x30000130, suites=(), security_level=2)
STATED = connected(note="stated")


def of(expect, board):
    """Return an expectation, or the result of a rule for the board."""
    return expect if isinstance(expect, Expectation) else expect(board, SERVER)


def ids(row: Difference) -> str:
    """Return a row by its case and its predicate."""
    return f"{row.case}-{row.when.__name__}"


@pytest.mark.parametrize("row", DIFFERENCES, ids=ids)
def test_a_row_is_about_a_case_and_says_why(row):
    """The case exists, and the row has a reason and a source."""
    assert find_case(row.case).id == row.case
    assert len(row.why) > 10
    assert any(word in row.source for word in ("mbedTLS", "micropython", "mbedtls", "measured"))


@pytest.mark.parametrize("row", DIFFERENCES, ids=ids)
def test_a_row_distinguishes_clients(row):
    """A predicate matches some clients but not all, and no unknown client."""
    fits = {name for name, board in BOARDS.items() if row.when(board)}
    assert set() < fits < set(BOARDS)
    assert row.when(BoardInfo()) is False


@pytest.mark.parametrize("row", DIFFERENCES, ids=ids)
def test_a_row_does_not_read_the_version_of_micropython(row):
    """Firmware of one version is built with different libraries, so version, platform and machine have no effect."""
    for board in BOARDS.values():
        other = replace(board, version=(1, 2, 3), platform="esp32", machine="X", version_text="1.2.3", build="y")
        assert row.when(other) == row.when(board)


# A session instead of a stated refusal would give `pass` to a client that accepts too much; each such row is
# one in which the client checks more, or has larger buffers, than the common one.
LESS_STRICT = {
    ("cert/pss-signed-by-ca", "has_full_configuration"): "the signature is checked, where others cannot read it",
    ("mtls/large-5k", "offers_tls13"): "the client's own certificate fits into its buffer; nothing of the server's",
}


@pytest.mark.parametrize("row", DIFFERENCES, ids=ids)
def test_no_row_makes_an_insecure_client_pass(row):
    """No row turns a stated refusal into a session, except for the listed ones."""
    accepted = any(of(row.expect, board).outcome is Outcome.CONNECTED for board in BOARDS.values() if row.when(board))
    assert accepted is ((row.case, row.when.__name__) in LESS_STRICT)


def test_no_two_rows_are_the_same():
    """A case has one row for each kind of client: a second one with the same predicate would never be reached."""
    keys = [(row.case, row.when) for row in DIFFERENCES]
    assert len(keys) == len(set(keys))


def test_every_row_is_reached():
    """The first matching row counts, so one after a wider one would be dead."""
    for number, row in enumerate(DIFFERENCES):
        earlier = [other.when for other in DIFFERENCES[:number] if other.case == row.case]
        assert any(row.when(board) and not any(when(board) for when in earlier) for board in BOARDS.values()), ids(row)


def test_declared_cases_have_their_rows():
    """The registry's cases have the stated expectation with the table's rows applied."""
    cases = {case.id: case for case in all_cases()}
    for row, board in itertools.product(DIFFERENCES, BOARDS.values()):
        chosen = next((other for other in DIFFERENCES if other.case == row.case and other.when(board)), None)
        if chosen is not None:
            assert of(cases[row.case].expect, board) == of(chosen.expect, board), ids(row)


def test_a_case_without_rows_keeps_its_expectation():
    """It is the same object, not a rule around it, so it can be shown without a board."""
    assert with_differences("no/such-case", STATED) is STATED


@pytest.mark.parametrize("stated", [STATED, lambda board, server: STATED], ids=["expectation", "rule"])
def test_other_clients_keep_the_stated_expectation(stated):
    """If no row matches, the case's own expectation is used, be it fixed or a rule."""
    row = next(row for row in DIFFERENCES if row.case == "fragments/hs-records-64")
    rule = with_differences(row.case, stated)
    assert of(rule, BOARDS["new"]) == STATED
    assert of(rule, BOARDS["silent-2"]) == row.expect


def test_one_row_for_several_cases():
    """`differ` makes the same row for each case."""
    rows = differ("a/b", "a/c", when=bool, expect=left_silently(-1), why="w", source="s")
    assert [row.case for row in rows] == ["a/b", "a/c"]
    assert replace(rows[0], case="a/c") == rows[1]
