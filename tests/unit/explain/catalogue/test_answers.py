"""What pasted texts mean: the score over real ones, and over one text of each format; and how facts combine."""

import re
import tomllib
from pathlib import Path

import pytest

from harness.explain.catalogue.answers import understand
from harness.explain.catalogue.openssl_codes import ALERT_OFFSET, REASONS
from harness.wire.alerts import alert_code

DATA = Path(__file__).resolve().parents[3] / "data"
ROWS = {row["id"]: row for row in tomllib.loads((DATA / "pasted_errors.toml").read_text(encoding="utf-8"))["pasted"]}
FORMATS = [
    line.split(maxsplit=1)
    for line in (DATA / "pasted_formats.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
# Rows of at most this many are not first and right; none of the others may be wrong. Lower it, never raise it.
MOST_MISSED = 0


def is_right(row, text):
    """Return whether a text gets the cause of a row in first place; of an ambiguous row, among the first three and said to be open."""
    answer = understand(text)
    if answer.head is None:
        return None
    if not row.get("ambiguous"):
        return answer.head.id == row["cause"]
    named = [cause.id for cause in answer.others]
    first = (named if answer.head.reasons else [answer.head.id, *named])[:3]
    return answer.sentence.startswith("Several causes are possible: ") and row["cause"] in first


def test_score(capsys):
    """At least 90 % of the unambiguous texts get their cause in first place, none gets a wrong one, and every ambiguous one is open."""
    found = {name: bool(is_right(row, row["text"])) for name, row in ROWS.items()}
    clear = [name for name, row in ROWS.items() if not row.get("ambiguous")]
    right = [name for name in clear if found[name]]
    with capsys.disabled():
        print(
            f"\nexplain: {len(right)} of {len(clear)} clear texts right in first place, {sum(found.values())} of {len(found)} in all"
        )
    assert (len(clear), len(ROWS)) == (45, 50)
    assert [name for name, row in ROWS.items() if is_right(row, row["text"]) is False] == []
    assert len(clear) - len(right) <= MOST_MISSED


def other_address(text):
    """Replace every address and port."""
    return re.sub(r"\b8883\b", "18883", re.sub(r"\d+\.\d+\.\d+\.\d+", "198.51.100.77", text))


def reversed_lines(text):
    """Return the lines from the last to the first, as some log viewers show them."""
    return "\n".join(reversed(text.split("\n")))


def code_of(name):
    """Return OpenSSL's number of a reason."""
    alert = re.fullmatch(r"(?:SSLV3|TLSV1|TLSV13)_ALERT_(\w+)", name)
    codes = {reason: code for code, reason in REASONS.items()}
    return ALERT_OFFSET + alert_code(alert[1].lower()) if alert else codes[name]


def other_openssl(text):
    """Write Python's brackets as OpenSSL 3's own line, and OpenSSL's lines as Python writes them."""

    def line(match):
        return f"error:0A{code_of(match[1]):06X}:SSL routines::{match[2].strip()}"

    def brackets(match):
        words = match[1].strip(" .")
        return f"ssl.SSLError: [SSL: {words.upper().replace(' ', '_')}] {words} (_ssl.c:1006)"

    swapped = re.sub(r"\[SSL: (\w+)\] ([a-z ]+)(?: \(_ssl\.c:\d+\))?", line, text)
    return swapped if swapped != text else re.sub(r"error:[0-9A-F]{8}:SSL routines:[^:]*:([\w ]+\.?)", brackets, text)


@pytest.mark.parametrize("other", [other_address, reversed_lines, other_openssl])
def test_the_same_text_otherwise(other):
    """Address, port, order of lines and OpenSSL's wording do not change the cause."""
    assert [name for name, row in ROWS.items() if not is_right(row, other(row["text"]))] == []


def test_the_other_wording_is_another():
    """The rewriting of the test above rewrites each row that OpenSSL's reasons are in."""
    named = [name for name, row in ROWS.items() if re.search(r"SSL routines|\[SSL: ", row["text"])]
    assert len(named) == 14
    assert [name for name in named if other_openssl(ROWS[name]["text"]) == ROWS[name]["text"]] == []


def typing_errors(text):
    """Return the text with each two neighbouring letters of each longer word exchanged."""
    for match in re.finditer(r"[A-Za-z]{5,}", text):
        word = match[0]
        for at in range(len(word) - 1):
            if word[at] != word[at + 1]:
                wrong = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
                yield text[: match.start()] + wrong + text[match.end() :]


def test_one_typing_error():
    """Any two exchanged letters: never another cause, and almost always the right one."""
    tried = [(name, text, is_right(row, text)) for name, row in ROWS.items() for text in typing_errors(row["text"])]
    assert len(tried) > 1500
    assert [(name, text) for name, text, good in tried if good is False] == []
    assert sum(good is None for _name, _text, good in tried) <= 8


@pytest.mark.parametrize(("cause", "text"), FORMATS, ids=[text[:60] for _cause, text in FORMATS])
def test_formats(cause, text):
    """Each format gets the right cause in first place, with nothing else around it."""
    head = understand(text.replace("\\n", "\n")).head
    assert (head.id if head else "-") == cause


def test_noise_and_other_languages():
    """Lines around an error, in any language, change nothing."""
    noise = (
        "Guten Tag,\nich bekomme folgenden Fehler (siehe Zeile 30, timeout=-1, rssi=-71):\n{}\n"
        "何が悪いのでしょうか？ 2026-07-31 12:00:00\n"
    )
    assert [name for name, row in ROWS.items() if not is_right(row, noise.format(row["text"]))] == []


# ------------------------------------------------------------------------------------------ how facts combine

BOARD = "OSError: (-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')"


@pytest.mark.parametrize(
    ("server", "cause"),
    [
        ("[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol (_ssl.c:1006)", "versions/server-too-new"),
        (
            "[SSL: PEER_DID_NOT_RETURN_A_CERTIFICATE] peer did not return a certificate (_ssl.c:1006)",
            "client-auth/none-sent",
        ),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)",
            "client-auth/dates",
        ),
        ("[SSL: NO_SUITABLE_KEY_SHARE] no suitable key share (_ssl.c:1006)", "groups/no-common-group-tls13"),
    ],
)
@pytest.mark.parametrize("first", ["board", "server"])
def test_h_two_sides_settle_it(server, cause, first):
    """The server's reason comes first, whichever side was pasted first, and what the board saw of it is no cause of its own."""
    answer = understand(f"{BOARD}\n{server}" if first == "board" else f"{server}\n{BOARD}")
    assert answer.head.id == cause
    assert not answer.is_open
    assert "peer/alert-only" not in [other.id for other in answer.others]


