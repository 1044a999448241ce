"""Find a board at a serial port again after its port disappeared, by its identity instead of the name of its port.

Knows ports and locks. Opens no port. Another board is never mistaken for it, and a board that is in use is left alone.
"""

from __future__ import annotations

import os
import re
import threading

from harness.boards.locks.board_lock import POLL_S, BoardLock
from harness.boards.serial.ports import identity, list_ports, resolve_serial, usb_identity, usb_port
from harness.errors import BoardError, FaultKind
from harness.system.deadline import Deadline

# The first board that is plugged in gets such a name; all others (by-id, by-path, those of udev rules) belong to one board.
_UNSTABLE_NAME = re.compile(r"/dev/(tty[A-Z]+\d+|(tty|cu)\..*|pts/\d+)")


class SameBoard:
    """The board of a spec, locked until `close()`.

    Args:
        target: of the spec: a path, a link, `id:SERIAL`, `auto`, a URL.
        label: the board's name in messages.

    Raises:
        UsageError: it names no port, or several.
        BoardError: `busy`: the board is in use.
    """

    def __init__(self, target: str, *, label: str) -> None:
        self._target = target
        self._label = label
        self.port = resolve_serial(target)
        ports = list_ports() if self.may_return and "://" not in self.port else []
        self._usb = usb_port(self.port, ports)
        self.identity = identity(self.port) if self._usb is None else usb_identity(self._usb, ports)
        self._locks: dict[str, BoardLock] = {}
        try:
            for name in (self.identity, self._own_name or self.identity):
                self._lock(name)
        except BaseException:
            self.close()
            raise

    @property
    def _own_name(self) -> str | None:
        """A path that cannot refer to another board. It is locked, too, for the time when the port is missing."""
        if not self._target.startswith("/") or _UNSTABLE_NAME.fullmatch(self._target):
            return None
        folder, name = os.path.split(self._target)
        return os.path.join(os.path.realpath(folder), name)

    @property
    def may_be_switched(self) -> bool:
        """Whether its port is missing and its power may be switched: it has its own name, under which it is locked anyway."""
        return self._own_name is not None and not os.path.exists(self.port)

    def _lock(self, name: str) -> None:
        if name not in self._locks:
            self._locks[name] = BoardLock(name, label=self._label)

    @property
    def note(self) -> str | None:
        """A note for the user about the lock, if any."""
        return next((lock.note for lock in self._locks.values() if lock.note is not None), None)

    @property
    def may_return(self) -> bool:
        """Whether its port can come back; the name of a pseudo-terminal may be another board's afterwards."""
        return not self.port.startswith("/dev/pts/")

    def find(self) -> str:
        """Return the port of the board now, locked under its new name, too.

        Raises:
            BoardError: `missing` while there is none, `busy` if another process has it.
        """
        port = self._find()
        self._lock(identity(port))
        return port

    def wait(self, deadline: Deadline) -> None:
        """Wait for the port of the board.

        Raises:
            BoardError: as `find`, when the time is over.
        """
        pause = threading.Event()
        while True:
            try:
                self.find()
            except BoardError as error:
                if error.kind != FaultKind.MISSING or deadline.expired:
                    raise
            else:
                return
            pause.wait(min(POLL_S, deadline.remaining_s))

    def _find(self) -> str:
        if "://" in self._target:
            return self._target
        if self._usb is None:
            if not os.path.exists(self.port):
                raise BoardError(f"{self.port}: no such port", kind=FaultKind.MISSING)
            return self.port
        known = self._usb
        alike = [
            port for port in list_ports() if (port.usb_id, port.serial_number) == (known.usb_id, known.serial_number)
        ]
        if self.identity.endswith(f"-at-{known.location}") or len(alike) > 1:
            alike = [port for port in alike if port.location == known.location]
        if len(alike) != 1:
            raise BoardError(f"no port has the USB identity {self.identity}", kind=FaultKind.MISSING)
        return alike[0].device

    def close(self) -> None:
        """Release the board. Safe to call twice."""
        for lock in self._locks.values():
            lock.close()
