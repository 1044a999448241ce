"""Which of our code a board has loaded, and how: from its file or from RAM. Knows no connection and no reset of the board."""

from __future__ import annotations

from collections.abc import Callable

from harness.boards.agent import deployment
from harness.boards.agent.console import Console
from harness.boards.agent.scripts import ASYNCIO_CLIENT


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
        self._from_file = self._asyncio = False
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
        self._asyncio = False
        if not writes:
            deployment.load_into_ram(self._console)
            return
        why_ram = deployment.load_part(self._console, filesystem=filesystem, is_usb_drive=is_usb_drive)
        self._from_file = why_ram is None
        if why_ram is not None:
            self._note(why_ram)

    def need_asyncio(self, *, filesystem: str | None) -> None:
        """Load the asyncio client at its first use: from its file if the agent is, else into RAM.

        Raises:
            BoardError: it cannot be loaded.
        """
        if self._asyncio:
            return
        if self._from_file:
            why_ram = deployment.load_part(self._console, ASYNCIO_CLIENT, filesystem=filesystem)
            if why_ram is not None:
                self._note(why_ram)
        else:
            deployment.load_into_ram(self._console, ASYNCIO_CLIENT)
        self._asyncio = True

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
        self.suspect = self._asyncio = False
        deployment.reload_agent(self._console, from_files=self._from_file)
