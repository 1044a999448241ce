"""From the facts of a text to its causes: the likeliest first, and whether the text settles it.

Knows how facts combine: a reason beats an effect, what two sides say together beats what one says.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.explain.catalogue.causes import Cause, find_cause
from harness.explain.catalogue.facts import Fact, Facts, facts_of

_EFFECT = 0.6
_MOST = 6
SEVERAL = "Several causes are possible: "
LIKELY = "Most likely: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a text means.

    Attributes:
        facts: what was read in it.
        head: the cause that explains it best; None if nothing was recognised.
        others: further causes, the likeliest first: the special ones of a general head, else what the text may mean, too.
        is_open: whether the text leaves several causes open.
    """

    facts: Facts
    head: Cause | None = None
    others: tuple[Cause, ...] = ()
    is_open: bool = False

    def __bool__(self) -> bool:
        return self.head is not None or bool(self.facts)

    @property
    def sentence(self) -> str:
        """The answer in one sentence."""
        if self.head is None:
            return "No cause is known for this number; this is its name." if self.facts else ""
        before = SEVERAL if self.is_open else LIKELY if self.others else ""
        return f"{before}{self.head.title}." if before else self.head.sentence


def understand(text: str) -> Answer:
    """Return what a pasted text means; the id of a cause means that cause.

    Args:
        text: one or several lines of either side's error, as pasted.
    """
    named = find_cause(text.strip())
    if named is not None:
        return Answer(facts=Facts(), head=named, others=_causes(named.reasons), is_open=bool(named.reasons))
    facts = facts_of(text)
    ranked = ranking(facts.facts)
    if not ranked:
        return Answer(facts=facts)
    head = find_cause(ranked[0])
    assert head is not None
    if head.reasons:
        near = [name for name in ranked[1:] if name in head.reasons]
        names = [*near, *(name for name in head.reasons if name not in near)]
        names += [name for name in ranked[1:] if name not in names]
        return Answer(facts=facts, head=head, others=_causes(tuple(names))[:_MOST], is_open=True)
    only_effects = all(fact.sign.effect for fact in facts.facts)
    others = _causes(tuple(ranked[1:]))[:_MOST]
    return Answer(facts=facts, head=head, others=others, is_open=only_effects and bool(others))


def ranking(facts: tuple[Fact, ...]) -> list[str]:
    """Return the ids of all causes that the facts point to, the best first."""
    score: dict[str, float] = {}
    certain: set[str] = set()
    for fact in facts:
        weight = _EFFECT if fact.sign.effect else 1.0
        names = fact.sign.causes(fact.side)
        for place, name in enumerate(names):
            score[name] = score.get(name, 0.0) + weight * (1.0 if place == 0 else 0.5 / place)
            if not fact.sign.effect:
                certain.add(name)
    order = list(score)
    ranked = sorted(order, key=lambda name: (-score[name], order.index(name)))
    # Where one side's reason is known, what the other side saw of it is no cause of its own.
    return [name for name in ranked if name in certain] if ranked and ranked[0] in certain else ranked


def _causes(names: tuple[str, ...]) -> tuple[Cause, ...]:
    return tuple(cause for cause in map(find_cause, names) if cause is not None)
