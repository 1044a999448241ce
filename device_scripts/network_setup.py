"""Bring the board's network up, once per session; runs in RAM, then is discarded.

The host runs this text and then th_network(JSON): kind (wifi, lan, boot), timeout (s), ssid, password, country, static (the four
of ifconfig), lan (an expression of boards.toml). It prints one `#th` line: {"kind": "result", "address", "was_up", ...} or
{"kind": "error", "code", "status", ...}; harness/boards/agent/network_answer.py has the texts. No answer contains the password.
network.STAT_GOT_IP distinguishes the families: 1010 on the ESP32, 5 on the ESP8266, 3 or missing with the cyw43 driver.

WLAN.status(): cyw43 (extmod/network_cyw43.c, cyw43_ctrl.c) -3 bad authentication, -2 no network, -1 failed, 1 joining, 2 no
address, 3 up. ESP8266: 1 joining, 2 password, 3 no network, 4 failed, 5 up. ESP32 (ports/esp32/network_wlan.c): 1000 idle, 1001
connecting, 1010 up, else the reason why the last association ended.
"""

TH_ESP32, TH_ESP8266, TH_CYW43 = 1010, 5, 3


def th_net_pause(ms):
    """Sleep for this many milliseconds."""
    time = th_module("utime", "time")
    if hasattr(time, "sleep_ms"):
        time.sleep_ms(ms)
    else:
        time.sleep(ms / 1000)


def th_net_up(nic):
    """Whether an interface is connected and has an address."""
    return nic.isconnected() and nic.ifconfig()[0] != "0.0.0.0"


def th_net_wait(seconds, done):
    """Wait until done() returns a true value; return that, or None after the time limit."""
    for _ in range(int(seconds * 10) + 1):
        found = done()
        if found:
            return found
        th_net_pause(100)


def th_net_code(family, status):
    """Return the code of a Wi-Fi status that means failure, the same on every port; None for the others."""
    if family == TH_ESP8266:
        return {2: "password", 3: "not-found", 4: "failed"}.get(status)
    if status in (-3, 15, 202, 204):
        return "password"
    if status in (-2, 201):
        return "not-found"
    return None if status in (0, 1, 2, 3, 1000, 1001, 1010) else "failed"


def th_net_name(nic):
    """Return the name of the network that a station is configured for; None if firmware cannot tell."""
    for word in ("ssid", "essid"):
        try:
            return nic.config(word)
        except Exception:
            pass


def th_net_set(nic, **words):
    """Set an option that this port may not have; return whether it was accepted."""
    try:
        nic.config(**words)
        return True
    except Exception:
        return False


def th_net_connect(nic, ask):
    """Start to join."""
    try:
        nic.connect(ask["ssid"], ask.get("password") or "")
    except OSError:
        # The ESP32 refuses during an earlier request ("Wifi Internal Error"), also one from before a soft reset.
        nic.disconnect()
        th_net_pause(500)
        nic.connect(ask["ssid"], ask.get("password") or "")


def th_net_join(nic, ask, before):
    """Join the access point: None, or (code, status). `before` is the status before: the ESP32 shows it until there is a new one."""
    # The ESPs retry by themselves. cyw43 does not, but withdraws a refusal if a good authentication follows it. Each of them
    # sometimes reports a correct password as refused, so a failure counts only if it persists.
    family = ask["family"]
    esp = family != TH_CYW43
    lasts, tries = (50, 2) if esp else (10, 4)
    refused = failing = 0
    th_net_connect(nic, ask)
    for _ in range(ask.get("timeout", 20) * 10 + 1):
        if th_net_up(nic):
            return None
        status = nic.status()
        code = th_net_code(family, status)
        failing = failing + 1 if code else 0
        if failing > lasts:
            failing = 0
            refused = refused + 1 if code == "password" else 0
            if refused == 3 or (refused and esp and status != before):
                return code, status
            tries -= 1
            if not tries:
                break
            th_net_connect(nic, ask)
        th_net_pause(100)
    if status == 2 and not esp:
        return "no-address", status
    return (code if code and code != "password" else "unsure"), status


def th_net_auth(nic, ssid):
    """Return the security that an access point of this name announces, or None if none is found."""
    for _ in range(2):
        try:
            for row in nic.scan():
                if bytes(row[0]) == ssid.encode():
                    return row[4]
        except Exception:
            pass


def th_net_why(nic, ask, code, status):
    """Disconnect after the failed attempt, and scan for what its status does not show."""
    try:
        nic.disconnect()
    except Exception:
        pass
    auth = th_net_auth(nic, ask["ssid"])
    if auth is None:
        if code in ("unsure", "failed"):
            code = "not-found"
    elif ask["family"] == TH_ESP32 and auth in (5, 10):
        code = "enterprise"
    elif ask["family"] == TH_ESP32 and auth == 6:
        code = "wpa3"
    elif code == "not-found":
        code = "failed"
    return {"code": code, "status": status, "auth": auth}


