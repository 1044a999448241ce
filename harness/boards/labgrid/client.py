"""The program `labgrid-client`: where it is, and what a lab knows about a place.

Runs the program to its end for each request; `text` reads its output. It is installed in a separate environment and never
imported: labgrid's pyserial and ours both own the package `serial`.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Collection
from pathlib import Path

from harness.boards.labgrid.text import (
    Place,
    client_environment,
    coordinator,
    last_words,
    own_name,
    read_place,
    read_places,
    unknown_place,
)
from harness.errors import BoardError, FaultKind, UsageError
from harness.system.data_files import cache_dir

VARIABLE = "LABGRID_CLIENT"
FOLDER_VARIABLE = "TLS_HARNESS_LABGRID"
# gRPC itself times out after 20 s, with a better message than ours.
CLIENT_S = 30.0
# A list of boards must not take that long.
LISTING_S = 10.0


def find_client() -> str:
    """Find `labgrid-client`: $LABGRID_CLIENT, on PATH, or the one installed by `tools/fetch_labgrid.py`.

    Raises:
        UsageError: there is none, or $LABGRID_CLIENT is not a program.
    """
    configured = os.environ.get(VARIABLE)
    if configured:
        found = shutil.which(configured)
        if found is None:
            raise UsageError(f"${VARIABLE} = {configured}: no such program; expected the path of labgrid-client")
        return os.path.abspath(found)
    found = shutil.which("labgrid-client")
    if found is None and (fetched := fetched_folder()) is not None:
        found = shutil.which("labgrid-client", path=str(fetched / "bin"))
    if found is None:
        raise UsageError(
            "--board labgrid:...: labgrid-client is not on PATH; install labgrid in an environment of its own, not in this one "
            f"(`pipx install labgrid`), or set ${VARIABLE} to the program"
        )
    return os.path.abspath(found)


def fetched_folder() -> Path | None:
    """Return the folder in which `tools/fetch_labgrid.py` installs labgrid: $TLS_HARNESS_LABGRID, else in the user's cache."""
    configured = os.environ.get(FOLDER_VARIABLE)
    return Path(configured).expanduser() if configured else cache_dir("labgrid")


class LabgridClient:
    """`labgrid-client` as one run uses it.

    Args:
        label: the board's name in messages.
        timeout_s: how long one call may take.
        strip_env: environment variables that it does not get, such as passwords: its output is shown.
    """

    def __init__(self, label: str, *, timeout_s: float = CLIENT_S, strip_env: Collection[str] = ()) -> None:
        self.label = label
        self.timeout_s = timeout_s
        self.program = find_client()
        self.environment = client_environment({key: os.environ[key] for key in os.environ if key not in strip_env})
        self.coordinator = coordinator(os.environ)
        self.own_name = own_name(os.environ, host=socket.gethostname(), user=getpass.getuser())

    def show(self, word: str) -> Place:
        """Look a place up.

        Args:
            word: its name, its alias, or `+` and the token of a reservation.

        Raises:
            UsageError: there is no such place.
            BoardError: the coordinator cannot be reached (`missing`, `timeout`), or the reservation has no place yet (`busy`).
        """
        token = word[1:] or os.environ.get("LG_TOKEN", "") if word.startswith("+") else ""
        if word == "+" and not token:
            raise UsageError(
                f"{self.label}: there is no reservation: $LG_TOKEN is not set; "
                'start with `eval "$(labgrid-client reserve --wait --shell TAG=VALUE)"`'
            )
        status, output = self._ask(f"--place={word}", "show")
        place = read_place(output) if status == 0 else None
        if place is not None and (token or place.is_called(word, user=self.own_name.partition("/")[2])):
            return place
        status, places = self._ask("places")
        if status != 0:
            raise BoardError(
                f"{self.label}: labgrid's coordinator at {self.coordinator} cannot be reached ({last_words(places)}); "
                "is it running, and is $LG_COORDINATOR right?",
                kind=FaultKind.MISSING,
            )
        if token:
            raise BoardError(
                f"{self.label}: the reservation has no place: it is waiting, has expired, or was never made "
                "(`labgrid-client reservations`); `pytest --board-wait SECONDS` waits for it",
                kind=FaultKind.BUSY,
            )
        raise UsageError(f"{self.label}: {unknown_place(word, read_places(places))}")

    def _ask(self, *words: str) -> tuple[int, str]:
        """Run the client to its end, and return its status and output."""
        try:
            done = subprocess.run(
                [self.program, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self.environment,
                timeout=self.timeout_s,
                check=False,
                # SSH, used for a lab with a proxy, must not ask for a password on the terminal.
                start_new_session=True,
            )
        except subprocess.TimeoutExpired as error:
            raise self.hangs(words[-1]) from error
        except OSError as error:
            raise BoardError(
                f"{self.label}: cannot start {self.program} ({error.strerror})", kind=FaultKind.MISSING
            ) from error
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def hangs(self, word: str) -> BoardError:
        """Return the error for a call that did not end."""
        return BoardError(
            f"{self.label}: `labgrid-client {word}` did not end within {self.timeout_s:g} s; "
            f"the coordinator is {self.coordinator}",
            kind=FaultKind.TIMEOUT,
        )

    def refusal(self, place: Place, output: str) -> BoardError | None:
        """Return why this place cannot be used, as far as its record shows.

        Args:
            place: as the coordinator knows it now.
            output: of the client when it tried to acquire it; empty before that.
        """
        if place.acquired is not None and not self.may_use(place):
            host, _, user = place.acquired.partition("/")
            return BoardError(
                f"{self.label}: place {place.name} is acquired by {user} on {host} (release it there with "
                f"`labgrid-client -p {place.name} release`); `pytest --board-wait SECONDS` waits for it",
                kind=FaultKind.BUSY,
            )
        if place.reservation and output:
            return BoardError(
                f"{self.label}: place {place.name} is reserved with a different token ({last_words(output)}); "
                "`labgrid-client reservations` lists the owners; `pytest --board-wait SECONDS` waits for it",
                kind=FaultKind.BUSY,
            )
        gone = [resource for resource in place.resources if not resource.present]
        if gone or not place.resources:
            matches = f"nothing matches {', '.join(place.matches)}" if place.matches else "it has no match"
            what = f"exporter {gone[0].exporter} is gone" if gone else matches
            return BoardError(
                f"{self.label}: place {place.name} has no board: {what}; "
                "is its labgrid-exporter running? `labgrid-client resources` lists the resources",
                kind=FaultKind.MISSING,
            )
        ports = place.serial_ports
        if len(ports) != 1:
            there = ", ".join(f"{resource.kind} {resource.name}" for resource in ports or place.resources)
            return BoardError(
                f"{self.label}: place {place.name} has {'no serial port' if not ports else f'{len(ports)} serial ports'} "
                f"({there}); expected exactly one",
                kind=FaultKind.MISSING,
            )
        return None

    def may_use(self, place: Place) -> bool:
        """Whether a place is acquired by this user, or by one who allows this user to use it."""
        return place.acquired == self.own_name or self.own_name in place.allowed
