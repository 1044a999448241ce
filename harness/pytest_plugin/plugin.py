"""The pytest plugin: options, hooks and fixtures. Each calls another module; nothing is decided here.

pytest loads it through the entry point `tls_harness`, in this repository as in any other suite, exactly once.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.certificates import Certificates
    from harness.model import BoardSpec, Case
    from harness.pytest_plugin.arguments import ServerFactory
    from harness.pytest_plugin.expect import Expect
    from harness.pytest_plugin.fixtures import Board, RunCase
    from harness.pytest_plugin.scheduler import BoardScheduling


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    from harness.pytest_plugin.option_table import declare

    declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Start again if pytest took the value of an option, as in `--board /dev/ttyUSB0`, for the path of the tests."""
    from harness.pytest_plugin.command_line import run_again

    again = run_again(config)
    if again is None:
        _resolve(config)
    return again


def _resolve(config: pytest.Config) -> None:
    """Fill in the options that the environment or the ini file sets."""
    from harness.pytest_plugin.option_table import resolve

    try:
        resolve(config)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_configure(config: pytest.Config) -> None:
    """Read the options. A wrong one ends pytest with exit code 4 and a message of one line."""
    from harness.pytest_plugin.needs_marker import declare as declare_needs
    from harness.pytest_plugin.option_table import with_source
    from harness.pytest_plugin.run import configure

    _resolve(config)
    declare_needs(config)
    try:
        configure(config)
        if config.getoption("board"):
            from harness.pytest_plugin.workers import check_dist

            check_dist(config)
        if not hasattr(config, "workerinput"):
            from harness.pytest_plugin.reporter import Reporter

            config.pluginmanager.register(Reporter(config), "tls-harness-reporter")
    except UsageError as error:
        raise pytest.UsageError(with_source(config, str(error))) from error
    if hasattr(config, "workerinput"):
        from harness.pytest_plugin.interrupts import WorkerEnd, end_on_signals

        end_on_signals(config)
        config.pluginmanager.register(WorkerEnd(), "tls-harness-worker-end")
    elif config.getoption("dist", "no") != "no":
        from harness.pytest_plugin.interrupts import WorkerInterrupts
        from harness.pytest_plugin.workers import Crashes

        config.pluginmanager.register(Crashes(config), "tls-harness-crashes")
        config.pluginmanager.register(WorkerInterrupts(), "tls-harness-worker-interrupts")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Multiply tests by boards, servers, client APIs and cases."""
    from harness.pytest_plugin.collection import generate

    try:
        generate(metafunc)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """With `--board` in a folder without tests, run the packaged matrix. Before `-k` and `-m` choose among the tests."""
    from harness.pytest_plugin.collection import packaged_cases

    if not items:
        items += packaged_cases(session)


@pytest.hookimpl(wrapper=True, tryfirst=True, specname="pytest_collection_modifyitems")
def pytest_collection_modifyitems_last(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """After `-k`, `-m` and plugins that shuffle, keep the tests of each firmware together, and leave out what --resume has."""
    from harness.pytest_plugin.collection import by_firmware

    result = yield
    if config.getoption("resume") is not None:
        from harness.pytest_plugin.resume import leave_out

        leave_out(items, config)
    by_firmware(items, config)
    return result


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Make `-n auto` with `--board` mean one worker per board."""
    from harness.pytest_plugin.workers import auto_workers

    _resolve(config)
    try:
        return auto_workers(config)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config) -> BoardScheduling | None:
    """With `--board`, give each board to one worker for the whole run."""
    from harness.pytest_plugin.workers import scheduler

    return scheduler(config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Before pytest-timeout starts to count, adjust its limit for a test with a board, and wait for a busy board."""
    spec = getattr(getattr(item, "callspec", None), "params", {}).get("tls_board_spec")
    if spec is not None:
        from harness.pytest_plugin.timeouts import widen

        widen(item, spec)
    if item.config.getoption("board_wait") != "0":
        from harness.pytest_plugin.workers import wait_for_board

        wait_for_board(item)
    try:
        return (yield)
    finally:
        if spec is not None:
            from harness.pytest_plugin.case_report import forget

            forget(item)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Generator[None, object, object]:
    """Keep pytest-timeout from ending pytest itself: its alarm may end a phase of a test, not the code between two phases."""
    from harness.pytest_plugin.timeouts import held_alarm

    with held_alarm(item, limit_s=settings.timeout):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Let pytest-timeout end the setup."""
    from harness.pytest_plugin.timeouts import phase

    with phase(item):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let pytest-timeout end the call; skip a test whose board lacks what it needs."""
    from harness.pytest_plugin.needs_marker import skip_unless_met
    from harness.pytest_plugin.timeouts import phase

    with phase(item):
        skip_unless_met(item)
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """After a board's last case, check that it still works; after its last test, release it."""
    from harness.pytest_plugin.timeouts import phase
    from harness.pytest_plugin.workers import check_board, release_board

    trouble: BaseException | None = None
    with phase(item, may_be_skipped=False):
        try:
            check_board(item, nextitem)
        except (
            HarnessError,
            pytest.fail.Exception,
        ) as error:  # pytest-timeout raises the latter: fixtures must still end
            trouble = error
        try:
            result = yield
        finally:
            release_board(item)
        if trouble is not None:
            raise trouble
        return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the case's result to the report, and show a failure as the harness's text instead of a traceback."""
    from harness.pytest_plugin.case_report import complete_report

    report = yield
    complete_report(item, call, report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_report_to_serializable(
    config: pytest.Config,
) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """In a pytest-xdist worker, pack the report into one piece of bytes."""
    from harness.pytest_plugin.transfer import pack

    return pack((yield), config)


@pytest.hookimpl(tryfirst=True)
def pytest_report_from_serializable(data: dict[str, Any]) -> None:
    """In the pytest-xdist controller, unpack the report before pytest reads it."""
    from harness.pytest_plugin.transfer import unpack

    unpack(data)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Let a worker whose controller was killed finish: reporting to it fails, and its boards would not be cleaned up."""
    from harness.pytest_plugin.interrupts import let_reports_finish

    let_reports_finish(session.config)
    try:
        return (yield)
    except OSError:
        if not hasattr(session.config, "workerinput"):
            raise
        return None


@pytest.fixture(scope="session")
def certificates(request: pytest.FixtureRequest) -> Certificates:
    """Keys and certificates by profile name: `certificates.make("server-p256")` gives files for the server, DER for the board.
    `certificates.names()` lists the profiles, `certificates.add("my-server", role="server", ...)` declares one
    more. The files are in a private directory until the session ends.
    """
    from harness.pytest_plugin.run import lab_of

    return lab_of(request.config).certificates


@pytest.fixture(scope="session")
def server_python(request: pytest.FixtureRequest) -> str:
    """The Python that runs the TLS servers of this test: a value of `--server`, or `in-process`."""
    return str(getattr(request, "param", "in-process"))


@pytest.fixture(scope="session")
def tls_client(request: pytest.FixtureRequest) -> str:
    """The API through which the board of this test connects: a value of `--client`, `socket` or `asyncio`."""
    return str(getattr(request, "param", "socket"))


@pytest.fixture(scope="session")
def tls_link(request: pytest.FixtureRequest) -> str:
    """The network between the board and the servers of this test: a value of `--link-profile`; empty for the network as it is."""
    return str(getattr(request, "param", ""))


@pytest.fixture(scope="session")
def tls_board_spec(request: pytest.FixtureRequest) -> BoardSpec | None:
    """Which board the fixture `board` opens: one per `--board`. A suite that has its own fixture `board` is not affected."""
    spec: BoardSpec | None = getattr(request, "param", None)
    return spec


@pytest.fixture(scope="session")
def board(
    request: pytest.FixtureRequest,
    tls_board_spec: BoardSpec | None,
    server_python: str,
    tls_client: str,
    tls_link: str,
) -> Board:
    """A MicroPython board, opened at its first use and kept for the session. The test runs once per `--board`, or with the boards of
    `@pytest.mark.parametrize("board", ["unix", "pico"], indirect=True)`.
    `board.connect(server, verify="required", ca="ca-p256", suites=[...])` connects it once to a `tls_server(...)`, or to a server that
    is running (`board.connect("broker.example:8883")`), and returns an observation of both sides and the
    wire. `board.info` is what was found on the board, `board.label` its name in test ids.
    """
    from harness.pytest_plugin.run import board_of, named_board

    if getattr(request, "param", None) is not None:
        tls_board_spec = named_board(request.config, request.param)
    return board_of(request.config, tls_board_spec, server_python, client=tls_client, link=tls_link)


@pytest.fixture(scope="session")
def tls_server(request: pytest.FixtureRequest) -> ServerFactory:
    """Describe a Python TLS server: `tls_server("server-p256", ciphers="ECDHE+AESGCM", maximum_version="TLSv1.2")`, or with your own
    files `tls_server(cert="server.pem", key="server-key.pem")`. The first arguments are certificate profiles, the others settings of
    the server (the fields of `harness.Server`). The server listens only while a board connects to it, on a port of its own.
    """
    from harness.pytest_plugin.run import lab_of
    from harness.pytest_plugin.server_settings import ServerMaker

    return ServerMaker(lab_of(request.config).certificates)


@pytest.fixture(scope="session")
def expect(request: pytest.FixtureRequest) -> Expect:
    """Compare an observation: `expect.connected(seen)`, `expect.refused(seen, server="NO_SHARED_CIPHER", alert=40, client=-30592)`.
    The errors of both sides, the alert and the negotiated values are compared at once. Every difference is printed, with its cause and
    what to change.
    """
    from harness.pytest_plugin.expect import Expect
    from harness.pytest_plugin.run import connections_of

    return Expect(connections_of(request.config))


@pytest.fixture
def run_case(request: pytest.FixtureRequest) -> RunCase:
    """Run one case of the list on a board: `run_case(board, tls_case)`. The test passes, skips (unsupported) or fails with evidence."""
    from harness.pytest_plugin.case_run import case_function

    return case_function(request)


@pytest.fixture
def tls_repeat(request: pytest.FixtureRequest) -> int:
    """The number of this round of `--repeat N`, from 1."""
    return int(getattr(request, "param", 1))


@pytest.fixture
def tls_case(request: pytest.FixtureRequest, tls_repeat: int) -> Case:
    """One case of the set chosen with `--cases`. A test that takes it runs once per case, board, server and client API."""
    case: Case = request.param
    return case
