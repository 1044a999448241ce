"""The catalogue: every rule is an entry, every entry is complete and reached, and no cause is worded a second time."""

import re
from pathlib import Path

import pytest

import harness.explain
from harness.explain.catalogue.answers import understand
from harness.explain.catalogue.causes import all_causes, find_cause
from harness.explain.catalogue.signs import all_signs
from harness.explain.registry import names

ROOT = Path(__file__).resolve().parents[4]
TEXTS = ROOT / "tests" / "data" / "pasted_formats.txt"
# Found by evidence only: what either side prints is that of a more general cause, or nothing.
BY_RULE_ONLY = {
    cause for cause in ("clock/dates-not-checked", "certificates/use-not-checked", "link/target", "closing/slow-board")
}


def test_entries_are_complete():
    """Ids are unique and begin with their file's topic; every entry says what each side shows, how to check, and what to do."""
    causes = all_causes()
    assert len({cause.id for cause in causes}) == len(causes) >= 120
    assert [cause.id for cause in causes if not all((cause.board, cause.server, cause.tell, cause.fix))] == []
    assert [cause.id for cause in causes if not cause.sentence[0].isupper() or not cause.sentence.endswith(".")] == []
    folder = ROOT / "harness" / "explain" / "catalogue" / "causes"
    assert {cause.topic for cause in causes} == {path.stem for path in folder.glob("*.toml")}


def test_sentences_are_short_and_distinct():
    """A sentence has at most 25 words, and no two causes have the same one."""
    assert [cause.id for cause in all_causes() if len(cause.sentence.split()) > 25] == []
    assert len({cause.sentence for cause in all_causes()}) == len(all_causes())


def test_reasons_and_links():
    """Special causes exist, and links are whole addresses."""
    assert [name for cause in all_causes() for name in cause.reasons if find_cause(name) is None] == []
    links = [link for cause in all_causes() for link in cause.links]
    assert [link for link in links if not re.fullmatch(r"https://[\w.-]+/[\w./-]+", link)] == []


def test_every_sign_names_known_causes():
    """A sign points to entries only."""
    pointed = {
        name for sign in all_signs() for names_ in (sign.any, sign.server, sign.client, sign.board) for name in names_
    }
    assert [name for name in sorted(pointed) if find_cause(name) is None] == []


def test_every_cause_is_reached():
    """Each entry is a rule's, a sign's, or a special one of another entry."""
    harness.explain._load()
    pointed = {
        name for sign in all_signs() for part in (sign.any, sign.server, sign.client, sign.board) for name in part
    }
    pointed |= {name for cause in all_causes() for name in cause.reasons} | set(names())
    assert [cause.id for cause in all_causes() if cause.id not in pointed] == []


