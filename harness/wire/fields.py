"""A cursor over the bytes of one handshake message: numbers, vectors, and a clear error at the first wrong length.

Knows TLS's presentation language (RFC 8446 section 3) and no message. Reading past the end is always a `ValueError`,
because a handshake message begins with its length: the reader already has all of it.
"""

from __future__ import annotations


class FieldReader:
    """Read fields off a message in order.

    Args:
        data: the whole message or field.
        what: its name for error texts, for example `ClientHello`.
    """

    __slots__ = ("_data", "_position", "_what")

    def __init__(self, data: bytes, *, what: str) -> None:
        self._data = data
        self._position = 0
        self._what = what

    @property
    def left(self) -> int:
        """The number of unread bytes."""
        return len(self._data) - self._position

    def take(self, count: int) -> bytes:
        """Read exactly `count` bytes.

        Raises:
            ValueError: if there are fewer.
        """
        if count > self.left:
            raise ValueError(f"{self._what} ends {count - self.left} bytes too early")
        start = self._position
        self._position += count
        return self._data[start : self._position]

    def number(self, size: int) -> int:
        """Read an unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """Read a vector with a length prefix of `size` bytes."""
        return self.take(self.number(size))

    def numbers(self, size: int, *, length_size: int) -> tuple[int, ...]:
        """Read a vector of unsigned numbers of `size` bytes each.

        Raises:
            ValueError: if the vector's length is not a multiple of `size`.
        """
        data = self.vector(length_size)
        if len(data) % size:
            raise ValueError(f"{self._what} has a list of {len(data)} bytes, not a multiple of {size}")
        return tuple(int.from_bytes(data[index : index + size], "big") for index in range(0, len(data), size))

    def end(self) -> None:
        """Check that nothing is left.

        Raises:
            ValueError: if something is.
        """
        if self.left:
            raise ValueError(f"{self._what} has {self.left} bytes too many")
