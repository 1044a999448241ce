"""boards.toml: the boards of a lab by name, each key checked.

Knows the keys of a board and their types; how a spec is written is in `harness.boards.spec`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.boards.hooks import HOOK_PLACEHOLDERS
from harness.boards.kinds import spec_forms
from harness.boards.network_keys import KEYS as NETWORK_KEYS
from harness.boards.network_keys import chosen_network, ip_address_text, network_keys
from harness.boards.spec import parse_board, parse_spec, suggestion
from harness.errors import UsageError
from harness.model import BoardSettings, BoardSpec, Network
from harness.system.user_files import FileRefused, read_file

DEFAULT_FILE = "boards.toml"
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_BOARD_KEYS = {
    "spec", "network", "wifi", "bind", "baud", "dtr", "rts", "timeout_multiplier", "heap_bytes", "reset", "power_cycle", "flash",
    "tags",
    *NETWORK_KEYS,
}  # fmt: skip
# A table of a few lines for each board: far more than any lab has.
_SIZE_LIMIT_BYTES = 1 << 20
_WIFI_KEYS = {"ssid", "password"}


def read_lab(path: str | None, *, folder: Path) -> dict[str, BoardSpec]:
    """Read the lab's boards by name.

    Args:
        path: of `--boards`; None takes `boards.toml` in `folder` if it exists.
        folder: of the default file.

    Raises:
        UsageError: the file is missing or not TOML, or as `parse_lab`.
    """
    file = Path(path) if path else folder / DEFAULT_FILE
    if path is None and not file.exists():
        return {}
    try:
        data = tomllib.loads(read_file(file, limit_bytes=_SIZE_LIMIT_BYTES).decode("utf-8"))
    except FileRefused as error:
        raise UsageError(f"--boards {file}: cannot be read ({error.reason})") from error
    except (ValueError, RecursionError) as error:  # of tomllib, of UTF-8, or a number or a nesting without end
        raise UsageError(f"--boards {file}: invalid TOML: {error}") from error
    return parse_lab(data, file=str(file))


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
    if not _WORD.fullmatch(name) or parse_spec(name, source=where) is not None:
        raise UsageError(
            f"{where}: invalid board name {name!r}: expected letters, digits, '.', '_' and '-', and a name that is not a board spec"
        )
    _only(table, _BOARD_KEYS, where=where)
    spec_text = _typed(table, "spec", str, where=where)
    if not spec_text:
        raise UsageError(f"{where}: missing key 'spec'; expected {spec_forms()}")
    parsed = parse_board(spec_text, {}, source=f"{where}.spec =")
    wifi = _table(table.get("wifi", {}), where=f"{where}.wifi")
    _only(wifi, _WIFI_KEYS, where=f"{where}.wifi")
    network = _typed(table, "network", str, where=where) or chosen_network(table, wifi=bool(wifi))
    if network not in tuple(Network):
        raise UsageError(f"{where}.network = {network!r}: expected one of {', '.join(Network)}")
    ssid = _typed(wifi, "ssid", str, where=f"{where}.wifi")
    if network == Network.WIFI and not ssid:
        raise UsageError(
            f'{where}.wifi: missing key \'ssid\'; write wifi = {{ssid = "NAME", password = {{env = "VARIABLE"}}}}'
        )
    multiplier = _typed(table, "timeout_multiplier", (int, float), where=where)
    multiplier = 1.0 if multiplier is None else float(multiplier)
    if not 0.1 <= multiplier <= 100:
        raise UsageError(f"{where}.timeout_multiplier = {multiplier:g}: expected 0.1 to 100")
    settings = BoardSettings(
        network=Network(network),
        ssid=ssid,
        password_env=_password(wifi.get("password"), where=f"{where}.wifi.password"),
        **network_keys(table, network=network, where=where),
        # A name would not determine on which of the machine's addresses the server listens.
        bind=ip_address_text(table.get("bind"), where=f"{where}.bind", expected="an IP address of this machine"),
        baud=_in_range(table, "baud", 300, 4_000_000, where=where) or 115200,
        dtr=_typed(table, "dtr", bool, where=where),
        rts=_typed(table, "rts", bool, where=where),
        timeout_multiplier=multiplier,
        heap_bytes=_in_range(table, "heap_bytes", 32 * 1024, 1 << 30, where=where),
        reset=_hook(table, "reset", where=where),
        power_cycle=_hook(table, "power_cycle", where=where),
        flash=_hook(table, "flash", where=where, placeholders=HOOK_PLACEHOLDERS),
        tags=_tags(table, where=where),
    )
    return replace(parsed, text=name, label=name, settings=settings)


def _password(value: Any, *, where: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, Mapping) and set(value) == {"env"} and isinstance(value["env"], str) and value["env"]:
        return str(value["env"])
    # The value must not be in the message: it is the secret.
    raise UsageError(
        f'{where}: passwords are not accepted here; use {{env = "NAME"}} and set the environment variable NAME'
    )


def _hook(
    table: Mapping[str, Any], key: str, *, where: str, placeholders: tuple[str, ...] = HOOK_PLACEHOLDERS[:2]
) -> tuple[str, ...]:
    """Read a command as a list of words; a single string would need a shell's rules to be split."""
    value = table.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(word, str) and word for word in value):
        raise UsageError(
            f'{where}.{key} = {value!r}: expected a list of strings, e.g. ["uhubctl", "-l", "1-1", "-p", "2", "-a", "cycle"]; '
            "it runs without a shell"
        )
    for word in value:
        if "\0" in word:
            raise UsageError(f"{where}.{key}: {word!r} has a zero byte, which no program argument can contain")
        for name in re.findall(r"\{([A-Za-z_]*)\}", word):
            if name not in placeholders:
                accepted = ", ".join(f"{{{known}}}" for known in placeholders)
                raise UsageError(
                    f"{where}.{key}: unknown placeholder {{{name}}} in {word!r}; expected one of {accepted}"
                )
    return tuple(value)


def _tags(table: Mapping[str, Any], *, where: str) -> tuple[str, ...]:
    value = table.get("tags", [])
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise UsageError(f'{where}.tags = {value!r}: expected a list of strings, e.g. ["esp32", "wifi"]')
    for tag in value:
        if not _WORD.fullmatch(tag):
            raise UsageError(f"{where}.tags: invalid tag {tag!r}: expected letters, digits, . _ -")
    return tuple(dict.fromkeys(value))


def _in_range(table: Mapping[str, Any], key: str, low: int, high: int, *, where: str) -> int | None:
    value: int | None = _typed(table, key, int, where=where)
    if value is not None and not low <= value <= high:
        raise UsageError(f"{where}.{key} = {value}: expected {low} to {high}")
    return value


def _table(value: Any, *, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{where}: expected a table, not {type(value).__name__}")
    return value


def _only(table: Mapping[str, Any], accepted: set[str], *, where: str) -> None:
    unknown = sorted(set(table) - accepted)
    if unknown:
        raise UsageError(
            f"{where}: unknown key {unknown[0]!r}{suggestion(unknown[0], accepted)}; expected one of {', '.join(sorted(accepted))}"
        )


def _typed(table: Mapping[str, Any], key: str, kind: Any, *, where: str) -> Any:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        names = kind.__name__ if isinstance(kind, type) else "number"
        raise UsageError(f"{where}.{key} = {value!r}: expected {names}")
    return value
