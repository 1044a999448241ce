"""The board's own certificate: not sent, not trusted, not readable, too large."""

from __future__ import annotations

from harness.certificates.chain_problems import KEYS, NOT_AN_ISSUER, TRUST, USES, Problem, Reason
from harness.explain import fixes
from harness.explain.chain_evidence import client_chain
from harness.explain.chain_sentences import Sides, first_of, further, sentence
from harness.explain.client_lines import connecting
from harness.explain.evidence import Evidence
from harness.explain.registry import rule, told
from harness.explain.shown import read_certificates
from harness.model import Change, Explanation, Fix, Outcome, Side, Verify
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.last_word import LastWord, last_word

_SIDES = Sides(owner="board", verifier="server")
# include/openssl/x509_vfy.h
_UNTRUSTED = frozenset({2, 18, 19, 20, 21})
_NOT_YET_VALID, _EXPIRED, _WRONG_PURPOSE, _KEY_TOO_SMALL = 9, 10, 26, 66
_BUFFER_TOO_SMALL = (mbedtls.SSL_BUFFER_TOO_SMALL, mbedtls.SSL_CERTIFICATE_TOO_LARGE)
_STRICT = "create_default_context() of Python 3.13 is strict: it requires AuthorityKeyIdentifier, for example"
_PEER_GONE = frozenset({"EPIPE", "ECONNRESET"})


def _verify_code(evidence: Evidence) -> int | None:
    return (
        evidence.seen.server.verify_code
        if evidence.seen.server and evidence.reason == "CERTIFICATE_VERIFY_FAILED"
        else None
    )


def _sent(evidence: Evidence) -> tuple[str, ...]:
    shown = read_certificates(evidence.wire.client_certificates or ())
    lines = tuple(f"the board sent: {item.subject}, issued by {item.issuer}, {item.valid_text}" for item in shown)
    failure = evidence.seen.server
    message = failure.verify_message if failure else None
    return (*lines, *((f"OpenSSL says: {message} (verify code {failure.verify_code})",) if failure and message else ()))


def _why(evidence: Evidence, problem: Problem | None) -> tuple[str, ...]:
    """What was sent, and what else is wrong with the board's certificate."""
    return (*_sent(evidence), *further(client_chain(evidence), problem, sides=_SIDES))


def _title(problem: Problem | None, otherwise: str) -> str:
    return sentence(problem, sides=_SIDES) if problem is not None else otherwise


def _show(evidence: Evidence) -> Fix:
    return Fix(
        title="give the board a certificate from a CA that the server trusts, as DER (key: PKCS#1 or SEC1)",
        server_lines=('context.load_verify_locations("client-ca.pem")',),
        client_lines=connecting(evidence.info, host=evidence.case.client.server_hostname, certificate=True),
        change=fixes.own_certificate(evidence),
    )


@rule("client-auth/none-sent")
def none_sent(evidence: Evidence) -> Explanation | None:
    """The server requires a certificate; `cert=` without `key=` counts as none up to 1.22."""
    if evidence.reason != "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return None
    loaded = evidence.case.client.certificate is not None
    return told(
        why=(
            "the board has one: up to 1.22, cert= without key= is silently ignored" if loaded else "the board has none",
            "TLS 1.3 ends this after the client's handshake: the board sees -30592 at its first read",
        ),
        fixes=(
            _show(evidence),
            Fix(
                title="let the server request a certificate without requiring it",
                server_lines=("context.verify_mode = ssl.CERT_OPTIONAL",),
                discouraged=True,
                because="then any client may connect, and the application must distinguish them",
                change=Change(server={"verify": "optional"}),
            ),
        ),
    )


@rule("client-auth/untrusted")
def untrusted(evidence: Evidence) -> Explanation | None:
    """The server does not know the issuer."""
    if _verify_code(evidence) not in _UNTRUSTED:
        return None
    problem = first_of(client_chain(evidence), TRUST)
    return told(
        _title(problem, "the server does not trust the CA of the board's certificate, or the intermediate is missing"),
        why=_why(evidence, problem),
        fixes=(*_trusting(problem), _show(evidence)),
    )


