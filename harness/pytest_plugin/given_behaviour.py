"""The behaviour of a server as a test gives it: checked against the list of behaviours and their keys. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.errors import UsageError
from harness.model import BEHAVIOURS, Behaviour, current_name
from harness.system.near_names import did_you_mean

WHERE = "tls_server(behaviour=...)"
LIST = 'docs/reports.md lists them under "Server behaviours" (`tls-harness files docs`)'


def behaviour_of(
    given: Any,
    *,
    flight: Callable[[bytes, int], bytes] | None = None,
    unwrap_first: bool | None = None,
    suppress_ragged_eofs: bool | None = None,
) -> Mapping[str, Any]:
    """Return the behaviour of a server: empty for a correct one.

    Args:
        given: a name, a mapping of `name` and keys, or None.
        flight: changes what the server sends.
        unwrap_first: whether the server sends close_notify first.
        suppress_ragged_eofs: False reports a client that closes without close_notify; True and None do not.

    Raises:
        UsageError: the behaviour or a key does not exist, a key is missing, or several are given.
    """
    short: dict[str, Mapping[str, Any]] = {
        "flight": {"name": "flight", "change": flight},
        "unwrap_first": {"name": "close.notify-first"},
        "suppress_ragged_eofs": {"name": "close.read-to-end"},
    }
    _check_flags(unwrap_first=unwrap_first, suppress_ragged_eofs=suppress_ragged_eofs)
    values = (flight, unwrap_first, suppress_ragged_eofs is False)
    asked = [name for name, value in zip(short, values, strict=True) if value]
    if len(asked) + bool(given) > 1:
        words = [*(["behaviour"] if given else []), *asked]
        raise UsageError(f"tls_server(): {' and '.join(words)} exclude each other: a server has one behaviour")
    if flight is not None and not callable(flight):
        raise UsageError(f"tls_server(flight={flight!r}): expected a function (flight, index) -> flight")
    if asked:
        return short[asked[0]]
    if not given:
        return {}
    if isinstance(given, str):
        given = {"name": given}
    if not isinstance(given, Mapping) or "name" not in given:
        raise UsageError(
            f"{WHERE}: {given!r}: expected a name, or a mapping with 'name' and the keys of that behaviour"
        )
    return _checked(given)


def _check_flags(**flags: Any) -> None:
    """Check that each is True, False or left out: a word such as "no" is true in Python."""
    for name, value in flags.items():
        if value is not None and not isinstance(value, bool):
            raise UsageError(f"tls_server({name}={value!r}): expected True or False")


def _checked(given: Mapping[str, Any]) -> Mapping[str, Any]:
    name = current_name(str(given["name"]))
    if name not in list(Behaviour):
        raise UsageError(f"{WHERE}: no behaviour {given['name']!r}{did_you_mean(name, Behaviour)}; {LIST}")
    words = BEHAVIOURS[Behaviour(name)]
    unknown = [key for key in given if key not in ("name", *words.keys)]
    if unknown:
        known = ", ".join(words.keys) or "none"
        near = did_you_mean(unknown[0], words.keys)
        raise UsageError(f"{WHERE}: {name!r} has no key {unknown[0]!r}{near}; its keys: {known}")
    missing = [key for key in words.required if key not in given]
    if missing:
        raise UsageError(f"{WHERE}: {name!r} needs the key {missing[0]!r}: {words.keys[missing[0]]}")
    return {**given, "name": name}


def behaviour_table() -> str:
    """Return the list of behaviours as Markdown, for the documentation."""
    lines = ["| behaviour | the server | keys |", "|---|---|---|"]
    for name, words in BEHAVIOURS.items():
        keys = "; ".join(
            f"`{key}`: {text}" + (" (required)" if key in words.required else "") for key, text in words.keys.items()
        )
        lines.append(f"| `{name}` | {words.text} | {keys} |")
    return "\n".join(lines) + "\n"
