"""Records as plain JSON values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


def as_json(value: Any) -> Any:
    """Turn records, enums, tuples and mappings into plain JSON values.

    Args:
        value: a record of `harness.model` or anything inside one. Bytes become hex; callables are refused.

    Raises:
        TypeError: for a value JSON cannot hold.
    """
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: as_json(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [as_json(item) for item in value]
    raise TypeError(f"not JSON-safe: {type(value).__name__}")
