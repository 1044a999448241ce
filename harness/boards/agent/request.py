"""Turn a client plan into the agent's request and the blobs that it names.

Knows plans, certificates and what the probed firmware offers; pure except for the certificates that it generates. Sends nothing.
"""

from __future__ import annotations

import difflib

from harness.boards.agent.protocol import DEFAULT_ANSWER_BYTES, DEFAULT_TIMEOUT_MS, RunRequest, blob_name
from harness.certificates import Certificates
from harness.certificates.forms import authorities, own_certificate
from harness.errors import UsageError
from harness.model import BoardInfo, ClientPlan, Verify
from harness.wire.suites import all_suites, mbedtls_suite_name, suite_code, suite_name

_VERIFY = {Verify.NONE: 0, Verify.OPTIONAL: 1, Verify.REQUIRED: 2}
_DEFAULT_TIMEOUT_S = 10.0


def build_request(
    plan: ClientPlan, certificates: Certificates, *, info: BoardInfo, timeout_multiplier: float
) -> tuple[RunRequest, dict[str, bytes]]:
    """Build the request for one connection, without host and port.

    Args:
        plan: what the board must do.
        certificates: makes the plan's certificates.
        info: what the firmware offers.
        timeout_multiplier: for the time limit on the board.

    Returns:
        The request, and the blobs that it names.

    Raises:
        Unavailable: a certificate cannot be made on this machine.
        UsageError: there is no suite of this name.
    """
    blobs: dict[str, bytes] = {}

    def blob(data: bytes) -> str:
        name = blob_name(data)
        blobs[name] = data
        return name

    trusted = authorities([certificates.make(name) for name in plan.ca], form=plan.ca_format) if plan.ca else []
    cert = key = None
    if plan.certificate:
        own = own_certificate(certificates.make(plan.certificate), form=plan.certificate_format)
        cert, key = map(blob, own)
    suites = _suite_list(plan, info)
    request = RunRequest(
        name=plan.server_hostname,
        verify=_VERIFY[Verify(plan.verify)],
        ca=tuple(map(blob, trusted)),
        cert=cert,
        key=key,
        suites=blob(suites) if suites is not None else None,
        psk_identity=plan.psk_identity,
        psk_key=blob(bytes.fromhex(plan.psk_key)) if plan.psk_key is not None else None,
        text=plan.text,
        send=plan.send_bytes,
        recv=DEFAULT_ANSWER_BYTES if plan.receive_bytes is None else plan.receive_bytes,
        read_to_end=plan.read_to_end,
        close_first=plan.close_first,
        program=plan.program,
        timeout_ms=_timeout_ms(plan, timeout_multiplier),
        clock_unix_s=plan.clock_unix_s,
        heap_bytes=plan.heap_bytes,
    )
    return request, blobs


def _timeout_ms(plan: ClientPlan, multiplier: float) -> int:
    """Return the time limit of the board's socket; a program of other people sets its own, if any."""
    if plan.program is not None:
        return DEFAULT_TIMEOUT_MS
    return int((plan.timeout_s or _DEFAULT_TIMEOUT_S) * 1000 * multiplier)


def _suite_list(plan: ClientPlan, info: BoardInfo) -> bytes | None:
    """The argument of `set_ciphers`; None to leave the firmware's own list.

    `suite_words` are passed on unchanged. Suites are spelled as mbedTLS does; those that this firmware does not know are omitted,
    because one unknown name makes mbedTLS refuse the whole list.
    """
    if plan.suite_words is not None:
        return ",".join(plan.suite_words).encode("ascii")
    for name in plan.suites or ():
        # Unchecked, a misspelled name would be omitted as if this firmware did not have the suite.
        if suite_code(name) is None:
            raise UsageError(f"suites: {name!r} is not an IANA cipher suite name{_suggestion(name)}")
    if plan.suites is None or not info.can_set_ciphers:
        return None
    names = [mbedtls_suite_name(name) for name in plan.suites]
    known = set(info.suites)
    return ",".join(name for name in names if not known or name in known).encode("ascii")


def _suggestion(name: str) -> str:
    near = difflib.get_close_matches(name.upper(), [suite_name(code) for code in all_suites()], n=1, cutoff=0.8)
    return f"; did you mean {near[0]}?" if near else " (e.g. TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)"
