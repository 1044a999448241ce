"""A board: its spec, its settings, and what the probe read from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.model.wire import HelloFacts
from harness.model.words import Network, TlsLibrary, TlsModule

# `sys.platform` of MicroPython as a process of an operating system, whose memory and network it uses.
HOSTED_PLATFORMS = ("linux", "darwin", "win32")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareChoice:
    """One `--firmware VERSION[=FILE]`: the version that the probe must find, and the absolute path for `{file}` (empty: none)."""

    text: str
    version: str
    file: str = ""

    @property
    def probed(self) -> str:
        """The version as `BoardInfo.firmware` has it: `1.25` is `1.25.0`."""
        numbers, dash, tag = self.version.partition("-")
        return f"{numbers}{'.0' if numbers.count('.') == 1 else ''}{dash}{tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSpec:
    """One `--board SPEC`, parsed; with `--firmware`, one board with one firmware.

    `kind` is a key of `harness.boards.kinds.BOARD_KINDS`; `target` is what that kind opens (device path, URL,
    interpreter path or "" for the default); `label` is the short unique name used in test ids and reports, `BOARD@FIRMWARE` with a
    `firmware`. `interpreter` is that of a virtual board whose target is something else.
    """

    text: str
    kind: str
    target: str
    label: str
    settings: BoardSettings = field(default_factory=lambda: BoardSettings())
    firmware: FirmwareChoice | None = None
    interpreter: str = ""

    @property
    def name(self) -> str:
        """The label without the firmware: the name of the board itself."""
        return board_name(self.label)


def board_name(label: str) -> str:
    """Return the name of the board in `BOARD@FIRMWARE`; no board has an `@` in its own name."""
    return label.partition("@")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSettings:
    """The settings of one board in boards.toml. They contain no secrets: `password_env` only names the variable.

    `reset`, `power_cycle` and `flash` are commands as argument lists, started without a shell; `{port}` and `{board}` in them are
    replaced by the port and the board's name (`harness.boards.hooks.hook_arguments`). Empty: there is no such hook.

    `static` is address, netmask, gateway and name server. `lan` is the expression that creates a wired interface on the board. `address`
    is the address of a board that cannot report its own.
    """

    network: Network = Network.NONE
    ssid: str | None = None
    password_env: str | None = None
    country: str | None = None
    static: tuple[str, ...] = ()
    lan: str | None = None
    address: str | None = None
    bind: str | None = None
    baud: int = 115200
    dtr: bool | None = None
    rts: bool | None = None
    timeout_multiplier: float = 1.0
    heap_bytes: int | None = None
    reset: tuple[str, ...] = ()
    power_cycle: tuple[str, ...] = ()
    flash: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardInfo:
    """What the probe read from a board; every field is measured, none is guessed from a version number.

    `api` holds dotted names that exist on the board, for example `tls.SSLContext.set_ciphers`, and
    `wrap_socket(cadata)` style names for accepted keyword arguments. `suites` are the suites that the TLS
    library reports, with mbedTLS names; empty if it cannot report them. `hello` is the ClientHello that the board sends without
    restrictions; `hello_unix_s` is when the host received it. `reads_pem`: it accepted a PEM certificate. `reads_pkcs8`: it accepted a
    PKCS#8 key. `reads_ec_keys`: it accepted an EC key. `takes_own_pss`: in TLS 1.2 it accepts the RSA-PSS that it offers.
    `refuses_expired`: it refused an expired certificate because of its date. `alerts_unknown_record`: it answered a record of an unknown
    type with an alert. `sets_clock`: its clock can be set. All seven are None until they were tried.
    """

    implementation: str = ""
    version: tuple[int | str, ...] = ()
    version_text: str = ""
    machine: str = ""
    platform: str = ""
    build: str = ""
    unique_id: str | None = None
    tls_module: TlsModule | None = None
    tls_library: TlsLibrary | None = None
    tls_version: str | None = None
    modules: tuple[str, ...] = ()
    api: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    heap_free_bytes: int | None = None
    heap_total_bytes: int | None = None
    word_bits: int | None = None
    epoch_year: int | None = None
    clock_unix_s: int | None = None
    address: str | None = None
    ssid: str | None = None
    interfaces: tuple[str, ...] = ()
    filesystem: str | None = None
    usb_mode: str | None = None
    hello: HelloFacts | None = None
    hello_unix_s: int | None = None
    reads_pem: bool | None = None
    reads_pkcs8: bool | None = None
    reads_ec_keys: bool | None = None
    takes_own_pss: bool | None = None
    refuses_expired: bool | None = None
    alerts_unknown_record: bool | None = None
    sets_clock: bool | None = None

    @property
    def has_tls(self) -> bool:
        """Whether the board has a TLS module."""
        return self.tls_module is not None

    @property
    def is_usb_drive(self) -> bool:
        """Whether a host may have mounted the board's filesystem: MicroPython then must not write to it."""
        return "MSC" in (self.usb_mode or "")

    @property
    def limits_tls_by_heap(self) -> bool:
        """Whether TLS takes its memory from the heap of MicroPython, of fixed size: not where TLS uses malloc or ESP-IDF's heap."""
        return bool(self.platform) and self.platform not in (*HOSTED_PLATFORMS, "esp32")

    @property
    def can_set_ciphers(self) -> bool:
        """Whether the client's suites can be chosen."""
        return any(name.endswith("SSLContext.set_ciphers") for name in self.api)

    @property
    def can_verify(self) -> bool:
        """Whether the board can check the server's certificate against a CA."""
        return any(name.endswith(("SSLContext.load_verify_locations", "wrap_socket(cadata)")) for name in self.api)

    @property
    def names_verify_reason(self) -> bool:
        """Whether a refused certificate is a ValueError with the reason; the older API has one number for all reasons."""
        return any(name.endswith("SSLContext.load_verify_locations") for name in self.api)

    @property
    def can_load_certificate(self) -> bool:
        """Whether the board can present a certificate of its own."""
        return any(name.endswith(("SSLContext.load_cert_chain", "wrap_socket(key)")) for name in self.api)

    @property
    def firmware(self) -> str:
        """The firmware version, for example `1.20.0` or `1.29.0-preview`."""
        numbers = ".".join(str(part) for part in self.version[:3])
        tag = "-".join(str(part) for part in self.version[3:] if part)
        return f"{numbers}-{tag}" if tag else numbers