def _trusting(problem: Problem | None) -> tuple[Fix, ...]:
    """What makes the server trust the board's certificate; a CA that may not issue certificates cannot be trusted."""
    if problem is not None and problem.reason in NOT_AN_ISSUER:
        return ()
    issuer = Fix(
        title="load the CA that issued it on the server",
        server_lines=('context.load_verify_locations("client-ca.pem")',),
        change=Change(server={"client_ca": ("*", "client-issuer")}),
    )
    found = problem is not None and problem.reason is Reason.MISSING
    intermediate = Fix(
        title="load the intermediate on the server: from DER the board sends its leaf only",
        server_lines=('context.load_verify_locations("client-intermediate.pem")',),
        change=Change(server={"client_ca": ("*", "client-issuers")}) if found else None,
    )
    return (intermediate,) if found else (issuer, intermediate)


@rule("client-auth/dates")
def dates(evidence: Evidence) -> Explanation | None:
    """Devices outlive certificates, and a server's clock can be wrong, too."""
    if _verify_code(evidence) not in (_NOT_YET_VALID, _EXPIRED):
        return None
    has_expired = _verify_code(evidence) == _EXPIRED
    word = "has expired" if has_expired else "is not yet valid according to the server's clock"
    problem = first_of(client_chain(evidence), {Reason.EXPIRED if has_expired else Reason.NOT_YET_VALID})
    return told(
        _title(problem, f"the board's certificate {word}"),
        why=_why(evidence, problem),
        fixes=(_show(evidence), Fix(title="check the server's clock", server_lines=("$ date -u",))),
    )


@rule("client-auth/wrong-use")
def wrong_use(evidence: Evidence) -> Explanation | None:
    """A client presents a server's certificate."""
    if _verify_code(evidence) != _WRONG_PURPOSE:
        return None
    problem = first_of(client_chain(evidence), USES)
    return told(
        _title(problem, "the board's certificate is not for clients (ExtendedKeyUsage without clientAuth)"),
        why=_why(evidence, problem),
        fixes=(
            Fix(
                title="issue it for a client",
                server_lines=("# openssl.cnf: extendedKeyUsage = clientAuth",),
                change=fixes.own_certificate(evidence),
            ),
        ),
    )


@rule("client-auth/key-too-short")
def key_too_short(evidence: Evidence) -> Explanation | None:
    """RSA-1024 at security level 2."""
    if _verify_code(evidence) not in (_KEY_TOO_SMALL, 67, 68):
        return None
    problem = first_of(client_chain(evidence), KEYS | {Reason.HASH})
    return told(
        _title(problem, "the key or the hash of the board's certificate is too weak for the server's security level"),
        why=_why(evidence, problem),
        fixes=(
            Fix(
                title="issue the board a certificate with an EC key on P-256, signed with SHA-256",
                change=fixes.own_certificate(evidence),
            ),
            _show(evidence),
        ),
    )


@rule("client-auth/refused")
def refused(evidence: Evidence) -> Explanation | None:
    """Any other of OpenSSL's reasons, including the requirements of X509_STRICT since Python 3.13."""
    known = _UNTRUSTED | {_NOT_YET_VALID, _EXPIRED, _WRONG_PURPOSE, _KEY_TOO_SMALL, 67, 68}
    code = _verify_code(evidence)
    if evidence.reason != "CERTIFICATE_VERIFY_FAILED" or code in known:
        return None
    problem = first_of(client_chain(evidence), TRUST | {Reason.NAME_CONSTRAINT, Reason.EXTENSION})
    return told(
        _title(problem, "the server refuses the board's certificate"),
        why=(*_why(evidence, problem), *(() if problem is not None else (_STRICT,))),
        fixes=(_show(evidence),),
    )


@rule("client-auth/key-of-another-pair")
def key_of_another_pair(evidence: Evidence) -> Explanation | None:
    """The board does not compare its certificate with its key."""
    if evidence.reason not in ("BAD_SIGNATURE", "DIGEST_CHECK_FAILED") or evidence.behaviour.startswith("tampered."):
        return None
    return told(
        why=("the board does not compare them; the server notices (alert decrypt_error)", *_sent(evidence)),
        fixes=(_show(evidence),),
    )


