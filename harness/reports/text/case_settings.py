"""The settings of a case, as lines: the server in Python, and what the board does. Pure.

They are those of the declaration; firmware that cannot run it so gets another form (an RSA key, no verification), as its result says.
"""

from __future__ import annotations

from harness.cases import find_case
from harness.errors import UsageError
from harness.explain.server_lines import serving
from harness.model import ClientPlan, ServerProfile, Verify


def settings_of(case_id: str) -> tuple[str, ...]:
    """Return the settings of a case; nothing for one that this version does not have, and for tests of the user's own."""
    try:
        case = find_case(case_id)
    except UsageError:
        return ()
    return (*_server(case.server), *(f"# board: {text}" for text in _client(case.client)))


def _server(profile: ServerProfile) -> tuple[str, ...]:
    pairs = {name: (f"{name}.pem", f"{name}-key.pem") for name in profile.certificates}
    lines = serving(profile, pairs=pairs, authorities={name: f"{name}.pem" for name in profile.client_ca})
    behaviour = ", ".join(str(value) for value in profile.behaviour.values())
    return (*lines, f"# behaviour: {behaviour}") if behaviour else lines


def _client(plan: ClientPlan) -> list[str]:
    found = [f"CERT_{plan.verify.upper()}"]
    if plan.ca and plan.verify is not Verify.NONE:
        found[0] += f" with {', '.join(plan.ca)} ({plan.ca_format})"
    found.append(f"server_hostname {plan.server_hostname!r}" if plan.server_hostname else "no server_hostname")
    if plan.certificate:
        found.append(f"client certificate {plan.certificate} ({plan.certificate_format})")
    if plan.suites is not None:
        found.append(f"suites {', '.join(plan.suites)}")
    if plan.suite_words is not None:
        found.append(f"set_ciphers({list(plan.suite_words)!r})")
    if plan.psk_identity is not None:
        found.append(f"PSK identity {plan.psk_identity!r}")
    return found
