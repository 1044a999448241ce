"""The protocol of host and board: requests as code, console bytes as records.

Pure: knows the requests and answers of `device_scripts/`, opens no port. Everything from the board is untrusted: bounded, parsed as
JSON only, checked field by field. A request is always data inside one call, never code built from strings.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.boards.agent.answer_json import strict_json
from harness.boards.agent.check_sum import PATTERN, check_sum, fits
from harness.model import DEFAULT_CLIENT, ClientApi, Stage

VERSION = 2
FOLDER = "tls_harness"
AGENT_FILE = f"{FOLDER}/agent.py"
# Files of earlier versions of the harness in that folder.
FORMER_FILES = (f"{FOLDER}/tls_client.py", f"{FOLDER}/hash")
VERSION_CODE = 'th_say({"kind":"version","version":th_version})'
MARK = "#th "
DAMAGED = "#th damaged"
AGAIN_CODE = b"th_again()"  # prints the last answer again
# The agent's longest answer is three arguments of 240 characters, escaped; much more is noise or malice.
LINE_LIMIT = 8192
TEXT_LIMIT = 2048
ARGUMENT_LIMIT = 1024
PUT_CHUNK_BYTES = 768
# Where the numbers of a session begin, at random: they always have nine digits, and are small integers on every board.
FIRST_NUMBERS = range(100_000_000, 900_000_000)
# The agent's defaults for missing values (th_session of tls_client.py).
DEFAULT_TIMEOUT_MS = 10000
DEFAULT_NAME = "tls.test"
DEFAULT_ANSWER_BYTES = len("Hallo, Client!")


class AnswerKind(StrEnum):
    """The agent's answer: the attempt's result, an exception with its stage, its own error, or that the request arrived damaged."""

    RESULT = "result"
    EXCEPTION = "exception"
    ERROR = "error"
    DAMAGED = "damaged"


# ----------------------------------------------------------------------------------------------- requests


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One connection attempt, as requested from the board.

    `ca`, `cert`, `key`, `suites` and `psk_key` are names of stored blobs; `verify` is 0, 1 or 2.
    `text` is what to send, None for `own_text` of this exec; `send` pads it to this many bytes, and `recv` bytes of the answer are read.
    `api` is the API through which it connects. The defaults are the agent's, so they are not sent; the last two are for `altered.py`.
    """

    host: str = ""
    port: int = 0
    name: str | None = DEFAULT_NAME
    verify: int = 0
    ca: tuple[str, ...] = ()
    cert: str | None = None
    key: str | None = None
    suites: str | None = None
    psk_identity: str | None = None
    psk_key: str | None = None
    text: str | None = None
    send: int | None = None
    recv: int = DEFAULT_ANSWER_BYTES
    read_to_end: bool = False
    close_first: bool = False
    timeout_ms: int = DEFAULT_TIMEOUT_MS
    program: str | None = None
    api: ClientApi = DEFAULT_CLIENT
    clock_unix_s: int | None = None
    heap_bytes: int | None = None

    def blobs(self) -> tuple[str, ...]:
        """The blob names that the board must hold before this request."""
        single = (self.cert, self.key, self.suites, self.psk_key)
        return tuple(dict.fromkeys([*self.ca, *(name for name in single if name is not None)]))

    def code(self, *, number: int, kind: str) -> str:
        """The code to run on the board: one call with two literals, the request and its checksum.

        Args:
            number: of this exec within the session; the answer contains it, too.
            kind: of checksums, as the board chose it.
        """
        words: dict[str, Any] = {"host": self.host, "port": self.port, "n": number}
        optional = {
            "timeout": self.timeout_ms if self.timeout_ms != DEFAULT_TIMEOUT_MS else None,
            "verify": self.verify or None,
            "ca": list(self.ca) or None,
            "cert": self.cert,
            "key": self.key,
            "suites": self.suites,
            "psk_identity": self.psk_identity,
            "psk_key": self.psk_key,
            "text": self.text,
            "send": self.send,
            "recv": self.recv if self.recv != DEFAULT_ANSWER_BYTES else None,
            "readtoend": 1 if self.read_to_end else None,
            "closefirst": 1 if self.close_first else None,
            "program": self.program,
            "run": "th_app" if self.program else "th_async" if self.api is ClientApi.ASYNCIO else None,
        }
        words.update({key: value for key, value in optional.items() if value is not None})
        if self.name != DEFAULT_NAME:
            words["name"] = self.name
        text = json.dumps(words, ensure_ascii=True, separators=(",", ":"))
        return f"th_run({literal(text)},{check_literal(text, kind=kind)})"


def own_text(number: int) -> str:
    """Return what the board sends in the exec of this number unless its request has a text; its length is always the same."""
    return f"Hallo, Server! {number:09d}"


