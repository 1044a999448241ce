"""Stand-ins for `network.WLAN` and `network.LAN` of other firmware. No radio: a scenario, and a clock that only sleeping advances.

Written after the C sources: ports/esp32/network_wlan.c of 1.21 and of 1.22 and later (network_wlan_wifi_event_handler,
network_wlan_status), extmod/network_cyw43.c with cyw43-driver/src/cyw43_ctrl.c (cyw43_cb_process_async_event), and
ports/esp8266/network_wlan.c. Runs on MicroPython, as boot.py of `--board faulty:wlan-...`, and under CPython in unit tests.

Scenarios: good, bad-first (the first association of a good password fails), missed-scan (the first scan misses the access point), stale
(the status of an earlier attempt), elsewhere (already on another network), boot (boot.py called connect(): an address after 4 s), hidden.
A wrong password and a missing access point follow from the arguments of connect().
"""

ANSWERS, REFUSES, ABSENT, STUMBLES = "answers", "refuses", "absent", "stumbles"


class Clock:
    """The time of a stand-in, in ms."""

    def __init__(self):
        self.now = 0

    def sleep_ms(self, ms):
        """Move the time on at once."""
        self.now += ms

    def sleep(self, seconds):
        """Move the time on at once."""
        self.now += int(seconds * 1000)


class Air:
    """One access point, and the scenario of joining it."""

    def __init__(self, story="good", ssid="lab", password="sesame", auth=3):
        self.story, self.ssid, self.password, self.auth = story, ssid, password, auth
        self.requests = 0  # associations tried, by connect() or by the driver itself

    def request(self, ssid, key):
        """Return the result of one association."""
        self.requests += 1
        if ssid != self.ssid or (self.story == "missed-scan" and self.requests == 1):
            return ABSENT
        if key != self.password:
            return REFUSES
        return STUMBLES if self.story == "bad-first" and self.requests == 1 else ANSWERS


class Station:
    """The common part of all families. A family has `connect`, `status` and the settings of its config()."""

    connected_status = 3  # network.STAT_GOT_IP
    settable = ("pm",)

    def __init__(self, clock, air, address="192.0.2.7"):
        self.clock, self.air, self.address = clock, air, address
        self.on = self.connected = False
        self.name = ""
        self.static = None
        self.calls = []  # the calls: ("connect", ssid), ("disconnect",), ("pm", value), ("reconnects", value)
        self.due = []  # what will happen: (time, function, argument)
        if air.story == "elsewhere":
            self.on = self.connected = True
            self.name = "other"
        if air.story == "boot":
            self.on = True
            self.name = air.ssid
            self.boot_joins()

    def __call__(self, interface=0):
        return self

    def later(self, ms, happens, argument=None):
        """Schedule an action this many ms from now."""
        self.due.append((self.clock.now + ms, happens, argument))

    def pass_time(self):
        """Run the actions that are due."""
        while self.due and min(when for when, _, _ in self.due) <= self.clock.now:
            first = min(self.due, key=lambda event: event[0])
            self.due.remove(first)
            first[1](first[2])

    def join(self, _=None):
        """Get an address."""
        self.connected = True

    def active(self, on=None):
        """Switch it on or off, or return whether it is on."""
        if on is not None:
            self.on = on
        return self.on

    def isconnected(self):
        """Whether it has an address."""
        self.pass_time()
        return self.connected

    def ifconfig(self, four=None):
        """Return its address, netmask, gateway and name server."""
        if four is not None:
            self.static = four
        elif not self.isconnected():
            return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
        return self.static or (self.address, "255.255.255.0", "192.0.2.1", "192.0.2.1")

    def config(self, word=None, **words):
        """Read one setting, or change some."""
        if word in ("ssid", "essid"):
            return self.name
        if word == "reconnects" and "reconnects" in self.settable:
            return self.limit - 1
        for name in words:
            if name not in self.settable:
                raise ValueError("unknown config param")
            self.calls.append((name, words[name]))
            self.set(name, words[name])
        if not words:
            raise ValueError("unknown config param")

    def set(self, name, value):
        """Accept a setting."""
        pass

    def disconnect(self):
        """Disconnect."""
        self.calls.append(("disconnect",))
        self.due = []
        self.connected = False

    def scan(self):
        """Scan for 2.5 s."""
        if not self.on:
            raise OSError("STA must be active")
        self.clock.sleep_ms(2500)
        row = (self.air.ssid.encode(), b"\x02\0\0\0\0\1", 6, -50, self.air.auth, False)
        return [] if self.air.story == "hidden" else [row]


