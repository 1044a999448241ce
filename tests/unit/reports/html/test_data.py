"""The data of the page: nothing twice, names instead of codes, and nothing that ends its element."""

from __future__ import annotations

import json

import msgspec

from harness.model import HelloFacts
from harness.reports.html import data as module
from harness.reports.html.data import Pool, hello, script_json, visible
from harness.reports.record.run_types import RunRecord


def page_data(run):
    """Return the data of a record in JSON."""
    return module.page_data(RunRecord.of_json(run))


def test_equal_values_are_stored_once():
    """An explanation that a hundred results share is stored once."""
    pool = Pool()
    assert [pool.add({"a": 1, "c": 3}), pool.add({"b": 2}), pool.add({"c": 3, "a": 1})] == [0, 1, 0]
    assert pool.values == [{"a": 1, "c": 3}, {"b": 2}]


def test_a_result_refers_to_its_places_and_to_the_pool(make_run, make_result):
    """Board, server and case are numbers; empty values are omitted; shared values are numbers of the pool."""
    data = page_data(make_run(make_result(), make_result("key/rsa2048")))
    first, second = data["results"]
    assert (first["at"], second["at"]) == ([0, 0, 0], [0, 0, 1])
    assert first["expected"] == second["expected"]
    assert data["pool"][first["negotiated"]]["version"] == "TLSv1.2"
    assert "reason" not in first
    assert "explanation" not in first
    case = data["cases"][0]
    assert case.pop("settings").startswith("context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n")
    assert case == {"id": "key/p256", "topic": "key", "title": "KEY/P256", "about": "Why."}
    assert data["verdicts"][0] == {"word": "insecure", "sign": "‼", "bad": True, "good": False}
    assert [item["word"] for item in data["verdicts"] if item["good"]] == ["known", "pass"]
    assert data["boards"] == [{"name": "desk", "board": "desk", "heads": ["firmware 1.24.1"]}]
    assert data["servers"] == [{"name": "py", "about": "Python 3.11.7, OpenSSL 3.0.19"}]


def test_a_plain_sentence_for_an_explanation(make_run, make_result):
    """The catalogue's sentence is added where the explanation's title is another one; an unknown rule has none."""
    said = {"title": "the key is RSA 2048", "why": [], "fixes": []}
    results = [make_result(explanation={**said, "rule": rule}) for rule in ("ciphers/key-type", "none")]
    same = {
        **said,
        "rule": "ciphers/key-type",
        "title": "the server's key is RSA, and the board can only use servers with an EC key",
    }
    data = page_data(make_run(*results, make_result(explanation=same)))
    shown = [data["pool"][result["explanation"]].get("in_short") for result in data["results"]]
    assert shown == ["The server's key is RSA, and the board can only use servers with an EC key.", None, None]


def test_a_result_without_a_handshake(make_run, make_result):
    """A case that was not run has no observation, and a case without a description keeps its id."""
    run = make_run(make_result(outcome="not-run", verdict="unsupported", reason="no TLS", observed=None, expected=None))
    data = page_data({**run, "cases": []})
    assert data["results"][0]["reason"] == "no TLS"
    assert data["cases"][0]["title"] == "key/p256"


def test_alerts_that_differ_in_time_only_are_stored_once(make_run, make_result):
    """Of a hundred refusals each has its own times."""
    alerts = [
        {"from": "server", "level": "fatal", "code": 40, "name": "handshake_failure", "at_ms": ms} for ms in (1.0, 2.0)
    ]
    data = page_data(make_run(*(make_result(seen={"alerts": [alert]}) for alert in alerts)))
    assert data["results"][0]["alerts"] == data["results"][1]["alerts"]


def test_keys_are_made_visible_too():
    """A board may choose the name of a setting, too."""
    assert visible({"a\x1b": ["b\x07"]}) == {"a\\x1b": ["b\\x07"]}


def test_a_hello_is_shown_in_names(make_result):
    """Codes become IANA's names, other texts stay, and the random is omitted, so that equal offers are equal."""
    shown = hello(msgspec.convert(make_result()["observed"]["client_hello"], HelloFacts))
    assert shown == {
        "versions": ["TLSv1.2"],
        "suites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "zz"],
        "groups": ["secp256r1"],
        "signature_algorithms": ["ecdsa_secp256r1_sha256"],
        "sni": "tls.test",
        "fingerprint": "C3",
    }


def test_the_json_cannot_leave_its_element():
    """It has no markup characters and no line separators, only ASCII, and reads back the same."""
    hostile = "</script><!--&\u2028\u2029\u202e\ud800"
    text = script_json({"a": hostile})
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"a": hostile}
