"""Compare a board's unrestricted ClientHello with its probe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.firmware.hello_notes import hello_clock_unix_s, hello_notes
from harness.model import BoardInfo, HelloFacts

NOW = 1_795_000_000
EPOCH_2000_S = 946684800


def hello(*, fingerprint: str | None, time: int = 0) -> HelloFacts:
    """Return a ClientHello of a family, with a time in its random."""
    return HelloFacts(
        record_version="0303",
        versions=("0303",),
        suites=("c02b",),
        groups=(),
        signature_algorithms=(),
        extensions=(),
        sni=None,
        random=f"{time:08x}" + "ab" * 28,
        fingerprint=fingerprint,
    )


def board(version: tuple[int | str, ...], *, fingerprint: str | None = "C3", time: int = NOW) -> BoardInfo:
    """Return a probed board whose first ClientHello arrived at NOW."""
    return BoardInfo(
        version=version, hello=hello(fingerprint=fingerprint, time=time), hello_unix_s=NOW, clock_unix_s=NOW
    )


@pytest.mark.parametrize(
    ("version", "family"),
    [((1, 29, 0, "preview"), "C3"), ((1, 20, 0), "B"), ((1, 19, 1), "A"), ((1, 18), "X"), ((1, 25, 0), "D")],
)
def test_a_matching_family_gives_no_note(version: tuple[int | str, ...], family: str) -> None:
    """A firmware with the ClientHello of its version needs no note."""
    assert hello_notes(board(version, fingerprint=family)) == ()


@pytest.mark.parametrize(("version", "family"), [((1, 29, 0), "B"), ((1, 19, 1), "C3"), ((1, 24, 0), "B3")])
def test_a_family_of_another_version_is_named(version: tuple[int, ...], family: str) -> None:
    """If version and ClientHello disagree, the note names both."""
    (note,) = hello_notes(board(version, fingerprint=family))
    firmware = ".".join(map(str, version))
    assert note.startswith(f"firmware {firmware} does not match its ClientHello of family {family}: MicroPython ")


def test_an_unknown_family_is_noted() -> None:
    """A ClientHello of no known family is a firmware with its own configuration."""
    (note,) = hello_notes(board((1, 29, 0), fingerprint=None))
    assert (
        note
        == "its ClientHello matches no known family: a firmware with its own TLS configuration (1 suites, record version 0303)"
    )


@pytest.mark.parametrize("sent", [NOW, NOW - EPOCH_2000_S], ids=["epoch 1970", "epoch 2000"])
def test_the_clock_is_read_in_both_epochs(sent: int) -> None:
    """stm32 and renesas count from 2000, the others from 1970."""
    assert hello_clock_unix_s(board((1, 29, 0), time=sent)) == NOW


def test_random_bytes_are_no_clock() -> None:
    """Firmware without MBEDTLS_HAVE_TIME sends random bytes: no clock, no note."""
    info = board((1, 29, 0), time=0x12345678)
    assert hello_clock_unix_s(info) is None
    assert hello_notes(info) == ()


def test_a_clock_that_cannot_be_set_is_named() -> None:
    """A board whose clock is at 2000 checks certificates against that: the note has the time."""
    info = replace(board((1, 29, 0), time=100), clock_unix_s=EPOCH_2000_S + 90)
    (note,) = hello_notes(info)
    assert note.startswith("the time in its ClientHello differs from this machine's: 2000-01-01 00:01:40 UTC;")
