"""The causes of causes/*.toml as records, by id. Knows the file format; must not know how a cause is recognised."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from harness.explain.recipe_kinds import NONE_BECAUSE, WORDS, NoRecipe, RecipeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause.

    Attributes:
        id: `topic/name`; a rule of harness/explain with this id finds the cause by evidence.
        sentence: the cause in plain words.
        board: what the board shows.
        server: what the server, or a client on a PC, shows.
        tell: how to distinguish it from other causes.
        fix: what to do.
        recipes: what `diagnose` changes to prove a fix.
        no_recipe: why it proves none; None where `recipes` or `reasons` say what it proves.
        reasons: more specific causes, the likeliest first; empty for a cause that is specific itself.
        links: public reports of it.
    """

    id: str
    sentence: str
    board: str
    server: str
    tell: str
    fix: str
    recipes: tuple[RecipeKind, ...] = ()
    no_recipe: NoRecipe | None = None
    reasons: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The sentence as a part of another one: without its capital letter, unless the first word keeps it, and its full stop."""
        first = self.sentence.split()[0]
        keeps = not first[1:].islower() and len(first) > 1
        return (self.sentence if keeps else self.sentence[0].lower() + self.sentence[1:]).removesuffix(".")

    @property
    def proves(self) -> str | None:
        """What `diagnose` proves for it, or why nothing, as part of a sentence; None for a cause that only has `reasons`."""
        if self.recipes:
            return "; ".join(WORDS[kind] for kind in self.recipes)
        return f"nothing: {NONE_BECAUSE[self.no_recipe]}" if self.no_recipe is not None else None

    @property
    def topic(self) -> str:
        """The part of the id before the slash."""
        return self.id.partition("/")[0]


@functools.cache
def all_causes() -> tuple[Cause, ...]:
    """Return every cause, by topic and in the order of the files."""
    folder = resources.files("harness.explain.catalogue").joinpath("causes")
    found = []
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if file.name.endswith(".toml"):
            for row in tomllib.loads(file.read_text(encoding="utf-8"))["cause"]:
                found.append(_cause(row))
    return tuple(found)


def _cause(row: dict[str, Any]) -> Cause:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    values["recipes"] = tuple(RecipeKind(name) for name in row.get("recipes", ()))
    values["no_recipe"] = NoRecipe(row["no_recipe"]) if "no_recipe" in row else None
    return Cause(**values)


@functools.cache
def _by_id() -> dict[str, Cause]:
    return {cause.id: cause for cause in all_causes()}


def find_cause(name: str) -> Cause | None:
    """Return the cause with this id; None if there is none."""
    return _by_id().get(name)


def in_short(name: str, *, title: str) -> str | None:
    """Return the plain sentence of a cause; None if there is none, or if the title of its explanation is that sentence.

    Args:
        name: the id of the rule that explained a result.
        title: the explanation's title, which often names the values of one case.
    """
    cause = find_cause(name)
    return cause.sentence if cause is not None and cause.title != title else None
