"""What a run is going to try, from the names of its tests."""

from harness.pytest_plugin.plan import all_cells, planned_cells

FILE = "tests/compat/test_matrix.py::test_case"
CASES = ("seed/a", "seed/b", "seed/a-b")


def test_boards():
    """BOARD-topic/case, for names that hold dashes, too."""
    ids = [f"{FILE}[unix-seed/a]", f"{FILE}[lab-1-seed/a-b]", f"{FILE}[else-seed/a]", f"{FILE}[unix-seed/zz]", "test_x"]
    assert planned_cells(ids, boards=("unix", "lab-1"), servers=(), cases=CASES) == [
        ("unix", "in-process", "seed/a"),
        ("lab-1", "in-process", "seed/a-b"),
    ]


def test_servers_and_repeats():
    """BOARD-SERVER-NofM-topic/case: each cell once."""
    ids = [f"{FILE}[unix-python3.8.18-{number}of3-seed/b]" for number in (1, 2, 3)]
    assert planned_cells(ids, boards=("unix",), servers=("python3.8.18", "python3.13.0"), cases=CASES, repeat=3) == [
        ("unix", "python3.8.18", "seed/b")
    ]


def test_the_whole_set():
    """Every case on every board against every server; without --server there is one."""
    assert len(all_cells(boards=("a", "b"), servers=("x", "y", "z"), cases=CASES)) == 18
    assert all_cells(boards=("a",), servers=(), cases=CASES[:1]) == [("a", "in-process", "seed/a")]
