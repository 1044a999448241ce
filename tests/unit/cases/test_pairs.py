"""The reduced product of server settings contains every pair of values."""

import itertools

from covertable.main import Controller

from harness.cases import select
from harness.cases.pairs import FACTORS, reduced


def pairs_of(combination):
    """Return every pair of settings in one combination."""
    return set(itertools.combinations(zip(FACTORS, combination, strict=True), 2))


def test_core_holds_every_pair():
    """Any two values of two different settings occur together in at least one core case."""
    wanted = set().union(*(pairs_of(each) for each in itertools.product(*FACTORS.values())))
    found = set().union(*(pairs_of(each) for each in reduced()))
    assert wanted - found == set()
    assert len(wanted) == 119


def test_the_library_counts_the_same():
    """By covertable's own count no pair is uncovered or discarded."""
    controller = Controller(FACTORS)
    rows = controller.make()
    assert controller.stats["uncovered_pairs"] == []
    assert controller.stats["pruned_pairs"] == 0
    assert {tuple(row[factor] for factor in FACTORS) for row in rows} == reduced()


def test_the_reduction_is_the_same_every_time():
    """Two runs of core try the same cases."""
    assert reduced() == reduced()


def test_full_holds_the_product():
    """full contains the whole product; core is exactly its reduced part."""
    full = {case.id for case in select("full") if case.topic == "pairs"}
    core = {case.id for case in select("core") if case.topic == "pairs"}
    assert full == {f"pairs/{'-'.join(each)}" for each in itertools.product(*FACTORS.values())}
    assert core == {f"pairs/{'-'.join(each)}" for each in reduced()}
