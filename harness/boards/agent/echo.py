"""Compare what the agent passed to the TLS API and to the socket, by its own report, with the request. Pure.

A setting such as verify_mode is not visible in a ClientHello. The agent records each value where it passes it on (`th_pass` of
device_scripts/tls_client.py): a letter, and the number or part of the checksum of the value. A 0 is omitted, and so is what the request
leaves to the agent's defaults; the server records the agent's greeting. Knows requests and answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.protocol import DEFAULT_ANSWER_BYTES, DEFAULT_TIMEOUT_MS, Answer, RunRequest
from harness.model import ClientApi, Stage

# Letter -> its name in messages, in the order in which the agent passes it on.
SETTINGS: Mapping[str, str] = {
    "v": "verify_mode",
    "s": "set_ciphers",
    "c": "the client certificate",
    "k": "the client key",
    "a": "a CA certificate",
    "i": "psk_identity",
    "p": "psk_key",
    "y": "asyncio",
    "n": "server_hostname",
    "h": "the server's address",
    "o": "the server's port",
    "t": "the time limit in ms",
    "x": "closing first",
    "w": "the text",
    "z": "the number of bytes to send",
    "r": "the number of bytes to read",
    "e": "reading to the end",
}
_BEFORE_CONNECTING = "vsckaipynho"
# What must have been passed on when an attempt ended in this stage; in any other, everything.
_REACHED = {
    Stage.CONNECT: _BEFORE_CONNECTING,
    Stage.HANDSHAKE: _BEFORE_CONNECTING + "t",
    Stage.WRITE: _BEFORE_CONNECTING + "txwz",
}


def planned_echo(request: RunRequest, blobs: Mapping[str, bytes], *, kind: str) -> tuple[str, ...]:
    """Return what the agent records if it follows the request.

    Args:
        request: as it was sent.
        blobs: what it names.
        kind: of checksums, as the board chose it.
    """

    def summed(data: bytes) -> str:
        return check_sum(data, kind=kind)[3:7]

    def blob(name: str | None) -> str | None:
        return summed(blobs[name]) if name is not None else None

    def text(value: str | None) -> str | None:
        return summed(value.encode()) if value is not None else None

    pairs: list[tuple[str, str | int | None]] = [
        ("v", request.verify),
        ("s", blob(request.suites)),
        ("c", blob(request.cert)),
        ("k", blob(request.key)),
        *(("a", blob(name)) for name in request.ca),
        ("i", text(request.psk_identity)),
        ("p", blob(request.psk_key)),
        ("y", int(request.api is ClientApi.ASYNCIO)),
        ("n", text(request.name)),
        ("h", text(request.host)),
        ("o", request.port),
        ("t", request.timeout_ms if request.timeout_ms != DEFAULT_TIMEOUT_MS else None),
        ("x", int(request.close_first)),
    ]
    if not request.close_first:
        pairs += [
            ("w", text(request.text)),
            ("z", request.send),
            ("r", request.recv if request.recv != DEFAULT_ANSWER_BYTES else None),
            ("e", int(request.read_to_end)),
        ]
    return tuple(f"{letter}{value}" for letter, value in pairs if value is not None and value != 0)


def echo_differences(answer: Answer, planned: tuple[str, ...]) -> dict[str, str]:
    """Return the settings in which the agent did something other than planned: letter -> a sentence about it.

    Args:
        answer: of the attempt; one without any note counts as having passed nothing on.
        planned: from `planned_echo`.

    An attempt that failed has passed on what comes before its stage, and perhaps more.
    """
    noted, needed = answer.passed, _needed(answer)
    found: dict[str, str] = {}
    for letter, name in SETTINGS.items():
        wanted = [item[1:] for item in planned if item[0] == letter]
        passed = [item[1:] for item in noted if item[0] == letter]
        if passed == wanted or (letter not in needed and passed == wanted[: len(passed)]):
            continue
        found[letter] = f"{name}: passed {_shown(passed)}, expected {_shown(wanted)}"
    unknown = [item for item in noted if item[:1] not in SETTINGS]
    if unknown:
        found["?"] = f"unknown settings {' '.join(unknown)!r}"
    return found


def _needed(answer: Answer) -> str:
    """Return the letters of the settings that were certainly passed on before the attempt ended."""
    everything = "".join(SETTINGS)
    if answer.stage is not Stage.CONFIG:
        return everything if answer.stage is None else _REACHED.get(answer.stage, everything)
    if answer.connect_ms is not None:
        # The settings were refused when the socket was wrapped: the API up to 1.21, and CERT_REQUIRED without a name.
        return _REACHED[Stage.HANDSHAKE]
    last = max((everything.find(item[:1]) for item in answer.passed), default=0)
    # One call takes the certificate and the key.
    return everything[:last] + ("k" if everything[last] == "c" else "")


def _shown(values: list[str]) -> str:
    return " ".join(values) or "nothing"
