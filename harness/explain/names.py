"""The name of the server: what the board asked for (SNI) and what the certificate is for."""

from __future__ import annotations

from harness.certificates.chain_problems import NAMES, Reason
from harness.explain import fixes
from harness.explain.chain_evidence import server_chain
from harness.explain.chain_sentences import first_of, further, sentence
from harness.explain.client_lines import connecting
from harness.explain.evidence import Evidence
from harness.explain.registry import rule, told
from harness.explain.shown import read_certificates
from harness.firmware.since import Feature, since
from harness.model import Change, Explanation, Fix
from harness.wire.alerts import AlertCode
from harness.wire.host_names import is_ip_address
from harness.wire.insistence import Addition

_NO_HOSTNAME = "CERT_REQUIRED requires server_hostname"


def _names(evidence: Evidence) -> tuple[str, ...]:
    shown = read_certificates(evidence.wire.certificates[:1])
    is_for = shown[0].names_text if shown else "not visible (TLS 1.3)" if evidence.chose_tls13 else "not recorded"
    return (f"the board asked for:     {evidence.case.client.server_hostname}", f"the certificate is for:  {is_for}")


def _issue(evidence: Evidence) -> Fix:
    host = evidence.case.client.server_hostname
    kind = "IP" if is_ip_address(host or "") else "DNS"
    return Fix(
        title="issue the certificate for the name that the board uses",
        server_lines=(f'$ openssl req ... -addext "subjectAltName={kind}:{host}"',),
        change=fixes.issued_again(evidence),
    )


def _ask_for(evidence: Evidence) -> Fix:
    """Use a name in the certificate, if one is visible."""
    shown = read_certificates(evidence.wire.certificates[:1])
    names = [name.removeprefix("CN=").replace("*.", "board.", 1) for name in (shown[0].names if shown else ())]
    return Fix(
        title="ask for the name in the certificate",
        client_lines=connecting(evidence.info, host=names[0] if names else "NAME-IN-CERTIFICATE", ca=True),
        change=Change(client={"server_hostname": names[0]}) if names else None,
    )


@rule("names/wrong-host")
def wrong_host(evidence: Evidence) -> Explanation | None:
    """A valid certificate that was issued for another host."""
    host = evidence.case.client.server_hostname
    if evidence.flags != {"cn_mismatch"} or is_ip_address(host or ""):
        return None
    problem = first_of(server_chain(evidence), NAMES)
    nameless = problem is not None and problem.reason is Reason.NO_NAME
    return told(
        sentence(problem) if problem is not None and nameless else "",
        why=(
            *_names(evidence),
            "a wildcard matches exactly one label; if there are alternative names, the subject's name is ignored",
            *further(server_chain(evidence), problem),
        ),
        fixes=(
            _issue(evidence),
            *(() if nameless else (_ask_for(evidence),)),
            fixes.unchecked(),
        ),
    )


@rule("names/ip-address")
def ip_address(evidence: Evidence) -> Explanation | None:
    """iPAddress alternative names count from mbedTLS 3.5 on: firmware 1.23, esp32 1.24."""
    host = evidence.case.client.server_hostname
    if evidence.flags != {"cn_mismatch"} or not is_ip_address(host or ""):
        return None
    return told(
        why=(
            *_names(evidence),
            f"alternative names of type IP are used from mbedTLS 3.5 on: firmware {since(Feature.ADDRESS_NAMES)}",
            *further(server_chain(evidence), first_of(server_chain(evidence), NAMES)),
        ),
        fixes=(
            Fix(
                title="issue the certificate for a name and connect by that name",
                client_lines=connecting(evidence.info, host="board-server.local", ca=True),
            ),
            fixes.newer_firmware(since(Feature.ADDRESS_NAMES)),
            Fix(
                title="write the address as a DNS name into the certificate: every mbedTLS accepts it",
                server_lines=(f'$ openssl req ... -addext "subjectAltName=IP:{host},DNS:{host}"',),
                change=fixes.issued_again(evidence),
            ),
            fixes.unchecked(),
        ),
    )


@rule("names/no-hostname")
def no_hostname(evidence: Evidence) -> Explanation | None:
    """CERT_REQUIRED needs a name to compare."""
    if evidence.first_argument != _NO_HOSTNAME:
        return None
    return told(
        why=("refused before a byte was sent; firmware 1.20 and 1.21 continue and compare no name",),
        fixes=(
            Fix(
                title="pass the server's name",
                client_lines=connecting(evidence.info, host="HOST", ca=True),
                change=Change(client={"server_hostname": "*"}),
            ),
        ),
    )


@rule("names/missing-sni")
def missing_sni(evidence: Evidence) -> Explanation | None:
    """A server with several hosts refuses a client that does not name one."""
    insists = evidence.insists
    tried = insists is not None and Addition.SERVER_NAME in insists.additions
    named = evidence.alert("server") == AlertCode.UNRECOGNIZED_NAME or evidence.reason == "CALLBACK_FAILED"
    if not (named or tried) or evidence.sends_name:
        return None
    return told(
        why=(
            "the ClientHello has no server_name extension; on the board this looks like any other refusal",
            *(
                (f"this machine sent what the board sends: refused; accepted with {' and '.join(insists.additions)}",)
                if insists
                else ()
            ),
        ),
        fixes=(fixes.send_name(evidence.info, host="HOST"),),
    )


@rule("names/unknown-to-server")
def unknown_to_server(evidence: Evidence) -> Explanation | None:
    """unrecognized_name: the host is not one of the server's."""
    if evidence.alert("server") != AlertCode.UNRECOGNIZED_NAME or not evidence.sends_name:
        return None
    return told(
        f"the server does not know the host {evidence.hello.sni if evidence.hello else '?'!r} that the board asks for",
        why=("alert unrecognized_name(112) from the server; mbedTLS shows it as -30592 like every alert",),
        fixes=(
            Fix(
                title="ask for a host that the server has",
                client_lines=connecting(evidence.info, host="HOST"),
                change=Change(client={"server_hostname": "*"}),
            ),
            Fix(
                title="give the server a default certificate for unknown names",
                server_lines=("# sni_callback: return None instead of an alert",),
            ),
        ),
    )


@rule("names/callback-raised")
def callback_raised(evidence: Evidence) -> Explanation | None:
    """Python's sni_callback raised: handshake_failure."""
    if (
        evidence.reason != "CALLBACK_FAILED"
        or not evidence.sends_name
        or evidence.alert("server") == AlertCode.UNRECOGNIZED_NAME
    ):
        return None
    return told(
        why=("Python answers with handshake_failure(40): on the board it looks like NO_SHARED_CIPHER",),
        fixes=(
            Fix(
                title="fix the callback",
                server_lines=("context.sni_callback = callback  # must return None or an alert number",),
            ),
        ),
    )
