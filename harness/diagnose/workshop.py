"""Run recipes exactly as they are printed: the commands in a new folder, the server as a process of its own, the client on the board.

Knows recipes, the board's session and processes. Must not know which fix a recipe belongs to.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from harness.boards.agent.programs import Played
from harness.boards.hooks import GUARD
from harness.boards.session import BoardSession
from harness.certificates import Material, Unavailable
from harness.certificates.reading import in_file, key_facts
from harness.diagnose.given import GivenCertificates
from harness.diagnose.ingredients import ingredient
from harness.diagnose.programs import ANSWER, GREETING, LISTENING
from harness.diagnose.recipes import Ends, RecipeBook, files_of, made_by
from harness.diagnose.settings import Settings
from harness.diagnose.stand_in import created
from harness.errors import BoardError, ServerError
from harness.model import Command, Recipe
from harness.server.address import free_port
from harness.server.program import RunningProgram
from harness.system.commands import CommandFailed, let_pass, run_command, write_new
from harness.system.deadline import Deadline
from harness.system.private_folder import PrivateFolder

# The port of the printed programs where it is free: the usual one for TLS as an ordinary user.
USUAL_PORT = 8443
_START_S, _RUN_S, _HEAR_S = 20.0, 60.0, 10.0
_PORTS = 3
# A board's clock was set to whole seconds; a certificate that is younger than this would not be valid for it yet.
_YOUNG_S = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A recipe whose commands have run: the folder with its files, and the certificates that they made.

    `note` says what was done otherwise than printed; None if nothing was.
    """

    settings: Settings
    recipe: Recipe
    folder: Path = field(default_factory=Path)
    materials: Mapping[str, Material] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Whether board and server connected by running the recipe; None: the board failed. `recipe` is what was run."""

    connected: bool | None
    recipe: Recipe
    note: str | None = None


class Works(Protocol):
    """What makes and proves recipes; a simulated one in tests."""

    book: RecipeBook

    def prepare(self, settings: Settings) -> Prepared:
        """Run the commands for these settings; Unavailable if they cannot be run."""

    def prove(self, prepared: Prepared) -> Proof:
        """Run both programs."""


class Workshop:
    """Runs recipes for one board and one Python.

    Args:
        session: the board.
        certificates: names to certificates.
        ends: where board and server meet; the port of our own server is chosen here.
        ports: the range to choose from; None for any.
        peers: where the board's connections come from.
        strip_env: environment variables that no process gets.
    """

    def __init__(
        self,
        session: BoardSession,
        certificates: GivenCertificates,
        *,
        ends: Ends,
        ports: tuple[int, int] | None,
        peers: tuple[str, ...],
        strip_env: Collection[str] = (),
    ) -> None:
        self._session = session
        self._certificates = certificates
        self._ports = ports
        self._peers = peers
        self._strip_env = strip_env
        self._folders: list[PrivateFolder] = []
        self._proved: dict[Recipe, Path] = {}
        if ends.own_server:
            ends = replace(ends, port=free_port(ends.listen, among=ports, first=USUAL_PORT) or USUAL_PORT)
        self.book = RecipeBook(certificates, session.info, ends=ends)

    def close(self) -> None:
        """Remove all folders. Safe to call twice."""
        for folder in self._folders:
            folder.close()

    def write(self, recipe: Recipe, folder: Path) -> tuple[str, ...]:
        """Write a recipe that was proved, with the files that its commands made, into a new folder that only this user can read.

        Returns:
            The names of the files.

        Raises:
            OSError: the folder exists, or cannot be written.
        """
        source = self._proved[recipe]
        folder.mkdir(mode=0o700)
        files = sorted(path for path in source.iterdir() if path.is_file())
        for path in files:
            write_new(folder / path.name, path.read_bytes())
        return tuple(path.name for path in files)

    # ------------------------------------------------------------------ commands

    def prepare(self, settings: Settings) -> Prepared:
        """Run the commands for these settings in a new folder.

        Raises:
            Unavailable: a certificate cannot be had, or a command fails.
        """
        recipe = self.book.recipe(settings)
        made = PrivateFolder("tls-harness-recipe-")
        self._folders.append(made)
        for program in files_of(recipe):
            write_new(made.path / program.name, program.text.encode())
        note = None
        for command in recipe.commands:
            note = self._run(command, made.path) or note
        if made_by(recipe) and not self.book.ends.shares_files:
            let_pass(Deadline(_YOUNG_S))
        return Prepared(
            settings=settings,
            recipe=recipe,
            folder=made.path,
            materials=self._materials(settings, made.path),
            note=note,
        )

    def _run(self, command: Command, folder: Path) -> str | None:
        """Run one command; return what was done instead if it cannot be run here."""
        try:
            output = folder / command.output if command.output else None
            run_command(command.arguments, folder=folder, output=output, strip_env=self._strip_env)
            return None
        except CommandFailed as error:
            failed = error
        try:
            found = created(command, read=lambda name: (folder / name).read_bytes(), now=datetime.now(UTC))
        except (ValueError, OSError) as error:
            raise Unavailable(command.arguments[0], failed.reason) from error
        for name, data in found.items():
            (folder / name).unlink(missing_ok=True)
            write_new(folder / name, data)
        return f"{failed.reason}: the harness made the files of these commands with Python's `cryptography` instead"

    def _materials(self, settings: Settings, folder: Path) -> dict[str, Material]:
        """Read what the commands made, for the names that settings use."""
        server, client = settings.server, settings.client
        own = (client.certificate,) if client.certificate is not None else ()
        names = {*server.certificates, *server.client_ca, *client.ca, *own}
        host = self.book.host
        found = {}
        for name in sorted(name for name in names if not self._certificates.is_own(name)):
            one = ingredient(name, self._certificates, host=host)
            chain = in_file((folder / str(one.certificate)).read_bytes())[0]
            found[name] = _material(name, chain, folder=folder, certificate=one.certificate, key=one.key)
            if name == client.certificate:
                key, pem = (folder / str(one.key_der)).read_bytes(), (folder / str(one.key)).read_bytes()
                found[name] = replace(found[name], key_der=key, key_pem=pem)
        return found

    # ------------------------------------------------------------------ the proof

    def prove(self, prepared: Prepared) -> Proof:
        """Run both programs of a recipe, and compare what each printed.

        A port that another program has taken meanwhile is replaced, in the recipe as well.
        """
        for _attempt in range(_PORTS):
            recipe = prepared.recipe
            proof = self._prove(prepared)
            if proof is not None and proof.connected:
                self._proved[recipe] = prepared.folder
            if proof is not None:
                return replace(proof, note=proof.note or prepared.note)
            port = free_port(self.book.ends.listen, among=self._ports)
            if port is None:
                break
            self.book.ends = replace(self.book.ends, port=port)
            prepared = replace(prepared, recipe=self.book.recipe(prepared.settings))
            for program in files_of(prepared.recipe):
                (prepared.folder / program.name).write_bytes(program.text.encode())
        return Proof(connected=None, recipe=recipe, note="not proved: no free port for the server's program")

    def _prove(self, prepared: Prepared) -> Proof | None:
        """Run it on the present port; None if that is in use."""
        recipe = prepared.recipe
        files = {file.name: (prepared.folder / file.source).read_bytes() for file in recipe.board_files}
        if recipe.server is None:
            return self._alone(recipe, files)
        try:
            server = RunningProgram(
                list(recipe.server_start), folder=prepared.folder, guard=GUARD, strip_env=self._strip_env
            )
        except ServerError as error:
            return Proof(connected=False, recipe=recipe, note=f"the printed server did not start: {error}")
        try:
            up = server.wait_for(lambda line: line.startswith(LISTENING), deadline=Deadline(_START_S))
            if up is None:
                last = server.lines[-1] if server.lines else "it printed nothing"
                # The name and number of the error are Python's own, and this program prints nothing else. By now the port may be free
                # again: the program that had it, such as another diagnosis, may have ended.
                if any(line.startswith(f"OSError: [Errno {errno.EADDRINUSE}]") for line in server.lines):
                    return None
                return Proof(connected=False, recipe=recipe, note=f"the printed server did not start: {last}")
            return self._connected(server, recipe, files)
        finally:
            server.close()

    def _alone(self, recipe: Recipe, files: Mapping[str, bytes]) -> Proof:
        """Run the board's program with a server that is not ours: it must come to its end."""
        played = self._played(recipe, files)
        if isinstance(played, Proof):
            return played
        if not played.error and played.said:
            return Proof(connected=True, recipe=recipe)
        said = played.error or "it printed nothing"
        note = f"these settings connected through the harness, but the printed program alone did not: {said}"
        return Proof(connected=False, recipe=recipe, note=note)

    def _played(self, recipe: Recipe, files: Mapping[str, bytes]) -> Played | Proof:
        """Run the board's program; a proof that says nothing if the board failed."""
        session = self._session
        assert recipe.board is not None
        try:
            return session.run_program(recipe.board.text, files, deadline=Deadline(session.scaled(_RUN_S)))
        except BoardError as error:
            session.recover(because="it ran a printed program")
            return Proof(connected=None, recipe=recipe, note=f"not proved: {error}")

    def _connected(self, server: RunningProgram, recipe: Recipe, files: Mapping[str, bytes]) -> Proof:
        played = self._played(recipe, files)
        if isinstance(played, Proof):
            return played
        heard = server.wait_for(self._is_greeting, deadline=Deadline(_HEAR_S if not played.error else 1.0))
        if heard is not None and not played.error and ANSWER in played.said:
            return Proof(connected=True, recipe=recipe)
        said = server.lines[-1] if server.lines else "nothing"
        return Proof(
            connected=False,
            recipe=recipe,
            note=f"these settings connected, but the printed programs did not: board: {played.error or played.said}; server: {said}",
        )

    def _is_greeting(self, line: str) -> bool:
        """Whether the server's program printed that the board's text arrived."""
        peer, _blank, rest = line.partition(" ")
        return peer in self._peers and GREETING in rest


def _material(
    name: str, chain: tuple[bytes, ...], *, folder: Path, certificate: str | None, key: str | None
) -> Material:
    pem = (folder / str(certificate)).read_bytes()
    return Material(
        name=name,
        key_file=folder / str(key),
        chain_file=folder / str(certificate),
        certificate_pem=pem,
        certificate_der=chain[0],
        chain_pem=pem,
        chain_der=chain,
        key_pem=b"",
        key_der=b"",
        key_pkcs8_der=b"",
        root_pem=pem,
        root_der=chain[-1],
        facts=key_facts(chain),
    )
