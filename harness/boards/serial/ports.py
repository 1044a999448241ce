"""The serial ports of this machine: their identity, the programs that hold them, and why one could not be opened.

Knows pyserial's port list and, on Linux, /proc. Opens no port.
"""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BoardError, FaultKind, UsageError

# Programs that open every new serial port, and how to stop them.
KNOWN_HOLDERS = {
    "ModemManager": "it probes every new port; stop it with `systemctl stop ModemManager` or give the board a udev rule "
    'with ENV{ID_MM_DEVICE_IGNORE}="1"',
    "brltty": "`brltty` mistakes CH340 and CP210x adapters for Braille displays; remove that package",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialPort:
    """A port of this machine. `usb_id` is `vid:pid` in hex, `serial_number` the one for `id:`, `location` its position in the
    tree of USB ports (with the interface, if the device has several).
    """

    device: str
    description: str
    usb_id: str | None
    serial_number: str | None
    by_id: str | None
    location: str | None = None


def list_ports() -> list[SerialPort]:
    """List the serial ports that belong to USB devices first, then the others, each by device name.

    Raises:
        BoardError: pyserial cannot be imported: on a system that calls itself POSIX it needs termios and fcntl.
    """
    try:
        # takes 20 ms, and only `auto`, `id:` and `tls-harness boards` need it
        from serial.tools import list_ports as pyserial_ports
    except ImportError as error:
        raise BoardError(
            f"no serial ports: cannot import pyserial ({error.name} is missing)", kind=FaultKind.MISSING
        ) from error

    by_id = _by_id_links()
    ports = [
        SerialPort(
            device=port.device,
            description=port.description if port.description not in (None, "n/a") else "",
            usb_id=f"{port.vid:04x}:{port.pid:04x}" if port.vid is not None else None,
            serial_number=port.serial_number,
            by_id=by_id.get(os.path.realpath(port.device)),
            location=getattr(port, "location", None),
        )
        for port in pyserial_ports.comports()
    ]
    return sorted(ports, key=lambda port: (port.usb_id is None, port.device))


def _by_id_links() -> dict[str, str]:
    folder = Path("/dev/serial/by-id")
    if not folder.is_dir():
        return {}
    return {str(link.resolve()): str(link) for link in sorted(folder.iterdir())}


def resolve_serial(target: str) -> str:
    """Turn the target of a board spec into the name or URL that pyserial opens.

    Args:
        target: device path, URL, `COM3`, `u0`, `a0`, `id:SERIAL` or `auto`.

    Raises:
        UsageError: `auto` or `id:` that names no port, or more than one; the message lists the candidates.
    """
    if target == "auto":
        candidates = [port for port in list_ports() if port.usb_id]
        if len(candidates) == 1:
            return candidates[0].device
        if not candidates:
            raise UsageError(
                "--board auto: no USB serial port on this machine; plug the board in, or name a port (`tls-harness boards` lists them)"
            )
        raise UsageError(
            f"--board auto: {len(candidates)} boards are connected; name one of "
            + ", ".join(f"{port.device} ({port.description}, id:{port.serial_number})" for port in candidates)
        )
    if target.startswith("id:"):
        serial_number = target[3:]
        ports = list_ports()
        found = [port for port in ports if port.serial_number == serial_number]
        if len(found) == 1:
            return found[0].device
        known = ", ".join(f"id:{port.serial_number}" for port in ports if port.serial_number) or "none"
        problem = "no port" if not found else f"{len(found)} ports"
        raise UsageError(f"--board {target}: {problem} with this USB serial number; connected: {known}")
    if len(target) > 1 and target[0] in "ua" and target[1:].isdigit():
        return f"/dev/tty{'USB' if target[0] == 'u' else 'ACM'}{target[1:]}"
    return target


def holders(device: str) -> list[tuple[int, str]]:
    """Find the processes that have `device` open: (pid, command). Linux only, and only those this user may look at."""
    found = []
    own = os.getpid()
    real = os.path.realpath(device)
    for folder in Path("/proc").glob("[0-9]*/fd") if Path("/proc/self/fd").is_dir() else ():
        pid = int(folder.parent.name)
        if pid == own:
            continue
        try:
            if any(os.readlink(entry) == real for entry in folder.iterdir()):
                found.append((pid, _command(pid)))
        except OSError:
            continue  # it has ended, or is another user's
    return found


def identity(port: str) -> str:
    """The name of a board that does not depend on its port: it is locked under it, and found again by it.

    Args:
        port: the path, Windows port name or URL that pyserial opens.

    Returns:
        `usb-VID-PID-SERIAL`, with the USB location if several ports share the serial number or have none;
        `net-HOST-PORT` for a URL of any scheme; else the real path.
    """
    if "://" in port:
        return _network_identity(port)
    real = _real_name(port)
    if real.startswith("/dev/pts/"):
        return real
    try:
        ports = list_ports()
    except BoardError:
        return real
    found = usb_port(port, ports)
    return real if found is None else usb_identity(found, ports)


def usb_port(port: str, ports: list[SerialPort]) -> SerialPort | None:
    """Find the entry of a port; None if it is missing or not on USB."""
    real = _real_name(port)
    found = next((entry for entry in ports if os.path.realpath(entry.device) == real or entry.device == real), None)
    return None if found is None or found.usb_id is None else found


def _real_name(port: str) -> str:
    return os.path.realpath(port) if port.startswith("/") else port.upper()


def usb_identity(port: SerialPort, ports: list[SerialPort]) -> str:
    """As `identity`, for a USB port. Cheap adapters all have the serial number 0001, or none."""
    name = f"usb-{(port.usb_id or '').replace(':', '-')}"
    alike = [entry for entry in ports if (entry.usb_id, entry.serial_number) == (port.usb_id, port.serial_number)]
    if port.serial_number:
        name += f"-{port.serial_number}"
        if len(alike) == 1:
            return name
    return f"{name}-at-{port.location or port.device}"


def _network_identity(url: str) -> str:
    host, _, number = url.partition("://")[2].partition("?")[0].partition("/")[0].rpartition(":")
    host = host.strip("[]").lower()
    try:
        host = str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        pass  # opening it will report that
    return f"net-{'127.0.0.1' if host == '::1' else host}-{number}"


def lock_holders(device: str) -> list[tuple[int, str]]:
    """Find the processes that locked `device` with flock, as mpremote and this harness do: (pid, command). Linux only."""
    try:
        status = os.stat(device)
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return []
    # "1: FLOCK  ADVISORY  WRITE 4711 00:18:5 0 EOF": major and minor of the filesystem in hex, inode in decimal.
    file_id = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    found = []
    for line in locks.splitlines():
        words = line.split()
        if len(words) > 5 and words[1] == "FLOCK" and words[5] == file_id:
            found.append((int(words[4]), _command(int(words[4]))))
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "?"


def _held_by(device: str) -> str:
    # A PTY is also open in the program that serves it, so the holder of the lock comes first.
    who = lock_holders(device) or holders(device)
    if any(pid == os.getpid() for pid, _command in who):
        return "this run: the same board has two names"
    if not who:
        return "another user's program (try `sudo fuser -v " + device + "`)"
    text = ", ".join(f"{command} (pid {pid})" for pid, command in who[:4])
    advice = [KNOWN_HOLDERS[command] for _pid, command in who if command in KNOWN_HOLDERS]
    return "; ".join([text, *advice])


def refuse_if_held(device: str) -> None:
    """Refuse a port that another program reads: it would take bytes away unnoticed.

    The operating system refuses only programs that use the same lock; screen, minicom and ModemManager do not.
    Pseudo-terminals are exempt, since the program that serves one has it open, and so is anything that is not a serial port.

    Raises:
        BoardError: kind `busy`, naming the holder.
    """
    if not os.path.basename(device).startswith(("tty", "cu.")):
        return
    if holders(device):
        raise BoardError(f"{device}: the port is in use by {_held_by(device)}; close it first", kind=FaultKind.BUSY)


def why_port_failed(device: str, error: BaseException) -> BoardError:
    """Explain why a port could not be opened: missing, not permitted, busy, or refused by the far end.

    Args:
        device: the port.
        error: of pyserial; its `errno` decides, or that of its cause.
    """
    if isinstance(error, BoardError):
        return error
    number = _errno_of(error)
    if "://" in device:
        return _why_url_failed(device, error, number)
    if number == errno.ENOENT or (number is None and os.name == "nt"):
        there = ", ".join(port.device for port in list_ports()) or "none"
        return BoardError(
            f"{device}: no such port; ports here: {there}. Is the board plugged in, with a data cable?",
            kind=FaultKind.MISSING,
        )
    if number in (errno.EACCES, errno.EPERM):
        return BoardError(_forbidden(device), kind=FaultKind.FORBIDDEN)
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        return BoardError(f"{device}: the port is in use by {_held_by(device)}; close it first", kind=FaultKind.BUSY)
    if number in (errno.ENOTTY, errno.EINVAL, errno.ENODEV, errno.ENXIO, errno.EIO, errno.EISDIR):
        return BoardError(
            f"{device}: not a serial port ({errno.errorcode.get(number, number)}); `tls-harness boards` lists the serial ports",
            kind=FaultKind.MISSING,
        )
    name = errno.errorcode.get(number or 0, type(error).__name__)
    return BoardError(f"{device}: cannot open the port ({name})", kind=FaultKind.LINK)


def _errno_of(error: BaseException) -> int | None:
    """Find the first errno in the chain: pyserial keeps the OS error as context and sometimes copies its number."""
    for link in _chain(error):
        number = getattr(link, "errno", None)
        if number is None and type(link).__module__ == "termios" and link.args:
            number = link.args[0]  # termios.error is not an OSError and has no errno
        if isinstance(number, int):
            return number
    return None


def _forbidden(device: str) -> str:
    group = None
    try:
        import grp  # POSIX only

        status = os.stat(device)
        if status.st_mode & 0o060 == 0o060 and status.st_gid != 0:
            group = grp.getgrgid(status.st_gid).gr_name
    except (ImportError, KeyError, OSError):
        pass
    if group is None:
        return (
            f"{device}: no permission to open the port; only root has it: "
            'add a udev rule with GROUP="dialout", MODE="0660"'
        )
    return (
        f"{device}: no permission to open the port; it belongs to the group {group!r}: "
        f"run `sudo usermod -aG {group} $USER`, then log in again"
    )


def _why_url_failed(device: str, error: BaseException, number: int | None) -> BoardError:
    chain = _chain(error)
    if number == errno.ECONNREFUSED:
        return BoardError(
            f"{device}: nothing listens there (connection refused); is ser2net or the exporter running?",
            kind=FaultKind.MISSING,
        )
    if any(isinstance(link, socket.gaierror) for link in chain):
        return BoardError(f"{device}: unknown host name", kind=FaultKind.MISSING)
    if any(isinstance(link, TimeoutError) for link in chain):
        return BoardError(
            f"{device}: the host does not answer; is it on, and is the port open in its firewall?",
            kind=FaultKind.MISSING,
        )
    if number in (errno.EPIPE, errno.ECONNRESET):
        return BoardError(
            f"{device}: the far end closed the connection at once; such servers do this while another client uses the port",
            kind=FaultKind.BUSY,
        )
    if number is None and device.startswith("rfc2217://"):
        joint = "&" if "?" in device else "?"
        hint = (
            ""
            if "ign_set_control" in device
            else f"; a port without control lines needs {device}{joint}ign_set_control"
        )
        plain = "socket" + device.removeprefix("rfc2217").partition("?")[0]
        return BoardError(
            f"{device}: the far end does not fully support RFC 2217; for plain TCP use {plain}{hint}",
            kind=FaultKind.LINK,
        )
    name = errno.errorcode.get(number or 0, type(error).__name__)
    return BoardError(f"{device}: cannot reach the far end ({name})", kind=FaultKind.LINK)


def _chain(error: BaseException) -> list[BaseException]:
    """An error with its causes: pyserial keeps the real one as context."""
    links, link = [], error
    while link is not None and link not in links:
        links.append(link)
        link = link.__cause__ or link.__context__  # type: ignore[assignment] # None ends the loop
    return links
