"""OpenSSL's packed error codes."""

import pytest

from harness.explain.catalogue.openssl_codes import REASONS, reason_of, with_reasons


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (0x0A0000C1, 193),
        (0x1417C0C7, 199),
        (0x140260FC, 252),
        (0x0A000418, 1048),
        (0x0909006C, None),
        (0x04000080, None),
    ],
)
def test_reason(code, reason):
    """Versions 1 and 3 pack differently; the codes of other libraries are none of SSL's."""
    assert reason_of(code) == reason


def test_names():
    """A code without text gets its name; an alert its number; an unknown one nothing."""
    assert (
        with_reasons("error:0A0000C1:lib(20)::reason(193)") == "error:0A0000C1:lib(20)::reason(193) ; NO_SHARED_CIPHER"
    )
    assert with_reasons("error:0A000418:x") == "error:0A000418:x ; alert number 48"
    assert with_reasons("error:0A000001:x and no code") == "error:0A000001:x and no code"


def test_the_table_is_that_of_this_python():
    """CPython generates the same table from OpenSSL's headers."""
    ssl = pytest.importorskip("_ssl")
    known = {code: name for (library, code), name in getattr(ssl, "err_codes_to_names", {}).items() if library == 20}
    if not known:
        pytest.skip("this Python has no table")
    assert {code: name for code, name in REASONS.items() if code in known and known[code] != name} == {}
