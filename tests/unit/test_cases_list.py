"""The list of all cases: every measured case is there, and every name that a case uses exists."""

import pkgutil
import re
from dataclasses import replace
from pathlib import Path

from harness import cases
from harness.cases import all_cases, select
from harness.cases.seed import QUESTION_SUITES
from harness.certificates.declarations import load
from harness.certificates.forms import CA_FORMATS, CERTIFICATE_FORMATS
from harness.expectations.differences import DIFFERENCES
from harness.expectations.needs import unmet
from harness.model import BoardInfo, Tier, Verify
from harness.server.engine.tls_contexts import CURVES
from harness.system.data_files import data_dir
from harness.wire.suites import mbedtls_suite_name, suite_code

DATA = Path(__file__).parents[1] / "data" / "measured_cases.txt"
MEASURED = dict(line.split() for line in DATA.read_text(encoding="ascii").splitlines())
ALL = {case.id: case for case in all_cases()}
PROFILES = set(load(data_dir("certs")))
# A slow board takes this long for a handshake; `--cases core` must not take longer than this on it.
SLOW_HANDSHAKE_S, CORE_LIMIT_S = 1.5, 300.0
TEN = (
    *(
        "cert/good",
        "key/rsa2048",
        "suite/default-rsa",
        "versions/12-13",
        "versions/13-only",
        "cert/expired",
        "cert/wrong-host",
    ),
    *("cert/selfsigned-untrusted", "mtls/ok-p256", "not-tls/http-400"),
)


def test_every_measured_situation_is_a_case_of_its_set():
    """Every row of the measured list is a case, in the set that the list names."""
    assert {case_id: ALL[case_id].tier.value if case_id in ALL else "missing" for case_id in MEASURED} == MEASURED


def test_smoke_is_the_seed_cases_and_ten_more():
    """The smallest set is what a user runs first, so it stays small."""
    smoke = {case.id for case in select("smoke")}
    assert {case_id for case_id in smoke if not case_id.startswith("seed/")} == set(TEN)


def test_core_stays_quick():
    """A slow board runs the core set in five minutes."""
    assert len(select("core")) * SLOW_HANDSHAKE_S <= CORE_LIMIT_S


def test_every_topic_file_declares_cases():
    """Every topic file has cases, and a topic is one file."""
    files = {item.name.replace("_", "-") for item in pkgutil.iter_modules(cases.__path__)}
    assert {case.topic for case in ALL.values()} == files


def test_every_id_is_words():
    """An id is lower-case ASCII words with dashes between, topic and name."""
    words = r"[a-z0-9]+(-[a-z0-9]+)*"
    assert [case_id for case_id in ALL if not re.fullmatch(f"{words}/{words}", case_id)] == []


def test_every_title_is_one_line():
    """A title fits a line of a report."""
    assert [case.id for case in ALL.values() if not 0 < len(case.title) <= 120] == []


def test_every_description_gives_a_reason():
    """The description gives the reason for the case and does not repeat the title."""
    assert [case.id for case in ALL.values() if len(case.description) < 15 or case.description == case.title] == []


def unknown_words(case):
    """Return the names in a case that do not exist."""
    swapped = case.server.behaviour.get("certificate")
    named = {*case.server.certificates, *case.server.client_ca, *case.client.ca, case.client.certificate, swapped}
    known = (
        *((name, name in PROFILES) for name in named - {None}),
        (case.client.ca_format, case.client.ca_format in CA_FORMATS),
        (case.client.certificate_format, case.client.certificate_format in CERTIFICATE_FORMATS),
        *((name, suite_code(name) is not None) for name in case.client.suites or ()),
        (case.server.curve, case.server.curve in (None, "secp999r9", *CURVES)),
    )
    return [name for name, there in known if not there]


def test_what_every_case_names_exists():
    """Certificates, forms, suites and groups exist: a misspelled one would appear as a harness fault on a board."""
    assert {case.id: unknown for case in ALL.values() if (unknown := unknown_words(case))} == {}


def test_an_unknown_word_is_found():
    """The check finds one misspelled name of each kind."""
    good = ALL["cert/good"]
    server = {
        "certificates": ("x",),
        "client_ca": ("y",),
        "curve": "c",
        "behaviour": {"name": "psk", "certificate": "z"},
    }
    client = {"ca": ("v",), "certificate": "w", "suites": ("s",), "ca_format": "f", "certificate_format": "g"}
    slips = replace(good, server=replace(good.server, **server), client=replace(good.client, **client))
    assert sorted(unknown_words(slips)) == ["c", "f", "g", "s", "v", "w", "x", "y", "z"]
    assert unknown_words(good) == []


def test_f16_no_case_asks_for_an_empty_list_of_suites():
    """Firmware that was built with none of a case's suites is `unsupported`: set_ciphers([]) would fail, which is not a TLS result.

    The board here offers what mbedtls_config_common.h enables in 1.22 and 1.23: no ECDHE_RSA.
    """
    board = BoardInfo(
        api=("ssl.SSLContext.set_ciphers",), suites=tuple(mbedtls_suite_name(name) for name in QUESTION_SUITES)
    )
    missing = {}
    for case in ALL.values():
        if case.client.suites is not None:
            need = unmet(case.needs, board, {})
            missing[case.id] = need.name if need else None
            offered = {mbedtls_suite_name(name) for name in case.client.suites} & set(board.suites)
            assert offered or need is not None, case.id
    assert missing["no-shared-cipher/ecdhe-rsa-only-p256-key"] == "has-suite"
    assert missing["no-shared-cipher/key-type-rsa"] is None


def test_a_case_without_a_server_key_needs_none():
    """Only non-TLS peers, PSK servers and cases about a missing key have no certificate."""
    without = {case.id.partition("/")[0] for case in ALL.values() if not case.server.certificates}
    assert without == {"not-tls", "alert", "psk", "no-shared-cipher", "suite", "timing"}


def test_every_refused_certificate_has_a_control():
    """A refusal by a verifying client needs a control that accepts a good chain."""
    lonely = [
        case.id
        for case in ALL.values()
        if case.topic in ("cert", "chain") and not callable(case.expect) and case.expect.ended_by == "client"
        if case.client.verify is Verify.REQUIRED and case.positive_control is None
    ]
    assert lonely == []


def test_controls_are_in_the_same_or_a_smaller_set():
    """A control outside the set would run as a control only, and no report would show it."""
    order = {Tier.SMOKE: 0, Tier.CORE: 1, Tier.FULL: 2}
    late = {
        case.id: case.positive_control
        for case in ALL.values()
        if case.positive_control and order[ALL[case.positive_control].tier] > order[case.tier]
    }
    assert late == {}


def test_every_difference_is_about_a_case():
    """A row of the table of differences names a case, a reason and a source."""
    assert [row.case for row in DIFFERENCES if row.case not in ALL or not row.why or not row.source] == []
