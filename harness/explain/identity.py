"""Whether the client trusts the server's certificate: its issuer, the trusted CAs, and missing checks."""

from __future__ import annotations

from harness.certificates.chain_problems import KEYS, NAMES, NOT_AN_ISSUER, TRUST, Problem, Reason
from harness.expectations.clients import is_mbedtls_2
from harness.explain import fixes
from harness.explain.chain_evidence import server_chain, trusted_texts
from harness.explain.chain_fixes import trust_fixes
from harness.explain.chain_sentences import first_of, further, sentence
from harness.explain.clock import accepted_outside_dates
from harness.explain.evidence import Evidence
from harness.explain.registry import rule, told
from harness.explain.shown import Shown, read_certificates
from harness.firmware.since import Feature, everywhere, since
from harness.model import Explanation, Fix, VerdictWord, Verify
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import AlertCode

# The problems behind a flag, and behind the alert of a client that has one number.
_OF_FLAG: dict[str, frozenset[Reason]] = {
    "not_trusted": TRUST,
    "cn_mismatch": NAMES,
    "expired": frozenset({Reason.EXPIRED}),
    "future": frozenset({Reason.NOT_YET_VALID}),
    "bad_md": frozenset({Reason.HASH}),
    "bad_key": KEYS,
}
_OF_ALERT: dict[int | None, frozenset[Reason]] = {
    AlertCode.BAD_CERTIFICATE: NAMES,
    AlertCode.UNSUPPORTED_CERTIFICATE: KEYS,
    AlertCode.CERTIFICATE_EXPIRED: frozenset({Reason.EXPIRED}),
    AlertCode.CERTIFICATE_UNKNOWN: frozenset({Reason.HASH, Reason.NOT_YET_VALID}),
    AlertCode.UNKNOWN_CA: TRUST,
}
# The reason behind the alert of a client that has one number (mbedTLS library/ssl_tls.c, "rejected for several reasons").
_REASONS: dict[int | None, str] = {
    AlertCode.BAD_CERTIFICATE: "it is for another host",
    AlertCode.UNSUPPORTED_CERTIFICATE: "a key in its chain is too short",
    AlertCode.CERTIFICATE_EXPIRED: "it has expired",
    AlertCode.CERTIFICATE_UNKNOWN: "its hash is too old, or it is not valid yet",
    AlertCode.UNKNOWN_CA: "no CA that the board trusts issued it",
}


def _not_trusted(evidence: Evidence) -> bool:
    """Whether trust is the only problem, and memory is not the likely cause."""
    return evidence.flags == {"not_trusted"} and not evidence.short_of_memory


def _sent(evidence: Evidence) -> tuple[Shown, ...]:
    return read_certificates(evidence.wire.certificates[:10])


def chain_lines(evidence: Evidence) -> tuple[str, ...]:
    """What the server sent and what the board trusts, a line each."""
    sent = [f"sent {at}: {item.subject}, issued by {item.issuer}" for at, item in enumerate(_sent(evidence), start=1)]
    if not sent:
        sent = ["sent: not visible (TLS 1.3 encrypts it)" if evidence.chose_tls13 else "sent: not recorded"]
    trusted = [f"trusted: {text}" for text in trusted_texts(evidence)]
    nothing = "trusted: not recorded" if evidence.case.client.ca else "trusted: nothing was loaded"
    return (*sent, *(trusted or [nothing]))


def _problem(evidence: Evidence) -> Problem | None:
    """Return why the board does not trust the server's certificate, as far as its chain shows it."""
    return first_of(server_chain(evidence), TRUST)


def _reason(evidence: Evidence) -> Reason | None:
    """Return the reason if trust is the only problem; what a chain does not show is an unknown issuer."""
    if not _not_trusted(evidence):
        return None
    reading, problem = server_chain(evidence), _problem(evidence)
    if problem is not None:
        return problem.reason
    return Reason.UNCHECKED_SIGNATURE if len(reading.path) > 1 else Reason.UNKNOWN_ISSUER


