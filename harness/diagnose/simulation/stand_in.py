"""A Python server with the keys, suites and versions of one that is not ours, so that changes of it can be simulated.

It counts only if every firmware gets from it what it got from the server itself.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import replace

from harness.diagnose.given import GivenCertificates
from harness.diagnose.request import Files
from harness.diagnose.settings import Settings
from harness.diagnose.simulation.advice import best_changes
from harness.diagnose.simulation.simulator import Question, simulate
from harness.diagnose.simulation.targets import OwnServer
from harness.explain.fixes import MADE
from harness.explain.other_servers import for_any_server
from harness.firmware.table import Firmware
from harness.model import ClientPlan, Outcome, ServerFacts, ServerProfile, Simulated, SimulatedChange
from harness.server.local import LocalServer
from harness.wire.suites import suite_info

_EVERY_SUITE = "ALL:@SECLEVEL=0"


def changes_like(
    facts: ServerFacts, results: Sequence[Simulated], *, firmwares: Sequence[Firmware], host: str | None
) -> tuple[SimulatedChange, ...]:
    """Simulate changes of a server that is not ours against one that is like it.

    Args:
        facts: what the server accepts from this machine.
        results: what the firmwares got from it.
        firmwares: the same as for `results`.
        host: the name for generated certificates.

    Returns:
        The best changes; none if no server here behaves the same.
    """
    start = settings_like(facts)
    if start is None:
        return ()
    with GivenCertificates(Files(), host=host) as made:
        assert isinstance(made, GivenCertificates)
        server = LocalServer(materials=made.make)
        try:

            def against(settings: Settings) -> tuple[Simulated, ...]:
                question = Question(settings=settings, name=host, host=host)
                return simulate(OwnServer(server, settings.server), firmwares, question=question)

            if _connecting(against(start)) != _connecting(results):
                return ()
            found = best_changes(start, results, simulate=against, certificates=made)
        finally:
            server.close()
    return tuple(
        replace(change, fix=for_any_server(change.fix), server_lines=(), recipe=None, stand_in=True) for change in found
    )


def settings_like(facts: ServerFacts) -> Settings | None:
    """Return settings with these keys, suites and versions; None if this machine cannot make such a server."""
    kinds = dict.fromkeys(key.type for key in facts.keys)
    if not kinds or not set(kinds) <= set(MADE):
        return None
    suites = ":".join(_openssl_names(facts))
    server = ServerProfile(
        certificates=tuple(MADE[kind] for kind in kinds),
        ciphers=f"{suites}:@SECLEVEL=0" if suites else None,
        minimum_version=facts.minimum_version,
        maximum_version=facts.maximum_version,
    )
    return Settings(server=server, client=ClientPlan())


def _openssl_names(facts: ServerFacts) -> list[str]:
    """Return the suites up to TLS 1.2 by the names of this machine's OpenSSL, those it does not have left out."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(_EVERY_SUITE)
    names = {item["id"] & 0xFFFF: item["name"] for item in context.get_ciphers()}
    wanted = [code for code, _protocol, _name in facts.suites if (info := suite_info(code)) and not info.tls13]
    return [names[code] for code in wanted if code in names]


def _connecting(results: Sequence[Simulated]) -> set[tuple[str, str]]:
    """Return the firmwares that connect."""
    connected = (item for item in results if item.outcome is Outcome.CONNECTED)
    return {(row.port, row.version) for item in connected for row in item.firmware}
