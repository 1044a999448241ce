"""A stand-in for the sockets of firmware on lwIP, based on this machine's own sockets.

Written after extmod/modlwip.c (lwip_socket_connect, lwip_tcp_receive, lwip_socket_ioctl): what connect() does during the
connection differs between releases and from other systems' sockets. Runs on MicroPython, as boot.py of
`--board faulty:lwip-1.23`, and under CPython in tests.
"""

import errno
import io
import select
import time

# Not `socket`: in __main__ that name will be the stand-in's.
import socket as real_socket

MSG_PEEK = 2
IOCTL_POLL, IOCTL_CLOSE, IOCTL_FILENO = 3, 4, 10  # py/stream.h
EINPROGRESS = getattr(errno, "EINPROGRESS", 115)
EALREADY_GOING = (EINPROGRESS, 11)
ENOTCONN = getattr(errno, "ENOTCONN", 107)


class LwipSocket(io.IOBase):
    """One TCP socket. `step_ms` is how often connect() polls: 100 up to 1.23, 1 from 1.24 (commit df0d7e9429) on."""

    step_ms = 100

    def __init__(self, *kind):
        self.real = real_socket.socket(*kind)
        self.timeout_ms = None  # none: connect() and reads wait forever
        self.ended = False

    def settimeout(self, seconds):
        """Set the timeout of each call; None waits forever, 0 does not wait."""
        self.timeout_ms = None if seconds is None else int(seconds * 1000)
        self.real.settimeout(seconds)

    def setblocking(self, flag):
        """Wait forever, or not at all."""
        self.settimeout(None if flag else 0)

    def connect(self, address):
        """Connect as lwip_socket_connect does.

        With a timeout it sleeps, then checks whether it is still connecting. Only the state STATE_CONNECTED counts as success: a peer that
        closed the connection meanwhile has set it to STATE_PEER_CLOSED, which is looked up in the error table at a negative index. The
        value there is raised, 0 here.
        """
        self.real.setblocking(False)
        try:
            self.real.connect(address)
        except OSError as e:
            if e.args[0] not in EALREADY_GOING:
                raise
        step_ms = 1 if self.timeout_ms is None else self.step_ms
        waited_ms = 0
        # Here lwIP has only sent its SYN: the first poll is never a success, and a timeout shorter than a step does not poll.
        while not waited_ms or self._connecting():
            if self.timeout_ms is not None and waited_ms + step_ms > self.timeout_ms:
                raise OSError(EINPROGRESS)
            time.sleep(step_ms / 1000)
            waited_ms += step_ms
        self._restore()
        if self._refused():
            self.real.recv(1)  # raises the error of the connection
        if self._peer_closed():
            raise OSError(0)

    def _restore(self):
        """Let the real socket wait as long as this one."""
        self.real.settimeout(None if self.timeout_ms is None else self.timeout_ms / 1000)

    def _poll(self, flags):
        poller = select.poll()
        poller.register(self.real, flags)
        ready = poller.poll(0)
        return ready[0][1] if ready else 0

    def _connecting(self):
        """Whether the state is STATE_CONNECTING."""
        return not self._poll(select.POLLOUT)

    def _refused(self):
        return self._poll(select.POLLOUT) & select.POLLERR

    def _peer_closed(self):
        """Whether the state is STATE_PEER_CLOSED: the peer's FIN has arrived."""
        self.real.setblocking(False)
        try:
            return not self.real.recv(1, MSG_PEEK)
        except OSError:
            return False
        finally:
            self._restore()

    def recv(self, size):
        """Read as lwip_tcp_receive does: the data before the peer's FIN, then b"", then ENOTCONN."""
        if self.ended:
            raise OSError(ENOTCONN)
        data = self.real.recv(size)
        self.ended = not data
        return data

    read = recv

    def readinto(self, buf):
        """Read for TLS; return None if there is no data and the socket does not block."""
        try:
            data = self.real.recv(len(buf))
        except OSError as e:
            if e.args[0] != 11:
                raise
            return None
        buf[: len(data)] = data
        return len(data)

    def send(self, data):
        """Write."""
        return self.real.send(data)

    write = send

    def ioctl(self, request, argument):
        """Answer the requests of select.poll and TLS to a stream."""
        if request == IOCTL_POLL:
            return self._poll(argument)
        if request == IOCTL_FILENO:
            return self.real.fileno()
        if request == IOCTL_CLOSE:
            self.real.close()
            return 0
        return -1

    def fileno(self):
        """The number of the real socket."""
        return self.real.fileno()

    def close(self):
        """Close the real socket."""
        self.real.close()


class LwipSocketSince124(LwipSocket):
    """From 1.24 on connect() polls every millisecond: the same happens if the peer closes within that time."""

    step_ms = 1


class Lwip:
    """The module `socket`, with sockets of this kind."""

    def __init__(self, kind):
        self.socket = kind

    def __getattr__(self, name):
        return getattr(real_socket, name)
