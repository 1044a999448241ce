"""Text of the command line and of boards.toml to records: pure, one clear `UsageError` for each mistake.

Knows the words of `--board` and of boards.toml. Must not open files, ports or sockets.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from harness.boards.network_keys import KEYS as NETWORK_KEYS
from harness.boards.network_keys import chosen_network, network_keys
from harness.boards.virtual.faults import FAULTS
from harness.errors import UsageError
from harness.model import BoardSettings, BoardSpec, Network

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_BOARD_KEYS = {
    "spec",
    "network",
    "wifi",
    "bind",
    "baud",
    "dtr",
    "rts",
    "timeout_multiplier",
    "heap_bytes",
    "reset",
    "power_cycle",
    "tags",
    *NETWORK_KEYS,
}
_WIFI_KEYS = {"ssid", "password"}
#: What a word of a hook may stand for.
HOOK_PLACEHOLDERS = ("port", "board")
#: Boards that are made when they are opened: the same spec under two names is two boards.
MADE_WHEN_OPENED = ("unix", "faulty")
TAG = "tag:"
SPECS = (
    "a device path, COM3, u0, a0, id:SERIAL, auto, rfc2217://HOST:PORT, socket://HOST:PORT, unix, unix:/path/to/micropython, "
    "faulty:NAME, labgrid:PLACE, or a name or tag:TAG in boards.toml"
)


def choose_boards(texts: Iterable[str], lab: Mapping[str, BoardSpec], *, told: str = "--board") -> list[BoardSpec]:
    """All boards that these specs name, each once, with short names that differ.

    Args:
        texts: specs as they stand on the command line; `tag:TAG` is every board of the lab with this tag, `tag:A,B` with both.
        lab: the boards of boards.toml by name.
        told: where the specs stand, for messages.

    Raises:
        UsageError: for a spec of no known kind, a tag that no board has, and a board that is named twice.
    """
    texts = list(texts)
    named = {text for text in texts if not text.startswith(TAG)}
    chosen: list[BoardSpec] = []
    for text in texts:
        if text.startswith(TAG):
            # Two tags may share boards, and one of them may be named besides: still each is one board of the run.
            taken = {spec.text for spec in chosen} | named
            chosen += [spec for spec in _tagged(text, lab, told=told) if spec.text not in taken]
        else:
            chosen.append(parse_board(text, lab, told=told))
    return unique_labels(chosen)


def _tagged(text: str, lab: Mapping[str, BoardSpec], *, told: str) -> list[BoardSpec]:
    wanted = {tag for tag in text.removeprefix(TAG).split(",") if tag}
    there = sorted({tag for spec in lab.values() for tag in spec.settings.tags})
    for tag in sorted(wanted - set(there)) or ([] if wanted else [""]):
        raise UsageError(
            f"{told} {text!r}: no board in boards.toml has the tag {tag!r}{_near(tag, there)}; "
            f"there are: {', '.join(there) or 'none'}"
        )
    found = [spec for spec in lab.values() if wanted <= set(spec.settings.tags)]
    if not found:
        raise UsageError(f"{told} {text!r}: no board in boards.toml has all of these tags")
    return found


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
    if text.startswith(TAG):
        raise UsageError(f"{told} {text!r}: a tag may name several boards; here one board is wanted")
    kind, target = _kind_of(text, told=told)
    if kind is None:
        names = ", ".join(sorted(lab)) or "none"
        raise UsageError(f"{told} {text!r}: not a board{_near(text, lab)}; accepted are {SPECS} (there: {names})")
    return BoardSpec(text=text, kind=kind, target=target, label=_label(text))


def _kind_of(text: str, *, told: str) -> tuple[str | None, str]:
    if text == "unix" or text.startswith("unix:"):
        target = text[5:]
        if text == "unix:":
            raise UsageError(
                f"{told} 'unix:': the path of the interpreter is missing; `unix` alone takes the packaged one"
            )
        return "unix", target
    if text == "faulty" or text.startswith("faulty:"):
        name = text[7:]
        if name not in FAULTS:
            raise UsageError(
                f"{told} {text!r}: no such fault; accepted are faulty:NAME with one of {', '.join(FAULTS)}"
            )
        return "faulty", name
    if text.startswith("labgrid:"):
        target = text.removeprefix("labgrid:")
        if not re.fullmatch(r"[!-~]+", target):
            raise UsageError(
                f"{told} {text!r}: the name of a labgrid place is wanted, as in labgrid:board0, or labgrid:+ for the place "
                "reserved with $LG_TOKEN"
            )
        return "labgrid", target
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
        key = (spec.kind, spec.text if spec.kind in MADE_WHEN_OPENED else spec.target)
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
    network = _typed(table, "network", str, where=where) or chosen_network(table, wifi=bool(wifi))
    if network not in tuple(Network):
        raise UsageError(f"{where}.network = {network!r}: accepted are {', '.join(Network)}")
    ssid = _typed(wifi, "ssid", str, where=f"{where}.wifi")
    if network == Network.WIFI and not ssid:
        raise UsageError(
            f'{where}.wifi: the key \'ssid\' is missing; write wifi = {{ssid = "NAME", password = {{env = "VARIABLE"}}}}'
        )
    multiplier = _typed(table, "timeout_multiplier", (int, float), where=where)
    multiplier = 1.0 if multiplier is None else float(multiplier)
    if not 0.1 <= multiplier <= 100:
        raise UsageError(f"{where}.timeout_multiplier = {multiplier:g}: accepted is 0.1 to 100")
    settings = BoardSettings(
        network=Network(network),
        ssid=ssid,
        password_env=_password(wifi.get("password"), where=f"{where}.wifi.password"),
        **network_keys(table, network=network, where=where),
        bind=_address(_typed(table, "bind", str, where=where), where=f"{where}.bind"),
        baud=_in_range(table, "baud", 300, 4_000_000, where=where) or 115200,
        dtr=_typed(table, "dtr", bool, where=where),
        rts=_typed(table, "rts", bool, where=where),
        timeout_multiplier=multiplier,
        heap_bytes=_in_range(table, "heap_bytes", 32 * 1024, 1 << 30, where=where),
        reset=_hook(table, "reset", where=where),
        power_cycle=_hook(table, "power_cycle", where=where),
        tags=_tags(table, where=where),
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


def _hook(table: Mapping[str, Any], key: str, *, where: str) -> tuple[str, ...]:
    """A command as a list of words; a single string would need a shell's rules to be taken apart."""
    value = table.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(word, str) and word for word in value):
        raise UsageError(
            f'{where}.{key} = {value!r}: a list of words is wanted, as in ["uhubctl", "-l", "1-1", "-p", "2", "-a", "cycle"]; '
            "no shell reads it"
        )
    for word in value:
        if "\0" in word:
            raise UsageError(f"{where}.{key}: no program can be given {word!r}, which has a zero byte in it")
        for name in re.findall(r"\{([A-Za-z_]*)\}", word):
            if name not in HOOK_PLACEHOLDERS:
                accepted = ", ".join(f"{{{known}}}" for known in HOOK_PLACEHOLDERS)
                raise UsageError(f"{where}.{key}: nothing stands for {{{name}}} in {word!r}; accepted are {accepted}")
    return tuple(value)


