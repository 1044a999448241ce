"""This machine in a report: what decides outcomes on the harness's own side. Reads the interpreter, changes nothing."""

from __future__ import annotations

import datetime
import platform
import ssl
import sys

from harness.reports.record.run_types import Host
from harness.wire.suites import suite_name


def this_host() -> Host:
    """Return Python, OpenSSL, the suites a server context has by default, the machine and its platform."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return Host(
        python=platform.python_version(),
        openssl=ssl.OPENSSL_VERSION,
        default_suites=tuple(suite_name(suite["id"] & 0xFFFF) for suite in context.get_ciphers()),
        security_level=getattr(context, "security_level", None),
        machine=platform.node(),
        platform="-".join((platform.system(), platform.release(), platform.machine())),
        implementation=sys.implementation.name,
    )


def utc(moment: float) -> str:
    """Return a time as reports write it: ISO 8601, UTC, milliseconds."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat(timespec="milliseconds")
