"""Settings of both sides as a recipe: texts and commands that make the files, and the two programs that use them. Pure.

The recipe is the only place where settings become text: what is printed and what is run both come from it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

from harness.diagnose.given import COMPLETE, GIVEN, GivenCertificates
from harness.diagnose.ingredients import ingredient
from harness.diagnose.programs import board_program, place, server_program
from harness.diagnose.settings import Route, Settings
from harness.explain.client_lines import connecting, offering
from harness.explain.server_lines import serving
from harness.explain.switching import asking_for_tls
from harness.model import BoardFile, BoardInfo, ClientPlan, Ingredient, Program, Recipe, Verify

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Where the two programs meet: `listen` and `connect` are addresses of the same server.

    `shares_files`: the board opens the files of this machine, as a virtual board does. `own_server`: the server's program is ours.
    `python` runs it, and `board` is the beginning of the commands for the board: an interpreter, or mpremote with the port.
    """

    listen: str
    connect: str
    port: int = 0
    shares_files: bool = False
    own_server: bool = True
    python: str = "python3"
    board: tuple[str, ...] = ("micropython",)


class RecipeBook:
    """Writes recipes for one board and one set of files.

    Args:
        certificates: names to certificates.
        info: the board, for its API.
        ends: where board and server meet.
    """

    def __init__(self, certificates: GivenCertificates, info: BoardInfo, *, ends: Ends) -> None:
        self.certificates = certificates
        self.info = info
        self.ends = ends

    def server_lines(self, settings: Settings) -> tuple[str, ...]:
        """Return the server's settings as lines of Python; none for a server that is not ours.

        Raises:
            Unavailable: a certificate cannot be had.
        """
        if not self.ends.own_server:
            return ()
        profile = settings.server
        pairs = {name: self._file(name) for name in profile.certificates}
        trusted = {name: self._file(name) for name in profile.client_ca}
        return serving(
            profile,
            pairs={name: (one.certificate or "", one.key or "") for name, one in pairs.items()},
            authorities={name: one.certificate or one.der or "" for name, one in trusted.items()},
            der={one.der or "" for one in trusted.values() if one.certificate is None},
            password_env=self._password_env(profile.certificates),
        )

    def client_lines(self, settings: Settings) -> tuple[str, ...]:
        """Return the board's settings as lines of MicroPython, of this firmware's API.

        Raises:
            Unavailable: as `server_lines`.
        """
        plan, lines = settings.client, self._connecting(settings)
        lines = (*self._port_line(settings.route), *lines[:-1], *_opening(settings.route), lines[-1])
        if plan.any_answer and plan.text is not None:
            return (*lines, f"stream.write({plan.text.encode()!r})", f"stream.read({plan.receive_bytes})")
        return lines

    def _port_line(self, route: Route) -> tuple[str, ...]:
        return (place(self.ends.connect, route.port),) if route.port is not None else ()

    def _connecting(self, settings: Settings) -> tuple[str, ...]:
        plan = settings.client
        files = {source: self._name_on_board(source) for source in self._sources(plan)}
        ca = [files[source] for source in self._authorities(plan)]
        own = self._own(plan)
        lines = connecting(
            self.info,
            host=plan.server_hostname,
            ca=ca if plan.verify is Verify.REQUIRED else (),
            certificate=(files[own[0]], files[own[1]]) if own else False,
        )
        return (*lines[:-1], *(offering(self.info, plan.suites) if plan.suites is not None else ()), lines[-1])

    def recipe(self, settings: Settings) -> Recipe:
        """Return everything that is needed to make both sides connect with these settings.

        Raises:
            Unavailable: as `server_lines`.
        """
        plan, ends = settings.client, self.ends
        served = [self._file(name) for name in (*settings.server.certificates, *settings.server.client_ca)]
        loaded = [self._file(name) for name in plan.ca] if plan.verify is Verify.REQUIRED else []
        own = [self._file(plan.certificate)] if plan.certificate is not None else []
        # A form that the board does not load is not made.
        commands = [command for one in (*served, *loaded, *own) for command in one.commands]
        commands += [command for one in loaded if plan.ca_format == "der" for command in one.der_commands]
        commands += [command for one in own if plan.certificate_format == "der" for command in one.der_commands]
        server = server_program(self.server_lines(settings), host=ends.listen, port=ends.port)
        board = board_program(
            self._connecting(settings),
            self.info,
            host=ends.connect,
            port=settings.route.port or ends.port,
            opening=_opening(settings.route),
            send=plan.text,
            talks=ends.own_server or plan.text is not None,
            needs_clock=plan.verify is Verify.REQUIRED and not ends.shares_files,
        )
        board_files = tuple(
            BoardFile(name=self._name_on_board(source), source=source) for source in self._sources(plan)
        )
        return Recipe(
            texts=_once(text for one in (*served, *loaded, *own) for text in one.texts),
            commands=_once(commands),
            server=server if ends.own_server else None,
            board=board,
            board_files=board_files,
            server_start=(ends.python, server.name) if ends.own_server else (),
            board_start=self._board_start(board, board_files),
        )

    def _board_start(self, program: Program, files: Sequence[BoardFile]) -> tuple[tuple[str, ...], ...]:
        if self.ends.shares_files:
            return ((*self.ends.board, program.name),)
        copies = tuple((*self.ends.board, "fs", "cp", file.source, f":{file.name}") for file in files)
        return (*copies, (*self.ends.board, "run", program.name))

    @property
    def host(self) -> str:
        """The server's name for the board: that of its certificate, else its address."""
        return self.certificates.host or self.ends.connect

    def _password_env(self, names: Iterable[str]) -> dict[str, str]:
        """The environment variable of each certificate whose key is encrypted."""
        variable = self.certificates.files.password_env
        own = [name for name in names if name in (GIVEN, COMPLETE)] if variable is not None else []
        return {name: variable or "" for name in own if self.certificates.make(name).password is not None}

    def _file(self, name: str) -> Ingredient:
        return ingredient(name, self.certificates, host=self.host)

    def _authorities(self, plan: ClientPlan) -> list[str]:
        """The files of the CAs that the board loads, in its order."""
        if plan.verify is not Verify.REQUIRED:
            return []
        found = [self._file(name) for name in plan.ca]
        return [(one.certificate if plan.ca_format == "pem" else None) or one.der or "" for one in found]

    def _own(self, plan: ClientPlan) -> tuple[str, str] | None:
        """The files of the board's own certificate and its key."""
        if plan.certificate is None:
            return None
        one = self._file(plan.certificate)
        if plan.certificate_format == "pem":
            return one.certificate or "", one.key or ""
        return one.der or "", (one.key if plan.certificate_format == "pkcs8" else one.key_der) or ""

    def _sources(self, plan: ClientPlan) -> tuple[str, ...]:
        return _once((*self._authorities(plan), *(self._own(plan) or ())))

    def _name_on_board(self, source: str) -> str:
        return source if self.ends.shares_files else PurePath(source).name


def _opening(route: Route) -> tuple[str, ...]:
    return asking_for_tls(route.starttls) if route.starttls is not None else ()


def changed_lines(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    """Return the lines that differ: new ones as they are, those to remove as a comment."""
    found = []
    for line in difflib.ndiff(before, after):
        if line.startswith("- "):
            found.append(f"# remove: {line[2:]}")
        elif line.startswith("+ "):
            found.append(line[2:])
    return tuple(found)


def files_of(recipe: Recipe) -> tuple[Program, ...]:
    """Return the files of a recipe that are there before its commands run, and the two programs."""
    return (*recipe.texts, *(program for program in (recipe.server, recipe.board) if program is not None))


def made_by(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of the files that the commands create."""
    return _once(name for command in recipe.commands for name in command.creates)


def _once(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def server_lines(settings: Settings, certificates: GivenCertificates) -> tuple[str, ...]:
    """Return the server's settings as lines of Python, without a board.

    Raises:
        Unavailable: as `RecipeBook.server_lines`.
    """
    host = certificates.host or "HOST"
    return RecipeBook(certificates, BoardInfo(), ends=Ends(listen=host, connect=host)).server_lines(settings)
