"""What the agent said, as the client's report."""

from harness.boards.agent.protocol import Answer
from harness.model import BoardInfo, Stage
from harness.run.board_answer import client_report

INFO = BoardInfo(tls_library="mbedTLS", tls_version="Mbed TLS 3.6.0", platform="linux")


def test_a_result():
    """A finished session carries what was measured."""
    report = client_report(Answer(kind="result", text="Hallo, Client!", free_before=9, held=4), INFO, hello_sent=True)
    assert (report.done, report.failure, report.received_text) == (True, None, "Hallo, Client!")
    assert (report.free_before, report.held) == (9, 4)


def test_an_error():
    """An error is named and has its stage."""
    answer = Answer(kind="exception", stage=Stage.HANDSHAKE, type="OSError", args=(-30592,))
    report = client_report(answer, INFO, hello_sent=True)
    assert report.done is False
    assert (report.failure.name, report.failure.stage) == ("MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE", Stage.HANDSHAKE)


def test_what_the_firmware_lacks():
    """Without the API nothing was done, and nothing failed either."""
    report = client_report(Answer(kind="error", missing="set_ciphers"), INFO, hello_sent=False)
    assert (report.done, report.failure) == (False, None)