def _told(evidence: Evidence, title: str | None = None, *, why: tuple[str, ...] = ()) -> Explanation:
    """Return the explanation of a problem of trust: the one certificate, the one reason, then what else is wrong."""
    reading, problem = server_chain(evidence), _problem(evidence)
    return told(
        title or (sentence(problem) if problem is not None else ""),
        why=(*chain_lines(evidence), *further(reading, problem), *why),
        fixes=(*trust_fixes(evidence, reading, problem), fixes.unchecked()),
    )


@rule("identity/self-signed")
def self_signed(evidence: Evidence) -> Explanation | None:
    """Self-signed and not in the trust store."""
    return _told(evidence) if _reason(evidence) is Reason.SELF_SIGNED else None


@rule("identity/leaf-as-ca")
def leaf_as_ca(evidence: Evidence) -> Explanation | None:
    """mbedTLS needs the issuer; only a self-signed leaf can be pinned."""
    return _told(evidence) if _reason(evidence) is Reason.LEAF_TRUSTED else None


@rule("identity/issuer-not-ca")
def issuer_not_ca(evidence: Evidence) -> Explanation | None:
    """An issuer without CA:TRUE or keyCertSign: a client that accepts it lets any site impersonate any other."""
    if _reason(evidence) not in NOT_AN_ISSUER - {Reason.PATH_LENGTH}:
        return None
    return _told(
        evidence, why=("a certificate may issue others only with CA:TRUE, and with keyCertSign if it has KeyUsage",)
    )


@rule("identity/path-length")
def path_length(evidence: Evidence) -> Explanation | None:
    """More CAs than one of them allows below it."""
    return _told(evidence) if _reason(evidence) is Reason.PATH_LENGTH else None


@rule("identity/wrong-order")
def wrong_order(evidence: Evidence) -> Explanation | None:
    """An issuer that is sent before the certificate that it issued."""
    if _reason(evidence) is not Reason.WRONG_ORDER:
        return None
    return _told(
        evidence, why=("mbedTLS looks for an issuer only after the certificate that it issued; PCs and browsers sort",)
    )


@rule("identity/other-key")
def other_key(evidence: Evidence) -> Explanation | None:
    """A CA that was generated again: its name is the same, its key is not."""
    return _told(evidence) if _reason(evidence) is Reason.OTHER_KEY else None


@rule("identity/missing-intermediate")
def missing_intermediate(evidence: Evidence) -> Explanation | None:
    """The certificate between the server's and the trusted one is not sent, but was found."""
    if _reason(evidence) is not Reason.MISSING:
        return None
    return _told(evidence, why=("browsers and PCs often have the intermediate from elsewhere, boards do not",))


@rule("identity/ca-not-loaded")
def ca_not_loaded(evidence: Evidence) -> Explanation | None:
    """Only the first of several DER certificates in one file counts."""
    return _told(evidence) if _reason(evidence) is Reason.NOT_LOADED else None


@rule("identity/other-ca")
def other_ca(evidence: Evidence) -> Explanation | None:
    """The CA at the end of the chain is known, and it is not the board's."""
    return _told(evidence) if _reason(evidence) in (Reason.OTHER_CA, Reason.UNTRUSTED_ROOT) else None


@rule("identity/broken-chain")
def broken_chain(evidence: Evidence) -> Explanation | None:
    """The chain looks complete, or a part of it cannot be read."""
    if _reason(evidence) not in (Reason.UNCHECKED_SIGNATURE, Reason.UNREADABLE):
        return None
    title = "the board does not trust the server's chain, although it looks complete: a signature in it may be damaged"
    see = Fix(
        title="see where it breaks",
        server_lines=("$ openssl verify -show_chain -CAfile ca.pem -untrusted fullchain.pem cert.pem",),
    )
    again = Fix(title="issue the server's certificate again", change=fixes.issued_again(evidence))
    problem = _problem(evidence)
    return told(
        title if problem is None else sentence(problem),
        why=(*chain_lines(evidence), *further(server_chain(evidence), problem)),
        fixes=(see, again, fixes.unchecked()),
    )


