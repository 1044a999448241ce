"""Bring the board's network up, once per session; run in RAM, then forgotten.

The host runs this text and then th_network('{"kind": "wifi", "ssid": ..., "password": ..., "timeout": s}'). One `#th`
line comes back: {"kind": "result", "address": ..., "was_up": ...} or {"kind": "error", "code": ..., "message": ...}. The password is
never in an answer. Statuses differ by port: cyw43 (Pico W, PYBD) counts -3..3, the ESP8266 0..5, the ESP32 200..1010.
"""

import sys


def th_net_module(*names):
    """Import the first of several modules that exists."""
    for name in names:
        try:
            return __import__(name)
        except ImportError:
            pass


def th_net_words(platform, status):
    """A Wi-Fi status as (code, words): the same four codes on every port."""
    if platform.startswith("esp32"):
        wrong, absent, failed, joining = (202, 204, 15), (201,), (200, 203, 205, 210, 211, 212), (1001,)
    elif platform == "esp8266":
        wrong, absent, failed, joining = (2,), (3,), (4,), (1,)
    else:
        wrong, absent, failed, joining = (-3,), (-2,), (-1,), (1, 2)
    if status in wrong:
        return "password", "wrong password"
    if status in absent:
        return "not-found", "no access point of that name found (this radio sees 2.4 GHz only)"
    if status in failed:
        return "failed", "the access point refused or dropped the association"
    if status in joining:
        return "no-address", "joined or joining, but no IP address (DHCP)"
    return "failed", "not connected"


def th_net_wait(nic, seconds, done):
    """Wait until the interface is connected with an address, done(status) says stop, or the time is over."""
    time = th_net_module("utime", "time")
    pause = getattr(time, "sleep_ms", None) or (lambda ms: time.sleep(ms / 1000))
    left = int(seconds * 10) + 1
    while left > 0:
        if nic.isconnected() and nic.ifconfig()[0] != "0.0.0.0":
            return True
        if done():
            return False
        left -= 1
        pause(100)
    return False


def th_net_wifi(network, ask):
    """Join the access point: (interface, was it up already, None or (code, words, status))."""
    nic = network.WLAN(getattr(network, "STA_IF", 0))
    if nic.active() and nic.isconnected():
        return nic, True, None
    nic.active(True)
    try:
        # Power saving adds up to a second to every round trip of a cyw43 radio.
        nic.config(pm=0xA11140)
    except Exception:
        pass
    try:
        nic.connect(ask["ssid"], ask.get("password") or "")
    except OSError:
        # "Wifi Internal Error" of the ESP32: still connecting from before a soft reset, which leaves Wi-Fi on.
        nic.disconnect()
        if not th_net_wait(nic, 0.5, lambda: False):
            nic.connect(ask["ssid"], ask.get("password") or "")
    last = [0]

    def done():
        # A wrong password ends the attempt; "not found" does not, because the first scan often misses.
        last[0] = nic.status()
        return th_net_words(sys.platform, last[0])[0] == "password"

    if th_net_wait(nic, ask.get("timeout", 20), done):
        return nic, False, None
    return nic, False, th_net_words(sys.platform, last[0]) + (last[0],)


def th_net_lan(network, ask):
    """Bring up wired Ethernet; the keyword arguments of an ESP32's PHY or a W5500's pins come as ask["lan"]."""
    for name in ("LAN", "WIZNET5K"):
        if hasattr(network, name):
            break
    else:
        return None, False, ("no-interface", "this firmware has no wired network", None)
    nic = getattr(network, name)(**(ask.get("lan") or {}))
    if nic.isconnected() and nic.ifconfig()[0] != "0.0.0.0":
        return nic, True, None
    nic.active(True)
    if th_net_wait(nic, ask.get("timeout", 20), lambda: False):
        return nic, False, None
    if nic.isconnected():
        return nic, False, ("no-address", "link is up, but no IP address (DHCP)", None)
    return nic, False, ("no-link", "no link: is the cable plugged in?", None)


def th_network(text):
    """Do what the JSON text asks and print one line."""
    json = th_net_module("ujson", "json")
    try:
        ask = json.loads(text)
        network = th_net_module("network")
        if network is None:
            problem = ("no-interface", "this firmware has no network module", None)
        elif ask["kind"] == "wifi" and not hasattr(network, "WLAN"):
            problem = ("no-interface", "this firmware has no Wi-Fi", None)
        else:
            nic, was_up, problem = (th_net_wifi if ask["kind"] == "wifi" else th_net_lan)(network, ask)
    except Exception as e:
        args = [a if a is None or isinstance(a, int) else str(a)[:80] for a in e.args[:2]]
        problem = ("exception", type(e).__name__, args)
    if problem is None:
        answer = {"kind": "result", "address": nic.ifconfig()[0], "was_up": was_up}
    else:
        answer = {"kind": "error", "code": problem[0], "message": problem[1], "status": problem[2]}
    print("#th", json.dumps(answer))
