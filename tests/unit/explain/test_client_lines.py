"""MicroPython lines for the API of a firmware."""

import pytest

from harness.explain.client_lines import connecting, offering
from harness.model import BoardInfo

CONTEXT = ("SSLContext.load_cert_chain", "SSLContext.load_verify_locations", "SSLContext.set_ciphers")
NEW = BoardInfo(tls_module="tls", api=tuple(f"tls.{name}" for name in CONTEXT))
MIDDLE = BoardInfo(tls_module="ssl", api=tuple(f"ssl.{name}" for name in CONTEXT))
OLD = BoardInfo(tls_module="ssl", api=("ssl.wrap_socket", "ssl.wrap_socket(cadata)"))
BROKEN = BoardInfo(tls_module="ssl", api=("ssl.wrap_socket", "ssl.SSLContext", "ssl.wrap_socket(cadata)"))


@pytest.mark.parametrize(
    ("info", "line"),
    [
        (NEW, 'context.load_verify_locations(open("ca.der", "rb").read())'),
        (MIDDLE, 'context.load_verify_locations(cadata=open("ca.der", "rb").read())'),
        (
            OLD,
            'stream = ssl.wrap_socket(sock, cert_reqs=ssl.CERT_REQUIRED, cadata=open("ca.der", "rb").read(), server_hostname="h")',
        ),
    ],
)
def test_each_generation_of_the_api(info, line):
    """The lines differ for 1.23 and later, 1.22, and earlier versions."""
    assert line in connecting(info, host="h", ca=True)


def test_the_context_of_1_21_is_not_used():
    """The SSLContext of 1.21 accepts no certificate, so the lines use the module's wrap_socket."""
    assert connecting(BROKEN, host="h", ca=True) == connecting(OLD, host="h", ca=True)


def test_tls_begins_with_cert_required():
    """Without a CA, the native module needs CERT_NONE; the frozen module has it as its default."""
    assert any("tls.CERT_NONE" in line for line in connecting(NEW, host="h"))
    assert not any("CERT_NONE" in line for line in connecting(MIDDLE, host="h"))


@pytest.mark.parametrize("info", [NEW, MIDDLE, OLD])
@pytest.mark.parametrize("words", [{}, {"ca": True}, {"certificate": True}, {"ca": True, "certificate": True}])
def test_the_lines_are_python(info, words):
    """The lines compile for every combination of arguments."""
    compile("\n".join(connecting(info, host="h", **words)), "lines", "exec")


def test_suites_in_mbedtls_spelling():
    """set_ciphers takes a list of mbedTLS names; firmware without it gets no line."""
    suites = ("TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA")
    assert offering(NEW, suites) == (
        "context.set_ciphers(['TLS1-3-AES-128-GCM-SHA256', 'TLS-RSA-WITH-AES-128-CBC-SHA'])",
    )
    assert offering(OLD, suites) == ()
