"""Whether the client trusts the server's certificate: its issuer, the trusted CAs, and missing checks."""

from __future__ import annotations

from harness.expectations.clients import is_mbedtls_2
from harness.explain import fixes
from harness.explain.clock import accepted_outside_dates
from harness.explain.evidence import Evidence
from harness.explain.registry import rule, told
from harness.explain.shown import Shown, read_certificates
from harness.model import Explanation, Fix, VerdictWord, Verify
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import AlertCode

FULL_CHAIN = Fix(
    title="send the intermediates too: fullchain.pem instead of cert.pem",
    server_lines=("$ cat cert.pem intermediate.pem > fullchain.pem", fixes.load("fullchain.pem", "key.pem")),
)

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


def _trusted(evidence: Evidence) -> tuple[Shown, ...]:
    return read_certificates(evidence.authorities[:10])


def chain_lines(evidence: Evidence) -> tuple[str, ...]:
    """What the server sent and what the board trusts, a line each."""
    sent = [f"sent {at}: {item.subject}, issued by {item.issuer}" for at, item in enumerate(_sent(evidence), start=1)]
    if not sent:
        sent = ["sent: not visible (TLS 1.3 encrypts it)" if evidence.chose_tls13 else "sent: not recorded"]
    trusted = [f"trusted: {item.subject}" for item in _trusted(evidence)]
    nothing = "trusted: not recorded" if evidence.case.client.ca else "trusted: nothing was loaded"
    return (*sent, *(trusted or [nothing]))


def _shape(evidence: Evidence) -> str | None:
    """Return how a chain is broken, from the names in it; None if trust is not the only problem."""
    if not _not_trusted(evidence):
        return None
    sent, trusted = _sent(evidence), {item.subject for item in _trusted(evidence)}
    if not sent or not trusted:
        return "unknown-issuer"
    leaf = sent[0]
    if leaf.is_self_issued:
        return "self-signed"
    if leaf.subject in trusted:
        return "leaf-as-ca"
    issuers = {item.issuer for item in sent}
    return "broken-chain" if issuers & trusted else "unknown-issuer"


@rule("identity/self-signed")
def self_signed(evidence: Evidence) -> Explanation | None:
    """Self-signed and not in the trust store."""
    if _shape(evidence) != "self-signed":
        return None
    return told(
        "the server's certificate is self-signed, and the board does not have it",
        why=chain_lines(evidence),
        fixes=(
            Fix(
                title="issue the server's certificate from a CA of your own, and load that CA",
                change=fixes.issued_again(evidence),
            ),
            fixes.trust(evidence.info, host=evidence.case.client.server_hostname),
            fixes.unchecked(),
        ),
    )


@rule("identity/leaf-as-ca")
def leaf_as_ca(evidence: Evidence) -> Explanation | None:
    """mbedTLS needs the issuer; only a self-signed leaf can be pinned."""
    if _shape(evidence) != "leaf-as-ca":
        return None
    return told(
        "the board has the server's own certificate as CA; mbedTLS needs the one that issued it",
        why=chain_lines(evidence),
        fixes=(fixes.trust(evidence.info, host=evidence.case.client.server_hostname),),
    )


@rule("identity/broken-chain")
def broken_chain(evidence: Evidence) -> Explanation | None:
    """The names lead to the trusted CA, the signatures do not."""
    if _shape(evidence) != "broken-chain":
        return None
    return told(
        "the chain leads to the trusted CA by name, but not by signature: another key, wrong order, or an issuer that is not a CA",
        why=(
            *chain_lines(evidence),
            "mbedTLS looks for an issuer only after the certificate it signed; pathlen and CA:TRUE are enforced",
        ),
        fixes=(
            Fix(
                title="see where it breaks",
                server_lines=("$ openssl verify -show_chain -CAfile ca.pem -untrusted fullchain.pem cert.pem",),
            ),
            Fix(
                title="send the leaf, then its issuer, then the issuer of that, and so on",
                server_lines=FULL_CHAIN.server_lines,
                change=fixes.issued_again(evidence),
            ),
            fixes.unchecked(),
        ),
    )


@rule("identity/unknown-issuer")
def unknown_issuer(evidence: Evidence) -> Explanation | None:
    """No certificate in the chain was issued by a CA that the board trusts: wrong CA, or an intermediate that is not sent."""
    if _shape(evidence) != "unknown-issuer":
        return None
    return told(
        "no certificate that the server sent was issued by a CA that the board trusts",
        why=(
            *chain_lines(evidence),
            "wrong CA on the board, a missing intermediate, or DER files joined into one (only the first is used)",
        ),
        fixes=(
            FULL_CHAIN,
            fixes.trust(evidence.info, host=evidence.case.client.server_hostname),
            fixes.unchecked(),
        ),
    )


@rule("identity/no-ca")
def no_ca(evidence: Evidence) -> Explanation | None:
    """CERT_REQUIRED (the default of tls.SSLContext) without a CA to verify the certificate."""
    if evidence.number != mbedtls.SSL_CA_CHAIN_REQUIRED:
        return None
    return told(
        "CERT_REQUIRED is set on the board, but no CA was loaded",
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
    reason = _REASONS.get(evidence.alert("client"))
    return told(
        f"the board rejects the certificate{f': {reason}' if reason else ''}; "
        "this firmware has one number for every reason (trust, name, date, hash, memory)",
        why=(
            *shown,
            f"host asked for: {host}",
            f"its alert says: {alert}",
            *(f"trusted: {item.subject}" for item in _trusted(evidence)),
        ),
        fixes=(*_by_alert(evidence), fixes.newer_firmware("1.22 and later report the reason")),
    )


def _by_alert(evidence: Evidence) -> tuple[Fix, ...]:
    """What helps against the reason that the client's alert names; mbedTLS has no alert of its own for a hash or a date to come."""
    alert = evidence.alert("client")
    again = Fix(
        title="issue the certificate again: for the name or address the board asks for, valid now, signed with SHA-256",
        change=fixes.issued_again(evidence),
    )
    if alert == AlertCode.BAD_CERTIFICATE:
        return (again,)
    if alert == AlertCode.UNSUPPORTED_CERTIFICATE:
        return fixes.other_keys(evidence)
    if alert in (AlertCode.CERTIFICATE_EXPIRED, AlertCode.CERTIFICATE_UNKNOWN):
        return (fixes.SET_CLOCK, again) if evidence.clock_is_off else (again,)
    return (FULL_CHAIN, fixes.trust(evidence.info, host=evidence.case.client.server_hostname))


@rule("identity/other-reason")
def other_reason(evidence: Evidence) -> Explanation | None:
    """A verification text that matches none of the known reasons."""
    client = evidence.client
    if client is None or client.flags is None or not (evidence.flags <= {"other", "revoked"}):
        return None
    return told(
        "the board refuses the server's certificate",
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
        fixes=(fixes.trust(evidence.info, host=evidence.case.client.server_hostname),),
    )
