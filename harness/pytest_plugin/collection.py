"""Which tests a run has: multiplied by the axes and cases; the packaged matrix where there is none. Opens nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from harness.links.profiles import NO_PROFILE
from harness.pytest_plugin.node_ids import repeat_word
from harness.pytest_plugin.options import DEFAULT_CLIENT, IN_PROCESS
from harness.pytest_plugin.run import cases_of, known_of, names_no_path, options_of

PACKAGED = Path(__file__).resolve().parents[1] / "compat" / "test_matrix.py"
NO_TEST = "--board was given, but {} has no test; `pytest --pyargs harness.compat --board ...` runs the packaged cases"


def generate(metafunc: pytest.Metafunc) -> None:
    """Parametrise a test by the axes whose fixtures it uses; harness.pytest_plugin.node_ids has the ids."""
    names = set(metafunc.fixturenames)
    if not names & {"tls_board_spec", "server_python", "tls_client", "tls_link", "tls_case"}:
        return
    options = options_of(metafunc.config)
    if "tls_board_spec" in names and not _names_boards(metafunc):
        labels = [board.label for board in options.boards]
        metafunc.parametrize("tls_board_spec", options.boards, ids=labels, indirect=True, scope="session")
    if "server_python" in names and options.servers:
        # An id leaves out the default (pytest has a word for that since 8.4).
        hidden = getattr(pytest, "HIDDEN_PARAM", IN_PROCESS)
        labels = [hidden if server == IN_PROCESS else options.server_name(server) for server in options.servers]
        metafunc.parametrize("server_python", options.servers, ids=labels, indirect=True, scope="session")
    if "tls_client" in names and options.clients:
        hidden = getattr(pytest, "HIDDEN_PARAM", DEFAULT_CLIENT)
        labels = [hidden if client == DEFAULT_CLIENT else client for client in options.clients]
        metafunc.parametrize("tls_client", options.clients, ids=labels, indirect=True, scope="session")
    if "tls_link" in names and options.links:
        hidden = getattr(pytest, "HIDDEN_PARAM", NO_PROFILE)
        labels = [link or hidden for link in options.links]
        metafunc.parametrize("tls_link", options.links, ids=labels, indirect=True, scope="session")
    if "tls_repeat" in names and options.repeat > 1:
        # Outside the cases: repeating the whole set finds more (what one case leaves to the next, a board that warms up, an
        # access point that drops it after an hour) than repeating each case.
        rounds = [repeat_word(number, repeat=options.repeat) for number in range(1, options.repeat + 1)]
        metafunc.parametrize("tls_repeat", range(1, options.repeat + 1), ids=rounds, indirect=True)
    if "tls_case" in names:
        known_of(metafunc.config)
        cases = cases_of(metafunc.config)
        metafunc.parametrize("tls_case", cases, ids=[case.id for case in cases], indirect=True)


def by_firmware(items: list[pytest.Item], config: pytest.Config) -> None:
    """With `--firmware`, put all tests of one board with one firmware together: each version is flashed once per board.

    pytest and plugins that shuffle may have other orders, as one server after the other on all boards. Tests without a board stay
    at the front in their order.
    """
    if not config.getoption("firmware"):
        return
    places = {board.label: place for place, board in enumerate(options_of(config).boards)}

    def place(item: pytest.Item) -> int:
        spec = getattr(getattr(item, "callspec", None), "params", {}).get("tls_board_spec")
        return -1 if spec is None else places.get(spec.label, -1)

    items.sort(key=place)


def _names_boards(metafunc: pytest.Metafunc) -> bool:
    """Whether the test itself names its boards, with `parametrize("board", [...], indirect=True)`."""
    marks = metafunc.definition.iter_markers("parametrize")
    named = (mark.args[0] if mark.args else mark.kwargs.get("argnames", ()) for mark in marks)
    return any("board" in (item.replace(" ", "").split(",") if isinstance(item, str) else item) for item in named)


def packaged_cases(session: pytest.Session) -> Iterable[pytest.Item]:
    """Return the tests of the packaged matrix if they are what the user wants: `pytest --board SPEC` where no test is.

    A path on the command line, a file that cannot be collected or a plugin that ignores files is not such a place.
    """
    config = session.config
    if not config.getoption("board") or session.testsfailed or not names_no_path(config):
        return ()
    # The id is the one that it has with `--pyargs harness.compat`; pytest makes none for a file outside the root directory.
    return session.genitems(pytest.Module.from_parent(session, path=PACKAGED, nodeid=PACKAGED.name))


def no_test_text(config: pytest.Config) -> str:
    """Return why a run with `--board` tested no board, in one line."""
    return NO_TEST.format(" ".join(config.args) or "this folder")
