"""Many boards under pytest-xdist: one worker owns a board for the whole run, and what needs no board goes where there is room.

`--dist loadgroup` is no way to do that: with some pairs of pytest and pytest-xdist (9.2.0 and 3.8.0) it is silently ignored. The
controller sees names of tests only, so the board is read from them. Knows pytest-xdist's `Scheduling` protocol, and imports it late.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from xdist.workermanage import WorkerController

    from harness.pytest_plugin.node_ids import NodeIds

# A worker begins a test when it knows the one after it, or that there is none.
AHEAD = 2
# It gets more before it has to wait for it, and few at once: nothing can be taken from a worker again, so after `-x` or Ctrl-C it
# still runs what it was sent.
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
    """Divide a run: the tests of each board together, and those that need none.

    A test whose parameters name two boards (one of them is a word of somebody's own that looks like a board) keeps both together:
    whichever it is, one worker has it.

    Returns:
        Units of indices in the order of the collection, and the indices of the rest.
    """
    named = [boards_of(nodeid, ids) for nodeid in nodeids]
    home = {label: label for label in ids.axes.boards}
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


def workers_of(specs: Iterable[str]) -> int:
    """How many workers `--tx` asks for, `N*SPEC` being N; pytest-xdist's own function has had two names."""
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
        """The workers there are."""
        return list(self._sent)

    @property
    def collection_is_completed(self) -> bool:
        """Whether all workers that the run began with have said which tests there are."""
        return len(self._collections) >= self.numnodes

    @property
    def tests_finished(self) -> bool:
        """Whether nothing is left to give out, and each worker can finish alone once it is told that nothing comes."""
        if not self.collection_is_completed or self._waiting:
            return False
        return all(len(sent) < AHEAD for sent in self._sent.values())

    @property
    def has_pending(self) -> bool:
        """Whether any test has not been run."""
        return self._waiting or any(self._sent.values())

    @property
    def _waiting(self) -> bool:
        """Whether there are tests that no worker was sent."""
        return bool(self._units or self._rest) or any(self._own.values())

    def add_node(self, node: WorkerController) -> None:
        """Take a new worker in."""
        self._sent[node], self._own[node] = [], deque()

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Hear which tests a worker has found; a late one, in the place of one that crashed, must have found the same."""
        if self.collection is not None and list(collection) != self.collection:
            node.shutdown()  # what is missing is reported when the run ends
            return
        self._collections[node] = list(collection)

    def schedule(self) -> None:
        """Give out work: at first all units to different workers, later whatever is left."""
        if self.collection is None:
            if not self._alike():
                return
            self.collection = next(iter(self._collections.values()))
            units, rest = split(self.collection, self.ids)
            self._unit_of = {index: number for number, unit in enumerate(units) for index in unit}
            self._units, self._rest = deque(units), deque(rest)
            for node in self.nodes:
                if self._units:
                    self._own[node].extend(self._units.popleft())
        for node in self.nodes:
            self._feed(node)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """A test has been run."""
        self._sent[node].remove(item_index)
        self._feed(node)

    def mark_test_pending(self, item: str) -> None:
        """A test is to be run again, as plugins for flaky tests want it."""
        assert self.collection is not None
        self._give_back([self.collection.index(item)])

    def remove_pending_tests_from_node(self, node: WorkerController, indices: Sequence[int]) -> None:
        """Nothing is ever taken from a worker here."""
        raise NotImplementedError

    def remove_node(self, node: WorkerController) -> str | None:
        """A worker has ended. What it has not run goes to another, a board's rest as one.

        Returns:
            The test in which it crashed; None if it had nothing left to do.
        """
        sent, own = self._sent.pop(node), self._own.pop(node)
        if self.collection is None:
            return None
        # One that crashed before it was sent anything has a board of its own all the same.
        crashed = self.collection[sent.pop(0)] if sent else None
        self._give_back([*sent, *own])
        return crashed

    def _give_back(self, indices: Sequence[int]) -> None:
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
        """Let a worker always know what comes next: more work, or that it is done."""
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
                    # It has just died, and that is heard next: what it was not told it has not begun (`remove_node`).
                    own.extendleft(reversed(more))
                    return
                sent += more
        if len(sent) < AHEAD:
            node.shutdown()

    def _take_more(self, own: deque[int]) -> bool:
        """Give a worker whose own tests are all sent a board, or a part of what needs none; False where nothing is left."""
        if self._units:
            own.extend(self._units.popleft())
        elif self._rest:
            # Smaller and smaller parts, so that all end at the same time.
            share = max(AHEAD, len(self._rest) // (2 * len(self._sent)))
            own.extend(self._rest.popleft() for _ in range(min(share, len(self._rest))))
        return bool(own)

    def _alike(self) -> bool:
        """Whether all workers found the same tests; what differs is reported as pytest-xdist does."""
        import pytest
        from xdist.report import report_collection_diff

        (first, wanted), *others = self._collections.items()
        alike = True
        for node, found in others:
            difference = report_collection_diff(wanted, found, first.gateway.id, node.gateway.id)
            if difference:
                alike = False
                report = pytest.CollectReport(nodeid=node.gateway.id, outcome="failed", longrepr=difference, result=[])
                self.config.hook.pytest_collectreport(report=report)
        return alike
