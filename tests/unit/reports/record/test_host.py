"""This machine in a report."""

import platform
import ssl

from harness.reports.record.host import this_host, utc


def test_host():
    """The record has what affects outcomes: Python, OpenSSL, default suites and security level."""
    host = this_host()
    assert (host.python, host.openssl) == (platform.python_version(), ssl.OPENSSL_VERSION)
    assert "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" in host.default_suites
    assert all(name.startswith("TLS_") for name in host.default_suites)


def test_utc():
    """ISO 8601 with milliseconds, in UTC."""
    assert utc(0.0625) == "1970-01-01T00:00:00.062+00:00"