@rule("identity/unknown-issuer")
def unknown_issuer(evidence: Evidence) -> Explanation | None:
    """No certificate in the chain was issued by a CA that the board trusts: wrong CA, or an intermediate that is not sent."""
    if _reason(evidence) is not Reason.UNKNOWN_ISSUER:
        return None
    problem = _problem(evidence)
    title = (
        None if problem is not None else "no certificate that the server sent was issued by a CA that the board trusts"
    )
    url = problem.link.parsed.issuer_url if problem is not None and problem.link is not None else None
    why = "wrong CA on the board, or a missing intermediate"
    if problem is None:
        why = "wrong CA on the board, a missing intermediate, or DER files joined into one (only the first is used)"
    return _told(
        evidence, title, why=(why, *((f"the issuer's certificate can be downloaded from {url}",) if url else ()))
    )


@rule("identity/no-ca")
def no_ca(evidence: Evidence) -> Explanation | None:
    """CERT_REQUIRED (the default of tls.SSLContext) without a CA to verify the certificate."""
    if evidence.number != mbedtls.SSL_CA_CHAIN_REQUIRED:
        return None
    return told(
        why=(
            "tls.SSLContext(PROTOCOL_TLS_CLIENT) of firmware 1.23 and later has CERT_REQUIRED as its default",
            *chain_lines(evidence)[:2],
        ),
        fixes=(
            fixes.trust(evidence.info, host=evidence.case.client.server_hostname),
            fixes.unchecked(),
        ),
    )


@rule("identity/several-reasons")
def several_reasons(evidence: Evidence) -> Explanation | None:
    """The client names all reasons, the alert only one."""
    if len(evidence.flags) < 2:
        return None
    words = {
        "not_trusted": "not signed by a trusted CA",
        "cn_mismatch": "for a different host",
        "expired": "expired",
        "future": "not valid yet",
        "bad_md": "signed using an obsolete hash algorithm",
        "bad_key": "with a key that is too short",
    }
    named = " and ".join(words.get(flag, flag) for flag in sorted(evidence.flags))
    off = bool({"future", "expired"} & set(evidence.flags)) and evidence.clock_is_off
    return told(
        f"the server's certificate is {named}{'; but the clock of the board is wrong' if off else ''}",
        why=(
            "the alert names only one reason; the board's exception names all",
            *(f"problem: {sentence(problem)}" for problem in _flagged(evidence)),
            *((f"the board's clock: {evidence.clock_text}",) if off else ()),
            *chain_lines(evidence),
        ),
        fixes=(
            *((fixes.SET_CLOCK,) if off else ()),
            Fix(
                title="issue the certificate again, from the CA that the board has, for the name it asks for",
                change=fixes.issued_again(evidence),
            ),
            fixes.unchecked(),
        ),
    )


def _flagged(evidence: Evidence) -> tuple[Problem, ...]:
    """The problems that the flags name."""
    named = frozenset(reason for flag in evidence.flags for reason in _OF_FLAG.get(flag, ()))
    return server_chain(evidence).of(named)