def checked_code(code: str, *, kind: str, call: str = "th_x") -> str:
    """Wrap code so that the board runs it only if it arrived undamaged.

    Args:
        code: ASCII source.
        kind: of checksums, as the board chose it.
        call: the function of device_scripts/line.py: `th_x`, or `th_step` for a step of the probe.
    """
    return f"{call}({code!r},{check_literal(code, kind=kind)})"


def json_literal(value: Any) -> str:
    """Write a value as JSON inside a string literal that MicroPython and Python read the same way."""
    return literal(json.dumps(value, ensure_ascii=True, separators=(",", ":")))


def check_literal(text: str, *, kind: str) -> str:
    """Return the checksum of ASCII as a literal."""
    return f"'{check_sum(text.encode('ascii'), kind=kind)}'"


def literal(text: str) -> str:
    """Return ASCII without control characters as a string literal: only the quote and the backslash are escaped."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def blob_name(data: bytes) -> str:
    """Name a blob by its content: 11 characters, for the reason that a checksum has as many."""
    return hashlib.sha256(data).hexdigest()[:11]


def put_pieces(data: bytes, *, chunk_bytes: int = PUT_CHUNK_BYTES) -> list[bytes]:
    """Split a blob into pieces small enough for a board's input buffer and heap; an empty one is one empty piece."""
    return [data[at : at + chunk_bytes] for at in range(0, len(data), chunk_bytes)] or [b""]


def put_code(name: str, piece: bytes | None, *, number: int, kind: str, more: bool = False) -> str:
    """Return the call that stores a piece of a blob, or drops the blob.

    Args:
        name: from `blob_name`.
        piece: the content; None drops what is stored.
        number: of this exec within the session.
        kind: of checksums, as the board chose it.
        more: append to what is stored.
    """
    if not re.fullmatch("[0-9a-zA-Z]{1,16}", name):
        raise ValueError(f"not a blob name: {name!r}")
    text = "" if piece is None else base64.b64encode(piece).decode("ascii")
    return f"th_put({number},'{name}',{None if piece is None else repr(text)},{more},{check_literal(name + text, kind=kind)})"


def network_code(settings: Mapping[str, Any]) -> str:
    """Return the call for `script("network_setup")`: kind, timeout (s), ssid, password, country, static, lan.

    The result contains the password: it must not reach a log or a transcript.
    """
    return f"th_network({json_literal(dict(settings))})"


def tcp_code(host: str, *, port: int, timeout_ms: int) -> str:
    """Return the call for `script("tcp_try")`."""
    return f"th_tcp({_plain_literal(host)},{int(port)},{int(timeout_ms)})"


def clock_code(when: tuple[int, int, int, int, int, int, int]) -> str:
    """Return the call for `script("set_clock")`: year, month, day, weekday 1-7, hour, minute, second in UTC."""
    return f"th_clock(({','.join(str(int(part)) for part in when)}))"


def _plain_literal(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z._:%-]{1,255}", text):
        raise ValueError(f"not a host name or address: {text!r}")
    return f"'{text}'"


# ----------------------------------------------------------------------------------------------- answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The agent's answer about one attempt; `stage` is that of an exception.

    `missing` names the API that this firmware lacks for the request, `blob` the blob that the board does not hold.
    `size` is the number of bytes read if that is more than the text shows. `clock_off_s`: how wrong a requested clock was. `passed` is
    what the agent passed on to the TLS API and the socket, as `harness.boards.agent.echo` reads it.
    """

    kind: AnswerKind
    number: int | None = None
    stage: Stage | None = None
    type: str | None = None
    args: tuple[int | str | None, ...] = ()
    text: str | None = None
    size: int | None = None
    connect_ms: float | None = None
    handshake_ms: float | None = None
    exchange_ms: float | None = None
    free_before: int | None = None
    free_low: int | None = None
    free_after: int | None = None
    held: int | None = None
    idf_free: int | None = None
    idf_largest: int | None = None
    message: str | None = None
    missing: str | None = None
    blob: str | None = None
    clock_off_s: int | None = None
    passed: tuple[str, ...] = ()

    @property
    def damaged(self) -> bool:
        """Whether the request arrived damaged and was not run."""
        return self.kind is AnswerKind.DAMAGED

    @property
    def received_bytes(self) -> int | None:
        """How many bytes the board read; None if it had nothing to read."""
        if self.size is not None or self.text is None:
            return self.size
        return len(self.text.encode("utf-8", "surrogatepass"))


def read_objects(console: bytes) -> list[dict[str, Any]]:
    """Read every whole `#th` line of what a board printed; anything else, and an incomplete last line, is ignored.

    The mark counts anywhere in a line, because an ESP's log line may be unfinished.

    Raises:
        ValueError: a marked line is too long, does not match its checksum, or is not a JSON object.
    """
    found = []
    *lines, _unfinished = console.decode("utf-8", "replace").split("\n")
    for line in lines:
        _noise, mark, text = line.partition(MARK)
        if not mark:
            continue
        if len(text) > LINE_LIMIT:
            raise ValueError(f"the board's answer is {len(text)} characters long")
        body, _space, check = text.rstrip("\r").rpartition(" ")
        if not fits(body.encode("utf-8", "surrogatepass"), check):
            raise ValueError(f"the board's answer does not match its checksum: {text[:80]!r}")
        try:
            value = strict_json(body)
        except ValueError as error:
            raise ValueError(f"the board's answer is not JSON: {error}: {text[:80]!r}") from error
        if not isinstance(value, dict):
            raise ValueError(f"the board's answer is not a JSON object: {text[:80]!r}")
        found.append(value)
    return found


def read_answer(console: bytes) -> Answer | None:
    """Read the answer to `RunRequest.code()` out of what the board printed; None if there is none (yet).

    Raises:
        ValueError: there is one that is not in the agent's format, or there are several.
    """
    objects = read_objects(console)
    if not objects:
        return None
    if len(objects) > 1:
        raise ValueError(f"the board answered {len(objects)} times")
    return _answer(objects[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The answer to `put_code`: the number of the exec, the bytes held under the name (None: nothing), whether it arrived damaged."""

    number: int | None
    size: int | None
    damaged: bool


