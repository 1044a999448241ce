# What a board is and offers, in steps that run separately (th_step of line.py): a step that fails (no memory, no
# such module) loses only its own lines. Neither json nor 1 KB of RAM is needed; the smallest board so far is a
# micro:bit with MicroPython 1.9.2 and 9 KB of heap. th_p prints a line `#th key repr`. harness/boards/agent/probe.py cuts
# this file at the marks and reads the lines.
# --- implementation
import sys
th_p("implementation", sys.implementation.name)
th_p("version", tuple(sys.implementation.version))
# --- platform
import sys
th_p("platform", sys.platform)
th_p("version_text", sys.version)
th_p("maxsize", getattr(sys, "maxsize", None))
# --- machine
import sys
try:
    th = sys.implementation._machine
except AttributeError:
    import os
    th = os.uname().machine
th_p("machine", th)
# --- build
import sys
th_p("build", sys.implementation._build)
# --- unique_id
import machine
th_p("unique_id", "".join("%02x" % b for b in machine.unique_id()))
# --- modules
for th in "tls ssl ussl socket usocket json ujson binascii ubinascii time utime os uos gc network machine esp32".split():
    try:
        __import__(th)
        th_p("module", th)
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
            th_p("api", th + "." + n)
    if hasattr(m, "MBEDTLS_VERSION"):
        th_p("tls_version", m.MBEDTLS_VERSION)
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
            th_p("api", th + ".SSLContext." + n)
    break
# --- socket
# Up to 1.19 only the methods of a TLS socket distinguish mbedTLS from axTLS. This is upstream's tests/extmod/ssl_basic.py: no
# network, no handshake. Where SSLContext has get_ciphers or CERT_REQUIRED exists it is already known.
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
            th_p("api", "SSLSocket." + n)
    break
# --- suites
for th in ("tls", "ssl"):
    try:
        m = __import__(th)
        m = m.SSLContext(m.PROTOCOL_TLS_CLIENT).get_ciphers()
    except Exception:
        continue
    for n in m:
        th_p("suite", n)
    break
# --- heap
import gc
th = m = None
gc.collect()
th_p("heap_free", gc.mem_free())
th_p("heap_used", gc.mem_alloc())
# --- clock
try:
    import utime as th
except ImportError:
    import time as th
th_p("epoch_year", (getattr(th, "gmtime", None) or th.localtime)(0)[0])
th_p("time", int(th.time()))
# --- nics
# Only interfaces that exist: LAN() and WIZNET5K() are not called, because constructing one resets its PHY.
import network
for m in network.route():
    try:
        if m.isconnected():
            th_p("address", m.ifconfig()[0])
    except Exception:
        pass
# --- wlan
# The station interface, which every port has. If it is still joining (boot.py called connect() and continued), wait for it.
import network, time
m = network.WLAN(network.STA_IF)
th_p("nic", "WLAN")
n = 100 if m.active() else 0
while n and not (m.isconnected() and m.ifconfig()[0] != "0.0.0.0"):
    n = n - 1 if m.status() in (1, 2, 1001) else 0
    time.sleep(0.1)
if n:
    th_p("address", m.ifconfig()[0])
# --- ssid
import network
for th in ("ssid", "essid"):
    try:
        th_p("ssid", network.WLAN(network.STA_IF).config(th))
        break
    except Exception:
        pass
# --- lan
import network
for th in ("LAN", "WIZNET5K", "PPP"):
    if hasattr(network, th):
        th_p("nic", th)
# --- usb
import pyb
th_p("usb_mode", pyb.usb_mode())
# --- filesystem
try:
    import uos as th
except ImportError:
    import os as th
try:
    m = th.getcwd()
except AttributeError:
    # The unix port up to 1.18 has statvfs but no getcwd.
    m = "."
    th.statvfs(m)
th_p("cwd", m)
m = th.statvfs(m)
th_p("disk_free", m[0] * m[4])
th_p("disk_flags", m[8])
# --- end
th = m = n = None
