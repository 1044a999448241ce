"""The boot.py of boards whose fault is in their software: text for the interpreter.

Each text replaces one part of the firmware. Must not know the table of faults (harness/boards/virtual/faults.py).
"""

from __future__ import annotations

# A fault of the line occurs at this connection. The first is the baseline handshake, so it is the second case.
STRIKES_AT = 3
DAY_S = 86400
SHIFT_S = 26 * 365 * DAY_S


def _replacing(modules: str, body: str) -> str:
    """Return code for boot.py that replaces some modules by `th_other(real module)`."""
    return f"""\
import builtins
{body}
th_real_import, th_others = __import__, {{}}
def th_import(name, *words):
    if name not in {modules}: return th_real_import(name, *words)
    if name not in th_others: th_others[name] = th_other(th_real_import(name, *words))
    return th_others[name]
builtins.__import__ = th_import
"""


# A small filesystem in RAM instead of the host's: its errors are real.
_OWN_DISK = """\
try: import vfs as th_vfs
except ImportError: import os as th_vfs
import os as th_os
class th_Disk:
    def __init__(self): self.held = bytearray(64 * 512)
    def readblocks(self, number, data, offset=0):
        start = number * 512 + offset
        data[:] = memoryview(self.held)[start:start + len(data)]
    def writeblocks(self, number, data, offset=0):
        start = number * 512 + offset
        self.held[start:start + len(data)] = data
    def ioctl(self, what, argument): return {4: 64, 5: 512, 6: 0}.get(what)
th_disk = th_Disk()
th_vfs.VfsLfs2.mkfs(th_disk)
th_vfs.umount('/')
"""
DISK_FULL = f"""\
{_OWN_DISK}
th_vfs.mount(th_disk, '/')
th_os.chdir('/')
th_number = 0
for th_size in (400, 1):
    try:
        while True:
            th_number += 1
            with open('log%d.txt' % th_number, 'w') as th_file: th_file.write('.' * th_size)
    except OSError: pass
"""
READ_ONLY = f"{_OWN_DISK}th_vfs.mount(th_disk, '/', readonly=True)\nth_os.chdir('/')\n"
NO_NETWORK = _replacing(
    "('socket', 'usocket')",
    """\
class th_unreachable:
    def connect(self, address): raise OSError(113)
    def settimeout(self, seconds): pass
    def close(self): pass
class th_other:
    def __init__(self, real): self.getaddrinfo = real.getaddrinfo
    def socket(self, *words): return th_unreachable()
""",
)
NO_TLS = """\
import builtins
th_real_import = __import__
def th_import(name, *words):
    if name in ('tls', 'ssl', 'ussl'): raise ImportError("no module named '" + name + "'")
    return th_real_import(name, *words)
builtins.__import__ = th_import
"""
WRONG_CLOCK = _replacing(
    "('time', 'utime')",
    f"""\
class th_other:
    def __init__(self, real): self.real = real
    def __getattr__(self, name): return getattr(self.real, name)
    def time(self): return self.real.time() - {SHIFT_S}
    def gmtime(self, when=None): return self.real.gmtime(self.time() if when is None else when)
    localtime = gmtime
""",
)
SESSION = {"kind": "result", "text": "Hallo, Client!", "free": [99000, None, 99000], "us": [300, 5000, 800]}
# The third call and every later one, also after a reset: the count is in a file.
LYING = f"""\
import builtins
th_real_exec, th_names = exec, {{}}
def th_count():
    try:
        with open('calls') as f: n = int(f.read()) + 1
    except OSError:
        n = 1
    with open('calls', 'w') as f: f.write(str(n))
    return n
def th_lie(real):
    def run(text, check):
        if th_count() < {STRIKES_AT}: return real(text, check)
        answer = dict({SESSION!r})
        answer['n'] = th_names['th_json'].loads(text)['n']
        th_names['th_say'](answer)
    return run
def th_exec(code, names):
    th_real_exec(code, names)
    if 'th_run' in names and not th_names:
        th_names.update(names)
        names['th_run'] = th_lie(names['th_run'])
builtins.exec = th_exec
"""
CHATTY_BOOT = """\
print('ets Jul 29 2019 12:21:46\\n\\nconfigsip: 0, SPIWP:0xee')
for th_line in range(300): print('I (%d) wifi:new:<1,0>, old:<1,0>, ap:<255,255>, sta:<1,0>, prof:1 >>>' % th_line)
print('{"kind":"result"} #t my sensor 3000, ready.')
"""


def with_radio(family: str) -> str:
    """Return code for boot.py after wlan_stand_in.py: `network` and `time` are the stand-in's until it has an address.

    Its radio needs no time, so sleeping returns at once while it joins; its address is the host's own loopback.
    """
    return f"""\
import sys
import time as th_real_time
class th_Time(Clock):
    def __getattr__(self, name): return getattr(th_real_time, name)
    def sleep_ms(self, ms):
        self.now += ms
        if th_station.connected: th_real_time.sleep_ms(ms)
    def sleep(self, seconds): self.sleep_ms(int(seconds * 1000))
th_time = th_Time()
th_station = {family}(th_time, Air(), address='127.0.0.1')
sys.modules['time'] = sys.modules['utime'] = th_time
sys.modules['network'] = Network(th_station)
"""


def with_sockets(kind: str) -> str:
    """Return code for boot.py after lwip_stand_in.py: all sockets are of this kind."""
    return f"import sys\nsys.modules['socket'] = sys.modules['usocket'] = Lwip({kind})\n"


# gc.mem_free() of an ESP32 counts ESP-IDF's heap too, which WiFi's buffers share (ports/esp32/gccollect.c, gc_get_max_new_split).
JITTER_BYTES = 6 * 1024
JITTER = f"""\
import gc as th_real_gc, sys
class th_Gc:
    def __init__(self): self.state = 1
    def __getattr__(self, name): return getattr(th_real_gc, name)
    def mem_free(self):
        self.state = self.state * 1103515245 + 12345 & 0x7fffffff
        return th_real_gc.mem_free() - (self.state >> 8) % {JITTER_BYTES}
sys.modules['gc'] = th_Gc()
"""
# extmod/modtls_mbedtls.c, ssl_socket_make_new: MBEDTLS_ERR_SSL_ALLOC_FAILED of mbedtls_ssl_setup, which needs 16.7 KB at once, is raised
# as OSError(MP_ENOMEM). The interpreter's own TLS uses malloc.
SMALL_HEAP_BYTES = 96 * 1024
NO_MEMORY_FOR_TLS = """\
import sys, tls as th_tls_module
class th_Context(th_tls_module.SSLContext):
    def wrap_socket(self, *words, **more): raise OSError(12)
class th_Tls:
    SSLContext = th_Context
    def __getattr__(self, name): return getattr(th_tls_module, name)
sys.modules['tls'] = sys.modules['ssl'] = sys.modules['ussl'] = th_Tls()
"""
SLOW_BOOT_S = 4
SLOW_BOOT = f"import time\ntime.sleep({SLOW_BOOT_S})\n"

# A driver that frees nothing: it keeps this much of every connection.
LEAK_BYTES = 200
LEAK = f"""\
import socket as th_real_socket, sys
class th_Sockets:
    def __init__(self): self.kept = []
    def __getattr__(self, name): return getattr(th_real_socket, name)
    def socket(self, *words):
        self.kept.append(bytes({LEAK_BYTES}))
        return th_real_socket.socket(*words)
sys.modules['socket'] = sys.modules['usocket'] = th_Sockets()
"""
