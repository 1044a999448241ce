"""Tests of harness/wire/suite_table.py against the libraries on this machine."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from harness.wire.handshake import read_client_hello
from harness.wire.suite_table import SUITE_TABLE


def _table() -> dict[str, str]:
    words = SUITE_TABLE.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def test_table_is_sorted_and_unique() -> None:
    """Codes are ascending, and no code or name occurs twice."""
    codes = SUITE_TABLE.split()[::2]
    assert sorted(set(codes)) == codes
    assert len(set(_table().values())) == len(codes)


def test_openssl_names_are_in_the_table() -> None:
    """Every suite of the installed `openssl ciphers -stdname -V` has the same name under the same code."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl command on this machine")
    listing = subprocess.run(
        [openssl, "ciphers", "-stdname", "-V", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    theirs = {}
    for line in listing.splitlines():
        code, _dash, name = line.split()[:3]
        first, second = code.split(",")
        theirs[f"{int(first, 16):02x}{int(second, 16):02x}"] = name
    assert len(theirs) > 30
    assert theirs == {code: _table().get(code) for code in theirs}


def test_stored_hellos_have_names(stored_hello) -> None:
    """Every suite any recorded firmware offers is in the table."""
    facts = read_client_hello(stored_hello.data)
    assert facts is not None
    assert set() == set(facts.suites) - set(_table())
