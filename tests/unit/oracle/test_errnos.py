"""errno numbers by port."""

from __future__ import annotations

import errno
import sys

import pytest

from harness.oracle.errnos import errno_name, is_plausible_on_socket, resolver_name


@pytest.mark.skipif(sys.platform != "linux", reason="compares with this machine's own table")
def test_the_default_table_is_linux() -> None:
    """Every entry of the default table is this Linux's name of the number."""
    ours = {number: errno_name(number) for number in range(1, 200) if errno_name(number)}
    theirs = {number: errno.errorcode[number] for number in ours}
    assert ours == {number: name.replace("ENOTSUP", "EOPNOTSUPP") for number, name in theirs.items()}


def test_only_errnos_of_a_connected_socket_are_plausible() -> None:
    """EBUSY and EISCONN never come from reading or writing a socket."""
    assert [is_plausible_on_socket(name) for name in ("ECONNRESET", "EBUSY", "EISCONN", None)] == [
        True,
        False,
        False,
        False,
    ]


def test_resolver_numbers() -> None:
    """getaddrinfo fails with -2 on unix and lwIP boards and -202 on esp32; -30592 is not a resolver number."""
    assert [resolver_name(number) for number in (-2, -202, -30592)] == ["EAI_NONAME", "EAI_FAIL", None]
