"""The HTML page as a text: valid, self-contained, and inert whatever boards and servers sent."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from harness.reports import html
from harness.reports.html import SCRIPTS, part, policy, soft
from harness.reports.record.run_types import RunRecord

justhtml = pytest.importorskip("justhtml", reason="justhtml is not installed (extra: test)")

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>\x1b[31m\u202e\u2028\"'{{7*7}}"

# A record of which these tests replace what they need.
RECORD = json.loads((Path(__file__).parent / "record" / "data" / "run-1.json").read_text(encoding="ascii"))


def render_html(run, **options):
    """Render a record in JSON."""
    return html.render_html(RunRecord.of_json(run), **options)


def result(**more):
    """One refused result, with `text` in each place that comes from a board or server."""
    text = more.pop("text", "x")
    seen = {
        "server": {"type": "SSLError", "reason": text, "errno": 1, "verify_code": None, "verify_message": None, "stage": "handshake"},
        "client": {"type": text, "args": [text], "number": None, "flags": [text], "name": text, "stage": "handshake"},
        "alerts": [{"from": "server", "level": "fatal", "code": 40, "name": text, "encrypted": False, "at_ms": 1.0}],
        "negotiated": {"version": None, "suite": None, "group": None},
        "client_hello": {
            "record_version": text, "extensions": [], "versions": [text], "suites": [], "groups": [], "signature_algorithms": [],
            "sni": text, "fingerprint": None,
        },
    }  # fmt: skip
    return {
        "board": "desk", "server": "py", "case": "key/p256", "attempt": 1, "outcome": "refused", "verdict": "fail",
        "stage": "handshake", "ended_by": "server", "reason": text, "expected": None, "observed": seen,
        "mismatches": [{"field": "alert", "expected": text, "observed": text}],
        "explanation": {"rule": "a/b", "title": text, "why": [text], "fixes": []},
        "timing_ms": {"handshake_board": None, "handshake_server": None, "case": 1.0},
        "memory_bytes": {"free_before": None, "free_low": None, "free_after": None},
        "link_errors": [text], "weak": None, "artifacts": {"pcapng": text, "transcript": None}, "rerun": text, **more,
    }  # fmt: skip


def run(text: str = "x"):
    """A run record of one result."""
    words = dict.fromkeys(("implementation", "tls_version", "machine", "fingerprint"), text)
    facts = {**RECORD["boards"][0]["facts"], **words}
    board = {
        **RECORD["boards"][0],
        "board": "desk",
        "spec": text,
        "firmware": text,
        "error": text,
        "notes": [text],
        "facts": facts,
    }
    server = {**RECORD["servers"][0], "server": "py", "python": "3.11.7", "openssl": text, "default_suites_flag": None}
    case = {**RECORD["cases"][0], "case": "key/p256", "topic": "key", "title": text, "description": text}
    return {
        **RECORD,
        "run": {
            "harness": "0",
            "cases": "core",
            "started": "2026-11-25T08:36:00",
            "finished": None,
            "arguments": [text],
        },
        "host": {**RECORD["host"], "python": "3.11.7", "openssl": "OpenSSL 3", "platform": text},
        "boards": [board, {**board, "board": "dead", "firmware": None, "notes": [], "facts": None}],
        "servers": [server],
        "cases": [case],
        "results": [result(text=text)],
        "missing": [],
        "changes": [
            {"kind": "new failure", "board": "desk", "server": "py", "case": text, "before": text, "after": text}
        ],
    }


@pytest.mark.parametrize("text", ["x", HOSTILE], ids=["plain", "hostile"])
def test_the_page_is_valid_html(text):
    """A strict HTML5 parser finds no error, whatever the texts are."""
    assert justhtml.JustHTML(render_html(run(text)), collect_errors=True).errors == []


def test_hostile_texts_add_no_element():
    """The page of a hostile run has exactly the elements of the page of a harmless one."""

    def elements(page):
        return [node.name for node in justhtml.JustHTML(page, sanitize=False).query("*")]

    harmless, hostile = elements(render_html(run())), elements(render_html(run(HOSTILE.replace("_", ""))))
    assert harmless == hostile
    assert harmless.count("script") == 2


def test_control_characters_are_escaped():
    """The page has no escape sequence and no change of direction; both are readable."""
    page = render_html(run(HOSTILE))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e]", page)
    assert r"\x1b[31m\u202e" in page


def test_the_page_needs_no_network():
    """There is no address that a browser would load, and the policy forbids loading any."""
    page = render_html(run())
    assert not re.search(r"(?:src|href|action)\s*=\s*[\"'](?!#)", page)
    assert "@import" not in page
    assert "url(" not in page
    assert "default-src &#39;none&#39;" in page


def test_the_policy_names_style_and_script_by_their_hashes():
    """Any other script does not run."""

    def digest(text):
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    page = render_html(run())
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)[0]
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)[0]
    assert f"style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'" in policy(
        style=style, script=script
    )
    assert f"sha256-{digest(script)}" in page.replace("&#43;", "+")


def test_the_script_never_writes_markup():
    """Texts reach the page as text nodes only."""
    script = "".join(part(name) for name in SCRIPTS)
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("):
        assert way not in script


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("unix:micropython-1.25", ["unix:", "micropython-", "1.25"]),
        ("NO_SHARED_CIPHER", ["NO_", "SHARED_", "CIPHER"]),
        ("lab@1.28.0-preview out/a.html", ["lab@", "1.28.0-", "preview out/a.html"]),
        ("/var/lib/tls/server.pem", ["/var/", "lib/", "tls/", "server", ".pem"]),
        ("123456789-12", ["123456789-12"]),
        ("123456789-123", ["123456789-", "123"]),
        ("a -30592 <b>_</b>", ["a -30592 &lt;b&gt;_&lt;/b&gt;"]),
        ("certificates", ["certificates"]),
    ],
)
def test_long_names_break_where_a_word_ends(text, pieces):
    """After a separator in a name of more than 12 characters; never in a word, a version or a short name; the text is escaped."""
    assert str(soft(text)) == "<wbr>".join(pieces)


def test_the_data_is_in_one_element():
    """All results come as one JSON element; the folder of the artifacts is part of it."""
    page = render_html(run(HOSTILE), links="../.compat")
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert json.loads(text)["links"] == "../.compat"


def test_the_first_screen_in_words():
    """The answer, the boards with problems, the changes and an interrupted run are shown without any script."""
    page = render_html(run())
    for words in (
        "No server key in this run works with any board (1 tried).",
        "Boards with problems",
        "1 fail of ",
        "1 new failure",
        "interrupted run",
        "need JavaScript",
    ):
        assert words in page
    without = {key: value for key, value in run().items() if key != "changes"}
    assert "No baseline was given" in render_html(without)
    assert "Nothing changed." in render_html({**without, "changes": []})


def test_heap_that_is_not_drawn_is_explained():
    """If no port reports what a key takes, the page says so instead of drawing equal bars; if one does, it explains the low-water mark."""

    def connected(low):
        seen = {**result()["observed"], "negotiated": {"version": "TLSv1.2", "suite": "TLS_X", "group": None}}
        times = {"handshake_board": 4.0, "handshake_server": 4.0, "case": 5.0}
        heap = {"free_before": 90000, "free_low": low, "free_after": 90000}
        return result(outcome="connected", verdict="pass", observed=seen, timing_ms=times, memory_bytes=heap)

    def page(*lows):
        return render_html({**run(), "results": [connected(low) for low in lows]})

    assert "Heap is not drawn: these ports do not tell what a session takes of it" in page(None)
    assert "low-water mark of the heap only ever falls" in page(60000, 41000)
