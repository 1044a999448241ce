"""Convert a cell to a test id and back, for every combination of awkward names."""

import itertools
from dataclasses import replace

import pytest

from harness.boards.spec import choose_boards
from harness.cases import select
from harness.errors import UsageError
from harness.model import Cell
from harness.pytest_plugin.node_ids import Axes, NodeIds, current_nodeid, parameters, repeat_word

FILE = "tests/compat/test_matrix.py::test_case"
# Names that contain one another, dashes, colons, slashes, or text like a server, a round or a part of a case.
BOARDS = (
    "unix",
    "unix@1.20.0",
    "unix@1.28.0-preview",
    "unix-2",
    "lab-1",
    "unix:1.20/mp",
    "rfc2217:h:1",
    "a",
    "a-python3.8.18",
    "a-socket",
    "x-1of3",
    "seed",
)
SERVERS = ("python3.8.18", "python3.13.0", "python3.13.0_2")
CASES = ("seed/a", "seed/b", "seed/a-b", "cut-off/a", "off/a")


@pytest.mark.parametrize("servers", [(), SERVERS])
@pytest.mark.parametrize("clients", [(), ("socket",), ("socket", "asyncio")])
@pytest.mark.parametrize("links", [(), ("slow-3g",), ("", "slow-3g")])
@pytest.mark.parametrize("repeat", [1, 3])
def test_every_cell_is_found_by_its_id(servers, clients, links, repeat):
    """An id gives the cell from which it was made, and no two cells share an id."""
    axes = Axes(boards=BOARDS, servers=servers, clients=clients, links=links, cases=CASES, repeat=repeat)
    ids, made = NodeIds(axes), set()
    for cell, number in itertools.product(axes.cells(), range(1, repeat + 1)):
        word = repeat_word(number, repeat=repeat) if repeat > 1 else ""
        text = f"{FILE}[{parameters(cell, repeat=word)}]"
        assert ids.find(text) == (cell, number), text
        made.add(text)
    assert len(made) == len(axes.cells()) * repeat
    for column in axes.columns():
        assert ids.find(f"t.py::C::test_x[{parameters(column)}]") == (replace(column, test="t.py::C::test_x"), 1)


@pytest.mark.parametrize(
    ("servers", "clients", "links", "older"),
    [
        ((), ("socket", "asyncio"), (), "unix-socket"),
        (("in-process",), (), (), "unix-in-process"),
        (("in-process", "python3.8.18"), ("socket",), (), "unix-in-process-socket"),
    ],
)
def test_an_older_pytest_shows_defaults(servers, clients, links, older):
    """A pytest before 8.4 cannot hide the default of an axis that a run names; its id gives the same cell, with and without a case."""
    ids = NodeIds(Axes(boards=("unix", "unix-2"), servers=servers, clients=clients, links=links, cases=CASES))
    default = Cell(board="unix", case="seed/a")
    for column in ("unix", older):
        assert ids.find(f"{FILE}[{column}-seed/a]") == (default, 1)
    assert NodeIds(Axes(boards=("unix",), cases=CASES)).find(f"{FILE}[{older}-seed/a]") is None


def test_names_that_make_one_id_of_two_cells():
    """A board whose name is that of another board and a client is refused: their tests could not be distinguished."""
    message = (
        "boards 'a' and 'a-asyncio': tests of both would have the id 'a-asyncio'; rename one of them in boards.toml"
    )
    with pytest.raises(UsageError) as caught:
        NodeIds(Axes(boards=("a", "a-asyncio"), clients=("socket", "asyncio")))
    assert str(caught.value) == message


def test_defaults_are_omitted():
    """The id shows only what differs from the default, in the order board with its firmware, server, client, link, round, case."""
    assert parameters(Cell(board="u0", case="seed/a")) == "u0-seed/a"
    full = Cell(board="u0@1.28.0", server="python3.8", client="asyncio", link="slow", case="seed/a")
    assert parameters(full, repeat="2of3") == "u0@1.28.0-python3.8-asyncio-slow-2of3-seed/a"


