"""A diagnosis as text: made-up records, the exact lines."""

from harness.model import CaseResult, Explanation, Fix, Trial, Verdict, VerdictWord
from harness.reports.text.diagnosis_text import diagnosis_text


def test_a_refusal_with_its_fixes(sample):
    """Both errors, the wire, the cause, each change with its result, and where to begin."""
    trials = (
        Trial(
            fix=sample.EC_KEY,
            result=sample.result(sample.CONNECTED, word=VerdictWord.PASS),
            server_lines=("context.x",),
        ),
        Trial(fix=Fix(title="update the firmware"), note="cannot be tried from here"),
        Trial(
            fix=Fix(title="allow TLS_RSA", proved=False, discouraged=True, because="no forward secrecy"),
            result=sample.result(sample.REFUSED, Explanation(rule="x/y", title="still no suite")),
        ),
    )
    assert diagnosis_text(sample.diagnosis(trials=trials)).splitlines() == [
        "board unix",
        "    import tls",
        "server Python 3.11.7",
        "    context = ...",
        "",
        "refused by the server at handshake",
        "  server      SSLError NO_SHARED_CIPHER, at handshake",
        "  board       OSError -30592 MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, at handshake",
        "  wire        board  -> ClientHello               TLSv1.2",
        "              server -> Alert(handshake_failure)",
        "",
        "why: the key does not fit   [ciphers/key-type]",
        "in short: The server's key is RSA, and the board can only use servers with an EC key.",
        "  a  b",
        "",
        "1. [PROVED] give the server an EC key",
        '  server      context.load_cert_chain("ec.pem", "ec-key.pem")',
        "  then        connected TLSv1.2 TLS_X secp256r1",
        "",
        "2. [not tried] update the firmware",
        "              (cannot be tried from here)",
        "",
        "3. [does not help] allow TLS_RSA - discouraged: no forward secrecy",
        "  then        refused by the server at handshake: server NO_SHARED_CIPHER | client -30592 | "
        "handshake_failure(40) from the server; still no suite",
        "",
        "proved: 1 (2 tried); begin with 1",
        "the settings of the server in 1:",
        "    context.x",
    ]


def test_the_last_line_says_what_was_proved(sample):
    """Nothing, or only what is discouraged."""
    bad = Trial(fix=Fix(title="x", proved=False))
    worse = Trial(fix=Fix(title="y", proved=True, discouraged=True))
    assert diagnosis_text(sample.diagnosis(trials=(bad,))).splitlines()[-1] == "proved: none (1 tried)"
    assert (
        diagnosis_text(sample.diagnosis(trials=(bad, worse))).splitlines()[-1]
        == "proved: only 2 (2 tried), which is discouraged; see why above"
    )


def test_a_session_and_a_case_that_was_not_tried(sample):
    """A session is one line; a case that was not tried has its reason; what cannot be seen is listed."""
    found = sample.diagnosis(
        result=sample.result(sample.CONNECTED, word=VerdictWord.PASS), wire=(), unseen=("the server's key",)
    )
    assert diagnosis_text(found).splitlines()[5:] == [
        "connected TLSv1.2 TLS_X secp256r1",
        "",
        "not visible from here",
        "  the server's key",
    ]
    lacking = CaseResult(
        board="unix",
        server="in-process",
        case="diagnose/as-it-is",
        attempt=1,
        verdict=Verdict(word=VerdictWord.UNSUPPORTED, reason="no\nx"),
        expected=None,
        observation=None,
    )
    assert diagnosis_text(sample.diagnosis(result=lacking, wire=())).splitlines()[5:] == ["not tried: no x"]


def test_texts_of_others_are_harmless(sample):
    """Control characters are escaped."""
    assert "\x1b" not in diagnosis_text(sample.diagnosis(notes=("\x1b[2J",), server="\x1b]0;x"))
