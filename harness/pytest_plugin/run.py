"""What one process of a run has: its options, lab, test ids and known deviations, each made at its first use.

Holds its state in `config.stash`. Everything that needs a board, a server or a key is imported by the function that uses it: a
suite that uses none of this does not pay for it.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.interrupts import end_on_signals
from harness.pytest_plugin.options import (
    any_given,
    check_amount,
    check_distinct,
    check_outputs,
    check_set,
    run_options,
    server_names,
)

if TYPE_CHECKING:
    from harness.certificates import Certificates
    from harness.model import BoardSpec, Case
    from harness.oracle.known import Deviation
    from harness.pytest_plugin.connections import Connections
    from harness.pytest_plugin.fixtures import Board
    from harness.pytest_plugin.node_ids import NodeIds
    from harness.run.lab import Lab
    from harness.run.options import RunOptions

RUN = pytest.StashKey["RunOptions"]()
LAB = pytest.StashKey["Lab"]()
KNOWN = pytest.StashKey["tuple[Deviation, ...]"]()
IDS = pytest.StashKey["NodeIds"]()
CONNECTIONS = pytest.StashKey["Connections"]()
WORKER_NAMES = "tls_harness_server_names"
WORKER_NO_PATHS = "tls_harness_no_paths"
# The value of harness.oracle.known.DEFAULT_FILE, which is imported only if there is such a file.
KNOWN_FILE = "known_deviations.toml"
# The ini option with the folders of the user's own certificate profiles.
CERTS_INI = "tls_certs"
PROGRAM_TOPIC = "app/"


def configure(config: pytest.Config) -> None:
    """Check the options; in the controlling process also start the interpreters of `--server`.

    Raises:
        UsageError: naming the option, the value and what is accepted.
    """
    check_set(config.getoption("cases"))
    worker = hasattr(config, "workerinput")
    if config.getoption("known") is not None or (config.rootpath / KNOWN_FILE).exists():
        known_of(
            config
        )  # now: during collection a mistake would be reported as an error of the tests, with a traceback
    if any_given(config):
        options = options_of(config)
        check_amount(options, functools.partial(cases_of, config))
        check_outputs(config.getoption("artifacts"), reports=config.getoption("compat_report"))
        if not worker:
            check_distinct(options.boards)
        if options.servers and not worker:
            _name_servers(config, options)


def options_of(config: pytest.Config) -> RunOptions:
    """Return the options of this run that concern boards and servers, read once.

    Raises:
        UsageError: as `run_options`.
    """
    if RUN not in config.stash:
        import dataclasses

        options = run_options(config)
        names = getattr(config, "workerinput", {}).get(WORKER_NAMES, {})
        config.stash[RUN] = dataclasses.replace(options, server_names=names)
    return config.stash[RUN]


def _name_servers(config: pytest.Config, options: RunOptions) -> None:
    """Start each interpreter of `--server` now, so that a wrong one is a usage error, and name it by its version."""
    import dataclasses

    lab = lab_of(config)
    versions = {server: str(lab.server(server).describe()["python"]) for server in options.servers}
    lab.options = config.stash[RUN] = dataclasses.replace(options, server_names=server_names(versions))


def worker_input(config: pytest.Config) -> Mapping[str, Any]:
    """Return what pytest-xdist's workers cannot find out, or need not again: the user's paths, the names of the servers."""
    names = {WORKER_NAMES: dict(options_of(config).server_names)} if any_given(config) else {}
    return {WORKER_NO_PATHS: names_no_path(config), **names}


def names_no_path(config: pytest.Config) -> bool:
    """Whether the user left it to pytest where to look for tests; a pytest-xdist worker asks the controller."""
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        return bool(worker.get(WORKER_NO_PATHS, False))
    return config.args_source is not config.ArgsSource.ARGS


def lab_of(config: pytest.Config) -> Lab:
    """Return the lab of this process, created at its first use and closed with the session."""
    if LAB not in config.stash:
        from harness.run.lab import Lab

        lab = config.stash[LAB] = Lab(options_of(config), certificates=_certificates(config))
        lab.tell = functools.partial(_tell, config)
        if hasattr(config, "workerinput"):
            from harness.boards.locks.board_lock import introduce

            introduce([str(word) for word in config.workerinput.get("mainargv", ())])
        end_on_signals(config)  # first: what is cleaned up last still holds while the lab closes
        config.add_cleanup(lab.close)
    return config.stash[LAB]


def _certificates(config: pytest.Config) -> Certificates:
    """Return the certificates of the run, with the folders of the ini option `tls_certs`.

    Raises:
        UsageError: a folder has a wrong declaration.
    """
    from harness.certificates import Certificates
    from harness.certificates.additions import Additions
    from harness.errors import UsageError

    start = config.inipath.parent if config.inipath is not None else config.rootpath
    made = Certificates(additions=Additions(folders=tuple(start / text for text in config.getini(CERTS_INI))))
    try:
        if made.additions.folders:
            made.names()
    except UsageError as error:
        raise UsageError(f"{CERTS_INI}: {error}") from error
    return made


def _tell(config: pytest.Config, text: str) -> None:
    """Print a message at once, past pytest's capture; a worker's standard error is that of the run."""
    from harness.reports.record.plain import one_line

    capture = config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext():
        print(f"\n{one_line(text)}", file=sys.stderr, flush=True)  # noqa: T201


def board_of(config: pytest.Config, spec: BoardSpec | None, server_python: str, *, client: str, link: str) -> Board:
    """Return the board of a spec, or the first board of the run for a test that pytest did not parametrise."""
    from harness.model import ClientApi
    from harness.pytest_plugin.fixtures import Board

    return Board(
        lab_of(config),
        spec or options_of(config).boards[0],
        server_python,
        ClientApi(client),
        link,
        artifacts=artifacts_folder(config),
        keep_wire=config.getoption("keep_wire"),
        connections=connections_of(config),
    )


def named_board(config: pytest.Config, word: object) -> BoardSpec:
    """Return the board that a test names itself: one of the run, or any that `--board` would accept.

    Raises:
        UsageError: the text names none.
    """
    from harness.errors import UsageError
    from harness.pytest_plugin.options import boards

    if not isinstance(word, str):
        raise UsageError(f"the parameter board = {word!r}: expected a board as for --board, with indirect=True")
    known = next((spec for spec in options_of(config).boards if word in (spec.label, spec.text)), None)
    if known is not None:
        return known
    return boards([word], file=config.getoption("boards"), folder=config.invocation_params.dir)[0]


def connections_of(config: pytest.Config) -> Connections:
    """Return what the tests of this process connected since the last one ended."""
    from harness.pytest_plugin.connections import Connections

    return config.stash.setdefault(CONNECTIONS, Connections())


def known_of(config: pytest.Config) -> tuple[Deviation, ...]:
    """Return the known deviations of this run.

    Raises:
        UsageError: the list is invalid or has an entry that fits no case.
    """
    if KNOWN not in config.stash:
        from harness.cases import all_cases
        from harness.oracle.known import known_programs, read_known

        ids = [case.id for case in all_cases()]
        own = read_known(config.getoption("known"), folder=config.rootpath, case_ids=ids)
        config.stash[KNOWN] = (*own, *known_programs())
    return config.stash[KNOWN]


def cases_of(config: pytest.Config) -> tuple[Case, ...]:
    """Return the cases of this run: those of `--cases`, and those of `app/` on request.

    Raises:
        UsageError: there is no such set.
    """
    from harness.cases import select

    return select(config.getoption("cases"), on_request=asks_for_programs(config))


def asks_for_programs(config: pytest.Config) -> bool:
    """Whether the run is to have the cases of `app/`: `-k` or a test id names them, or the full set has modules for them."""
    if config.getoption("board_path") and config.getoption("cases") == "full":
        return True
    return any(PROGRAM_TOPIC in text for text in (config.getoption("keyword"), *config.args))


def node_ids(config: pytest.Config) -> NodeIds:
    """Return what finds the cell of a test id of this run.

    Raises:
        UsageError: as `run_options`.
    """
    if IDS not in config.stash:
        from harness.pytest_plugin.node_ids import Axes, NodeIds

        options = options_of(config)
        axes = Axes(
            boards=[board.label for board in options.boards],
            servers=[options.server_name(server) for server in options.servers],
            clients=options.clients,
            links=options.links,
            cases=[case.id for case in cases_of(config)],
            repeat=options.repeat,
        )
        config.stash[IDS] = NodeIds(axes)
    return config.stash[IDS]


def artifacts_folder(config: pytest.Config) -> Path:
    """Return the folder for run.json, the journal and evidence: `--artifacts`, else `.compat` where pytest was started."""
    from harness.reports.record.journal import DEFAULT_ARTIFACTS

    return config.invocation_params.dir / (config.getoption("artifacts") or DEFAULT_ARTIFACTS)
