"""Requests as code, console bytes as answers: requests contain only data, and answers are bounded and checked."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from typing import Any

import pytest

from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.protocol import (
    FIRST_NUMBERS,
    LINE_LIMIT,
    TEXT_LIMIT,
    Answer,
    AnswerKind,
    RunRequest,
    Stored,
    blob_name,
    checked_code,
    clock_code,
    json_literal,
    network_code,
    own_text,
    put_code,
    put_pieces,
    read_answer,
    read_check,
    read_objects,
    read_stored,
    tcp_code,
)
from harness.model import Stage

RESULT = {
    "kind": "result",
    "text": "Hallo, Client!",
    "us": [151, 20412, 311],
    "free": [101000, None, 100500],
}
EXCEPTION = {
    "kind": "exception",
    "stage": "handshake",
    "type": "OSError",
    "args": [-30592, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"],
    "us": [151, 900, None],
    "free": [101000, None, 100500],
}


def _checked(text: bytes, *, kind: str = "c") -> bytes:
    return b"#th " + text + b" " + check_sum(text, kind=kind).encode() + b"\r\n"


def _line(value: Any) -> bytes:
    return _checked(json.dumps(value).encode())


def _request_of(code: str) -> dict[str, Any]:
    """Return the request as the board's json.loads would see it; check its checksum."""
    (call,) = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    text, *check = [ast.literal_eval(argument) for argument in call.args]
    assert check in ([], [check_sum(text.encode(), kind="c")])
    return json.loads(text)


def test_request_omits_what_is_not_set() -> None:
    """Only host, port and number are always present: each byte costs time on a slow line. The agent has the usual values as defaults."""
    usual = {"host": "192.0.2.1", "port": 4433, "n": 17}
    for request in (RunRequest(), RunRequest(name="tls.test", recv=14, timeout_ms=10000)):
        assert _request_of(replace(request, host="192.0.2.1", port=4433).code(number=17, kind="c")) == usual
    other = RunRequest(host="192.0.2.1", port=4433, name=None, recv=0)
    assert _request_of(other.code(number=17, kind="c")) == {**usual, "name": None, "recv": 0}


def test_a_text_of_no_bytes_is_sent() -> None:
    """Without a text the agent sends the greeting with the number, so an empty text must be said."""
    assert _request_of(RunRequest(host="h", port=1, text="").code(number=17, kind="c"))["text"] == ""


def test_the_greeting_is_always_as_long() -> None:
    """The server must know how many bytes to expect before the number is chosen; a board holds it without long integers."""
    assert own_text(FIRST_NUMBERS.start) == "Hallo, Server! 100000000"
    assert {len(own_text(number)) for number in (0, FIRST_NUMBERS.start, FIRST_NUMBERS.stop + 99_999_999)} == {24}
    assert FIRST_NUMBERS.stop + 99_999_999 < 1 << 30


def test_request_carries_everything() -> None:
    """Every field arrives under the key that device_scripts/tls_client.py reads."""
    request = RunRequest(
        host="h",
        port=1,
        name="a.test",
        verify=2,
        ca=("a", "b"),
        cert="c",
        key="k",
        suites="s",
        psk_identity="me",
        psk_key="p",
        text="t",
        send=5,
        recv=0,
        read_to_end=True,
        close_first=True,
        timeout_ms=7,
    )
    assert _request_of(request.code(number=3, kind="c")) == {
        "host": "h",
        "port": 1,
        "n": 3,
        "timeout": 7,
        "name": "a.test",
        "verify": 2,
        "ca": ["a", "b"],
        "cert": "c",
        "key": "k",
        "suites": "s",
        "psk_identity": "me",
        "psk_key": "p",
        "text": "t",
        "send": 5,
        "recv": 0,
        "readtoend": 1,
        "closefirst": 1,
    }
    assert request.blobs() == ("a", "b", "c", "k", "s", "p")


@pytest.mark.parametrize("text", ["'", '"', "\\", "'); import os; ('", "\n\r\0\x04\x03\x01", "ü€😀", "\\'\\x41"])
def test_text_is_never_code(text: str) -> None:
    """Whatever a field contains, the code is one call with one ASCII literal on one line, without control characters."""
    code = RunRequest(host="h", port=1, text=text).code(number=1, kind="c")
    assert code.isascii()
    assert code.isprintable()
    assert _request_of(code)["text"] == text
    assert ast.literal_eval(json_literal(text)) == json.dumps(text)


