"""The TLS server in this process: the default, and the fastest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model import ServerProfile, ServerReport
from harness.server import ServerStart, Serving
from harness.server.engine.engine import Engine
from harness.server.engine_records import EngineAdapter, Materials, description_of
from harness.system.deadline import Deadline
from harness.system.private_folder import PrivateFolder


class LocalServer:
    """A `ServerHost` on this interpreter's own `ssl`.

    Args:
        materials: maps a certificate profile's name to its files and facts.
    """

    def __init__(self, *, materials: Materials) -> None:
        self._folder = PrivateFolder("tls-engine-")
        self._engine = Engine(folder=str(self._folder.path))
        self._adapter = EngineAdapter(materials=materials)
        self._description: Mapping[str, Any] | None = None

    def describe(self) -> Mapping[str, Any]:
        """See `ServerHost`."""
        if self._description is None:
            self._description = description_of(self._engine.describe())
        return self._description

    def open(self, profile: ServerProfile, serving: Serving) -> ServerStart:
        """See `ServerHost`."""
        return self._adapter.started(self._engine.open(self._adapter.settings(profile, serving)))

    def finish(self, deadline: Deadline) -> ServerReport:
        """See `ServerHost`."""
        return self._adapter.refused or self._adapter.finished(self._engine.wait(deadline.remaining_s))

    def cancel(self) -> ServerReport | None:
        """See `ServerHost`."""
        raw = self._engine.cancel()
        return None if raw is None else self._adapter.finished(raw)

    def close(self) -> None:
        """See `ServerHost`."""
        self._engine.close()
        self._folder.close()
