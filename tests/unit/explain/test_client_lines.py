"""MicroPython lines for the API that a firmware has."""

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
    """1.23 and later, 1.22, and before."""
    assert line in connecting(info, host="h", ca=True)


def test_the_context_of_1_21_is_of_no_use():
    """1.21 has an SSLContext that takes no certificate: module wrap_socket it is."""
    assert connecting(BROKEN, host="h", ca=True) == connecting(OLD, host="h", ca=True)


def test_tls_begins_with_cert_required():
    """Without a CA the native module has to be told to check nothing, the frozen one is so by itself."""
    assert any("tls.CERT_NONE" in line for line in connecting(NEW, host="h"))
    assert not any("CERT_NONE" in line for line in connecting(MIDDLE, host="h"))


@pytest.mark.parametrize("info", [NEW, MIDDLE, OLD])
@pytest.mark.parametrize("words", [{}, {"ca": True}, {"certificate": True}, {"ca": True, "certificate": True}])
def test_the_lines_are_python(info, words):
    """Whatever is asked for, it compiles."""
    compile("\n".join(connecting(info, host="h", **words)), "lines", "exec")


def test_suites_in_mbedtls_spelling():
    """set_ciphers wants a list of mbedTLS's names; firmware without it gets no line."""
    suites = ("TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA")
    assert offering(NEW, suites) == (
        "context.set_ciphers(['TLS1-3-AES-128-GCM-SHA256', 'TLS-RSA-WITH-AES-128-CBC-SHA'])",
    )
    assert offering(OLD, suites) == ()
