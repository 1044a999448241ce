"""The program `labgrid-client`: where it is, and what a lab says about a place through it.

Runs the program, each time to its end; what it prints is read by `labgrid_text`. It lives in labgrid's own environment and is
never imported: labgrid's pyserial and ours both own the package `serial`.
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

VARIABLE = "LABGRID_CLIENT"
FOLDER_VARIABLE = "TLS_HARNESS_LABGRID"
# gRPC itself gives up after 20 s; its own words are better than ours.
CLIENT_S = 30.0
# For a list of boards nobody waits that long.
LISTING_S = 10.0


def find_client() -> str:
    """The path of `labgrid-client`: $LABGRID_CLIENT, on PATH, or what `tools/fetch_labgrid.py` made.

    Raises:
        UsageError: there is none, or $LABGRID_CLIENT names no program.
    """
    told = os.environ.get(VARIABLE)
    if told:
        found = shutil.which(told)
        if found is None:
            raise UsageError(f"${VARIABLE} = {told}: there is no such program; it must name labgrid-client")
        return os.path.abspath(found)
    found = shutil.which("labgrid-client") or shutil.which("labgrid-client", path=str(fetched_folder() / "bin"))
    if found is None:
        raise UsageError(
            "--board labgrid:...: labgrid-client is not on PATH; install labgrid in an environment of its own, never in this one "
            f"(`pipx install labgrid`), or name the program in ${VARIABLE}"
        )
    return os.path.abspath(found)


def fetched_folder() -> Path:
    """Where `tools/fetch_labgrid.py` makes labgrid's environment; $TLS_HARNESS_LABGRID, else in the user's cache."""
    told = os.environ.get(FOLDER_VARIABLE)
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(told).expanduser() if told else Path(cache).expanduser() / "tls-harness" / "labgrid"


class LabgridClient:
    """`labgrid-client` as one run uses it.

    Args:
        label: the board's name in messages.
        timeout_s: how long one call may take.
        without: variables of the environment that it does not get: what it prints is shown, and a password must not be.
    """

    def __init__(self, label: str, *, timeout_s: float = CLIENT_S, without: Collection[str] = ()) -> None:
        self.label = label
        self.timeout_s = timeout_s
        self.program = find_client()
        self.environment = client_environment({key: os.environ[key] for key in os.environ if key not in without})
        self.coordinator = coordinator(os.environ)
        self.own_name = own_name(os.environ, host=socket.gethostname(), user=getpass.getuser())

    def show(self, word: str) -> Place:
        """The place that a board spec names by its name, its alias, or `+` and the token of a reservation.

        Raises:
            UsageError: there is no such place.
            BoardError: the coordinator cannot be asked (`missing`, `timeout`), or the reservation has no place yet (`busy`).
        """
        token = word[1:] or os.environ.get("LG_TOKEN", "") if word.startswith("+") else ""
        if word == "+" and not token:
            raise UsageError(
                f"{self.label}: it takes the place that is reserved with $LG_TOKEN, which is not set; "
                'start with `eval "$(labgrid-client reserve --wait --shell TAG=VALUE)"`'
            )
        status, said = self._ask(f"--place={word}", "show")
        place = read_place(said) if status == 0 else None
        if place is not None and (token or place.is_called(word, user=self.own_name.partition("/")[2])):
            return place
        status, places = self._ask("places")
        if status != 0:
            raise BoardError(
                f"{self.label}: labgrid's coordinator at {self.coordinator} cannot be asked ({last_words(places)}); "
                "is it running, and $LG_COORDINATOR right?",
                kind=FaultKind.MISSING,
            )
        if token:
            raise BoardError(
                f"{self.label}: the reservation has no place: it still waits, has run out, or was never made "
                "(`labgrid-client reservations`); `pytest --board-wait SECONDS` waits for it",
                kind=FaultKind.BUSY,
            )
        raise UsageError(f"{self.label}: {unknown_place(word, read_places(places))}")

    def _ask(self, *words: str) -> tuple[int, str]:
        """Run the client to its end: its status, and all that it printed."""
        try:
            done = subprocess.run(
                [self.program, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self.environment,
                timeout=self.timeout_s,
                check=False,
                # SSH, where the lab has a proxy, must not ask for a password on somebody's terminal.
                start_new_session=True,
            )
        except subprocess.TimeoutExpired as error:
            raise self.hangs(words[-1]) from error
        except OSError as error:
            raise BoardError(
                f"{self.label}: {self.program} cannot be started ({error.strerror})", kind=FaultKind.MISSING
            ) from error
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def hangs(self, word: str) -> BoardError:
        """The error for a call that did not come to an end."""
        return BoardError(
            f"{self.label}: `labgrid-client {word}` did not end within {self.timeout_s:g} s; "
            f"the coordinator is {self.coordinator}",
            kind=FaultKind.TIMEOUT,
        )

    def refusal(self, place: Place, said: str) -> BoardError | None:
        """Why this place cannot be used, as far as its record tells.

        Args:
            place: as the coordinator knows it now.
            said: what the client said when it was to acquire it; empty before it was tried.
        """
        if place.acquired is not None and not self.may_use(place):
            host, _, user = place.acquired.partition("/")
            return BoardError(
                f"{self.label}: place {place.name} is acquired by {user} on {host}, where "
                f"`labgrid-client -p {place.name} release` gives it back; `pytest --board-wait SECONDS` waits for it",
                kind=FaultKind.BUSY,
            )
        if place.reservation and said:
            return BoardError(
                f"{self.label}: place {place.name} is reserved, and not with our token ({last_words(said)}); "
                "`labgrid-client reservations` lists for whom; `pytest --board-wait SECONDS` waits for it",
                kind=FaultKind.BUSY,
            )
        gone = [resource for resource in place.resources if not resource.present]
        if gone or not place.resources:
            matches = f"nothing matches {', '.join(place.matches)}" if place.matches else "it has no match"
            what = f"exporter {gone[0].exporter} is gone" if gone else matches
            return BoardError(
                f"{self.label}: place {place.name} has no board behind it: {what}; "
                "is its labgrid-exporter running? `labgrid-client resources` lists what there is",
                kind=FaultKind.MISSING,
            )
        ports = place.serial_ports
        if len(ports) != 1:
            there = ", ".join(f"{resource.kind} {resource.name}" for resource in ports or place.resources)
            return BoardError(
                f"{self.label}: place {place.name} has {'no serial port' if not ports else f'{len(ports)} serial ports'} "
                f"({there}); exactly one is wanted",
                kind=FaultKind.MISSING,
            )
        return None

    def may_use(self, place: Place) -> bool:
        """Whether a place that is acquired is so by us, or by somebody who allows us to use it."""
        return place.acquired == self.own_name or self.own_name in place.allowed