@rule("identity/one-number-for-all")
def one_number_for_all(evidence: Evidence) -> Explanation | None:
    """Firmware 1.20 and 1.21: -9984 for every reason (micropython #10832)."""
    if evidence.number != mbedtls.X509_CERT_VERIFY_FAILED or evidence.short_of_memory:
        return None
    host = evidence.case.client.server_hostname
    alert = next((item.name for item in evidence.seen.alerts if item.sender == "client"), "none")
    shown = [
        f"sent {at}: {item.subject}, issued by {item.issuer}, for {item.names_text}, {item.valid_text}"
        for at, item in enumerate(_sent(evidence), start=1)
    ]
    problem = first_of(server_chain(evidence), _OF_ALERT.get(evidence.alert("client"), ()))
    reason = sentence(problem) if problem is not None else _REASONS.get(evidence.alert("client"))
    return told(
        f"the board rejects the certificate{f': {reason}' if reason else ''}; "
        "this firmware has one number for every reason (trust, name, date, hash, memory)",
        why=(
            *shown,
            f"host asked for: {host}",
            f"its alert says: {alert}",
            *(f"trusted: {text}" for text in trusted_texts(evidence)),
            *further(server_chain(evidence), problem),
        ),
        fixes=(
            *_by_alert(evidence, problem),
            fixes.newer_firmware(f"{everywhere(Feature.REASONS)} and later report the reason"),
        ),
    )


def _by_alert(evidence: Evidence, problem: Problem | None) -> tuple[Fix, ...]:
    """What helps against the reason that the client's alert names; mbedTLS has no alert of its own for a hash or a date to come."""
    alert = evidence.alert("client")
    again = Fix(
        title="issue the certificate again: for the name or address the board asks for, valid now, signed with SHA-256",
        change=fixes.issued_again(evidence),
    )
    if alert == AlertCode.BAD_CERTIFICATE:
        by_address = problem is not None and problem.reason is Reason.ADDRESS_NAME
        return (
            (again, fixes.newer_firmware(f"{since(Feature.ADDRESS_NAMES)} compares names of type IP"))
            if by_address
            else (again,)
        )
    if alert == AlertCode.UNSUPPORTED_CERTIFICATE:
        return fixes.other_keys(evidence)
    if alert in (AlertCode.CERTIFICATE_EXPIRED, AlertCode.CERTIFICATE_UNKNOWN):
        return (fixes.SET_CLOCK, again) if evidence.clock_is_off else (again,)
    return trust_fixes(evidence, server_chain(evidence), problem)


@rule("identity/other-reason")
def other_reason(evidence: Evidence) -> Explanation | None:
    """A verification text that matches none of the known reasons."""
    client = evidence.client
    if client is None or client.flags is None or not (evidence.flags <= {"other", "revoked"}):
        return None
    return told(
        why=(f"it says: {' '.join(str(evidence.first_argument).split())[:120]}", *chain_lines(evidence)),
    )


@rule("identity/accepted-unchecked")
def accepted_unchecked(evidence: Evidence) -> Explanation | None:
    """Insecure: nothing was verified, or not everything."""
    expected = evidence.expected
    if not evidence.accepted or expected is None:
        return None
    if expected.client_number == mbedtls.SSL_BAD_CERTIFICATE and is_mbedtls_2(evidence.info):
        return None
    if {"expired", "future"} & set(expected.client_flags or ()) or accepted_outside_dates(evidence):
        return None
    checked = evidence.case.client.verify is Verify.REQUIRED
    return told(
        "the board accepted a certificate that it should have refused"
        if checked
        else "the board accepts any certificate: it does not verify",
        why=(
            f"setting: CERT_{evidence.case.client.verify.upper()}; CERT_OPTIONAL is no check at all on a client",
            f"verdict: {VerdictWord.INSECURE}",
            *chain_lines(evidence),
        ),
        fixes=_verifying(evidence),
    )


def _verifying(evidence: Evidence) -> tuple[Fix, ...]:
    """Return what the board's settings lack; a client that has the CA and the name, and accepts all the same, has a defect."""
    client = evidence.case.client
    if client.verify is not Verify.REQUIRED or not client.ca:
        return (fixes.trust(evidence.info, host=client.server_hostname),)
    if client.server_hostname is None:
        return (Fix(title="pass server_hostname to wrap_socket: without it the board compares no name"),)
    return (Fix(title="report it to the firmware's developers: the board has the CA, the name and CERT_REQUIRED"),)