@rule("client-auth/too-large")
def too_large(evidence: Evidence) -> Explanation | None:
    """The board's outgoing buffer has 4096 bytes (MBEDTLS_SSL_OUT_CONTENT_LEN)."""
    asked = evidence.case.client.certificate is not None
    if evidence.number not in _BUFFER_TOO_SMALL or not asked or not evidence.silent_end:
        return None
    return told(
        why=("mbedTLS gives up before it sends it; the server sees the connection end",),
        fixes=(
            Fix(
                title="a smaller certificate: EC key, few names, no long extensions",
                change=fixes.own_certificate(evidence),
            ),
        ),
    )


@rule("client-auth/connection-cut")
def connection_cut(evidence: Evidence) -> Explanation | None:
    """EPIPE or a reset while a certificate was required: a server that closes at once destroys its own alert."""
    asked = evidence.server is not None and evidence.server.verify is not Verify.NONE
    if evidence.seen.server is not None or not asked or not evidence.client_names & _PEER_GONE:
        return None
    return told(
        why=("most likely the board sent no certificate, or one that the server does not trust: see its log",),
        fixes=(_show(evidence),),
    )


def _shown(evidence: Evidence) -> str:
    """Return what was seen of the server's last message."""
    if evidence.number == mbedtls.SSL_FATAL_ALERT_MESSAGE:
        return "after the board's Finished it sent a fatal alert: the board reports that at its first read, but not which alert"
    if last_word(evidence.wire) is LastWord.ALERT:
        return "after the board's Finished it sent one encrypted record as long as an alert (fatal or close_notify), no ticket, no data"
    return "after the board's Finished it sent nothing, and ended the connection"


@rule("client-auth/ended-after-handshake")
def ended_after_handshake(evidence: Evidence) -> Explanation | None:
    """TLS 1.3 with a foreign server: its answer to the client's certificate is encrypted, and the client has finished."""
    seen, word = evidence.seen, last_word(evidence.wire)
    by_server = seen.outcome is Outcome.REFUSED and seen.ended_by is Side.SERVER and seen.server is None
    if not by_server or not evidence.silent_end or word not in (LastWord.NOTHING, LastWord.ALERT):
        return None
    own = evidence.case.client.certificate is not None
    return told(
        "the server ended the session as soon as the board's handshake was complete: most likely "
        + ("it does not accept the board's certificate" if own else "it requires a client certificate"),
        why=(
            _shown(evidence),
            f"the board has {'one' if own else 'none'}; whether the server requested one is encrypted, too",
            "in TLS 1.3 a server verifies the client's certificate last: the board's handshake succeeds, its first read fails",
            "a server that is overloaded, or that has no backend and closes, looks the same: see its log",
        ),
        fixes=(_show(evidence), Fix(title="read the server's log")),
    )


@rule("client-auth/refused-later")
def refused_later(evidence: Evidence) -> Explanation | None:
    """A server that completes the handshake in any case: its application decides (nginx, Apache, brokers)."""
    reply = evidence.reply
    if reply is None or not reply.refuses:
        return None
    own = evidence.case.client.certificate is not None
    how = "with an alert" if evidence.number == mbedtls.SSL_FATAL_ALERT_MESSAGE else "without an answer"
    sent = "nothing" if reply.asked == "nothing" else reply.asked
    return told(
        "the server asked for a client certificate, completed the handshake, and then refused the board: most likely "
        + ("it does not accept the board's certificate" if own else "it requires a certificate"),
        why=(
            *(_sent(evidence) if own else ("the board sent no certificate",)),
            f"the board then sent {sent}; the server answered: {reply.line}"
            if reply.line is not None
            else f"the board then sent {sent}; the server ended the session {how}",
            "TLS is complete before the application decides: nginx answers with an error page, a broker with a CONNACK code",
        ),
        fixes=(_show(evidence), Fix(title="read the server's log")),
    )
