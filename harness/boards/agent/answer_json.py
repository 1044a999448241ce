"""Reads JSON that must mean one thing to every reader. Pure."""

from __future__ import annotations

import json
from typing import Any


def strict_json(text: str) -> Any:
    """Parse JSON without NaN and Infinity, and without a key that is there twice.

    Raises:
        ValueError: it is not such JSON; the text says what is wrong, in a few words.
    """
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise ValueError(error.msg) from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found