def read_stored(console: bytes) -> Stored | None:
    """Read the answer to one call of `put_code`; None if there is none.

    Raises:
        ValueError: the answer is not in the agent's format, or says that the board could not store it.
    """
    objects = read_objects(console)
    if not objects:
        return None
    value = objects[-1]
    if value.get("kind") not in ("stored", "damaged"):
        raise ValueError(f"the board could not store data: {_text(value, 'message')!r}")
    return Stored(number=_number(value.get("n")), size=_number(value.get("size")), damaged=value["kind"] == "damaged")


def read_check(console: bytes) -> str | None:
    """Read the checksum that `th_check` of device_scripts/load.py printed; None if there is none."""
    found = re.search(rf"{MARK}({PATTERN})\r?\n", console.decode("utf-8", "replace"))
    return found[1] if found else None


def _answer(value: dict[str, Any]) -> Answer:
    word = value.get("kind")
    if word not in list(AnswerKind):
        raise ValueError(f"the board's answer is of an unknown kind: {str(word)[:40]!r}")
    kind = AnswerKind(word)
    connect, handshake, exchange = _numbers(value.get("us"), count=3)
    before, low, after = _numbers(value.get("free"), count=3)
    idf_free, idf_largest = _numbers(value.get("idf"), count=2)
    stage = _stage(value.get("stage")) if kind is AnswerKind.EXCEPTION else None
    return Answer(
        kind=kind,
        number=_number(value.get("n")),
        stage=stage,
        type=_text(value, "type") if stage else None,
        args=_arguments(value.get("args")) if stage else (),
        text=_text(value, "text"),
        size=_number(value.get("size")),
        connect_ms=_ms(connect),
        handshake_ms=_ms(handshake),
        exchange_ms=_ms(exchange),
        free_before=before,
        free_low=low,
        free_after=after,
        held=_number(value.get("held")),
        idf_free=idf_free,
        idf_largest=idf_largest,
        message=_text(value, "message"),
        missing=_text(value, "missing"),
        blob=_text(value, "blob"),
        passed=tuple((_text(value, "did") or "").split()),
    )


def _stage(value: object) -> Stage:
    if value not in tuple(Stage):
        raise ValueError(f"the board's answer names an unknown stage: {str(value)[:40]!r}")
    return Stage(str(value))


def _ms(microseconds: int | None) -> float | None:
    """Milliseconds; None also if the board's clock ran backwards, because that is not a measurement."""
    return None if microseconds is None or microseconds < 0 else round(microseconds / 1000, 3)


def _text(value: dict[str, Any], key: str) -> str | None:
    text = value.get(key)
    if text is not None and (not isinstance(text, str) or len(text) > TEXT_LIMIT):
        raise ValueError(f"{key} of the board's answer is not a short string")
    return text


def _number(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 63:
        raise ValueError(f"the board's answer has {str(value)[:40]!r} instead of a number")
    return value


def _numbers(value: object, *, count: int) -> tuple[int | None, ...]:
    if value is None:
        return (None,) * count
    if not isinstance(value, list) or len(value) != count:
        raise ValueError(f"the board's answer has {str(value)[:60]!r} instead of {count} numbers")
    return tuple(_number(item) for item in value)


def _arguments(value: object) -> tuple[int | str | None, ...]:
    if not isinstance(value, list) or len(value) > 3:
        raise ValueError("the arguments of the board's exception are not a short list")
    for item in value:
        if isinstance(item, str):
            if len(item) > ARGUMENT_LIMIT:
                raise ValueError("an argument of the board's exception is too long")
        else:
            _number(item)
    return tuple(value)