# docs/facts/micropython.md, Failure catalogue: its rows' texts in their order, and what must come first.
MICROPYTHON = [
    ("-30592\nNO_SHARED_CIPHER", "ciphers/nothing-in-common"),
    ("OSError: -40", "ciphers/plain-rsa-only"),
    ("-30592\nalert unrecognized name", "names/unknown-to-server"),
    ("-30592\nUNSUPPORTED_PROTOCOL", "versions/server-too-new"),
    ("-28288 BAD_PROTOCOL_VERSION", "versions/server-too-old"),
    ("-29312 CONN_EOF", "closing/closed-by-server"),
    ("-29184 INVALID_RECORD", "peer/plain-text"),
    ("(-257, 'RECORD_OVERFLOW')", "peer/record-too-large"),
    ("OSError: [Errno 12] ENOMEM", "memory/out-of-memory"),
    ("MemoryError: memory allocation failed, allocating 16725 bytes", "memory/out-of-memory"),
    ("-17040 RSA_PUBLIC_FAILED+MPI_ALLOC_FAILED", "memory/out-of-memory"),
    ("mbedtls_ssl_handshake error: -4290", "memory/out-of-memory"),
    ("-17168 RSA - The private key operation failed : BIGNUM - Memory allocation failed", "memory/out-of-memory"),
    ("OSError: 16", "memory/out-of-memory"),
    ("-10368 X509_ALLOC_FAILED", "memory/out-of-memory"),
    ("-15104 PK_INVALID_PUBKEY", "memory/out-of-memory"),
    ("MD_ALLOC_FAILED", "memory/out-of-memory"),
    ("not correctly signed by the trusted CA", "identity/unknown-issuer"),
    ("-9984", "identity/one-number-for-all"),
    ("validity starts in the future", "clock/not-yet-valid"),
    ("certificate validity has expired", "clock/expired"),
    ("Common Name (CN) does not match", "names/wrong-host"),
    ("The certificate is signed with an unacceptable hash.", "certificates/old-hash"),
    ("-8960 X509_INVALID_ALG", "certificates/pss-signed"),
    ("(-268, 'BAD_CERTIFICATE')", "certificates/pss-signed"),
    ("-30336 CA_CHAIN_REQUIRED", "identity/no-ca"),
    ("ValueError: CERT_REQUIRED requires server_hostname", "names/no-hostname"),
    ("ValueError: invalid cert", "api/invalid-cert"),
    ("ValueError: invalid key", "api/invalid-key"),
    ("TypeError: extra keyword arguments given", "api/unknown-keyword"),
    ("'SSLContext' object has no attribute 'get_ciphers'", "api/missing-method"),
    ("ImportError: no module named 'ussl'", "api/missing-module"),
    ("no attribute 'getpeercert'", "api/missing-method"),
    ("(-24192, 'MBEDTLS_ERR_SSL_BAD_CONFIG')", "api/unknown-suite"),
    ("[Errno 104] ECONNRESET", "closing/reset"),
    ("OSError: 118", "link/unreachable"),
    ("OSError: -202", "link/name-not-found"),
    ("could not enter raw repl", "api/board-crashed"),
    ("-0x7B00 RECEIVED_NEW_SESSION_TICKET", "peer/session-ticket"),
    ("wrap_socket never returns", "closing/silent-server"),
    ("OSError: stream operation not supported", "link/own-stack"),
    ("verify_mode is CERT_NONE", "identity/accepted-unchecked"),
]
# docs/facts/python-ssl.md, failures of either side: OpenSSL's reasons in their order.
PYTHON = [
    ("NO_SHARED_CIPHER", "ciphers/nothing-in-common"),
    ("NO_SUITABLE_SIGNATURE_ALGORITHM", "certificates/no-signature-scheme"),
    ("NO_SUITABLE_KEY_SHARE", "groups/no-common-group-tls13"),
    ("UNSUPPORTED_PROTOCOL", "versions/server-too-new"),
    ("NO_PROTOCOLS_AVAILABLE", "versions/server-settings-leave-none"),
    ("NO_CIPHERS_AVAILABLE", "versions/server-settings-leave-none"),
    ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "client-auth/none-sent"),
    ("CERTIFICATE_VERIFY_FAILED unable to get local issuer certificate", "client-auth/untrusted"),
    ("CERTIFICATE_VERIFY_FAILED certificate has expired", "client-auth/dates"),
    ("CERTIFICATE_VERIFY_FAILED unsuitable certificate purpose", "client-auth/wrong-use"),
    ("CERTIFICATE_VERIFY_FAILED EE certificate key too weak", "client-auth/key-too-short"),
    ("CERTIFICATE_VERIFY_FAILED Missing Authority Key Identifier", "certificates/strict-ca"),
    ("CALLBACK_FAILED", "names/callback-raised"),
    ("HTTP_REQUEST", "peer/client-plain-text"),
    ("WRONG_VERSION_NUMBER", "peer/client-plain-text"),
    ("RECORD_LENGTH_MISMATCH", "peer/broken-messages"),
    ("UNEXPECTED_MESSAGE", "peer/broken-messages"),
    ("UNEXPECTED_EOF_WHILE_READING", "closing/client-left"),
    ("ConnectionResetError(104)", "closing/reset"),
    ("BrokenPipeError", "client-auth/connection-cut"),
    ("TimeoutError", "closing/time-out"),
    ("EE_KEY_TOO_SMALL", "certificates/server-key-too-short"),
    ("CA_MD_TOO_WEAK", "certificates/server-hash-too-weak"),
    ("UNKNOWN_GROUP", "groups/unknown-name"),
    ("[SSL] PEM lib", "certificates/server-file-unreadable"),
    ("BAD_SIGNATURE", "client-auth/key-of-another-pair"),
    ("DIGEST_CHECK_FAILED", "peer/wrong-signature"),
    ("DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "peer/damaged-data"),
    ("MISSING_SIGALGS_EXTENSION", "certificates/no-signature-scheme"),
    ("MISSING_SUPPORTED_GROUPS_EXTENSION", "groups/no-common-group"),
    ("BAD_KEY_SHARE", "groups/no-common-group-tls13"),
    ("LENGTH_MISMATCH", "peer/broken-messages"),
    ("BAD_EXTENSION", "peer/broken-messages"),
    ("EXCESSIVE_MESSAGE_SIZE", "client-auth/too-large"),
    ("PSK_IDENTITY_NOT_FOUND", "peer/pre-shared-key-differs"),
    ("DATA_LENGTH_TOO_LONG", "peer/broken-messages"),
    ("UNSAFE_LEGACY_RENEGOTIATION_DISABLED", "peer/old-renegotiation"),
    ("NO_APPLICATION_PROTOCOL", "peer/alpn-required"),
    ("TLSV1_ALERT_UNKNOWN_CA", "identity/unknown-issuer"),
    ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "clock/expired"),
    ("SSLV3_ALERT_CERTIFICATE_UNKNOWN", "clock/not-yet-valid"),
    ("SSLV3_ALERT_BAD_CERTIFICATE", "names/wrong-host"),
    ("SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "certificates/key-too-short"),
    ("OSError -31232", "certificates/wrong-use"),
    ("X509_FATAL_ERROR -12288", "certificates/chain-too-deep"),
    ("TLSV1_ALERT_ACCESS_DENIED", "api/verify-callback"),
    ("TLSV1_ALERT_PROTOCOL_VERSION", "versions/server-too-new"),
    ("-28928", "certificates/chain-too-large"),
    ("-30848", "peer/early-goodbye"),
    ("-27136", "client-auth/too-large"),
]


@pytest.mark.parametrize(
    ("text", "cause"), MICROPYTHON + PYTHON, ids=[text[:50] for text, _cause in MICROPYTHON + PYTHON]
)
def test_the_facts_are_reached(text, cause):
    """Every failure of docs/facts/micropython.md and docs/facts/python-ssl.md is found by its text."""
    assert understand(text).head.id == cause


@pytest.mark.parametrize(
    ("cause", "title"),
    [
        ("names/no-hostname", "CERT_REQUIRED is set on the board, but no server_hostname was given"),
        ("groups/no-common-group-tls13", "TLS 1.3: the two sides have no group in common for the key exchange"),
        (
            "configuration/found-by-handshake",
            "OpenSSL's configuration on the server limits something that Python does not show",
        ),
        ("memory/out-of-memory", "the board ran out of memory"),
        (
            "peer/damaged-data",
            "a record cannot be decrypted: it was changed in transit, or the two sides have different keys",
        ),
    ],
)
def test_title(cause, title):
    """As part of a sentence a cause loses its capital and full stop; names keep theirs."""
    assert find_cause(cause).title == title
