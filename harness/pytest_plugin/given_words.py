"""Checks of the words and names that a test gives: one line says what is wrong, what is near, and what is accepted. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Any, TypeVar

from harness.errors import UsageError
from harness.system.near_names import did_you_mean

W = TypeVar("W", bound=StrEnum)


def check_names(settings: Iterable[str], names: Collection[str], *, where: str) -> None:
    """Check that each setting exists.

    Raises:
        UsageError: with the nearest name and all of them.
    """
    unknown = sorted(set(settings) - set(names))
    if unknown:
        listed = ", ".join(names if isinstance(names, list) else sorted(names))
        near = did_you_mean(unknown[0], names)
        raise UsageError(f"{where}(): unknown setting {unknown[0]!r}{near}; expected one of {listed}")


def word_of(words: type[W], value: Any, *, where: str) -> W:
    """Return the member of a closed set.

    Raises:
        UsageError: with the nearest one and all of them.
    """
    try:
        return words(value)
    except ValueError:
        near = did_you_mean(value, words)
        raise UsageError(f"{where}: {value!r} is not one of {', '.join(words)}{near}") from None


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Return one value or several as a tuple; None is none."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
