"""Which tests belong to which board, and which worker gets them: the scheduler with workers that only record what they receive."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.pytest_plugin.node_ids import Axes, NodeIds
from harness.pytest_plugin.scheduler import AHEAD, FULL, LOW, BoardScheduling, boards_of, rotated, split, workers_of


def ids_with(*boards: str) -> NodeIds:
    """Return the test ids of a run with these boards."""
    return NodeIds(Axes(boards=boards, cases=["seed/rsa"]))


@pytest.mark.parametrize(
    ("nodeid", "boards"),
    [
        ("t.py::test_case[pico-seed/rsa]", {"pico"}),
        ("t.py::test_case[pico-2-seed/rsa]", {"pico-2"}),
        ("t.py::test_case[pico-2-python3.8-1of3-seed/rsa]", {"pico-2"}),
        ("t.py::Class::test_x[seed-pico]", {"pico"}),
        ("t.py::test_x[unix:1.20/mp]", {"unix:1.20/mp"}),
        ("t.py::test_x[a-pico-b]", {"pico"}),
        ("t.py::test_x[esp-pico]", {"esp", "pico"}),
        ("t.py::test_x[pico-a[1]::b]", {"pico"}),
        ("t.py::test_x[picos]", set()),
        ("pico/t.py::test_pico", set()),
        ("t[pico].py::test_x", set()),
        ("t.py", set()),
    ],
)
def test_boards_of(nodeid: str, boards: set[str]) -> None:
    """The board is a complete name in the parameters, the longest that matches; never a part of the path or the test name."""
    assert boards_of(nodeid, ids_with("pico", "pico-2", "esp", "unix:1.20/mp")) == boards


@pytest.mark.parametrize(
    ("specs", "workers"),
    [
        (["popen"], 1),
        (["3*popen"], 3),
        (["2*popen//python=python3.12", "popen"], 3),
        (["ssh=x//chdir=a*b"], 1),
        ([], 0),
    ],
)
def test_workers_of(specs: list[str], workers: int) -> None:
    """Workers are counted as in pytest-xdist: a number and a star before the rest."""
    assert workers_of(specs) == workers


def test_split() -> None:
    """Each board's tests are grouped, in the order of the collection; the others are separate."""
    ids = ["t::a[x-1]", "t::plain", "t::a[y-1]", "t::b[x]", "u::b[y]", "u::n[1]"]
    assert split(ids, ids_with("x", "y")) == ([[0, 3], [2, 4]], [1, 5])
    assert split([], ids_with("x")) == ([], [])


def test_the_firmwares_of_a_board_belong_to_one_worker() -> None:
    """They are on one board, one after the other."""
    ids = ["t::a[x@1.25-1]", "t::a[x@1.28-1]", "t::a[y@1.25-1]", "t::b[x@1.28]"]
    assert split(ids, ids_with("x@1.25", "x@1.28", "y@1.25")) == ([[0, 1, 3], [2]], [])


def test_an_ambiguous_name_joins_boards() -> None:
    """A test that may belong to either of two boards keeps them on one worker; a third board is not affected."""
    ids = ["t::a[x]", "t::a[y]", "t::a[z]", "t::b[x-y]"]
    assert split(ids, ids_with("x", "y", "z")) == ([[0, 1, 3], [2]], [])


CASES = ("a/1", "a/2", "a/3", "a/4")