def th_net_wifi(network, ask):
    """Join the network of that name; return (interface, facts), where facts has a code if it failed."""
    facts = {"was_up": False}
    family = ask["family"] = getattr(network, "STAT_GOT_IP", TH_CYW43)
    if ask.get("country"):
        try:
            (getattr(network, "country", None) or th_module("rp2").country)(ask["country"])
        except Exception:
            facts["no_country"] = True
    nic = network.WLAN(getattr(network, "STA_IF", 0))
    if not nic.isconnected():
        nic.active(True)
    # Power saving delays every answer: up to a second on cyw43, 0.3 s on the ESP32.
    off = getattr(network.WLAN, "PM_NONE", 0 if family == TH_ESP32 else 0xA11140)
    facts["pm"] = off if th_net_set(nic, pm=off) else None
    if ask.get("static"):
        nic.ifconfig(tuple(ask["static"]))
    # boot.py may have called connect() and continued.
    joining = nic.status() in ((1,) if family == TH_ESP8266 else (1, 2, 1001))
    if joining and th_net_name(nic) in (None, "", ask["ssid"]):
        th_net_wait(min(10, ask.get("timeout", 20)), lambda: th_net_up(nic) or th_net_code(family, nic.status()))
    if th_net_up(nic):
        name = th_net_name(nic)
        if name in (None, ask["ssid"]):
            facts["was_up"] = True
            return nic, facts
        facts["was_in"] = name
        joining = True
    if joining:
        nic.disconnect()
    # Without a limit the ESP32 retries forever, and the status is "connecting" whatever the reason is.
    try:
        limit = nic.config("reconnects")
    except Exception:
        limit = None
    if limit is not None:
        th_net_set(nic, reconnects=2)
    failed = th_net_join(nic, ask, nic.status())
    if failed:
        facts.update(th_net_why(nic, ask, failed[0], failed[1]))
    if limit is not None:
        th_net_set(nic, reconnects=limit)
    return nic, facts


def th_net_nics(network, radio):
    """Return existing interfaces: those of network.route(), the active station, and those in global variables of boot.py."""
    nics = []
    try:
        nics += network.route()
    except Exception:
        pass
    try:
        nic = network.WLAN(getattr(network, "STA_IF", 0))
        if nic.active():
            nics.append(nic)
    except Exception:
        pass
    nics += [nic for nic in globals().values() if hasattr(nic, "isconnected") and hasattr(nic, "ifconfig")]
    return [nic for nic in nics if radio or not hasattr(nic, "scan")]


def th_net_found(network, radio):
    """Return an interface that is already up, or None."""
    for nic in th_net_nics(network, radio):
        try:
            if th_net_up(nic):
                return nic
        except Exception:
            pass


def th_net_lan(network, ask):
    """Bring up wired Ethernet. Constructing an interface resets its PHY on some ports, so one that is up is not changed."""
    nic = th_net_found(network, False)
    if nic:
        return nic, {"was_up": True}
    if ask.get("lan"):
        machine = th_module("machine")
        names = {"network": network, "machine": machine}
        for name in ("Pin", "SPI"):
            names[name] = getattr(machine, name, None)
        nic = eval(ask["lan"], names)
    else:
        make = getattr(network, "LAN", None) or getattr(network, "WIZNET5K", None)
        if make is None:
            return None, {"code": "no-lan"}
        nic = make()
    if not th_net_up(nic):
        nic.active(True)
    if ask.get("static"):
        nic.ifconfig(tuple(ask["static"]))
    if th_net_wait(ask.get("timeout", 20), lambda: th_net_up(nic)):
        return nic, {"was_up": False}
    return nic, {"code": "no-address" if nic.isconnected() else "no-link"}


def th_net_boot(network, ask):
    """Wait for the interface that boot.py brings up."""
    nic = th_net_wait(ask.get("timeout", 20), lambda: th_net_found(network, True))
    return nic, {"was_up": True} if nic else {"code": "boot"}


def th_network(text):
    """Do what the JSON text requests and print one line."""
    json = th_module("ujson", "json")
    ask = {}
    try:
        ask = json.loads(text)
        network = th_module("network")
        if network is None:
            nic, facts = None, {"code": "no-module"}
        elif ask["kind"] == "wifi" and not hasattr(network, "WLAN"):
            nic, facts = None, {"code": "no-wifi"}
        else:
            nic, facts = {"wifi": th_net_wifi, "lan": th_net_lan, "boot": th_net_boot}[ask["kind"]](network, ask)
        if not facts.get("code"):
            facts["address"] = nic.ifconfig()[0]
    except Exception as e:
        # A driver may print its arguments, including the password: only numbers are sent to the host then.
        safe = [a for a in e.args[:2] if isinstance(a, int) or (isinstance(a, str) and "password" not in ask)]
        facts = {"code": "exception", "type": type(e).__name__, "args": [str(a)[:120] for a in safe]}
    facts["kind"] = "error" if facts.get("code") else "result"
    th_say(facts)
