"""The names by which the board can ask for a server: those in the certificate that it serves. Pure.

A fix that says "pass the server's name" is only worth something with a name that was tried.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import replace

from harness.explain.shown import read_certificates
from harness.model import Fix
from harness.wire.host_names import is_ip_address

_MOST = 4
_THERE, _PLACEHOLDER = "*", "HOST"
_HOST_NAME = r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)*"


def candidates(certificates: Sequence[bytes], *, target: str, tried: str | None) -> tuple[str, ...]:
    """Return the names to try, the best first, at most four.

    Args:
        certificates: the server's own, DER, as served with and without SNI.
        target: what this machine connects to; it comes first if a certificate has it, and is tried if no certificate has any name.
        tried: the name that the board has used already, which is left out.
    """
    listed = [name for shown in read_certificates(tuple(certificates)) for name in shown.names]
    usable = [name for name in map(_usable, listed) if name is not None]
    found = list(dict.fromkeys(usable)) or ([_same(target)] if certificates else [])
    found.sort(key=lambda name: name != _same(target))
    return tuple(name for name in found if name != tried)[:_MOST]


def passes_name(fix: Fix) -> bool:
    """Return whether a fix passes the server's name without knowing it."""
    return fix.change is not None and fix.change.client.get("server_hostname") == _THERE


def with_names(fix: Fix, names: Sequence[str]) -> tuple[Fix, ...]:
    """Return a fix once per name, if it passes one that it does not know; without names it cannot be tried. Any other fix is unchanged."""
    if fix.change is None or not passes_name(fix):
        return (fix,)
    if not names:
        title = f"{fix.title}: the server shows none, so give --hostname NAME"
        return (replace(fix, title=title, client_lines=_naming(fix, "NAME"), change=None),)
    return tuple(
        replace(
            fix,
            title=f"{fix.title}: {name}",
            client_lines=_naming(fix, name),
            change=replace(fix.change, client={**fix.change.client, "server_hostname": name}),
        )
        for name in names
    )


def _naming(fix: Fix, name: str) -> tuple[str, ...]:
    return tuple(line.replace(f'"{_PLACEHOLDER}"', f'"{name}"') for line in fix.client_lines)


def _usable(name: str) -> str | None:
    """Return a name as the board can ask for it: no wildcard, no mail address, no URL."""
    name = name.removeprefix("CN=")
    if is_ip_address(name):
        return _same(name)
    return name.lower() if re.fullmatch(_HOST_NAME, name) else None


def _same(name: str) -> str:
    """Return an address in its one usual spelling, a name in lower case."""
    return str(ipaddress.ip_address(name)) if is_ip_address(name) else name.lower()