def test_blobs_are_split_and_joined() -> None:
    """The first call stores, the others append; an empty blob is one piece."""
    data = bytes(range(256)) * 8
    pieces = put_pieces(data, chunk_bytes=768)
    assert (b"".join(pieces), [len(piece) for piece in pieces]) == (data, [768, 768, 512])
    assert put_pieces(b"") == [b""]
    code = put_code("0a1b", b"abc", number=5, kind="a", more=True)
    assert code == f"th_put(5,'0a1b','YWJj',True,'{check_sum(b'0a1bYWJj', kind='a')}')"
    assert put_code("0a1b", None, number=6, kind="c") == f"th_put(6,'0a1b',None,False,'{check_sum(b'0a1b', kind='c')}')"


def test_blob_names_are_names() -> None:
    """A name is short and plain; any other is refused."""
    assert blob_name(b"x") == "2d711642b72"  # MicroPython keeps string literals of up to 10 characters
    for bad in ("", "a'b", "a" * 17, "a b"):
        with pytest.raises(ValueError, match="not a blob name"):
            put_code(bad, b"", number=1, kind="c")


def test_other_calls() -> None:
    """TCP, clock and network calls contain only literals."""
    assert tcp_code("192.0.2.1", port=80, timeout_ms=500) == "th_tcp('192.0.2.1',80,500)"
    assert clock_code((2026, 8, 9, 7, 1, 2, 3)) == "th_clock((2026,8,9,7,1,2,3))"
    assert _request_of(network_code({"kind": "wifi", "password": "a'b\\"})) == {"kind": "wifi", "password": "a'b\\"}
    with pytest.raises(ValueError, match="not a host name or address"):
        tcp_code("a'b", port=1, timeout_ms=1)


def test_result_is_read() -> None:
    """Times become milliseconds; null stays None."""
    assert read_answer(_line(RESULT)) == Answer(
        kind=AnswerKind.RESULT,
        text="Hallo, Client!",
        connect_ms=0.151,
        handshake_ms=20.412,
        exchange_ms=0.311,
        free_before=101000,
        free_after=100500,
    )


def test_a_clock_that_ran_backwards_measures_nothing() -> None:
    """A negative time is ignored; the handshake's result still counts."""
    answer = read_answer(_line({**RESULT, "us": [151, -20412, 311]}))
    assert answer is not None
    assert (answer.kind, answer.connect_ms, answer.handshake_ms, answer.exchange_ms) == ("result", 0.151, None, 0.311)


def test_exception_is_read() -> None:
    """Stage, type and arguments are kept as the board sent them."""
    answer = read_answer(_line({**EXCEPTION, "idf": [45000, 16000], "held": 25200}))
    assert answer is not None
    assert (answer.stage, answer.type, answer.args[0]) == (Stage.HANDSHAKE, "OSError", -30592)
    assert (answer.exchange_ms, answer.held, answer.idf_free, answer.idf_largest) == (None, 25200, 45000, 16000)


def test_error_is_read() -> None:
    """The agent's own errors name what is missing."""
    answer = read_answer(_line({"kind": "error", "missing": "tls.SSLContext.set_ciphers"}))
    assert answer == Answer(kind=AnswerKind.ERROR, missing="tls.SSLContext.set_ciphers")
    answer = read_answer(_line({"kind": "error", "message": "KeyError", "blob": "0a1b"}))
    assert answer == Answer(kind=AnswerKind.ERROR, message="KeyError", blob="0a1b")


def test_noise_is_ignored() -> None:
    """Log lines before, after and on the same line do not matter, nor do bytes that are not text."""
    noise = b"TLS buffer overflow, record size: 20527 (+5)\r\n\xff\xfe{}\nI (123) wifi: "
    assert read_answer(noise + _line(RESULT) + b"more\r\n>>> ") == read_answer(_line(RESULT))


def test_a_mark_inside_the_text_is_text() -> None:
    """Data from the peer cannot be mistaken for an answer of the agent."""
    answer = read_answer(_line({**RESULT, "text": '#th {"kind":"error"}'}))
    assert answer is not None
    assert (answer.kind, answer.text) == ("result", '#th {"kind":"error"}')


def test_every_cut_is_incomplete() -> None:
    """An answer that is cut anywhere before its end is incomplete, never wrong."""
    whole = _line(RESULT)
    for end in range(len(whole)):
        assert read_answer(whole[:end]) is None, end
    assert read_answer(whole) is not None