class Esp32(Station):
    """From 1.22: some reasons of the last association are shown at once and persist; the others are shown as "connecting".

    `limit` is conf_wifi_sta_reconnects: 0 retries forever, else the driver gives up after this many failures.
    """

    connected_status = 1010
    settable = ("pm", "reconnects")
    PM_NONE = 0
    shown = (201, 202, 210, 211, 212)

    def __init__(self, clock, air, **words):
        self.reason = 202 if air.story == "stale" else 0
        self.limit = self.failures = 0
        self.requested = self.trying = False
        Station.__init__(self, clock, air, **words)

    def boot_joins(self):
        self.requested = self.trying = True
        self.later(4000, self.join)

    def set(self, name, value):
        if name == "pm" and value not in (0, 1, 2):
            raise OSError("Wifi Invalid Argument")  # esp_wifi_set_ps
        if name == "reconnects":
            self.limit = 0 if value == -1 else value + 1

    def connect(self, ssid, key):
        self.pass_time()
        self.calls.append(("connect", ssid))
        if not self.on or self.trying:
            raise OSError("Wifi Internal Error")
        self.name, self.key = ssid, key
        self.failures = 0
        self.requested = True
        self.associate()

    def associate(self):
        """Run one association of the driver: it ends with a reason or an address."""
        self.trying = True
        what = self.air.request(self.name, self.key)
        if what == ANSWERS:
            self.later(2500, self.join)
        elif what == STUMBLES:
            self.later(500, self.fail, 205)
        elif what == ABSENT:
            self.later(2500, self.fail, 201)
        else:
            self.later(2500, self.fail, (15, 204)[self.air.requests % 2])

    def join(self, _=None):
        self.connected, self.trying, self.reason = True, False, 0

    def fail(self, reason):
        """The event handler: store the reason, and retry unless the limit is reached."""
        self.reason, self.trying = reason, False
        if self.limit:
            self.failures += 1
        if not self.limit or self.failures < self.limit:
            self.associate()

    def disconnect(self):
        if self.connected:
            self.reason = 8
        self.requested = self.trying = False
        Station.disconnect(self)

    def status(self):
        self.pass_time()
        if self.connected:
            return 1010
        reason = 202 if self.reason == 205 else self.reason
        if reason in self.shown:
            return reason
        if reason == 8:
            return 1000
        return self.status_of_request()

    def status_of_request(self):
        """Connecting while it is requested and the limit is not reached; then the reason unchanged."""
        if self.requested and (not self.limit or self.failures < self.limit):
            return 1001
        return self.reason or 1000

    def scan(self):
        found = Station.scan(self)
        return [] if self.trying else found


class Esp32Before122(Esp32):
    """Up to 1.21: "connecting" as long as it is requested and the limit is not reached, whatever the reason. No `pm`."""

    settable = ("reconnects",)

    def status(self):
        self.pass_time()
        return 1010 if self.connected else self.status_of_request()


class Esp32WithoutLimit(Esp32Before122):
    """Old firmware without `reconnects`: the status is "connecting" forever."""

    settable = ()


class Esp8266(Esp32):
    """The SDK retries forever and shows the result of the last association."""

    connected_status = 5
    settable = ("pm",)

    def status(self):
        self.pass_time()
        if self.connected:
            return 5
        if not self.requested:
            return 0
        return {0: 1, 201: 3, 205: 4}.get(self.reason, 2)


class Cyw43(Station):
    """The join state: a failure ends the join, and only a good authentication that follows, or a new connect(), changes it."""

    def __init__(self, clock, air, **words):
        self.state = 3 if air.story == "elsewhere" else 0
        Station.__init__(self, clock, air, **words)

    def boot_joins(self):
        self.state = 1
        self.later(1000, self.become, 2)
        self.later(4000, self.join)

    def become(self, state):
        """Change the join state."""
        self.state = state

    def join(self, _=None):
        self.connected, self.state = True, 3

    def active(self, on=None):
        # mp_obj_new_bool(cyw43_tcpip_link_status()): False until something was joined, True also for a failure.
        if on is not None:
            self.on = on
        return bool(self.state)

    def connect(self, ssid, key):
        if not self.on:
            raise OSError(-1)
        self.calls.append(("connect", ssid))
        self.name, self.due, self.connected, self.state = ssid, [], False, 1
        what = self.air.request(ssid, key)
        if what == ABSENT:
            self.later(300, self.become, -2)
        elif what == REFUSES:
            self.later(500, self.become, -3)
        elif what == STUMBLES:
            self.later(500, self.become, -3)
            self.later(3000, self.join)
        else:
            self.later(500, self.join)

    def disconnect(self):
        Station.disconnect(self)
        self.state = 0

    def status(self):
        self.pass_time()
        return self.state


class Lan:
    """Wired Ethernet as the ESP32 has it (ports/esp32/network_lan.c): phy_addr and phy_type are required."""

    def __init__(self):
        self.made = 0
        self.link = True
        self.address = "192.0.2.8"

    def __call__(self, *, phy_addr, phy_type, mdc=None, mdio=None):
        self.made += 1
        return self

    def active(self, on=None):
        return True

    def isconnected(self):
        return self.made > 0 and self.link

    def ifconfig(self, four=None):
        return (self.address if self.isconnected() else "0.0.0.0", "255.255.255.0", "192.0.2.1", "192.0.2.1")


class Network:
    """The module `network`: its station, and its LAN if there is one."""

    STA_IF = 0
    PHY_LAN8720 = 3

    def __init__(self, station, lan=None):
        self.WLAN = station
        self.STAT_GOT_IP = station.connected_status
        self.countries = []
        if lan is not None:
            self.LAN = lan

    def country(self, code):
        self.countries.append(code)
