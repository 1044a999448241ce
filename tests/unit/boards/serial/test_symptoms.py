"""Identify what is at the other end from its bytes."""

from __future__ import annotations

import pytest

from harness.boards.serial.symptoms import what_answers, what_happened

BANNER = b'MicroPython v1.20.0 on 2023-04-26; ESP32 module with ESP32\r\nType "help()" for more information.\r\n>>> '
RAW = b"raw REPL; CTRL-B to exit\r\n>"
ROM = b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
WDT = b"rst:0x8 (TG1WDT_SYS_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"


@pytest.mark.parametrize(
    ("seen", "kind", "words"),
    [
        (b"", "silent", "no answer at all"),
        (b"\r\n\r\n\x00", "silent", "dtr = true in boards.toml"),
        (b"\r\x03\r\x01\r\x03\r\x01", "not-micropython", "only echoes what it is sent"),
        (b"^C\r\n^A^C\r\n^A", "not-micropython", "only echoes what it is sent"),
        (WDT * 3, "reset-loop", "watchdog keeps resetting it (TG1WDT_SYS_RESET), 3 times"),
        (ROM + BANNER + ROM + BANNER, "reset-loop", "in a reset loop (POWERON_RESET), 2 starts seen"),
        (BANNER * 2, "reset-loop", "boot.py or main.py ends in a reset or a crash"),
        (b"MPY: soft reboot\r\n" * 5, "reset-loop", "in a reset loop, 5 starts seen"),
        (ROM, "reset", "the board restarted while it was in use"),
        (b"MPY: soft reboot\r\n", "reset", "a watchdog, a brown-out"),
        (
            b"\r\nvirtual board: interpreter ended (SIGSEGV), restarting\r\n",
            "reset",
            "the interpreter of the virtual board ended (SIGSEGV) and was started again",
        ),
        (
            b"\r\nvirtual board: interpreter ended (exit code 3), restarting\r\n" * 2,
            "reset-loop",
            "the interpreter of the virtual board keeps ending (exit code 3), 2 times",
        ),
        (BANNER, "no-interrupt", "its program continues after Ctrl-C"),
        (b"tick\r\n" * 200, "no-interrupt", "prints continuously and ignores Ctrl-C"),
        (b"Traceback (most recent call last):\r\n", "no-interrupt", "Rename main.py"),
        (b"\r\nAdafruit CircuitPython 9.1 on 2024-07-10; Feather\r\n>>> ", "not-micropython", "CircuitPython"),
        (b"\r\nraspberrypi login: ", "not-micropython", "a Linux login prompt"),
        (b"U-Boot 2023.01\r\n=> ", "not-micropython", "U-Boot"),
        (b"waiting for download\r\n", "not-micropython", "GPIO0 is low"),
        (b"AT\r\r\nOK\r\n", "not-micropython", "a modem"),
        (b"root@box:~# ^C\r\nroot@box:~# ", "not-micropython", "a shell"),
        (b"$ \r\n$ ", "not-micropython", "a shell"),
        (b"sh: 1: \x01: not found\r\n", "not-micropython", "a shell"),
        (bytes(range(128, 256)) * 4, "not-micropython", "is the baud rate right?"),
        (b"READY.\r\n", "not-micropython", "its first line is 'READY.'"),
    ],
)
def test_what_answers(seen: bytes, kind: str, words: str) -> None:
    """Each situation has its fault kind and one sentence that says what to do."""
    found, sentence = what_answers(seen)
    assert found == kind
    assert words in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("seen", [b"\x1b[2J evil\r\n", "é".encode() + b"xxxxxxxxx\r\n"])
def test_first_line_is_safe_to_show(seen: bytes) -> None:
    """The board's bytes are escaped in the sentence."""
    sentence = what_answers(seen)[1]
    assert sentence.isascii()
    assert sentence.isprintable()


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (b"", None),
        (b"OK partial outp", None),
        (RAW, None),
        (BANNER, "reset"),
        (ROM, "reset"),
        (ROM + BANNER, "reset"),
        (WDT * 2, "reset-loop"),
        (b"rst cause:4, boot mode:(3,6)\r\n", "reset"),
        (b"MPY: soft reboot\r\n" + BANNER, "reset"),
        (BANNER + b"\r\nMPY: soft reboot\r\n" + BANNER, "reset"),
        (BANNER + b"\r\nMPY: soft reboot\r\n" + BANNER * 2, "reset-loop"),
        ((b"MPY: soft reboot\r\n" + BANNER) * 2, "reset-loop"),
        (BANNER + (b"MPY: soft reboot\r\n" + BANNER) * 2, "reset-loop"),
    ],
)
def test_what_happened(seen: bytes, kind: str | None) -> None:
    """A banner or a boot log instead of an answer is a restart; a ROM log and the banner after it are one restart.

    The end of our code, Ctrl-D, soft-resets a board that has restarted and is at its friendly prompt: that is not a second restart.
    """
    found = what_happened(seen)
    assert (found[0] if found else None) == kind


def test_only_white_space():
    """A board that sends nothing but a tab has no first line to show."""
    kind, text = what_answers(b"\t")
    assert (kind, text) == ("not-micropython", "it answers, but it is not MicroPython: its first line is '\\\\x09'")
