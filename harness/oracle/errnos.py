"""errno numbers as boards raise them: Linux numbers on most ports, newlib's on esp32, BSD's on a macOS interpreter.

Only tables; `harness/oracle/client_errors.py` decides which of two readings of a number is meant.
"""

from __future__ import annotations


def _read(text: str) -> dict[int, str]:
    """Read a table of entries "<number> <name>"."""
    entries = (entry.split() for entry in text.replace("\n", " ").split(","))
    return {int(number): name for number, name in entries}


# The same on all three.
_COMMON = _read("""
1 EPERM, 2 ENOENT, 4 EINTR, 5 EIO, 9 EBADF, 12 ENOMEM, 13 EACCES, 14 EFAULT, 16 EBUSY, 17 EEXIST, 18 EXDEV, 19
ENODEV, 22 EINVAL, 23 ENFILE, 24 EMFILE, 28 ENOSPC, 30 EROFS, 32 EPIPE
""")
# py/mperrno.h, which MicroPython uses where MICROPY_USE_INTERNAL_ERRNO is 1 (rp2, stm32, esp8266), and Linux itself.
_LINUX = _COMMON | _read("""
11 EAGAIN, 95 EOPNOTSUPP, 97 EAFNOSUPPORT, 98 EADDRINUSE, 99 EADDRNOTAVAIL, 100 ENETDOWN, 101 ENETUNREACH, 103
ECONNABORTED, 104 ECONNRESET, 105 ENOBUFS, 106 EISCONN, 107 ENOTCONN, 110 ETIMEDOUT, 111 ECONNREFUSED, 112
EHOSTDOWN, 113 EHOSTUNREACH, 114 EALREADY, 115 EINPROGRESS, 125 ECANCELED
""")
# newlib sys/errno.h, which esp32 uses (MICROPY_USE_INTERNAL_ERRNO is 0 there).
_NEWLIB = _COMMON | _read("""
11 EAGAIN, 95 EOPNOTSUPP, 104 ECONNRESET, 105 ENOBUFS, 106 EAFNOSUPPORT, 108 ENOTSOCK, 110 ESHUTDOWN, 111
ECONNREFUSED, 112 EADDRINUSE, 113 ECONNABORTED, 114 ENETUNREACH, 115 ENETDOWN, 116 ETIMEDOUT, 117 EHOSTDOWN, 118
EHOSTUNREACH, 119 EINPROGRESS, 120 EALREADY, 125 EADDRNOTAVAIL, 127 EISCONN, 128 ENOTCONN, 140 ECANCELED
""")
# macOS sys/errno.h: the unix port raises the errno of its host.
_DARWIN = _COMMON | _read("""
35 EAGAIN, 36 EINPROGRESS, 37 EALREADY, 47 EAFNOSUPPORT, 48 EADDRINUSE, 49 EADDRNOTAVAIL, 50 ENETDOWN, 51
ENETUNREACH, 53 ECONNABORTED, 54 ECONNRESET, 55 ENOBUFS, 56 EISCONN, 57 ENOTCONN, 60 ETIMEDOUT, 61 ECONNREFUSED, 64
EHOSTDOWN, 65 EHOSTUNREACH
""")
_TABLES = {"esp32": _NEWLIB, "darwin": _DARWIN}

# What reading from or writing to a connected socket can raise. EISCONN, EADDRINUSE and the like belong to connect().
_ON_SOCKET = frozenset(
    [
        "EAGAIN",
        "EBADF",
        "ECONNABORTED",
        "ECONNREFUSED",
        "ECONNRESET",
        "EHOSTUNREACH",
        "EINPROGRESS",
        "EINVAL",
        "EIO",
        "ENETUNREACH",
        "ENOBUFS",
        "ENOMEM",
        "ENOTCONN",
        "EPIPE",
        "ETIMEDOUT",
    ]
)

# getaddrinfo: the C library's numbers (unix, lwIP through mp_raise_OSError) and lwIP's own on esp32 (lwip/netdb.h).
_RESOLVER = {-2: "EAI_NONAME", -3: "EAI_AGAIN", -4: "EAI_FAIL", -5: "EAI_NODATA"} | {
    -200: "EAI_NONAME",
    -201: "EAI_SERVICE",
    -202: "EAI_FAIL",
    -203: "EAI_MEMORY",
    -204: "EAI_FAMILY",
}


def errno_name(number: int, *, platform: str = "") -> str | None:
    """Return the name of an errno on the port with this `sys.platform`; None if the table has none."""
    return _TABLES.get(platform.lower(), _LINUX).get(number)


def is_plausible_on_socket(name: str | None) -> bool:
    """Return whether reading from or writing to a connected socket can raise this errno."""
    return name in _ON_SOCKET


def resolver_name(number: int) -> str | None:
    """Return the name of a getaddrinfo error, which MicroPython raises as a negative OSError number."""
    return _RESOLVER.get(number)
