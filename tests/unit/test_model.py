"""The records: frozen, JSON-safe, and with properties that follow from their fields."""

import dataclasses
import inspect
import json

import pytest

from harness import model
from harness.errors import UsageError
from harness.model import (
    PROGRAMS,
    Alert,
    BoardInfo,
    Observation,
    Outcome,
    ServerFacts,
    ServerProfile,
    Side,
    VerdictWord,
    as_json,
    current_name,
)

RECORDS = [value for _name, value in inspect.getmembers(model, inspect.isclass) if dataclasses.is_dataclass(value)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_records_are_frozen_and_keyword_only(record):
    """A record cannot be changed after it is passed on, and its fields are keyword-only."""
    assert record.__dataclass_params__.frozen
    assert "__slots__" in vars(record)
    assert all(
        parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in inspect.signature(record).parameters.values()
    )


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (Outcome.CONNECTED, "connected"),
        ((1, "a", None, True, 2.5), [1, "a", None, True, 2.5]),
        ({Side.SERVER: (1,)}, {"server": [1]}),
        (b"\x00\xff", "00ff"),
        (frozenset({3}), [3]),
    ],
)
def test_as_json(value, wanted):
    """Enums become their values, tuples become lists, bytes become hex; the result is JSON."""
    assert as_json(value) == wanted
    assert json.loads(json.dumps(as_json(value))) == wanted


def test_as_json_of_a_record():
    """A record becomes an object with its fields, inner records too."""
    data = as_json(ServerFacts(python="3.11", openssl="x", openssl_number=1, suites=((0xC02B, "TLSv1.2", "name"),)))
    assert data["suites"] == [[0xC02B, "TLSv1.2", "name"]]
    assert data["verify"] == "none"


@pytest.mark.parametrize("value", [object(), lambda: None, BoardInfo])
def test_as_json_refuses(value):
    """A value that JSON cannot hold raises TypeError."""
    with pytest.raises(TypeError, match="not JSON-safe"):
        as_json(value)


def test_board_questions():
    """A board's abilities follow from the probed names: of the new API, of the old one, or of neither."""
    new = BoardInfo(
        tls_module="tls",
        api=("tls.SSLContext.set_ciphers", "tls.SSLContext.load_verify_locations", "tls.SSLContext.load_cert_chain"),
    )
    old = BoardInfo(tls_module="ussl", api=("wrap_socket(cadata)", "wrap_socket(key)"))
    none = BoardInfo()

    def answers(info):
        return (
            info.has_tls,
            info.can_set_ciphers,
            info.can_verify,
            info.names_verify_reason,
            info.can_load_certificate,
        )

    assert answers(new) == (True, True, True, True, True)
    assert answers(old) == (True, False, True, False, True)
    assert answers(none) == (False, False, False, False, False)


@pytest.mark.parametrize(
    ("version", "text"),
    [((1, 20, 0), "1.20.0"), ((1, 29, 0, "preview"), "1.29.0-preview"), ((1, 14, 0, ""), "1.14.0"), ((), "")],
)
def test_firmware(version, text):
    """The firmware version includes a tag such as `preview`."""
    assert BoardInfo(version=version).firmware == text


def test_suite_codes():
    """The codes are those of the suites that the server may choose."""
    facts = ServerFacts(python="", openssl="", openssl_number=0, suites=((1, "", ""), (2, "", "")))
    assert facts.suite_codes == {1, 2}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mut/cert-empty", "tampered/cert-empty"),
        ("frag.tcp", "fragments.tcp"),
        ("rec/*", "records/*"),
        ("ver/12-13", "versions/12-13"),
        ("cut.fin-after-shd", "cut-off.fin-after-shd"),
        ("raw/http-400", "not-tls/http-400"),
        ("raw", "raw"),
        ("rawer/x", "rawer/x"),
        ("cert/raw/x", "cert/raw/x"),
    ],
)
def test_current_name(name, expected):
    """A former topic before a slash or a dot gets its full word; any other name is unchanged."""
    assert current_name(name) == expected


def test_a_former_behaviour_is_accepted():
    """A user's test that names a server behaviour by its former name still gets that behaviour, with its settings."""
    assert ServerProfile(behaviour={"name": "frag.tcp", "size": 3}).behaviour == {"name": "fragments.tcp", "size": 3}
    assert ServerProfile(behaviour={"name": "psk"}).behaviour == {"name": "psk"}
    assert ServerProfile(behaviour={}).behaviour == {}


def test_an_unknown_behaviour_is_refused():
    """A misspelt behaviour is found where the profile is made, not on a server."""
    message = r"^unknown server behaviour 'not-tls\.nonsense': expected a value of harness\.model\.Behaviour$"
    with pytest.raises(UsageError, match=message):
        ServerProfile(behaviour={"name": "not-tls.nonsense"})


def test_the_fatal_alert_of_an_observation():
    """The first fatal alert counts, of either side or of the given one; a warning never does."""
    warning, ours, theirs = (
        Alert(sender=sender, level=level, code=code, name=str(code))
        for sender, level, code in (
            (Side.SERVER, "warning", 112),
            (Side.CLIENT, "fatal", 48),
            (Side.SERVER, "fatal", 40),
        )
    )
    seen = Observation(
        outcome=Outcome.REFUSED, stage=None, ended_by=None, server=None, client=None, alerts=(warning, ours, theirs)
    )
    assert (seen.fatal_alert(), seen.fatal_alert(sender=Side.SERVER)) == (ours, theirs)
    assert dataclasses.replace(seen, alerts=(warning, ours)).fatal_alert(sender=Side.SERVER) is None
    assert dataclasses.replace(seen, alerts=()).fatal_alert() is None


def test_what_a_verdict_implies():
    """The properties of each verdict: whether it fails the run, says something about TLS, and is as expected."""
    assert [word.value for word in VerdictWord.by_severity()] == [
        "insecure",
        "fail",
        "error",
        "known",
        "unsupported",
        "pass",
    ]
    assert {word.value for word in VerdictWord if word.fails_run} == {"insecure", "fail", "error"}
    assert {word.value for word in VerdictWord if not word.tells_tls} == {"error", "unsupported"}
    assert {word.value for word in VerdictWord if word.as_expected} == {"pass", "known"}
    assert [word.colour for word in VerdictWord.by_severity()] == ["red", "red", "red", "yellow", "yellow", "green"]
    assert len({word.sign for word in VerdictWord}) == len({word.meaning for word in VerdictWord}) == len(VerdictWord)


ISSUE = " (https://github.com/micropython/micropython-lib/issues/838)"


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ("app ca", f"requests on this board has no parameter for a CA certificate{ISSUE}"),
        ("app certificate", f"requests on this board has no parameter for a client certificate{ISSUE}"),
        (
            "module: no module named 'requests'",
            "the board cannot import requests (no module named 'requests'); --board-path DIR places modules on it",
        ),
        ("ssl.SSLContext.load_verify_locations", None),
        ("tls", None),
    ],
)
def test_what_a_program_lacks(missing, text):
    """The sentence names the program and what it has no parameter for; an API of the firmware is not the program's lack."""
    assert PROGRAMS["requests"].lack(missing) == text
