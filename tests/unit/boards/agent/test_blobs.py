"""The blobs on a board: sent once, and dropped to make room."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.boards.agent.blobs import BlobStore
from harness.boards.session import BoardSession
from harness.system.deadline import Deadline

ON_BOARD = b"print(sorted(th_blobs))"


@pytest.fixture
def session(new_session: Callable[..., BoardSession]) -> BoardSession:
    """Return a started session."""
    made = new_session()
    made.start()
    return made


def provide(store: BlobStore, blobs: dict[str, bytes], heap_free_bytes: int | None = None) -> None:
    """Store these blobs on the board."""
    store.provide(blobs, heap_free_bytes=heap_free_bytes, deadline=Deadline(60))


def test_sent_once(session: BoardSession) -> None:
    """A blob is sent at its first use only, and its content never enters the transcript: it may be a key."""
    session.begin_case()
    provide(session.blobs, {"blob1": b"secret"})
    sent = session.link.log.sent_bytes
    provide(session.blobs, {"blob1": b"secret"})
    assert session.link.log.sent_bytes == sent
    assert "th_put" not in session.transcript()


def test_oldest_make_room(session: BoardSession) -> None:
    """The blobs stay within their budget; the least recently used are dropped first, on the board too."""
    for number in range(6):
        provide(session.blobs, {f"blob{number}": bytes([number]) * 2000})
    assert session.blobs.names == ("blob2", "blob3", "blob4", "blob5")
    held = session.link.exec(ON_BOARD, deadline=Deadline(60))
    assert held.stdout == b"['blob2', 'blob3', 'blob4', 'blob5']\n"


def test_use_renews(session: BoardSession) -> None:
    """A blob that is used again outlives one that was sent after its first use."""
    provide(session.blobs, {"blob1": b"1" * 3000})
    provide(session.blobs, {"blob2": b"2" * 3000})
    provide(session.blobs, {"blob1": b"1" * 3000})
    provide(session.blobs, {"blob3": b"3" * 3000})
    assert session.blobs.names == ("blob1", "blob3")


def test_small_heap(session: BoardSession) -> None:
    """A board with little free memory keeps a sixteenth of it in blobs, but at least 2 KB."""
    provide(session.blobs, {"blob1": b"1" * 1100}, heap_free_bytes=20_000)
    provide(session.blobs, {"blob2": b"2" * 1100}, heap_free_bytes=20_000)
    assert session.blobs.names == ("blob2",)
    provide(session.blobs, {"blob3": b"3" * 900}, heap_free_bytes=20_000)
    assert session.blobs.names == ("blob2", "blob3")


def test_blobs_of_one_request_stay(session: BoardSession) -> None:
    """A blob that a request names is never dropped for another blob of the same request, even over the budget."""
    provide(session.blobs, {f"blob{number}": bytes([number]) * 3000 for number in range(4)})
    assert session.blobs.names == ("blob0", "blob1", "blob2", "blob3")
