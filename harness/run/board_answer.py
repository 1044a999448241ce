"""What a board answered, as the client's report: its error named, nothing judged."""

from __future__ import annotations

from harness.boards.agent.protocol import Answer
from harness.model import BoardInfo, ClientReport
from harness.oracle.client_errors import client_failure


def client_report(answer: Answer, info: BoardInfo, *, hello_sent: bool) -> ClientReport:
    """Turn the agent's answer into a report.

    Args:
        answer: of one case.
        info: of the board: its TLS library says what its numbers mean.
        hello_sent: whether a ClientHello of it was seen.
    """
    failure = None
    if answer.stage is not None:
        failure = client_failure(
            answer.type or "",
            answer.args,
            stage=answer.stage,
            tls_library=info.tls_library,
            tls_version=info.tls_version,
            hello_sent=hello_sent,
            platform=info.platform,
        )
    return ClientReport(
        done=failure is None and not answer.missing,
        failure=failure,
        received_text=answer.text,
        received_bytes=answer.received_bytes,
        negotiated_suite=answer.suite,
        negotiated_version=answer.version,
        handshake_ms=answer.handshake_ms,
        free_before=answer.free_before,
        free_low=answer.free_low,
        free_after=answer.free_after,
        held=answer.held,
    )
