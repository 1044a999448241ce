"""From a cell of the matrix to the test id that pytest makes for it, and back. Pure.

Knows the names of this run's boards, servers and cases; a name may contain dashes, so an id is never split on them alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.errors import UsageError
from harness.links.profiles import NO_PROFILE
from harness.model import DEFAULT_CLIENT, IN_PROCESS, Cell, current_name

# The case in the id of a test: `test_case[unix-raw/http-400]`.
_CASE = re.compile(r"(?<=[\[-])[a-z0-9]+/[a-z0-9-]+(?=\]$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """What a run multiplies its tests by. An empty axis has only its default value, which no id shows."""

    boards: Sequence[str]
    servers: Sequence[str] = ()
    clients: Sequence[str] = ()
    links: Sequence[str] = ()
    cases: Sequence[str] = ()
    repeat: int = 1

    def columns(self) -> list[Cell]:
        """Return every combination except that of cases: the boards outermost."""
        axes = (self.boards, self.servers or [IN_PROCESS])
        more = (self.clients or [DEFAULT_CLIENT], self.links or [""])
        return [
            Cell(board=board, server=server, client=client, link=link)
            for board, server, client, link in itertools.product(*axes, *more)
        ]

    def cells(self) -> list[Cell]:
        """Return every case in every column, in the order of results."""
        return [replace(column, case=case) for column in self.columns() for case in self.cases]


def parameters(cell: Cell, *, repeat: str = "") -> str:
    """Return what stands between the brackets of a test id: `BOARD[@FIRMWARE]-[SERVER-][CLIENT-][LINK-][REPEAT-]topic/case`.

    Args:
        cell: values that are the default are left out.
        repeat: from `repeat_word`, if the run has `--repeat`.
    """
    words = [cell.board]
    words += [cell.server] if cell.server != IN_PROCESS else []
    words += [cell.client] if cell.client != DEFAULT_CLIENT else []
    return "-".join([*words, *filter(None, (cell.link, repeat, cell.case))])


def repeat_word(number: int, *, repeat: int) -> str:
    """Return how an id names one round of `--repeat`: `2of5`."""
    return f"{number}of{repeat}"


def current_nodeid(word: str) -> str:
    """Replace the former id of a case in a test id that an older record or report shows.

    Args:
        word: an argument of pytest; anything else is returned unchanged.
    """
    return _CASE.sub(lambda found: current_name(found[0]), word) if "::" in word else word


def _older_id(column: Cell, axes: Axes) -> str:
    """Return the id that a pytest before 8.4 makes of a column: it also shows the defaults of the axes that the run names."""
    words = [column.server] if axes.servers else []
    words += [column.client] if axes.clients else []
    words += [column.link or NO_PROFILE] if axes.links else []
    return "-".join((column.board, *words))


class NodeIds:
    """Finds the cell that a test id of this run belongs to.

    Args:
        axes: of the run.

    Raises:
        UsageError: two combinations of boards and other axes share an id.
    """

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self._columns: dict[str, Cell] = {}
        for column in axes.columns():
            other = self._columns.setdefault(parameters(column), column)
            if other is not column:
                raise UsageError(
                    f"boards {other.board!r} and {column.board!r}: tests of both would have the id {parameters(column)!r}; "
                    "rename one of them in boards.toml"
                )
        for column in axes.columns():
            self._columns.setdefault(_older_id(column, axes), column)
        self._cases = frozenset(axes.cases)
        self._repeat = re.compile(rf"(.+)-([1-9][0-9]*)of{axes.repeat}")

    def find(self, nodeid: str) -> tuple[Cell, int] | None:
        """Return the cell and the round of `--repeat`, from 1; None for a test that belongs to none.

        A test with other parameters of its own has no cell: they could be read as parts of a name.
        """
        name, bracket, rest = nodeid.partition("::")[2].partition("[")
        if not bracket or not rest.endswith("]"):
            return None
        inside = rest[:-1]
        for dash in (match.start() for match in re.finditer("-", inside)):
            case = inside[dash + 1 :]
            found = self._column(inside[:dash]) if case in self._cases else None
            if found is not None:
                return replace(found[0], case=case), found[1]
        if inside in self._columns:
            return replace(self._columns[inside], test=f"{nodeid.partition('::')[0]}::{name}"), 1
        return None

    def _column(self, text: str) -> tuple[Cell, int] | None:
        """Read what stands before the case."""
        number = 1
        if self.axes.repeat > 1:
            match = self._repeat.fullmatch(text)
            if match is None or int(match[2]) > self.axes.repeat:
                return None
            text, number = match[1], int(match[2])
        column = self._columns.get(text)
        return None if column is None else (column, number)
