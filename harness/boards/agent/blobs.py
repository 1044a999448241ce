"""The blobs that the agent keeps on the board: certificates, keys, suite lists. Sent once, dropped to free memory.

Knows the agent's calls for storing and dropping. Must not know the content of a blob.
"""

from __future__ import annotations

from collections import OrderedDict

from harness.boards.agent.console import Console
from harness.boards.agent.protocol import put_code, put_pieces, read_stored
from harness.errors import BoardError, FaultKind
from harness.system.deadline import Deadline

# Blobs are 0.1 to 2 KB each; a small heap keeps fewer of them.
BUDGET_BYTES = 8192
HEAP_SHARE = 16


class BlobStore:
    """The blobs on one board, the least recently used first.

    Args:
        console: the board.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._sizes: OrderedDict[str, int] = OrderedDict()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the blobs on the board, the least recently used first."""
        return tuple(self._sizes)

    def forget(self) -> None:
        """Record that the board holds no blobs: it was reset, or its agent failed."""
        self._sizes.clear()

    def provide(self, blobs: dict[str, bytes], *, heap_free_bytes: int | None, deadline: Deadline) -> None:
        """Send the blobs that the board does not hold yet, and drop the least recently used ones to free memory.

        Args:
            blobs: content by name.
            heap_free_bytes: of the board after its start; None if not known.
            deadline: for all of it.

        Raises:
            BoardError: the line failed, or the agent did (`agent`).
        """
        free = heap_free_bytes or BUDGET_BYTES * HEAP_SHARE
        budget = max(BUDGET_BYTES // 4, min(BUDGET_BYTES, free // HEAP_SHARE))
        for name in blobs:
            if name in self._sizes:
                self._sizes.move_to_end(name)
        new = {name: data for name, data in blobs.items() if name not in self._sizes}
        needed = sum(map(len, new.values()))
        while self._sizes and sum(self._sizes.values()) + needed > budget:
            oldest = next(iter(self._sizes))
            if oldest in blobs:
                break
            del self._sizes[oldest]
            self._store(oldest, None, size=None, deadline=deadline)
        for name, data in new.items():
            # Private keys are among them: the transcript keeps only their number of bytes.
            with self._console.link.log.muted():
                size = 0
                for piece in put_pieces(data):
                    self._store(name, piece, more=size > 0, size=(size := size + len(piece)), deadline=deadline)
            self._sizes[name] = len(data)

    def _store(
        self, name: str, piece: bytes | None, *, size: int | None, deadline: Deadline, more: bool = False
    ) -> None:
        """Store a piece of a blob, or drop the blob (None), and check that the board then holds `size` bytes under its name."""
        console = self._console
        try:
            stored = console.ask(
                lambda number: put_code(name, piece, number=number, kind=console.check_kind, more=more),
                read=read_stored,
                what="store data on the board",
                deadline=deadline,
            )
        except BoardError:
            self.forget()
            raise
        if stored.size != size:
            self.forget()
            raise BoardError(
                f"{console.label}: the board stored {stored.size} of {size} bytes of a blob", kind=FaultKind.AGENT
            )
