"""The record of a serial line: both directions, bounded, safe to show, without secrets."""

from __future__ import annotations

import traceback

import pytest

from harness.boards.serial.transcript import MAX_KEPT_BYTES, NO_FRAMES, LineLog, printable


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain\ntext", "plain\ntext"),
        (b"a\r\nb", "a\nb"),
        (b"\x1b[31m\x00\x04", "\\x1b[31m\\x00\\x04"),
        ("é\u202e".encode(), "\\xc3\\xa9\\xe2\\x80\\xae"),
        (b"", ""),
    ],
)
def test_printable(data: bytes, text: str) -> None:
    """Control characters and non-ASCII bytes are escaped, newlines are kept."""
    assert printable(data) == text


def test_printable_is_bounded() -> None:
    """The middle is omitted and replaced by its length."""
    text = printable(b"a" * 500 + b"b" * 500, limit=100)
    assert text == "a" * 50 + "\n... 900 characters omitted ...\n" + "b" * 50


def test_directions() -> None:
    """Each line starts with its direction; consecutive bytes in one direction are joined."""
    log = LineLog()
    log.sent(b"pri")
    log.sent(b"nt(1)\x04")
    log.received(b"OK1\n\x04\x04>")
    assert log.text() == "> print(1)\\x04\n< OK1\n< \\x04\\x04>"
    assert (log.sent_bytes, log.received_bytes) == (9, 7)


def test_bounded() -> None:
    """A chatty board does not fill the memory; the last bytes are kept, the counters count all."""
    log = LineLog()
    for number in range(100):
        log.sent(b".")
        log.received(b"%04d" % number * 1024)
    assert sum(len(data) for _direction, data in log._parts) <= MAX_KEPT_BYTES
    assert log.text(limit=10**6).endswith("0099")
    assert log.received_bytes == 100 * 4096
    log.mark()
    log.received(b"x" * (3 * MAX_KEPT_BYTES))
    assert len(log.text(limit=10**6)) == MAX_KEPT_BYTES + 2


def test_mark() -> None:
    """A new case begins an empty transcript; the counters continue."""
    log = LineLog()
    log.sent(b"old")
    log.mark()
    log.sent(b"new")
    assert log.text() == "> new"
    assert log.sent_bytes == 6


def test_muted() -> None:
    """While muted, only the number of bytes is kept, for both directions and for errors."""
    log = LineLog()
    with log.muted():
        log.sent(b"password")
        log.received(b"echo of password")
        assert log.show(b"password") == "[8 bytes not recorded]"
    log.received(b"after")
    assert log.text() == "> [8 bytes not recorded]\n< [16 bytes not recorded]\n< after"


def test_an_error_while_muted_brings_no_frames() -> None:
    """Neither the error nor its cause keeps frames with the variables that held the secret; a note says that something was omitted."""

    def send(code: str) -> None:
        try:
            raise OSError("gone")
        except OSError as error:
            raise RuntimeError("failed") from error

    log = LineLog()
    with pytest.raises(RuntimeError, match="failed") as caught, log.muted():
        send("password")
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "password" not in shown.replace(NO_FRAMES, "")
    assert "OSError: gone" in shown
    assert NO_FRAMES in shown
    assert log.show(b"after") == "after"


@pytest.mark.parametrize("secret", ["hunter2", 'quo"te', "back\\slash", "ümlaut"])
def test_hidden(secret: str) -> None:
    """A secret that the board prints, plain, as JSON, or as JSON in a literal, is never shown."""
    import json

    log = LineLog()
    log.hide(secret)
    log.received(f"raw {secret} ".encode())
    log.received(f"json {json.dumps(secret)} literal {json.dumps(json.dumps(secret))}".encode())
    shown = log.text()
    assert shown.count("[hidden]") == 3
    for form in (secret, json.dumps(secret)[1:-1]):
        assert printable(form.encode()) not in shown


def test_empty_secret_hides_nothing() -> None:
    """An open WiFi has an empty password."""
    log = LineLog()
    log.hide("")
    log.received(b"text")
    assert log.text() == "< text"
