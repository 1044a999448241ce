"""Which of our code a board has loaded, and how: from its file or from RAM. Knows no connection and no reset of the board."""

from __future__ import annotations

from collections.abc import Callable

from harness.boards.agent import deployment
from harness.boards.agent.console import Console
from harness.boards.agent.scripts import ASYNCIO_CLIENT
from harness.errors import BoardError, FaultKind

# What a firmware lacks that has an asyncio and no memory for our client of it.
NO_MEMORY = "memory for asyncio"


class LoadedCode:
    """The agent on one board, and the asyncio client behind it once a connection needs that.

    Args:
        console: of the board.
        note: takes a note about the board, for the report.

    `suspect`: it answered as if it was damaged, so it is loaded again even if it still answers.
    """

    def __init__(self, console: Console, *, note: Callable[[str], None]) -> None:
        self._console = console
        self._note = note
        self._from_file = False
        self._asyncio: bool | None = None
        self.suspect = False

    def load(self, *, filesystem: str | None, is_usb_drive: bool, writes: bool) -> None:
        """Load the agent after a soft reset; a note says why it runs from RAM.

        Args:
            filesystem: the writable working directory, None if there is none.
            is_usb_drive: whether a host may have mounted it.
            writes: False loads it into RAM and writes nothing.

        Raises:
            BoardError: it cannot be loaded.
        """
        self._asyncio = None
        if not writes:
            deployment.load_into_ram(self._console)
            return
        why_ram = deployment.load_part(self._console, filesystem=filesystem, is_usb_drive=is_usb_drive)
        self._from_file = why_ram is None
        if why_ram is not None:
            self._note(why_ram)

    def has_asyncio(self, *, filesystem: str | None) -> bool:
        """Load the asyncio client at its first use: from its file if the agent is, else into RAM.

        Returns:
            Whether it is there; False if the board has too little memory for it, which is tried once after each reset.

        Raises:
            BoardError: it cannot be loaded for any other reason.
        """
        if self._asyncio is None:
            try:
                self._load_asyncio(filesystem)
                self._asyncio = True
            except BoardError as error:
                if error.kind is not FaultKind.MEMORY:
                    raise
                deployment.unload(self._console, ASYNCIO_CLIENT)
                self._asyncio = False
        return self._asyncio

    def _load_asyncio(self, filesystem: str | None) -> None:
        if not self._from_file:
            deployment.load_into_ram(self._console, ASYNCIO_CLIENT)
            return
        why_ram = deployment.load_part(self._console, ASYNCIO_CLIENT, filesystem=filesystem)
        if why_ram is not None:
            self._note(why_ram)

    def still_answers(self) -> bool:
        """Return whether the agent is still there and may be used.

        Raises:
            BoardError: the line failed.
        """
        return deployment.is_loaded(self._console) and not self.suspect

    def reload(self) -> None:
        """Load the agent again after a reset, the way it was loaded before.

        Raises:
            BoardError: it does not start.
        """
        self.suspect, self._asyncio = False, None
        deployment.reload_agent(self._console, from_files=self._from_file)
