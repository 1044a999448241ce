"""The probe: what a board is and supports. Run the steps of the probe script, again if the line damaged one, and read their output.

Output of the board is untrusted: only integers, strings and flat tuples of them are read, each bounded; any other line is ignored,
because a board that also prints nonsense can still be probed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

from harness.boards.agent.console import Console
from harness.errors import BoardError, FaultKind
from harness.model import BoardInfo, TlsLibrary, TlsModule
from harness.system.data_files import data_dir

STEP_MARK = "# --- "
# A step that is damaged on the line, in either direction, is run this often in total.
ATTEMPTS = 3
LINE_LIMIT = 300
LINES_LIMIT = 2000

# Seconds between the epochs of Unix and of the ports that count from 2000 (esp32, esp8266, stm32, samd, renesas-ra).
EPOCH_2000_UNIX_S = 946684800
# Largest sys.maxsize of a 32-bit build; some builds without long integers report 2**30 - 1 or nothing.
_MAXSIZE_32 = (1 << 32) - 1
_READ_ONLY = 1

Value = int | str | None | tuple[int | str | None, ...]

_STRING = r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\""
_ATOM = re.compile(rf"\s*(?:(?P<number>-?\d{{1,20}})|(?P<text>{_STRING})|(?P<none>None))\s*")
MARK = "#th "
_LINE = re.compile(r"#th ([a-z_]{1,20}) (.+)")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def probe_board(console: Console) -> BoardInfo:
    """Probe a board.

    Raises:
        BoardError: `not-micropython`; `garbled` if the output is damaged each time: missing facts would be a guess; else as
            `RawRepl.exec`.
    """
    # A step that raised has printed what it could before.
    info = parse_probe(run_step(console, code) for _name, code in probe_steps())
    if info.implementation not in ("micropython", ""):
        raise BoardError(
            f"{console.label}: this is {info.implementation[:40]!r}, not MicroPython; this harness does not support it",
            kind=FaultKind.NOT_MICROPYTHON,
        )
    return info


def run_step(console: Console, code: str) -> bytes:
    """Run one step and return its output.

    Raises:
        BoardError: as `probe_board`.
    """
    for _attempt in range(ATTEMPTS):
        output = console.run(code, timeout_s=10.0, call="th_step")
        if is_whole(output.stdout):
            return output.stdout
    raise BoardError(
        f"{console.label}: the probe's output arrived damaged {ATTEMPTS} times: bytes are lost or changed on the line",
        kind=FaultKind.GARBLED,
        transcript=console.link.log.show(output.stdout + output.stderr),
    )


def probe_steps(source: str | None = None) -> list[tuple[str, str]]:
    """Split the probe into its steps, in order: (name, code). Each is run as a separate raw-REPL exec.

    Args:
        source: the probe's text; None for the one in `device_scripts/`.
    """
    if source is None:
        source = (data_dir("device_scripts") / "probe.py").read_text(encoding="ascii")
    _before, *parts = re.split(f"^{STEP_MARK}", source, flags=re.MULTILINE)
    steps = []
    for part in parts:
        name, _newline, code = part.partition("\n")
        kept = [line for line in code.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        # One space per level: the smallest board holds a step twice, as text and compiled.
        slim = [re.sub("^(?: {4})+", lambda spaces: " " * (len(spaces[0]) // 4), line) for line in kept]
        steps.append((name.strip(), "\n".join(slim)))
    return steps


def read_value(text: str) -> Value:
    """Read the repr of an integer, a string, None, or a flat tuple of them.

    Raises:
        ValueError: for anything else.
    """
    stripped = text.strip()
    if not stripped.startswith("("):
        value, end = _atom(stripped, at=0)
        if end != len(stripped):
            raise ValueError(f"not a simple value: {text[:60]!r}")
        return value
    items: list[int | str | None] = []
    at = 1
    while not stripped[at:].startswith(")"):
        item, at = _atom(stripped, at=at)
        items.append(item)
        if stripped[at : at + 1] == ",":
            at += 1
        elif stripped[at : at + 1] != ")":
            raise ValueError(f"not a flat tuple: {text[:60]!r}")
        at += len(stripped[at:]) - len(stripped[at:].lstrip())
    if at != len(stripped) - 1:
        raise ValueError(f"not a flat tuple: {text[:60]!r}")
    return tuple(items)


def _atom(text: str, *, at: int) -> tuple[int | str | None, int]:
    match = _ATOM.match(text, at)
    if match is None:
        raise ValueError(f"not a simple value: {text[:60]!r}")
    if match["number"] is not None:
        return int(match["number"]), match.end()
    if match["none"] is not None:
        return None, match.end()
    return _ESCAPE.sub(_unescape, match["text"][1:-1]), match.end()


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _SIMPLE_ESCAPES.get(code, code)


def is_whole(text: bytes) -> bool:
    """Whether all facts of a step arrived undamaged: its last line has their number and their checksum (adler32)."""
    facts = [line.partition(MARK)[2] for line in text.decode("utf-8", "replace").splitlines() if MARK in line]
    end = re.fullmatch(r"end (\d{1,5}) a([0-9a-f]{8})", facts.pop()) if facts else None
    if end is None:
        return False
    return int(end[1]) == len(facts) and int(end[2], 16) == zlib.adler32("".join(facts).encode("utf-8"))


class _Lines:
    """The `#th` lines of a probe: key -> values in the order they were printed."""

    def __init__(self, texts: Iterable[str | bytes]) -> None:
        self._values: dict[str, list[Value]] = {}
        count = 0
        for text in texts:
            decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
            for line in decoded.splitlines():
                match = _LINE.search(line) if len(line) <= LINE_LIMIT else None
                if match is None or count >= LINES_LIMIT:
                    continue
                try:
                    self._values.setdefault(match[1], []).append(read_value(match[2]))
                except ValueError:
                    continue
                count += 1

    def text(self, key: str) -> str | None:
        """The first value of a key if it is a string."""
        return next((value for value in self._values.get(key, ()) if isinstance(value, str)), None)

    def number(self, key: str) -> int | None:
        """The first value of a key if it is a number."""
        return next((value for value in self._values.get(key, ()) if isinstance(value, int)), None)

    def texts(self, key: str) -> tuple[str, ...]:
        """All strings of a key, without repetition."""
        return tuple(dict.fromkeys(value for value in self._values.get(key, ()) if isinstance(value, str)))

    def version(self, key: str) -> tuple[int | str, ...]:
        """A version tuple, empty if there is none."""
        value = next((value for value in self._values.get(key, ()) if isinstance(value, tuple)), ())
        return tuple(part for part in value if part is not None)[:6]


def parse_probe(texts: Iterable[str | bytes]) -> BoardInfo:
    """Read what the steps printed.

    Args:
        texts: what each step printed, in any order; steps that failed may be omitted.
    """
    lines = _Lines(texts)
    api = lines.texts("api")
    module, modern = _tls_module(api)
    free, used = lines.number("heap_free"), lines.number("heap_used")
    epoch_year = _epoch_year(lines.number("epoch_year"))
    return BoardInfo(
        implementation=lines.text("implementation") or "",
        version=lines.version("version"),
        version_text=lines.text("version_text") or "",
        machine=lines.text("machine") or "",
        platform=lines.text("platform") or "",
        build=lines.text("build") or "",
        unique_id=lines.text("unique_id"),
        tls_module=module,
        tls_library=_tls_library(module, api, has_version=lines.text("tls_version") is not None),
        tls_version=lines.text("tls_version"),
        modules=lines.texts("module"),
        api=api + _keywords(module, api, modern=modern),
        suites=lines.texts("suite"),
        heap_free_bytes=free,
        heap_total_bytes=None if free is None or used is None else free + used,
        word_bits=_word_bits(lines.number("maxsize")),
        epoch_year=epoch_year,
        clock_unix_s=_clock(lines.number("time"), epoch_year=epoch_year),
        address=lines.text("address"),
        ssid=lines.text("ssid") or None,
        interfaces=lines.texts("nic"),
        filesystem=_filesystem(lines),
        usb_mode=lines.text("usb_mode"),
    )


def _tls_module(api: tuple[str, ...]) -> tuple[TlsModule | None, bool]:
    """The module that device_scripts/tls_client.py (th_tls) chooses, and whether it uses its SSLContext."""
    for name in TlsModule:
        if f"{name}.SSLContext.load_cert_chain" in api:
            return name, True
    for name in TlsModule:
        if f"{name}.wrap_socket" in api:
            return name, False
    return None, False


def _tls_library(module: str | None, api: tuple[str, ...], *, has_version: bool) -> TlsLibrary | None:
    """mbedTLS or axTLS, from what exists; None if nothing distinguishes them."""
    if module is None:
        return None
    # extmod/modtls_axtls.c has neither CERT_REQUIRED nor a version (upstream's own tests distinguish them by the first).
    if has_version or f"{module}.CERT_REQUIRED" in api:
        return TlsLibrary.MBEDTLS
    if f"{module}.SSLContext" in api:
        return TlsLibrary.AXTLS
    # Up to 1.19 both modules look the same; only mbedTLS's sockets have getpeercert.
    methods = [name for name in api if name.startswith("SSLSocket.")]
    if not methods:
        return None
    return TlsLibrary.MBEDTLS if "SSLSocket.getpeercert" in methods else TlsLibrary.AXTLS


def _keywords(module: str | None, api: tuple[str, ...], *, modern: bool) -> tuple[str, ...]:
    """The keyword arguments of the module's wrap_socket, if the client uses that."""
    if module is None or modern:
        return ()
    words = ["key", "cert", "server_hostname"]
    # cert_reqs and cadata were added with the CERT_ constants (1.20), only for mbedTLS.
    if f"{module}.CERT_REQUIRED" in api:
        words += ["cert_reqs", "cadata"]
    return tuple(f"{module}.wrap_socket({word})" for word in words)


def _word_bits(maxsize: int | None) -> int | None:
    if maxsize is None:
        return None
    return 32 if maxsize <= _MAXSIZE_32 else 64


def _epoch_year(year: int | None) -> int | None:
    """The epoch's year; local time west of Greenwich shows the year before."""
    return {1969: 1970, 1970: 1970, 1999: 2000, 2000: 2000}.get(year) if year is not None else None


def _clock(seconds: int | None, *, epoch_year: int | None) -> int | None:
    if seconds is None or epoch_year is None:
        return None
    return seconds + (EPOCH_2000_UNIX_S if epoch_year == 2000 else 0)


def _filesystem(lines: _Lines) -> str | None:
    """The working directory, None if nothing can be written: no filesystem, read-only, or full."""
    folder, free, flags = lines.text("cwd"), lines.number("disk_free"), lines.number("disk_flags")
    if folder is None or free == 0 or (flags is not None and flags & _READ_ONLY):
        return None
    return folder
