"""Facts that follow from a result."""

import dataclasses

import pytest

from harness.explain.evidence import table
from harness.model import Alert, ClientPlan, KeyFacts, Outcome, ServerFacts, ServerProfile, Side
from harness.oracle.predict import Exclusion
from harness.wire.reading import WireReading

RSA = KeyFacts(type="RSA", bits=2048)
P256 = KeyFacts(type="EC", bits=256, curve="secp256r1")
SERVER = ServerFacts(
    python="3.11.7",
    openssl="OpenSSL 3.0.19",
    openssl_number=0x30000130,
    suites=((0xC02B, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"), (0x1301, "TLSv1.3", "TLS_AES_128_GCM_SHA256")),
    keys=(P256, RSA, P256),
    security_level=2,
)


def test_names_of_a_number_with_two_readings(made):
    """The names include both readings and both parts of a combined number, without mbedTLS's prefix."""
    assert made("OSError", 104).client_names == {"ECONNRESET", "ASN1_INVALID_DATA"}
    assert made("OSError", -17040).client_names == {"RSA_PUBLIC_FAILED", "MPI_ALLOC_FAILED"}


def test_only_fatal_alerts_count(made):
    """A warning does not end a connection."""
    warning = Alert(sender=Side.SERVER, level="warning", code=112, name="unrecognized_name")
    fatal = Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure")
    evidence = made("OSError", -30592, alerts=(warning, fatal))
    assert (evidence.alert("server"), evidence.alert("client"), evidence.silent_end) == (40, None, False)


def test_the_first_fatal_alert_of_a_side(made):
    """Each side's first fatal alert counts."""
    alerts = [
        Alert(sender=Side(sender), level="fatal", code=code, name="x")
        for sender, code in (("client", 48), ("server", 40), ("client", 80), ("server", 50))
    ]
    evidence = made("OSError", -30592, alerts=alerts)
    assert (evidence.alert("server"), evidence.alert("client")) == (40, 48)
    assert made("OSError", -30592, alerts=()).silent_end


@pytest.mark.parametrize(
    ("clock", "here", "never_set", "off", "text"),
    [
        (None, 1_800_000_000, False, False, "not known"),
        (0, None, True, True, "1970-01-01 00:00:00 UTC"),
        (1_672_531_199, None, True, True, "2022-12-31 23:59:59 UTC"),
        (1_672_531_200, None, False, False, "2023-01-01 00:00:00 UTC"),
        (1_800_000_000, 1_800_086_400, False, False, "2027-01-15 08:00:00 UTC"),
        (1_800_000_000, 1_800_086_401, False, True, "2027-01-15 08:00:00 UTC"),
        (1_800_086_401, 1_800_000_000, False, True, "2027-01-16 08:00:01 UTC"),
    ],
)
def test_the_clock(clock, here, never_set, off, text, made):
    """A clock before 2023 was never set; another is wrong if it differs by more than a day, in either direction."""
    evidence = made("OSError", -1, info=made.board(clock_unix_s=clock, hello_unix_s=here))
    assert (evidence.clock_never_set, evidence.clock_is_off, evidence.clock_text) == (never_set, off, text)


@pytest.mark.parametrize(
    ("oldest", "newest", "text"),
    [
        (None, None, "up to TLSv1.3"),
        (None, "TLSv1.2", "up to TLSv1.2"),
        ("TLSv1.2", None, "TLSv1.2 to TLSv1.3"),
        ("TLSv1.2", "TLSv1.2", "TLSv1.2"),
        ("TLSv1", "TLSv1.2", "TLSv1 to TLSv1.2"),
    ],
)
def test_the_versions_of_the_server(oldest, newest, text, made):
    """The text is a range, one version, or only a limit."""
    facts = dataclasses.replace(SERVER, minimum_version=oldest, maximum_version=newest)
    assert made("OSError", -1, server_facts=facts).server_versions == text


def test_what_both_sides_chose(made):
    """The chosen version, whether it is TLS 1.3, the key types without duplicates, and the names of the hello's versions."""
    evidence = made("OSError", -1, server_facts=SERVER)
    assert (evidence.version, evidence.chose_tls13, evidence.key_types) == (0x0303, False, ("EC", "RSA"))
    assert evidence.client_versions == ("TLSv1.2",)
    newer = dataclasses.replace(made.hello, versions=("0304", "0303"), extensions=(0, 10, 13, 43, 51))
    evidence = made("OSError", -1, server_facts=SERVER, client_hello=newer)
    assert (evidence.version, evidence.chose_tls13) == (0x0304, True)
    assert evidence.client_versions == ("TLSv1.3", "TLSv1.2")
    older = dataclasses.replace(made.hello, versions=("0301",))
    newest_only = dataclasses.replace(SERVER, minimum_version="TLSv1.2")
    assert made("OSError", -1, server_facts=newest_only, client_hello=older).version is None
    for missing in ({"client_hello": None}, {"client_hello": None, "server_facts": SERVER}):
        evidence = made("OSError", -1, **missing)
        assert (evidence.version, evidence.selection, evidence.client_versions) == (None, (), ())
    assert made("OSError", -1).key_types == ()


def test_signalling_values_are_not_suites(made):
    """The offer's signalling values are not suites."""
    evidence = made("OSError", -1, server_facts=SERVER)
    assert [item.code for item in evidence.selection] == ["c02b", "c02f", "003d"]


@pytest.mark.parametrize(
    ("python", "keys", "reasons"),
    [
        # A foreign server's list was found by probing: a suite that its keys cannot serve may still be in the list.
        ("", (P256,), ((Exclusion.KEY_TYPE,), (Exclusion.KEY_TYPE,))),
        ("3.11.7", (P256,), ((Exclusion.NOT_ALLOWED, Exclusion.KEY_TYPE), (Exclusion.NOT_ALLOWED, Exclusion.KEY_TYPE))),
        ("", (RSA,), ((Exclusion.NOT_ALLOWED,), (Exclusion.NOT_ALLOWED,))),
    ],
)
@pytest.mark.parametrize("offered", [("c02f", "003d"), ("003d", "c02f")])
def test_a_list_that_was_found_by_trying(python, keys, reasons, offered, made):
    """A suite that the server's keys cannot serve was not tried, so it is not reported as missing from the list."""
    facts = dataclasses.replace(SERVER, python=python, keys=keys, suites=())
    hello = dataclasses.replace(made.hello, suites=offered)
    evidence = made("OSError", -1, server_facts=facts, client_hello=hello)
    assert tuple(item.reasons for item in evidence.selection) == reasons


@pytest.mark.parametrize(
    ("offered", "keys", "reasons"),
    [
        # With an ECDHE suite that fits the key, the list is known to be complete.
        (("c02b", "c02f"), (P256,), ((Exclusion.NOT_ALLOWED,), (Exclusion.NOT_ALLOWED, Exclusion.KEY_TYPE))),
        # A suite without ECDHE does not prove that; it was tried too and is not in the list.
        (("c02b", "003d"), (RSA,), ((Exclusion.KEY_TYPE,), (Exclusion.NOT_ALLOWED,))),
    ],
)
def test_when_such_a_list_is_complete(offered, keys, reasons, made):
    """The list is only uncertain if no ECDHE suite of the offer fits the server's key."""
    facts = dataclasses.replace(SERVER, python="", keys=keys, suites=())
    hello = dataclasses.replace(made.hello, suites=offered)
    evidence = made("OSError", -1, server_facts=facts, client_hello=hello)
    assert tuple(item.reasons for item in evidence.selection) == reasons


def test_the_client_s_exception(made):
    """Number, names, flags and first argument of the client's exception; empty without one."""
    evidence = made("ValueError", "The certificate is not trusted")
    assert evidence.first_argument == "The certificate is not trusted"
    assert made("OSError", -1, "text").first_argument == -1
    several = "\nThe certificate validity has expired\n\nThe certificate validity starts in the future\n"
    assert made("ValueError", several).flags == {"expired", "future"}
    assert made("OSError", -1).flags == frozenset()
    silent = made(None, server={"type": "SSLError", "reason": "X"})
    assert (silent.client, silent.number, silent.first_argument, silent.flags) == (None, None, None, frozenset())
    assert (silent.client_names, silent.reason) == (frozenset(), "X")
    assert made("OSError").first_argument is None


@pytest.mark.parametrize(
    ("free", "short"), [(None, False), (0, True), (40 * 1024 - 1, True), (40 * 1024, False), (50000, False)]
)
def test_short_of_memory(free, short, made):
    """Memory is short below 40 kB, if the amount is known."""
    assert made("OSError", -9984, free_before=free).short_of_memory is short


def test_axtls_needs_less(made):
    """axTLS runs in 30 kB, so little heap is not a cause."""
    info = made.board("1.22.0", tls_library="axTLS")
    assert not made("OSError", -40, free_before=25000, info=info).short_of_memory


def test_name_that_was_sent(made):
    """An empty name in the extension counts as no name."""
    assert made("OSError", -30592).sends_name
    for changes in ({"sni": ""}, {"sni": None}, {"extensions": (10, 13)}):
        hello = dataclasses.replace(made.hello, **changes)
        assert not made("OSError", -30592, client_hello=hello).sends_name
    assert not made("OSError", -30592, client_hello=None).sends_name


def test_without_a_server_nothing_is_selected(made):
    """Without the server's settings, no suite is judged."""
    evidence = made("OSError", -30592, client=ClientPlan(), profile=ServerProfile())
    assert (evidence.selection, evidence.version, evidence.server_versions) == ((), None, "unknown")


def test_other_facts_of_a_result(made):
    """Acceptance, the server's reason, the client's number and the server's behaviour; an empty reading without wire data."""
    profile = ServerProfile(behaviour={"name": "not-tls.silent"})
    refused = made("OSError", -30592, server={"type": "SSLError", "reason": "X"}, profile=profile)
    assert (refused.accepted, refused.reason, refused.number) == (False, "X", -30592)
    assert (refused.behaviour, refused.wire) == ("not-tls.silent", WireReading())
    session = made(None, outcome=Outcome.CONNECTED, wire=WireReading(messages=("m",)))
    assert (session.accepted, session.reason, session.number, session.behaviour) == (True, None, None, "")
    assert session.wire.messages == ("m",)


def test_table():
    """Columns are aligned, without trailing blanks."""
    assert table(("a", "bb"), ("ccc", "d"), ("e",)) == ("a    bb", "ccc  d", "e")
    assert table() == ()