@pytest.mark.parametrize("servers", [(), SERVERS])
@pytest.mark.parametrize("repeat", [1, 3])
def test_a_cut_id_has_no_cell(servers, repeat):
    """A truncated id, or one with additional text, belongs to no case."""
    axes = Axes(boards=("unix", "lab-1"), servers=servers, cases=("seed/a", "seed/b"), repeat=repeat)
    ids = NodeIds(axes)
    for cell in axes.cells():
        word = repeat_word(2, repeat=repeat) if repeat > 1 else ""
        whole = f"t.py::test_case[{parameters(cell, repeat=word)}]"
        assert ids.find(whole) is not None
        cut = [whole[:end] for end in range(len(whole))]
        cut += [whole[start:] for start in range(whole.index("::") + 1, len(whole))]
        for text in [*cut, whole + "x", whole.replace("[", "[x-"), whole.replace("]", "-x]"), whole.replace("[", "[-")]:
            assert ids.find(text) is None, text


@pytest.mark.parametrize(
    "nodeid",
    [
        "",
        "t.py",
        "t.py::test_x",
        "t.py::test_x[]",
        "t.py::test_x[seed/a]",
        "t.py::test_x[-seed/a]",
        "t.py::test_x[unix-seed/zz]",
        "t.py::test_x[unix-python3.8.18-seed/a]",
        "t.py::test_x[UNIX-seed/a]",
        "t.py::test_x[unix-2of3-seed/a]",
        "t[unix-seed/a].py::test_x",
        "[unix-seed/a]",
    ],
)
def test_other_tests_have_no_cell(nodeid):
    """A test that does not use the harness has none, even if its id ends like that of a case."""
    assert NodeIds(Axes(boards=("unix",), cases=("seed/a",))).find(nodeid) is None


@pytest.mark.parametrize("word", ["0of3", "4of3", "01of3", "1of4", "-1of3", "of3"])
def test_rounds_that_do_not_exist(word):
    """With --repeat 3 the rounds are 1of3, 2of3 and 3of3."""
    ids = NodeIds(Axes(boards=("unix",), cases=("seed/a",), repeat=3))
    assert ids.find(f"t.py::test_case[unix-{word}-seed/a]") is None
    assert ids.find("t.py::test_case[unix-seed/a]") is None


def test_the_real_list():
    """With the names of all board specs and every case, each id gives its cell."""
    specs = ("unix", "unix:/opt/1.20.0/micropython", "unix:/opt/1.21.0/micropython", "/dev/ttyUSB0", "COM3", "u0")
    specs += (
        "/dev/serial/by-id/usb-Pico_[1]-if00",
        "rfc2217://[::1]:2217?x=1",
        "id:e6-1",
        "faulty:silent",
        "labgrid:p-1",
    )
    boards = [spec.label for spec in choose_boards(specs, {})]
    axes = Axes(boards=boards, servers=SERVERS, cases=[case.id for case in select("full")])
    ids = NodeIds(axes)
    assert len(boards) == len(specs)
    topics = {case.topic for case in select("full")}
    assert [
        (a, b) for a in topics for b in topics if a.endswith(f"-{b}")
    ] == []  # else board `x-cut` would be ambiguous
    assert [ids.find(f"{FILE}[{parameters(cell)}]") for cell in axes.cells()] == [(cell, 1) for cell in axes.cells()]


def test_the_order_of_cells():
    """Boards are the outermost axis, cases the innermost; an empty axis has its default value only."""
    axes = Axes(boards=("b", "a"), servers=("x", "y"), cases=CASES)
    assert len(axes.cells()) == 20
    assert [cell.board for cell in axes.cells()] == ["b"] * 10 + ["a"] * 10
    assert Axes(boards=("a",), cases=CASES[:1]).cells() == [Cell(board="a", server="in-process", case="seed/a")]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("t.py::test_case[unix-raw/http-400]", "t.py::test_case[unix-not-tls/http-400]"),
        ("t.py::test_case[unix-py311-cut/fin-after-shd]", "t.py::test_case[unix-py311-cut-off/fin-after-shd]"),
        ("t.py::test_case[raw/http-400]", "t.py::test_case[not-tls/http-400]"),
        ("t.py::test_case[unix-cert/good]", "t.py::test_case[unix-cert/good]"),
        ("raw/test_mine.py::test_other[raw/x y]", "raw/test_mine.py::test_other[raw/x y]"),
        ("a-raw/test[b]", "a-raw/test[b]"),
    ],
)
def test_a_former_case_id_is_translated(word, expected):
    """A rerun command from an older report names the case by its former topic."""
    assert current_nodeid(word) == expected
