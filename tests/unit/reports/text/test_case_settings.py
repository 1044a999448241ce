"""The settings of a case, as a reader of the page sees them."""

import pytest

from harness.cases import all_cases
from harness.reports.text.case_settings import settings_of


@pytest.mark.parametrize(
    ("case", "lines"),
    [
        (
            "seed/mutual-tls",
            (
                "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)",
                "context.maximum_version = ssl.TLSVersion.TLSv1_2",
                'context.load_cert_chain("server-p256.pem", "server-p256-key.pem")',
                "context.verify_mode = ssl.CERT_REQUIRED",
                'context.load_verify_locations("ca-p256.pem")',
                "# board: CERT_REQUIRED with ca-p256 (der)",
                "# board: server_hostname 'tls.test'",
                "# board: client certificate client-p256 (der)",
            ),
        ),
        (
            "alert/handshake-failure",
            (
                "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)",
                "# behaviour: not-tls.alert, 2, 40",
                "# board: CERT_NONE",
                "# board: server_hostname 'tls.test'",
            ),
        ),
        ("sni/none", None),
        ("suite/client-iana-underscore", None),
        ("own/test", ()),
    ],
)
def test_settings(case, lines):
    """The server as Python has it, and the board's part; nothing for a case that this version does not have."""
    if lines is not None:
        assert settings_of(case) == lines
        return
    found = settings_of(case)
    expected = {
        "sni/none": "# board: no server_hostname",
        "suite/client-iana-underscore": "# board: set_ciphers(",
    }
    assert any(line.startswith(expected[case]) for line in found), found


def test_every_case_has_settings():
    """Each case has a server and a board."""
    for case in all_cases():
        lines = settings_of(case.id)
        assert lines[0].startswith("context = "), case.id
        assert any(line.startswith("# board: CERT_") for line in lines), case.id
