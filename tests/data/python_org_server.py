"""Give the TLS server in this process the defaults of a python.org build, where a test's text is about them.

Debian's Python is built with --with-ssl-default-suites=openssl and takes OpenSSL's own suites and versions instead. Run as a
conftest.py of a suite, or by its path.
"""

from typing import Any

from harness.server.engine.engine import Engine

# Modules/_ssl.c, PY_SSL_DEFAULT_CIPHER_STRING; such a context also begins with TLS 1.2.
SUITES = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"
_open = Engine.open


def open_as_python_org(self: Engine, settings: dict[str, Any]) -> dict[str, Any]:
    """Open a server as `Engine.open` does."""
    defaults = {"ciphers": SUITES, "minimum_version": "TLSv1.2"}
    chosen = {name: value for name, value in settings.items() if value is not None}
    return _open(self, {**settings, **defaults, **chosen})


Engine.open = open_as_python_org  # type: ignore[method-assign]