@pytest.mark.parametrize(
    "line",
    [
        b"#th {\n",
        b"#th \n",
        b'#th {"kind":"result"}\n',
        b'#th {"kind":"result"} c00000000\n',
        b'#th {"kind":"result"} x00000000\n',
        _checked(b"{"),
        _checked(b"1"),
        _checked(b"[]"),
        _checked(b'{"kind":"result","free":NaN}'),
        _checked(b"[" * 5000),
        b"#th " + b"x" * (LINE_LIMIT + 1) + b"\n",
        _line({"kind": "other"}),
        _line({}),
        _line({**RESULT, "us": [1, 2]}),
        _line({**RESULT, "us": "abc"}),
        _line({**RESULT, "us": [1, 2, "3"]}),
        _line({**RESULT, "us": [1, 2, True]}),
        _line({**RESULT, "us": [1, 2, 1 << 70]}),
        _line({**RESULT, "text": 5}),
        _line({**RESULT, "text": "x" * (TEXT_LIMIT + 1)}),
        _line({**EXCEPTION, "stage": "elsewhere"}),
        _line({**EXCEPTION, "args": [1, 2, 3, 4]}),
        _line({**EXCEPTION, "args": [[1]]}),
        _line({**EXCEPTION, "args": ["x" * 2000]}),
        _line({**EXCEPTION, "args": {"a": 1}}),
        _line(RESULT) * 2,
    ],
)
def test_wrong_answers_are_value_errors(line: bytes) -> None:
    """An answer that the agent cannot have written is a ValueError and no other exception."""
    with pytest.raises(ValueError, match="the board"):
        read_answer(line)


@pytest.mark.parametrize("kind", ["c", "s", "a"])
def test_no_damage_goes_unnoticed(kind: str) -> None:
    """After any flipped bit or lost byte there is no answer, a refused one, or the correct one; never a different one."""
    whole = _checked(json.dumps(EXCEPTION).encode(), kind=kind)
    right = read_answer(whole)
    damaged = [whole[:index] + whole[index + 1 :] for index in range(len(whole))]
    damaged += [
        whole[:index] + bytes([whole[index] ^ (1 << bit)]) + whole[index + 1 :]
        for index in range(len(whole))
        for bit in range(8)
    ]
    outcomes = set()
    for line in damaged:
        try:
            answer = read_answer(line)
        except ValueError:
            outcomes.add("refused")
        else:
            assert answer in (None, right)
            outcomes.add("right" if answer else "none")
    assert outcomes == {"refused", "none", "right"}  # correct: the lost byte is the CR before the line's end


def test_stored() -> None:
    """The sender checks the stored size and the number of the request."""
    assert read_stored(_line({"kind": "stored", "size": 700, "n": 4})) == Stored(number=4, size=700, damaged=False)
    assert read_stored(_line({"kind": "damaged", "n": 4})) == Stored(number=4, size=None, damaged=True)
    assert read_stored(b"nothing\n") is None
    with pytest.raises(ValueError, match="could not store data: 'MemoryError'"):
        read_stored(_line({"kind": "error", "message": "MemoryError"}))


def test_the_sum_of_a_file() -> None:
    """The loader's output is found anywhere; anything else is None."""
    assert read_check(b"I (1) wifi\r\n#th c000a1b2c3d\r\n") == "c000a1b2c3d"
    assert [read_check(text) for text in (b"#th c000a1b2c3d", b"#th c000a1b2c3\n", b"#th x000a1b2c3d\n", b"")] == [
        None
    ] * 4


def test_checked_code() -> None:
    """Code is one literal with its checksum, whatever its quotes."""
    code = "print('a', \"b\\n\")\n"
    (call,) = [node.value for node in ast.parse(checked_code(code, kind="s")).body if isinstance(node, ast.Expr)]
    assert isinstance(call, ast.Call)
    assert [ast.literal_eval(argument) for argument in call.args] == [code, check_sum(code.encode(), kind="s")]
    assert checked_code("1", kind="c", call="th_step").startswith("th_step(")


def test_several_objects_in_order() -> None:
    """Setup scripts answer with their own objects."""
    assert read_objects(_line({"a": 1}) + b"x\n" + _line({"a": 2})) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ({}, None),
        ({"text": ""}, 0),
        ({"text": "\u00fc"}, 2),
        ({"text": "0123", "size": 65536}, 65536),
        ({"text": "\ud800"}, 3),
    ],
)
def test_how_many_bytes_were_read(words, count):
    """The number is the board's if it sends one, else the size of its text; None if there was nothing to read."""
    assert read_answer(_line({"kind": "result", **words})).received_bytes == count
