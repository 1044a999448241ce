"""What a board needs before TLS can be tested: its network, its clock, a plain TCP connection to the server.

Knows the settings of boards.toml. The WiFi password comes from the environment and is sent to the board only: it is never in a
transcript, a note or an error.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from typing import Any

from harness.boards.agent.console import Console
from harness.boards.agent.network_answer import FREE_TEXTS, failure_text, notes_of
from harness.boards.agent.protocol import clock_code, network_code, tcp_code
from harness.errors import BoardError, FaultKind
from harness.model import BoardInfo, BoardSettings, Network

JOIN_S = 30.0
TCP_TRY_S = 8.0
# How much longer an answer may take than the board's own time limit.
ANSWER_S = 12.0
# A clock that is further off changes the result of certificate checks.
CLOCK_TOLERANCE_S = 5


def network_up(console: Console, settings: BoardSettings) -> tuple[str | None, list[str]]:
    """Connect the board to its network; a board that is already connected is not changed.

    Args:
        console: the board.
        settings: of boards.toml; network is not `none`.

    Returns:
        The board's address, None if it reported none; and notes.

    Raises:
        BoardError: `no-network`: wrong password, no such access point, no address ... or the variable with the password is not set.
    """
    limit_s = console.deadline(JOIN_S).timeout_s
    words: dict[str, Any] = {"kind": settings.network, "timeout": int(limit_s)}
    for key in ("ssid", "country", "static", "lan"):
        if getattr(settings, key):
            words[key] = getattr(settings, key)
    if settings.network == Network.WIFI and settings.password_env is not None:
        console.link.log.hide(_secret(settings.password_env, board=console.label))
    console.load("network_setup", "load the network set-up")
    # Twice the board's own time limit, which must expire first: its reason is better than ours.
    with console.link.log.muted():
        output = console.run(_join_code(words, settings, board=console.label), timeout_s=2 * JOIN_S)
        answer = console.answer(output, "bring up the network")
    # Only the board's own texts are searched for the password: our own text may contain it by chance.
    said = {key: _shown(value, console) if key in FREE_TEXTS else value for key, value in answer.items()}
    if said.get("kind") != "result":
        reason = failure_text(said, settings, timeout_s=int(limit_s))
        raise BoardError(f"{console.label}: {reason}", kind=FaultKind.NO_NETWORK)
    return address_of(said.get("address")), notes_of(said, settings)


def now_unix_s() -> float:
    """Return the time of the host's clock."""
    return datetime.datetime.now(datetime.UTC).timestamp()


def set_clock(console: Console, info: BoardInfo, *, probed: tuple[float, float]) -> tuple[str, int | None] | None:
    """Set the board's clock to the host's, in UTC.

    Args:
        console: the board.
        info: of the probe that read its clock.
        probed: the host's time before and after that probe. Joining a network, or a busy host, may take longer than the
            tolerance, which is not an error of the board's clock.

    Returns:
        A note, and the time to which the clock was set (None: it cannot be set); None if it was correct.
    """
    before, after = probed
    clock = info.clock_unix_s
    if clock is not None and before - CLOCK_TOLERANCE_S <= clock <= after + CLOCK_TOLERANCE_S:
        return None
    console.load("set_clock", "load the clock set-up")
    now = datetime.datetime.now(datetime.UTC)
    when = (now.year, now.month, now.day, now.isoweekday(), now.hour, now.minute, now.second)
    answer = console.answer(console.run(clock_code(when), timeout_s=5.0), "set the clock")
    stood = answer.get("before")
    shown = "-".join(f"{part:02}" for part in stood[:3] if isinstance(part, int)) if isinstance(stood, list) else ""
    if answer.get("set") is True:
        return f"the board's clock was at {shown or 'an unknown time'}; it was set to UTC", int(now.timestamp())
    return (
        f"the board's clock is at {shown or 'an unknown time'} and cannot be set: "
        "certificates may look expired or not yet valid",
        None,
    )


def try_tcp(console: Console, *, host: str, port: int, own_address: str | None) -> None:
    """Open a plain TCP connection from the board, before any TLS.

    Raises:
        BoardError: `network`, with both addresses and the common causes.
    """
    console.load("tcp_try", "load the TCP test")
    timeout_ms = int(console.deadline(TCP_TRY_S).timeout_s * 1000)
    try:
        output = console.run(tcp_code(host, port=port, timeout_ms=timeout_ms), timeout_s=TCP_TRY_S + ANSWER_S)
        answer = console.answer(output, "try a TCP connection")
    except BoardError as error:
        if error.kind is not FaultKind.TIMEOUT:
            raise
        # A connect() without a timeout: the network is at fault, and no reset of the board helps.
        answer = {"args": [f"no answer within {TCP_TRY_S + ANSWER_S:g} s"]}
    if answer.get("kind") == "result":
        return
    args = answer.get("args")
    number = args[0] if isinstance(args, list) and args else answer.get("type")
    raise BoardError(
        f"{console.label}: the board ({own_address or 'no IP address known'}) cannot open a TCP connection to "
        f"{host}:{port} (OSError {str(number)[:40]!s}). Common causes: a firewall on this machine (--ports gives it a range), "
        "client isolation in the WiFi, the wrong interface (--bind, --advertise), NAT between them (--peer), or a 5 GHz-only "
        "network (these radios support 2.4 GHz only)",
        kind=FaultKind.NETWORK,
    )


def address_of(value: object) -> str | None:
    """Return an address that a board reported, None if it is not one: it is used in messages and socket calls."""
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError:
        return None


def _shown(value: Any, console: Console) -> Any:
    """A value of the board's answer with its texts made safe to show."""
    if isinstance(value, list):
        return [_shown(item, console) for item in value[:4]]
    return console.link.log.show(value.encode(), limit=200) if isinstance(value, str) else value


def _join_code(words: dict[str, Any], settings: BoardSettings, *, board: str) -> str:
    """The call with the password, which must not be in a variable of a frame that a traceback shows."""
    if settings.network != Network.WIFI or settings.password_env is None:
        return network_code(words)
    return network_code({**words, "password": _secret(settings.password_env, board=board)})


def _secret(variable: str, *, board: str) -> str:
    value = os.environ.get(variable)
    if value is None:
        raise BoardError(
            f"{board}: the WiFi password comes from the environment variable {variable}, which is not set",
            kind=FaultKind.NO_NETWORK,
        )
    return value
