"""Parse the output of labgrid's command line: places, resources, the address of a serial port.

Pure. Knows the output of `labgrid-client` 26.0 (labgrid/remote/client.py and common.py); must not run it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SERIAL_PORT = "NetworkSerialPort"
DEFAULT_COORDINATOR = "127.0.0.1:20408"
# These make the client use other places or machines than ours, or import our `serial` package.
NOT_FOR_THE_CLIENT = (
    "LG_ENV",
    "LG_PLACE",
    "PLACE",
    "LG_STATE",
    "STATE",
    "LG_INITIAL_STATE",
    "PYTHONPATH",
    "PYTHONHOME",
)
MAX_OUTPUT_CHARACTERS = 300
_RESOURCE = re.compile(r"(Matching|Acquired|Orphaned) resource '(.*)' \(([^/]*)/([^/]*)/([^/]*)/([^/]*)\):?")
_PROTOCOLS = {"rfc2217": "rfc2217", "raw": "socket"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource of a place. `present` is False if its exporter is gone."""

    name: str
    kind: str
    exporter: str
    present: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place as `labgrid-client show` prints it. `acquired` is `host/user`, `reservation` the token it is reserved for."""

    name: str
    aliases: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    acquired: str | None = None
    allowed: tuple[str, ...] = ()
    reservation: str | None = None
    resources: tuple[Resource, ...] = ()

    def is_called(self, word: str, *, user: str) -> bool:
        """Whether a word is its whole name or an alias (`USER:ALIAS` is an alias for that user only)."""
        return word == self.name or word in self.aliases or f"{user}:{word}" in self.aliases

    @property
    def serial_ports(self) -> tuple[Resource, ...]:
        """The resources that are serial ports."""
        return tuple(resource for resource in self.resources if resource.kind == SERIAL_PORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialAddress:
    """The address of a serial port: a URL for pyserial, and the lab's baud rate."""

    url: str
    baud: int


def read_place(text: str) -> Place | None:
    """Parse the output of `show`.

    Returns:
        The place, or None if the text is not one or is cut off.
    """
    lines = text.splitlines()
    found = re.fullmatch(r"Place '(.*)':", lines[0]) if lines else None
    if found is None:
        return None
    values: dict[str, str] = {}
    matches: list[str] = []
    resources: list[Resource] = []
    section = ""
    for line in lines[1:]:
        entry = re.fullmatch(r"  ([a-z ]+):(?: (.*))?", line)
        if entry is not None:
            section, values[entry[1]] = entry[1], entry[2] or ""
        elif section == "matches" and line.startswith("    "):
            matches.append(line.strip())
        elif resource := _RESOURCE.fullmatch(line):
            section = "resource"
            state, name, exporter, _group, kind, _name = resource.groups()
            resources.append(Resource(name=name, kind=kind, exporter=exporter, present=state != "Orphaned"))
    acquired = values.get("acquired", "")
    if "changed" not in values or not (acquired == "None" or "/" in acquired):
        return None
    return Place(
        name=found[1],
        aliases=_list(values.get("aliases", "")),
        matches=tuple(matches),
        acquired=None if acquired == "None" else acquired,
        allowed=_list(values.get("allowed", "")),
        reservation=values.get("reservation") or None,
        resources=tuple(resources),
    )


def _list(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(", ") if word)


def read_places(text: str) -> tuple[str, ...]:
    """Parse the output of `places`: a name per line, then its aliases and comment."""
    return tuple(line.split()[0] for line in text.splitlines() if line.strip())


def read_export(text: str) -> SerialAddress | None:
    """Parse the output of `export --format json` for a SerialDriver, among other lines.

    Returns:
        The address; None if the text has none (the port of a board that is not plugged in is `None`).
    """
    found = re.search(r'\{"LG__[^{}]*\}', text)
    try:
        values = json.loads(found[0]) if found else {}
    except ValueError:
        return None
    words = {name: values.get(f"LG__SERIALDRIVER_{name}") for name in ("HOST", "PORT", "PROTOCOL", "SPEED")}
    host, port, speed = words["HOST"], words["PORT"], words["SPEED"]
    scheme = _PROTOCOLS.get(str(words["PROTOCOL"] or "rfc2217"))
    if scheme is None or not isinstance(host, str) or not re.fullmatch(r"[0-9A-Za-z_.:%-]+", host):
        return None
    if not isinstance(port, str) or not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > 65535:
        return None
    baud = int(speed) if isinstance(speed, str) and re.fullmatch(r"[1-9][0-9]{0,6}", speed) else 115200
    return SerialAddress(url=serial_url(scheme, host, int(port)), baud=baud)


def serial_url(scheme: str, host: str, port: int) -> str:
    """The URL as labgrid's own SerialDriver opens it: exporters seldom support the control lines."""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}:{port}" + ("?ign_set_control" if scheme == "rfc2217" else "")


def serial_environment(place: str) -> str:
    """The environment file with which `export` prints the serial port of a place; JSON is also YAML."""
    target = {"resources": {"RemotePlace": {"name": place}}, "drivers": {"SerialDriver": {}}}
    return json.dumps({"targets": {"main": target}})


def client_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for `labgrid-client`: ours, without the variables that would select another place."""
    kept = {name: value for name, value in environ.items() if name not in NOT_FOR_THE_CLIENT}
    # Otherwise its output is buffered while it stays in the foreground.
    return {**kept, "PYTHONUNBUFFERED": "1"}


def coordinator(environ: Mapping[str, str]) -> str:
    """The coordinator of the client as `HOST:PORT`; before labgrid 25 the variable was LG_CROSSBAR."""
    return environ.get("LG_COORDINATOR") or environ.get("LG_CROSSBAR") or DEFAULT_COORDINATOR


def identity(place: str, environ: Mapping[str, str]) -> str:
    """The name under which a place is locked, so that two runs of the user who acquired it do not share it."""
    return f"labgrid:{coordinator(environ)}/{place}"


def own_name(environ: Mapping[str, str], *, host: str, user: str) -> str:
    """The name under which labgrid records this user: `host/user`."""
    return f"{environ.get('LG_HOSTNAME', host)}/{environ.get('LG_USERNAME', user)}"


def who_has(owner: str) -> str:
    """`host/user` for people."""
    host, _, user = owner.partition("/")
    return f"{user} on {host}"


def unknown_place(word: str, places: Iterable[str]) -> str:
    """The part of a message about an unknown place, with the places that may have been meant."""
    names = sorted(places)
    near = [name for name in names if word in name] or difflib.get_close_matches(word, names)
    meant = f" (did you mean {' or '.join(map(repr, near[:3]))}?)" if near else ""
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"labgrid has no place {word!r}{meant}; known places: {shown or 'none'}"


def last_words(output: str) -> str:
    """The last line of the client's output as a reason, bounded and without its prefix."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = "".join(letter if letter.isprintable() else "?" for letter in lines[-1]) if lines else "no output"
    return re.sub(r"^(?:[\w.-]*: )?(?:\w+ error: )?Error: ", "", last)[:MAX_OUTPUT_CHARACTERS]
