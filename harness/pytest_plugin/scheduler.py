"""Boards under pytest-xdist: one worker owns a board for the whole run; tests without a board go to any worker.

`--dist loadgroup` cannot do that: some pairs of pytest and pytest-xdist (9.2.0 and 3.8.0) silently ignore it. The controller sees
only test ids, so the board is read from them. Knows pytest-xdist's `Scheduling` protocol, and imports the package late.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.model import board_name

if TYPE_CHECKING:
    import pytest
    from xdist.workermanage import WorkerController

    from harness.pytest_plugin.node_ids import NodeIds

# A worker starts a test when it knows the next one, or that there is none.
AHEAD = 2
# Below LOW tests a worker gets more, up to FULL, so that it never waits. Tests cannot be taken back from a worker: after `-x` or
# Ctrl-C it still runs all that it was sent.
LOW, FULL = 3, 5


def boards_of(nodeid: str, ids: NodeIds) -> frozenset[str]:
    """Return the board of a cell, or else the boards that a test's parameters name.

    A test with parameters of its own may name a board anywhere among them; where one name begins with another the longer one counts.

    Args:
        nodeid: `path::name[PARAMETERS]`.
        ids: of the run.
    """
    cell = ids.find(nodeid)
    if cell is not None:
        return frozenset({cell[0].board})
    inner = nodeid.partition("::")[2].partition("[")[2]
    text = f"-{inner.removesuffix(']')}-"
    found: dict[int, str] = {}
    for label in sorted(ids.axes.boards, key=len):
        start = text.find(f"-{label}-")
        while start >= 0:
            found[start] = label
            start = text.find(f"-{label}-", start + 1)
    return frozenset(found.values())


def split(nodeids: Sequence[str], ids: NodeIds) -> tuple[list[list[int]], list[int]]:
    """Divide a run: the tests of each board together, and those without a board.

    If the parameters of a test name two boards (one may be a parameter that only looks like a board), both boards go to one worker.

    Returns:
        Units of indices in the order of the collection, and the indices of the rest.
    """
    named = [boards_of(nodeid, ids) for nodeid in nodeids]
    home = {label: board_name(label) for label in ids.axes.boards}  # all firmwares of a board belong to one worker
    for boards in named:
        together = {home[label] for label in boards}
        if len(together) > 1:
            first = min(together)
            home = {label: first if owner in together else owner for label, owner in home.items()}
    units: dict[str, list[int]] = {}
    rest = []
    for index, boards in enumerate(named):
        if boards:
            units.setdefault(home[next(iter(boards))], []).append(index)
        else:
            rest.append(index)
    return list(units.values()), rest


def rotated(unit: Sequence[int], nodeids: Sequence[str], ids: NodeIds, *, share: float) -> list[int]:
    """Begin each column of a board, and each round of `--repeat`, with another case than the other boards do.

    In the same order, all boards would wait in the same slow cases at the same time.

    Args:
        unit: the indices of one board's tests, in the order of the collection.
        nodeids: of all tests.
        ids: of the run.
        share: where to begin, as a part of the cases: 0 with the first, 0.5 in the middle.
    """
    columns = [
        (replace(found[0], case=""), found[1]) if (found := ids.find(nodeids[index])) else None for index in unit
    ]
    order: list[int] = []
    for column, places in itertools.groupby(range(len(unit)), key=columns.__getitem__):
        own = [unit[place] for place in places]
        start = int(share * len(own)) if column is not None else 0
        order += own[start:] + own[:start]
    return order


def workers_of(specs: Iterable[str]) -> int:
    """Return the number of workers that `--tx` specifies, where `N*SPEC` is N; pytest-xdist renamed its own function for this."""
    counts = (spec.partition("*") for spec in specs)
    return sum(int(number) if star and number.isdigit() else 1 for number, star, _spec in counts)


class BoardScheduling:
    """pytest-xdist's scheduler for a run with boards.

    Args:
        config: of the controlling process.
        ids: of the run's tests.
    """

    def __init__(self, config: pytest.Config, ids: NodeIds) -> None:
        self.config = config
        self.ids = ids
        self.numnodes = workers_of(config.getvalue("tx"))
        self.collection: list[str] | None = None
        self._collections: dict[WorkerController, list[str]] = {}
        self._sent: dict[WorkerController, list[int]] = {}
        self._own: dict[WorkerController, deque[int]] = {}
        self._units: deque[list[int]] = deque()
        self._rest: deque[int] = deque()
        self._unit_of: dict[int, int] = {}

    @property
    def nodes(self) -> list[WorkerController]:
        """The workers that have not ended."""
        return list(self._sent)

    @property
    def collection_is_completed(self) -> bool:
        """Whether all workers that the run began with have reported their collection."""
        return len(self._collections) >= self.numnodes

    @property
    def tests_finished(self) -> bool:
        """Whether all tests are given out and no worker needs another one to start its last."""
        if not self.collection_is_completed or self._waiting:
            return False
        return all(len(sent) < AHEAD for sent in self._sent.values())

    @property
    def has_pending(self) -> bool:
        """Whether any test has not finished."""
        return self._waiting or any(self._sent.values())

    @property
    def _waiting(self) -> bool:
        """Whether there are tests that were not sent to a worker."""
        return bool(self._units or self._rest) or any(self._own.values())

    def add_node(self, node: WorkerController) -> None:
        """Add a worker."""
        self._sent[node], self._own[node] = [], deque()

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Record a worker's collection. A worker that replaces a crashed one must have collected the same tests."""
        if self.collection is not None and list(collection) != self.collection:
            node.shutdown()  # what is missing is reported when the run ends
            return
        self._collections[node] = list(collection)

    def schedule(self) -> None:
        """Send tests: at first each board to a different worker, later what is left."""
        if self.collection is None:
            if not self._alike():
                return
            self.collection = next(iter(self._collections.values()))
            units, rest = split(self.collection, self.ids)
            self._unit_of = {index: number for number, unit in enumerate(units) for index in unit}
            shares = [place / len(units) for place in range(len(units))]
            units = [
                rotated(unit, self.collection, self.ids, share=share) for unit, share in zip(units, shares, strict=True)
            ]
            self._units, self._rest = deque(units), deque(rest)
            for node in self.nodes:
                if self._units:
                    self._own[node].extend(self._units.popleft())
        for node in self.nodes:
            self._feed(node)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """Record that a test has finished."""
        self._sent[node].remove(item_index)
        self._feed(node)

    def mark_test_pending(self, item: str) -> None:
        """Run a test again, for plugins that rerun flaky tests."""
        assert self.collection is not None
        self._return_tests([self.collection.index(item)])

    def remove_pending_tests_from_node(self, node: WorkerController, indices: Sequence[int]) -> None:
        """Not supported: this scheduler takes no test back from a worker."""
        raise NotImplementedError

    def remove_node(self, node: WorkerController) -> str | None:
        """Remove a worker that has ended, and give the tests that it did not run to others, those of one board together.

        Returns:
            The test in which it crashed; None if it had no test left.
        """
        sent, own = self._sent.pop(node), self._own.pop(node)
        if self.collection is None:
            return None
        # A worker that crashed before it was sent a test still owns a board.
        crashed = self.collection[sent.pop(0)] if sent else None
        self._return_tests([*sent, *own])
        return crashed

    def _return_tests(self, indices: Sequence[int]) -> None:
        units: dict[int, list[int]] = {}
        for index in indices:
            if index in self._unit_of:
                units.setdefault(self._unit_of[index], []).append(index)
            else:
                self._rest.append(index)
        self._units.extendleft(units.values())
        for node in self.nodes:
            self._feed(node)

    def _feed(self, node: WorkerController) -> None:
        """Send a worker more tests, or shut it down if there are none."""
        if self.collection is None or node.shutting_down or node not in self._collections:
            return
        sent, own = self._sent[node], self._own[node]
        if len(sent) < LOW:
            more: list[int] = []
            while len(sent) + len(more) < FULL and (own or self._take_more(own)):
                more.append(own.popleft())
            if more:
                try:
                    node.send_runtest_some(more)
                except OSError:
                    # It has just died, and `remove_node` is called next. It has not started what was not sent.
                    own.extendleft(reversed(more))
                    return
                sent += more
        if len(sent) < AHEAD:
            node.shutdown()

    def _take_more(self, own: deque[int]) -> bool:
        """Assign a board, or some tests without a board, to a worker whose own are all sent; return False if none are left."""
        if self._units:
            own.extend(self._units.popleft())
        elif self._rest:
            # Smaller and smaller parts, so that all workers end at the same time.
            share = max(AHEAD, len(self._rest) // (2 * len(self._sent)))
            own.extend(self._rest.popleft() for _ in range(min(share, len(self._rest))))
        return bool(own)

    def _alike(self) -> bool:
        """Whether all workers collected the same tests; report a difference as pytest-xdist does."""
        import pytest
        from xdist.report import report_collection_diff

        (first, expected), *others = self._collections.items()
        alike = True
        for node, found in others:
            difference = report_collection_diff(expected, found, first.gateway.id, node.gateway.id)
            if difference:
                alike = False
                report = pytest.CollectReport(nodeid=node.gateway.id, outcome="failed", longrepr=difference, result=[])
                self.config.hook.pytest_collectreport(report=report)
        return alike
