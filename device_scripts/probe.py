# What a board is and offers, in steps that each run as a raw-REPL exec of their own: a step that fails (no memory, no
# such module) costs only its own lines. Neither json nor 1 KB of RAM is needed; the smallest board so far is a
# micro:bit with MicroPython 1.9.2 and 9 KB of heap. Every line printed is `#th key repr`. harness/boards/agent/probe.py cuts
# this file at the marks and reads the lines.
# --- implementation
import sys
print("#th implementation", repr(sys.implementation.name))
print("#th version", tuple(sys.implementation.version))
# --- platform
import sys
print("#th platform", repr(sys.platform))
print("#th version_text", repr(sys.version))
print("#th maxsize", getattr(sys, "maxsize", None))
# --- machine
import sys
try:
    th = sys.implementation._machine
except AttributeError:
    import os
    th = os.uname().machine
print("#th machine", repr(th))
# --- build
import sys
print("#th build", repr(sys.implementation._build))
# --- unique_id
import machine
print("#th unique_id", repr("".join("%02x" % b for b in machine.unique_id())))
# --- modules
for th in "tls ssl ussl socket usocket json ujson binascii ubinascii time utime os uos gc network machine esp32".split():
    try:
        __import__(th)
        print("#th module", repr(th))
    except Exception:
        pass
# --- tls
for th in ("tls", "ssl", "ussl"):
    try:
        m = __import__(th)
    except Exception:
        continue
    for n in dir(m):
        if n[0] != "_":
            print("#th api", repr(th + "." + n))
    if hasattr(m, "MBEDTLS_VERSION"):
        print("#th tls_version", repr(m.MBEDTLS_VERSION))
# --- context
# Only of the first module: the frozen ssl.py defines methods that the tls below it may not have (axTLS).
for th in ("tls", "ssl"):
    try:
        m = __import__(th)
        m = m.SSLContext(m.PROTOCOL_TLS_CLIENT)
    except Exception:
        continue
    for n in dir(m):
        if n[0] != "_":
            print("#th api", repr(th + ".SSLContext." + n))
    break
# --- socket
# Up to 1.19 only the methods of a TLS socket tell mbedTLS from axTLS. This is upstream's tests/extmod/ssl_basic.py: no
# network, no handshake. Where SSLContext has get_ciphers or CERT_REQUIRED exists the question is settled already.
for th in ("tls", "ssl", "ussl"):
    try:
        m = __import__(th)
    except Exception:
        continue
    if hasattr(m, "CERT_REQUIRED") or not hasattr(m, "wrap_socket") or th == "tls":
        break
    import uio
    m = m.wrap_socket(uio.BytesIO(), do_handshake=False)
    for n in dir(m):
        if n[0] != "_":
            print("#th api", repr("SSLSocket." + n))
    break
# --- suites
for th in ("tls", "ssl"):
    try:
        m = __import__(th)
        m = m.SSLContext(m.PROTOCOL_TLS_CLIENT).get_ciphers()
    except Exception:
        continue
    for n in m:
        print("#th suite", repr(n))
    break
# --- heap
import gc
th = m = None
gc.collect()
print("#th heap_free", gc.mem_free())
print("#th heap_used", gc.mem_alloc())
# --- clock
try:
    import utime as th
except ImportError:
    import time as th
print("#th epoch_year", (getattr(th, "gmtime", None) or th.localtime)(0)[0])
print("#th time", int(th.time()))
# --- address
import network
for th in ("WLAN", "LAN"):
    try:
        m = getattr(network, th)
        m = m(network.STA_IF) if th == "WLAN" else m()
        if m.isconnected():
            print("#th address", repr(m.ifconfig()[0]))
            break
    except Exception:
        pass
# --- nics
import network
for m in network.route():
    try:
        if m.isconnected():
            print("#th address", repr(m.ifconfig()[0]))
    except Exception:
        pass
# --- filesystem
try:
    import uos as th
except ImportError:
    import os as th
print("#th cwd", repr(th.getcwd()))
m = th.statvfs(th.getcwd())
print("#th disk_free", m[0] * m[4])
print("#th disk_flags", m[8])
# --- end
th = m = n = None
