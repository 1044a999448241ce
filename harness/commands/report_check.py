"""`tls-harness report check`: a policy applied to the sessions of a run, or to a server."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands.report_files import say
from harness.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.commands import Commands
    from harness.reports.record.policy import Judgement, Policy

_SERVER = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/\\\[\]]+):\d+")
_ON_PURPOSE = (
    "tls-harness: many packaged cases use weak settings on purpose; --case selects those that matter to you, "
    "e.g. --case 'key/*'"
)


def add(parts: Commands) -> None:
    """Declare the subcommand."""
    parser = parts.add_parser(
        "check",
        help="check a run or a server against a policy",
        description="Check every session of a run, or everything a running server accepts, against a policy: minimum version, forward "
        "secrecy, forbidden suites, key sizes, signature hashes, and whether the board verified the server.",
        epilog="examples:\n  $ tls-harness report check .compat/run.json --case 'key/*'\n"
        "  $ tls-harness report check broker.example:8883\n"
        "  $ tls-harness report check --print-policy > policy.toml\n"
        "  $ tls-harness report check .compat/run.json --policy policy.toml\n\n"
        "The default policy is that of RFC 9325. A server is probed from this machine with a few dozen ClientHellos; no board is needed.\n"
        "Refused handshakes are not sessions and break nothing. A rule that a record cannot decide counts as broken.\n\n"
        "exit codes: 0 the policy is met, 1 something breaks it, 2 usage error or no session to judge, 10 the server cannot be probed",
    )
    parser.add_argument(
        "target", metavar="RUN|HOST:PORT", nargs="?", help="run.json, run.jsonl, or the address of a running server"
    )
    parser.add_argument("--policy", metavar="FILE", help="the policy, TOML (default: RFC 9325)")
    parser.add_argument(
        "--case",
        dest="cases",
        metavar="PATTERN",
        action="append",
        default=[],
        help="judge only cases whose id matches, e.g. 'key/*'; repeatable (default: all)",
    )
    parser.add_argument("--hostname", metavar="NAME", help="name sent to the server as SNI (default: HOST)")
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--json", action="store_true", help="print JSON (schema tls-harness/check/1)")
    printed.add_argument("--print-policy", action="store_true", help="print the default policy file and exit")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judge, and print what breaks the policy.

    Returns:
        1 if anything does.

    Raises:
        UsageError: an invalid target, policy or pattern; no session to judge.
        HarnessError: the server cannot be probed.
    """
    from harness.reports.record.policy import judge_run, packaged_text, read_policy
    from harness.reports.record.reading import read_run
    from harness.reports.text.policy_text import check_json, check_text

    if options.print_policy:
        sys.stdout.write(packaged_text())
        return 0
    target = options.target
    if target is None:
        raise UsageError("report check: nothing to check (expected a run record or HOST:PORT)")
    policy = read_policy(options.policy)
    is_run = Path(target).exists() or not _SERVER.fullmatch(target)
    if is_run:
        if options.hostname is not None:
            raise UsageError("--hostname applies only to HOST:PORT; a run record has been recorded already")
        file = read_run(target)
        say(file)
        judgement = judge_run(file.run, policy, cases=options.cases)
        if not judgement.judged:
            matching = f" whose case matches {', '.join(options.cases)}" if options.cases else ""
            raise UsageError(
                f"{target}: no session to judge: none of its {len(file.run.results)} results is a session{matching}"
            )
    else:
        if options.cases:
            raise UsageError("--case applies only to a run record; a server has no cases")
        judgement = _judged_server(target, policy, hostname=options.hostname)
    if options.json:
        sys.stdout.write(check_json(judgement, policy, target=target))
    else:
        sys.stdout.write(check_text(judgement, policy, target=target, is_run=is_run))
    if judgement.offences and is_run and not options.cases and not options.json:
        print(_ON_PURPOSE, file=sys.stderr)
    return 1 if judgement.offences else 0


def _judged_server(target: str, policy: Policy, *, hostname: str | None) -> Judgement:
    """Probe a server, and judge what it accepts.

    Raises:
        UsageError: no such port.
        HarnessError: it has no address or accepts nothing, or it stopped answering before anything was found that breaks the policy.
    """
    from harness.diagnose.remote.dialling import Dialler
    from harness.diagnose.remote.looking import LOOK_S, Looking
    from harness.diagnose.request import host_and_port, host_name
    from harness.reports.record.policy import judge_server
    from harness.server.target import look_up
    from harness.wire.host_names import is_ip_address

    host, port = host_and_port(target, option="report check")
    if (unknown := look_up(host, port)) is not None:
        raise HarnessError(f"report check {target}: unknown host name ({unknown.reason})")
    dialler = Dialler(host, port)
    limit = dialler.deadline(LOOK_S)
    name = (hostname and host_name(hostname, option="--hostname")) or (None if is_ip_address(host) else host)
    looking = Looking(dialler, name=name, progress=lambda text: print(f"tls-harness: {text}", file=sys.stderr))
    facts = looking.facts()
    if facts is None:
        what = "no TCP connection" if dialler.gone else "no TLS handshake"
        raise HarnessError(
            f"report check {target}: {what} from this machine: is a TLS server listening there? "
            f"`tls-harness diagnose --connect {target}` says more"
        )
    judgement = judge_server(facts, policy)
    if not (dialler.gone or limit.expired):
        return judgement
    if not judgement.offences:
        raise HarnessError(
            f"report check {target}: the probe was not completed (the server stopped answering, or needs more than {LOOK_S:.0f} s); "
            "what it found meets the policy. Run the command again on a faster network"
        )
    return replace(judgement, not_judged=(*judgement.not_judged, "what a probe that was not completed did not reach"))
