"""What follows from a result at once."""

import dataclasses

import pytest

from harness.explain.evidence import Evidence, table
from harness.model import Alert, ClientPlan, ServerProfile, Side


def of(result):
    """The evidence of a hand-made result."""
    return Evidence(result.case, result.seen, result.info, wire=result.wire)


def test_names_of_a_number_with_two_readings(made):
    """Both readings, and both halves of a combined number, without mbedTLS's prefix."""
    assert of(made("OSError", 104)).client_names == {"ECONNRESET", "ASN1_INVALID_DATA"}
    assert of(made("OSError", -17040)).client_names == {"RSA_PUBLIC_FAILED", "MPI_ALLOC_FAILED"}


def test_only_fatal_alerts_count(made):
    """A warning ends nothing."""
    warning = Alert(sender=Side.SERVER, level="warning", code=112, name="unrecognized_name")
    fatal = Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure")
    evidence = of(made("OSError", -30592, alerts=(warning, fatal)))
    assert (evidence.alert("server"), evidence.alert("client"), evidence.silent_end) == (40, None, False)


@pytest.mark.parametrize(("free", "short"), [(None, False), (30000, True), (50000, False)])
def test_short_of_memory(free, short, made):
    """Less than 40 kB, where it is known."""
    assert of(made("OSError", -9984, free_before=free)).short_of_memory is short


def test_axtls_needs_less(made):
    """axTLS runs in 30 kB: little heap is no reason to suspect it."""
    info = made.board("1.22.0", tls_library="axTLS")
    assert not of(made("OSError", -40, free_before=25000, info=info)).short_of_memory


def test_name_that_was_sent(made):
    """An empty name in the extension is none."""
    assert of(made("OSError", -30592)).sends_name
    hello = dataclasses.replace(made.hello, sni="")
    assert not of(made("OSError", -30592, client_hello=hello)).sends_name


def test_without_a_server_nothing_is_selected(made):
    """No settings, no verdicts."""
    evidence = of(made("OSError", -30592, client=ClientPlan(), profile=ServerProfile()))
    assert (evidence.selection, evidence.version, evidence.server_versions) == ((), None, "unknown")


def test_table():
    """Columns are aligned, nothing trails."""
    assert table(("a", "bb"), ("ccc", "d"), ("e",)) == ("a    bb", "ccc  d", "e")
    assert table() == ()