def test_f_whose_log_decides_the_direction():
    """HTTP_REQUEST and WRONG_VERSION_NUMBER in a server's log are about the client; in a client's, about the server."""
    server = "Client <unknown> disconnected: error:0A00010B:SSL routines::wrong version number"
    client = "urllib3.exceptions.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1129)"
    assert understand(server).head.id == "peer/client-plain-text"
    assert understand(client).head.id == "peer/plain-text"
    assert understand("[SSL: HTTP_REQUEST] http request (_ssl.c:1006)").head.id == "peer/client-plain-text"


def test_f_a_parse_error_is_about_the_file():
    """mbedtls_x509_crt_parse -0x2180 is the certificate file, not a proxy."""
    assert understand("E (5217) esp-tls-mbedtls: mbedtls_x509_crt_parse returned -0x2180").head.id == "api/path-as-data"


@pytest.mark.parametrize(
    ("after_the_colon", "cause"),
    [
        ("IP address mismatch, certificate is not valid for '10.0.0.5'", "names/ip-address"),
        ("Hostname mismatch, certificate is not valid for 'x'", "names/wrong-host"),
        ("unsuitable certificate purpose", "client-auth/wrong-use"),
        ("Basic Constraints of CA cert not marked critical", "certificates/strict-ca"),
        ("EE certificate key too weak", "client-auth/key-too-short"),
        ("certificate has expired", "client-auth/dates"),
        ("self-signed certificate in certificate chain", "client-auth/untrusted"),
    ],
)
def test_e_the_text_after_the_colon(after_the_colon, cause):
    """CERTIFICATE_VERIFY_FAILED has one cause for each of OpenSSL's reasons."""
    text = f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {after_the_colon} (_ssl.c:1006)"
    assert understand(text).head.id == cause


def test_j_an_alert_has_causes():
    """SSLV3_ALERT_HANDSHAKE_FAILURE in a client's log gets the causes of the server's refusal."""
    answer = understand("[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure (_ssl.c:1006)")
    assert (answer.head.id, answer.is_open, len(answer.others)) == ("ciphers/nothing-in-common", True, 6)


def test_what_the_text_names_comes_first_among_the_special_causes():
    """MQTT on port 443 points to ALPN, so it precedes the more frequent reasons of a fatal alert."""
    answer = understand(f"MQTT over TLS, port 443: {BOARD}")
    assert (answer.head.id, answer.is_open, answer.others[0].id) == ("peer/alert-only", True, "peer/alpn-required")


def test_an_id_is_its_cause():
    """The id that diagnose and the reports print is understood."""
    answer = understand(" client-auth/none-sent ")
    assert (answer.head.id, answer.others, answer.is_open) == ("client-auth/none-sent", (), False)
    assert [other.id for other in understand("identity/one-number-for-all").others][:2] == [
        "identity/unknown-issuer",
        "names/wrong-host",
    ]


def test_sentences():
    """The sentence says whether the text settles the cause."""
    assert understand("OSError: -202").sentence.startswith("The board could not look up the server's name: ")
    assert understand("MBEDTLS_ERR_SSL_INVALID_RECORD").sentence.startswith("Most likely: what answers at that port ")
    assert understand(BOARD).sentence.startswith("Several causes are possible: the server refused with a fatal alert, ")
    assert understand("-26880").sentence == "No cause is known for this number; this is its name."
    assert understand("hello world").sentence == ""


def test_nothing_known():
    """Unknown text gives nothing."""
    assert [text for text in ("hello world", "", "4711 bytes", "invalid certificateness") if understand(text)] == []
