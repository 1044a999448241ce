"""This machine in a report: what decides outcomes on the harness's own side. Reads the interpreter, touches nothing."""

from __future__ import annotations

import datetime
import platform
import ssl
import sys
from typing import Any

from harness.wire.suites import suite_name


def host_json() -> dict[str, Any]:
    """Python, OpenSSL, the suites a server context has by default, the machine and its platform."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return {
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "default_suites": [suite_name(suite["id"] & 0xFFFF) for suite in context.get_ciphers()],
        "security_level": getattr(context, "security_level", None),
        "machine": platform.node(),
        "platform": platform.platform(),
        "implementation": sys.implementation.name,
    }


def utc(moment: float) -> str:
    """A time as reports write it: ISO 8601, UTC, milliseconds."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat(timespec="milliseconds")