@pytest.mark.parametrize(
    ("share", "expected"), [(0, "1234 1234 1234 1234"), (0.5, "3412 3412 3412 3412"), (0.76, "4123 4123 4123 4123")]
)
def test_each_column_and_round_is_rotated_in_itself(share, expected) -> None:
    """No case moves to another server or round: a firmware is flashed once, and rounds stay in their order."""
    ids = NodeIds(Axes(boards=("x",), servers=("in-process", "py"), cases=CASES, repeat=2))
    names = [
        f"t.py::test_case[x-{server}{number}of2-{case}]"
        for server in ("", "py-")
        for number in (1, 2)
        for case in CASES
    ]
    order = rotated(range(len(names)), names, ids, share=share)
    assert sorted(order) == list(range(len(names)))
    assert [index // 4 for index in order] == [place // 4 for place in range(len(names))]
    assert " ".join("".join(names[index][-2] for index in order[at : at + 4]) for at in (0, 4, 8, 12)) == expected


def test_other_tests_keep_their_order() -> None:
    """A test that is no case may depend on the one before."""
    ids = NodeIds(Axes(boards=("x",), cases=CASES))
    names = ["t::own[x-1]", "t::own[x-2]", *(f"t::test_case[x-{case}]" for case in CASES), "t::own[x-3]"]
    assert rotated(range(7), names, ids, share=0.5) == [0, 1, 4, 5, 2, 3, 6]


def test_boards_begin_with_different_cases() -> None:
    """Each of n boards begins one n-th of the cases later than the one before."""
    labels = ["b0", "b1", "b2", "b3"]
    nodeids = [f"t.py::test_case[{label}-{case}]" for label in labels for case in CASES]
    run = Run(nodeids, labels, workers=0)
    run.scheduling.ids = NodeIds(Axes(boards=labels, cases=CASES))
    run.scheduling.numnodes = 4
    run.workers = [run.join(f"gw{number}") for number in range(4)]
    run.go()
    assert run.all_ran_once()
    assert [[nodeids[index][-2] for index in worker.ran] for worker in run.workers] == [
        ["1", "2", "3", "4"],
        ["2", "3", "4", "1"],
        ["3", "4", "1", "2"],
        ["4", "1", "2", "3"],
    ]


class Worker:
    """A worker that records what it receives."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.todo: list[int] = []
        self.ran: list[int] = []
        self.shutting_down = False

    def send_runtest_some(self, indices: list[int]) -> None:
        self.todo += indices

    def shutdown(self) -> None:
        self.shutting_down = True

    def can_run(self) -> bool:
        """Behave as a real one: begin a test when the next is known, or that there is none."""
        return len(self.todo) >= AHEAD or bool(self.todo and self.shutting_down)


class Run:
    """Simulate a run with this number of workers (0: two that start later); `go` runs tests until no worker can continue."""

    def __init__(self, ids: list[str], labels: list[str], *, workers: int) -> None:
        self.ids, self.problems = ids, []
        hook = SimpleNamespace(pytest_collectreport=lambda report: self.problems.append(report.longrepr))
        config = SimpleNamespace(getvalue={"tx": ["popen"] * (workers or 2)}.get, hook=hook)
        self.scheduling = BoardScheduling(config, ids_with(*labels))  # type: ignore[arg-type]
        self.workers = [self.join(f"gw{number}") for number in range(workers)]

    def join(self, name: str, ids: list[str] | None = None) -> Worker:
        worker = Worker(name)
        self.scheduling.add_node(worker)
        self.scheduling.add_node_collection(worker, ids or self.ids)
        if self.scheduling.collection_is_completed:
            self.scheduling.schedule()
        return worker

    def step(self, worker: Worker) -> None:
        index = worker.todo.pop(0)
        worker.ran.append(index)
        self.scheduling.mark_test_complete(worker, index)

    def go(self) -> None:
        while any(worker.can_run() for worker in self.workers):
            for worker in self.workers:
                if worker.can_run():
                    self.step(worker)

    def owners(self, label: str) -> list[str]:
        wanted = {index for index, nodeid in enumerate(self.ids) if f"[{label}-" in nodeid}
        return [worker.gateway.id for worker in self.workers if wanted & set(worker.ran)]

    def all_ran_once(self) -> bool:
        return sorted(index for worker in self.workers for index in worker.ran) == list(range(len(self.ids)))


def ids_of(boards: int, *, cases: int, plain: int = 0) -> list[str]:
    """Return test names: this number of cases on each board, and some tests without a board."""
    named = [f"t.py::test_case[b{board}-c/{case}]" for board in range(boards) for case in range(cases)]
    return named + [f"u.py::test_{number}" for number in range(plain)]


@pytest.mark.parametrize("cases", [1, 2, 5])
@pytest.mark.parametrize("plain", [0, 1, 30])
@pytest.mark.parametrize(("boards", "workers"), [(8, 8), (8, 3), (3, 8), (1, 1), (1, 2)])
def test_every_board_has_one_worker(boards: int, workers: int, cases: int, plain: int) -> None:
    """For all numbers every test runs once, a board never changes its worker, and all workers are shut down."""
    run = Run(ids_of(boards, cases=cases, plain=plain), [f"b{number}" for number in range(boards)], workers=workers)
    run.go()
    assert run.all_ran_once()
    assert [len(run.owners(f"b{number}")) for number in range(boards)] == [1] * boards
    assert all(worker.shutting_down for worker in run.workers)
    assert (run.scheduling.tests_finished, run.scheduling.has_pending) == (True, False)


def test_boards_come_first_and_go_to_different_workers() -> None:
    """With as many workers as boards, each gets a board before any worker gets a test without one."""
    run = Run(ids_of(4, cases=5, plain=40), ["b0", "b1", "b2", "b3"], workers=4)
    assert [worker.todo for worker in run.workers] == [list(range(n * 5, n * 5 + 5)) for n in range(4)]
    run.go()
    assert sum(bool(set(worker.ran) & set(range(20, 60))) for worker in run.workers) > 1


def test_a_worker_knows_a_few_tests_ahead() -> None:
    """When it must stop (`-x`), it runs the few tests that it received, not all of its board; no other test counts as crashed."""
    run = Run(ids_of(2, cases=100), ["b0", "b1"], workers=2)
    for worker in run.workers:
        for _ in range(10):
            assert LOW <= len(worker.todo) <= FULL
            run.step(worker)
    for worker in run.workers:
        worker.shutdown()
    run.go()
    assert all(len(worker.ran) <= 10 + FULL for worker in run.workers)
    assert not run.scheduling.tests_finished
    assert [run.scheduling.remove_node(worker) for worker in run.workers] == [None, None]


def test_a_crash() -> None:
    """The test in which a worker crashed is named; the board's other tests go to the worker that replaces it."""
    run = Run(ids_of(2, cases=6), ["b0", "b1"], workers=2)
    first = run.workers[0]
    run.step(first)
    assert run.scheduling.remove_node(first) == "t.py::test_case[b0-c/1]"
    first.todo.clear()
    run.workers.append(run.join("gw2"))
    run.go()
    assert [worker.ran for worker in run.workers] == [[0], [6, 7, 8, 9, 10, 11], [2, 3, 4, 5]]
    assert run.scheduling.tests_finished


def test_a_crash_before_the_first_test() -> None:
    """A worker that has ended when work is assigned receives nothing; its board goes to another one."""
    down = Worker("gw1")
    down.shutting_down = True  # as in pytest-xdist when its pipe closes; the crash is reported later
    run = Run(ids_of(2, cases=6), ["b0", "b1"], workers=0)
    run.scheduling.add_node(down)  # type: ignore[arg-type]
    run.scheduling.add_node_collection(down, run.ids)  # type: ignore[arg-type]
    run.workers.append(run.join("gw0"))
    assert down.todo == []
    assert run.scheduling.remove_node(down) is None  # type: ignore[arg-type]
    run.workers.append(run.join("gw2"))
    run.go()
    assert run.all_ran_once()
    assert [worker.ran for worker in run.workers] == [list(range(6, 12)), list(range(6))]


def test_a_crash_that_is_seen_before_it_is_reported() -> None:
    """A worker whose pipe has just closed has begun nothing: no test counts as crashed, and its board goes to another worker."""

    class Broken(Worker):
        def send_runtest_some(self, indices: list[int]) -> None:
            raise OSError("cannot send (already closed?)")

    broken = Broken("gw1")
    run = Run(ids_of(2, cases=6), ["b0", "b1"], workers=0)
    run.scheduling.add_node(broken)  # type: ignore[arg-type]
    run.scheduling.add_node_collection(broken, run.ids)  # type: ignore[arg-type]
    run.workers.append(run.join("gw0"))
    assert run.scheduling.remove_node(broken) is None  # type: ignore[arg-type]
    run.workers.append(run.join("gw2"))
    run.go()
    assert run.all_ran_once()
    assert [worker.ran for worker in run.workers] == [list(range(6, 12)), list(range(6))]


def test_the_end_of_a_worker_is_not_a_crash() -> None:
    """A worker that has run everything that it received ends without a crashed test."""
    run = Run(ids_of(1, cases=2), ["b0"], workers=2)
    run.go()
    assert [run.scheduling.remove_node(worker) for worker in run.workers] == [None, None]
    assert run.scheduling.nodes == []


def test_a_test_that_must_run_again() -> None:
    """Plugins for flaky tests may request another run."""
    run = Run(ids_of(1, cases=3, plain=3), ["b0"], workers=1)
    run.scheduling.mark_test_pending("t.py::test_case[b0-c/0]")
    run.go()
    assert sorted(run.workers[0].ran) == [0, 0, 1, 2, 3, 4, 5]


def test_workers_that_found_different_tests() -> None:
    """Nothing runs, and the difference is reported; a late worker that differs is shut down."""
    run = Run(ids_of(1, cases=3), ["b0"], workers=2)
    late = run.join("gw9", ids=["other"])
    assert (late.shutting_down, late.todo) == (True, [])
    apart = Run(ids_of(1, cases=1), ["b0"], workers=3)
    apart.scheduling = BoardScheduling(apart.scheduling.config, ids_with("b0"))
    workers = [apart.join(name, ids=[f"t.py::{name}"]) for name in ("gw0", "gw1", "gw2")]
    assert [worker.todo for worker in workers] == [[], [], []]
    assert len(apart.problems) == 2
    assert "gw1" in apart.problems[0]
    assert apart.scheduling.tests_finished
