"""The rules: one pure function per cause, registered by its id, in the order in which they are tried.

Knows how a rule is declared and applied. Must not know any cause.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.explain.catalogue.causes import find_cause
from harness.explain.evidence import Evidence
from harness.model import Explanation, Fix

Rule = Callable[[Evidence], Explanation | None]
_RULES: dict[str, Rule] = {}


def rule(name: str) -> Callable[[Rule], Rule]:
    """Register the decorated function as the rule of one cause.

    Args:
        name: `topic/cause`; the topic is the function's file with dashes.

    Raises:
        ValueError: for an id that exists already, or one of another topic.
    """

    def register(function: Rule) -> Rule:
        topic = function.__module__.rpartition(".")[2].replace("_", "-")
        if name in _RULES or not name.startswith(f"{topic}/"):
            raise ValueError(f"{name}: declared twice, or not in its topic's file ({topic})")
        _RULES[name] = function
        return function

    return register


def told(title: str = "", *, why: tuple[str, ...] = (), fixes: tuple[Fix, ...] = ()) -> Explanation:
    """Return the explanation of a rule that matched; the caller fills in its id.

    Args:
        title: the cause in one line, with the values of this case; empty: the catalogue's sentence.
        why: the evidence, a line each.
        fixes: the most secure first; the discouraged ones last.
    """
    return Explanation(rule="", title=title, why=why, fixes=tuple(sorted(fixes, key=lambda fix: fix.discouraged)))


def names() -> tuple[str, ...]:
    """The ids of all rules loaded so far."""
    return tuple(_RULES)


def fitting(evidence: Evidence) -> tuple[Explanation, ...]:
    """Apply every rule and return all explanations."""
    found = ((name, function(evidence)) for name, function in _RULES.items())
    return tuple(_named(said, name) for name, said in found if said is not None)


def first(evidence: Evidence) -> Explanation | None:
    """Apply the rules in order and return the first explanation."""
    for name, function in _RULES.items():
        said = function(evidence)
        if said is not None:
            return _named(said, name)
    return None


def _named(said: Explanation, name: str) -> Explanation:
    """Fill in the id, and the catalogue's sentence where the rule has nothing to add to it."""
    cause = find_cause(name)
    return replace(said, rule=name, title=said.title or (cause.title if cause is not None else name))


def evidence_of(name: str) -> str | None:
    """Return what the rule of this id looks for: the first sentence of its docstring; None if there is no such rule."""
    function = _RULES.get(name)
    return None if function is None else " ".join((function.__doc__ or "").split("\n\n")[0].split())
