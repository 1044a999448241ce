"""Text of the command line and of boards.toml to records: pure, one clear `UsageError` for each mistake.

Knows the words of design.md 3 and 4. Must not open files, ports or sockets.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from harness.errors import UsageError
from harness.model import BoardSettings, BoardSpec

_NETWORKS = ("none", "wifi", "lan")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_BOARD_KEYS = {"spec", "network", "wifi", "bind", "baud", "dtr", "rts", "timeout_multiplier", "heap_bytes"}
_WIFI_KEYS = {"ssid", "password"}
SPECS = (
    "a device path, COM3, u0, a0, id:SERIAL, auto, rfc2217://HOST:PORT, socket://HOST:PORT, unix, unix:/path/to/micropython, "
    "or a name in boards.toml"
)


def parse_board(text: str, lab: Mapping[str, BoardSpec], *, told: str = "--board") -> BoardSpec:
    """Parse one `--board SPEC`.

    Args:
        text: what stands on the command line.
        lab: the boards of boards.toml by name.
        told: where it stands, for messages.

    Raises:
        UsageError: for a spec of no known kind.
    """
    if text in lab:
        return lab[text]
    kind, target = _kind_of(text, told=told)
    if kind is None:
        names = ", ".join(sorted(lab)) or "none"
        raise UsageError(f"{told} {text!r}: not a board; accepted are {SPECS} (there: {names})")
    return BoardSpec(text=text, kind=kind, target=target, label=_label(text))


def _kind_of(text: str, *, told: str) -> tuple[str | None, str]:
    if text == "unix" or text.startswith("unix:"):
        target = text[5:]
        if text == "unix:":
            raise UsageError(
                f"{told} 'unix:': the path of the interpreter is missing; `unix` alone takes the packaged one"
            )
        return "unix", target
    if "://" in text:
        scheme = text.partition("://")[0]
        if scheme not in ("rfc2217", "socket"):
            raise UsageError(f"{told} {text!r}: unknown scheme {scheme!r}; accepted are rfc2217:// and socket://")
        place = re.fullmatch(r"[a-z0-9]+://(\[[0-9a-fA-F:]+\]|[^:/?\[\]]+):([0-9]{1,5})([/?].*)?", text)
        if place is None:
            raise UsageError(f"{told} {text!r}: host and port are wanted, as in {scheme}://192.0.2.7:2217")
        if not 1 <= int(place[2]) <= 65535:
            raise UsageError(f"{told} {text!r}: there is no port {place[2]}; accepted are 1 to 65535")
        return "serial", text
    if text == "auto" or re.fullmatch(r"id:.+|[ua]\d+|COM\d+|/.+", text):
        return "serial", text
    return None, text


def _label(text: str) -> str:
    """A short name for test ids: the part of the spec people recognise, ASCII, without `::`, `[`, `@` and spaces."""
    last = text.rstrip("/")
    if last.startswith("/dev/pts/"):
        last = "pts" + last.removeprefix("/dev/pts/")
    elif last.startswith("unix:"):
        last = "unix:" + last.rpartition("/")[2].removeprefix("unix:")
    elif "://" in last:
        last = last.partition("?")[0].replace("://", ":")
    elif last.startswith("/"):
        last = last.rpartition("/")[2]
    return re.sub(r"(?:[^A-Za-z0-9_.:-]|::)+", "_", last)


def unique_labels(specs: Iterable[BoardSpec]) -> list[BoardSpec]:
    """Give boards whose short names are alike longer ones, and refuse the same board twice.

    Raises:
        UsageError: if two specs name the same target.
    """
    result: list[BoardSpec] = []
    seen: dict[tuple[str, str], BoardSpec] = {}
    for spec in specs:
        key = (spec.kind, spec.target)
        if key in seen:
            raise UsageError(f"--board {spec.text!r}: the same board as {seen[key].text!r}; a board is given once")
        seen[key] = spec
        taken = {other.label for other in result}
        label, folders = spec.label, spec.target.rstrip("/").split("/")[:-1]
        while label in taken and folders:
            # unix:micropython from two folders becomes unix:micropython and unix:1.20.0/micropython.
            name = label.partition(":")
            label = f"{name[0]}:{folders.pop()}/{name[2]}" if name[1] else f"{folders.pop()}/{label}"
        number = 2
        while label in taken:
            label, number = f"{spec.label}.{number}", number + 1
        result.append(replace(spec, label=label))
    return result


def parse_lab(data: Mapping[str, Any], *, file: str) -> dict[str, BoardSpec]:
    """Turn the parsed boards.toml into board specs by name.

    Args:
        data: the TOML document: `[board.NAME]` tables.
        file: its path, for messages.

    Raises:
        UsageError: unknown key, wrong type, a literal password, or a name that is a spec itself.
    """
    extra = sorted(set(data) - {"board"})
    if extra:
        raise UsageError(f"{file}: unknown key {extra[0]!r}; boards are written as [board.NAME]")
    tables = _table(data.get("board", {}), where=f"{file}: board")
    return {name: _lab_board(name, table, where=f"{file}: board.{name}") for name, table in tables.items()}


def _lab_board(name: str, raw: Any, *, where: str) -> BoardSpec:
    table = _table(raw, where=where)
    if not _WORD.fullmatch(name) or _kind_of(name, told=where)[0] is not None:
        raise UsageError(
            f"{where}: {name!r} cannot be a board's name; use letters, digits, . _ - and nothing that is a board spec"
        )
    _only(table, _BOARD_KEYS, where=where)
    spec_text = _typed(table, "spec", str, where=where)
    if not spec_text:
        raise UsageError(f"{where}: the key 'spec' is missing; accepted are {SPECS}")
    parsed = parse_board(spec_text, {}, told=f"{where}.spec =")
    wifi = _table(table.get("wifi", {}), where=f"{where}.wifi")
    _only(wifi, _WIFI_KEYS, where=f"{where}.wifi")
    network = _typed(table, "network", str, where=where) or ("wifi" if wifi else "none")
    if network not in _NETWORKS:
        raise UsageError(f"{where}.network = {network!r}: accepted are {', '.join(_NETWORKS)}")
    ssid = _typed(wifi, "ssid", str, where=f"{where}.wifi")
    if network == "wifi" and not ssid:
        raise UsageError(
            f'{where}.wifi: the key \'ssid\' is missing; write wifi = {{ssid = "NAME", password = {{env = "VARIABLE"}}}}'
        )
    multiplier = _typed(table, "timeout_multiplier", (int, float), where=where)
    multiplier = 1.0 if multiplier is None else float(multiplier)
    if not 0.1 <= multiplier <= 100:
        raise UsageError(f"{where}.timeout_multiplier = {multiplier:g}: accepted is 0.1 to 100")
    settings = BoardSettings(
        network=network,
        ssid=ssid,
        password_env=_password(wifi.get("password"), where=f"{where}.wifi.password"),
        bind=_address(_typed(table, "bind", str, where=where), where=f"{where}.bind"),
        baud=_in_range(table, "baud", 300, 4_000_000, where=where) or 115200,
        dtr=_typed(table, "dtr", bool, where=where),
        rts=_typed(table, "rts", bool, where=where),
        timeout_multiplier=multiplier,
        heap_bytes=_in_range(table, "heap_bytes", 32 * 1024, 1 << 30, where=where),
    )
    return replace(parsed, text=name, label=name, settings=settings)


def _password(value: Any, *, where: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, Mapping) and set(value) == {"env"} and isinstance(value["env"], str) and value["env"]:
        return str(value["env"])
    # The value itself must not reach a message: it is the secret.
    raise UsageError(
        f'{where}: a password is never written here; use {{env = "NAME"}} and set the environment variable NAME'
    )


def _in_range(table: Mapping[str, Any], key: str, low: int, high: int, *, where: str) -> int | None:
    value: int | None = _typed(table, key, int, where=where)
    if value is not None and not low <= value <= high:
        raise UsageError(f"{where}.{key} = {value}: accepted is {low} to {high}")
    return value


def _address(text: str | None, *, where: str) -> str | None:
    """An address of this machine; a name would leave open which of its addresses the server listens on."""
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise UsageError(f"{where} = {text!r}: an IP address of this machine is wanted") from None


def _table(value: Any, *, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{where}: a table is wanted, not {type(value).__name__}")
    return value


def _only(table: Mapping[str, Any], accepted: set[str], *, where: str) -> None:
    unknown = sorted(set(table) - accepted)
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}; accepted are {', '.join(sorted(accepted))}")


def _typed(table: Mapping[str, Any], key: str, kind: Any, *, where: str) -> Any:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        names = kind.__name__ if isinstance(kind, type) else "number"
        raise UsageError(f"{where}.{key} = {value!r}: wanted is a {names}")
    return value
