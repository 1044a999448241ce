"""The settings of one connection of the board that a test makes, and the relay to a server that is running already.

Must not import pytest, so that it works in a script.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from harness.certificates import Certificates
from harness.diagnose.request import host_and_port
from harness.errors import ServerError, UsageError
from harness.model import PROGRAMS, ClientPlan, ServerProfile, Verify
from harness.pytest_plugin.given_conditions import clock_of, heap_of
from harness.pytest_plugin.given_words import as_tuple, check_names, word_of
from harness.pytest_plugin.own_files import authority_names, client_pair, first_host
from harness.run.case_runner import CaseRunner
from harness.run.handshake import Handshakes
from harness.server import ServerHost
from harness.server.relay import Relay
from harness.server.slow_link import SlowLink
from harness.server.target import look_up
from harness.system.near_names import did_you_mean
from harness.wire.host_names import is_ip_address

# With one of these the board has something to say to a server that is running; else it closes after the handshake.
_TALKS = ("text", "send_bytes", "receive_bytes", "read_to_end", "close_first")
# What only the agent's own session does.
_NOT_OF_PROGRAMS = (
    "text", "send_bytes", "read_to_end", "close_first", "any_answer", "timeout_s", "suites", "suite_words", "psk_identity", "psk_key",
)  # fmt: skip
# Arguments, and their names in the plan, which have the units.
_CONDITIONS = {"clock": "clock_unix_s", "heap": "heap_bytes"}
# The host is given to board.connect, not to an option.
OPTION = "board.connect()"


def client_plan(server: Any, certificates: Certificates, given: Mapping[str, Any]) -> ClientPlan:
    """Return the plan of `board.connect(server, **given)`.

    Raises:
        UsageError: this is no server; a setting, profile or word does not exist, or a file cannot be used.
    """
    if not (isinstance(server, ServerProfile) or (isinstance(server, str) and ":" in server)):
        raise UsageError(
            f"board.connect({server!r}): expected a server from tls_server(...), or 'host:port' of one that is running"
        )
    plan: dict[str, Any] = dict(given)
    names = [item.name for item in fields(ClientPlan) if item.name not in _CONDITIONS.values()]
    check_names(plan, ["key", *names, *_CONDITIONS], where="board.connect")
    key = plan.pop("key", None)
    plan |= {"clock_unix_s": clock_of(plan.pop("clock", None)), "heap_bytes": heap_of(plan.pop("heap", None))}
    if "verify" in plan:
        plan["verify"] = word_of(Verify, plan["verify"], where="board.connect(verify=...)")
    if "ca" in plan:
        plan["ca"] = authority_names(certificates, plan["ca"], where="board.connect(ca=...)")
    if plan.get("certificate") is not None or key is not None:
        plan["certificate"] = client_pair(certificates, certificate=plan.get("certificate"), key=key)
    if plan.get("program") is not None:
        _check_program(plan)
    if plan.get("suites") is not None:
        plan["suites"] = as_tuple(plan["suites"])
    if isinstance(server, str):
        host, _port = host_and_port(server, option=OPTION)
        if plan.get("program") is not None:
            # A program connects to a name; what it says to its own kind of server is its own business.
            plan.setdefault("server_hostname", host)
            plan["any_answer"] = True
        plan.setdefault("server_hostname", None if is_ip_address(host) else host)
        plan.setdefault("close_first", not any(plan.get(name) for name in (*_TALKS, "program")))
        if plan.get("text") is not None:
            plan.setdefault("any_answer", True)
            plan.setdefault("receive_bytes", 1)
    elif (own := first_host(certificates, server.certificates)) is not None:
        plan.setdefault("server_hostname", own)
    return ClientPlan(**plan)


def _check_program(plan: Mapping[str, Any]) -> None:
    """Check that a program exists and can do what the test asks for: it sends its own request, and reads the answer.

    Raises:
        UsageError: naming what it cannot do.
    """
    name = plan["program"]
    if not isinstance(name, str) or name not in PROGRAMS:
        near = did_you_mean(name, PROGRAMS)
        raise UsageError(f"board.connect(program=...): {name!r} is not one of {', '.join(PROGRAMS)}{near}")
    other = next((word for word in _NOT_OF_PROGRAMS if plan.get(word) is not None), None)
    if other is not None:
        raise UsageError(f"board.connect(program={name!r}): programs do not accept the setting {other!r}")


@contextmanager
def running_server(runner: CaseRunner, target: str) -> Generator[Handshakes]:
    """Give handshakes with the server at `host:port`, through a relay that records them.

    Raises:
        ServerError: the host has no address.
        UsageError: the target is not `host:port`.
    """
    host, port = host_and_port(target, option=OPTION)
    gone = look_up(host, port)
    if gone is not None:
        raise ServerError(f"board.connect({target!r}): this machine finds no address of this host: {gone.reason}")
    relay, own = Relay(host, port), runner.handshakes
    with contextlib.ExitStack() as closing:
        closing.callback(relay.close)
        server: ServerHost = relay
        if runner.link is not None:
            server = SlowLink(relay, runner.link)
            closing.callback(server.close)
        yield Handshakes(runner.board, server, certificates=own.certificates, addresses=own.addresses, link=runner.link)
