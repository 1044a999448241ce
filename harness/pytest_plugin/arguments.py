"""The keyword arguments of `tls_server`, `board.connect` and `expect`, as types for a checker and an editor. No behaviour.

Their meaning is described where they are used (`fixtures.py`); a test compares the names with the fields of the records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypedDict, Unpack

from harness.model import ServerProfile, Verify

#: What `tls_server` returns and `board.connect` takes.
Server = ServerProfile


class ServerSettings(TypedDict, total=False):
    """What `tls_server` accepts besides certificates. What is left out stays as Python's `ssl` has it."""

    cert: str | Path | None
    key: str | Path | None
    password: str | None
    ciphers: str | None
    minimum_version: str | None
    maximum_version: str | None
    curve: str | None
    verify: Verify | str
    client_ca: str | Path | Iterable[str | Path] | None
    alpn: str | Iterable[str] | None
    tickets: int | None
    swap_key_and_certificate: bool
    legacy_wrap_socket: bool
    behaviour: str | Mapping[str, Any] | None
    flight: Callable[[bytes, int], bytes] | None
    unwrap_first: bool | None
    suppress_ragged_eofs: bool | None


class ClientSettings(TypedDict, total=False):
    """What `board.connect` accepts besides the server. What is left out stays as the firmware has it."""

    verify: Verify | str
    server_hostname: str | None
    ca: str | Path | Iterable[str | Path] | None
    ca_format: str
    certificate: str | Path | None
    key: str | Path | None
    certificate_format: str
    suites: str | Iterable[str] | None
    suite_words: tuple[str, ...] | None
    psk_identity: str | None
    psk_key: str | None
    text: str | None
    send_bytes: int | None
    receive_bytes: int | None
    read_to_end: bool
    close_first: bool
    any_answer: bool
    timeout_s: float | None
    program: str | None
    clock: datetime | int | None
    heap: int | None
    api: Mapping[str, Any]


class NegotiatedValues(TypedDict, total=False):
    """What `expect.connected` accepts besides the observation. What is left out, or None, is not checked."""

    version: str | None
    suite: str | None
    group: str | None


class RefusalDetails(TypedDict, total=False):
    """What `expect.refused` accepts besides its main arguments."""

    server_type: str | None
    server_errno: int | None
    verify_code: int | None
    client_type: str | None
    open_because: str | None


class ServerFactory(Protocol):
    """The type of the fixture `tls_server`."""

    def __call__(self, *certificates: str, **settings: Unpack[ServerSettings]) -> ServerProfile:
        """Describe a Python TLS server; see `make_server`."""
