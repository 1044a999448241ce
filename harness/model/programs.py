"""The programs that people run on boards, as cases of the topic `app/` use them: the vocabulary of `ClientPlan.program`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

#: What a script of a program answers if the program has no parameter for it (device_scripts/app_*.py).
_NO_PARAMETER = {
    "app ca": "a CA certificate",
    "app certificate": "a client certificate",
    "app context": "an SSLContext",
    "app ssl_params": "ssl_params",
}


class Application(StrEnum):
    """The protocol that a program speaks over TLS; `harness/server/engine/applications.py` implements each."""

    HTTP = "http"
    MQTT = "mqtt"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardProgram:
    """One program: its name in titles, the module it is, the script in device_scripts/ that uses it, and the issue that says that it
    cannot verify.
    """

    title: str
    module: str
    script: str
    application: Application
    issue: str | None = None

    def lack(self, missing: str) -> str | None:
        """Say why it cannot do what the case asks for; None if the firmware lacks a part of its TLS API instead.

        Args:
            missing: what the script answered.
        """
        if missing in _NO_PARAMETER:
            source = f" ({self.issue})" if self.issue else ""
            return f"{self.module} on this board has no parameter for {_NO_PARAMETER[missing]}{source}"
        if missing.startswith("module: "):
            why = missing.partition(": ")[2]
            return f"the board cannot import {self.module} ({why}); --board-path DIR places modules on it"
        return None


PROGRAMS: Mapping[str, BoardProgram] = {
    "requests": BoardProgram(
        title="requests",
        module="requests",
        script="app_requests",
        application=Application.HTTP,
        issue="https://github.com/micropython/micropython-lib/issues/838",
    ),
    "umqtt-params": BoardProgram(
        title="umqtt.simple with ssl=True and ssl_params",
        module="umqtt.simple",
        script="app_umqtt",
        application=Application.MQTT,
    ),
    "umqtt-context": BoardProgram(
        title="umqtt.simple with ssl=CONTEXT",
        module="umqtt.simple",
        script="app_umqtt",
        application=Application.MQTT,
    ),
    "websocket": BoardProgram(
        title="async_websocket_client",
        module="async_websocket_client",
        script="app_websocket",
        application=Application.WEBSOCKET,
    ),
}