def hook_arguments(hook: Iterable[str], *, port: str, board: str) -> list[str]:
    """The words of a hook as a program gets them: `{port}` and `{board}` filled in, everything else as it stands."""
    values = {"port": port, "board": board}
    return [re.sub(r"\{(port|board)\}", lambda found: values[found[1]], word) for word in hook]


def _tags(table: Mapping[str, Any], *, where: str) -> tuple[str, ...]:
    value = table.get("tags", [])
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise UsageError(f'{where}.tags = {value!r}: a list of words is wanted, as in ["esp32", "wifi"]')
    for tag in value:
        if not _WORD.fullmatch(tag):
            raise UsageError(f"{where}.tags: {tag!r} cannot be a tag; use letters, digits, . _ -")
    return tuple(dict.fromkeys(value))


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
        raise UsageError(
            f"{where}: unknown key {unknown[0]!r}{_near(unknown[0], accepted)}; accepted are {', '.join(sorted(accepted))}"
        )


def _near(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, as the middle of a message."""
    near = difflib.get_close_matches(word, sorted(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _typed(table: Mapping[str, Any], key: str, kind: Any, *, where: str) -> Any:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        names = kind.__name__ if isinstance(kind, type) else "number"
        raise UsageError(f"{where}.{key} = {value!r}: wanted is a {names}")
    return value
