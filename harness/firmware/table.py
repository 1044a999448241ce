"""What MicroPython firmware sends and accepts, by release and port: the typed reader of `firmware.json`.

The one home of facts about firmware that is not attached. Each value was measured with a Linux build of the release, unless the entry
lists it as assumed. A release that the table does not have takes the nearest lower one of its port, and everything in it is then assumed.
A board that is attached is probed; this table is only a first guess for it.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

import msgspec

from harness.model import BoardInfo, HelloFacts, TlsLibrary, TlsModule
from harness.wire.handshake import read_client_hello
from harness.wire.hello_bytes import composed_hello

# The oldest release whose mbedTLS was recorded: what it sends, older ones may have sent as well.
OLDEST_RECORDED = (1, 18)
_PLATFORMS = {"esp32": "esp32", "esp8266": "esp8266", "rp2": "rp2", "mimxrt": "mimxrt", "stm32": "pyboard"}
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(-preview)?")


def port_of(platform: str) -> str:
    """Return the port whose `sys.platform` this is; a text that is none of them is returned as it is."""
    return next((port for port, name in _PLATFORMS.items() if name == platform), platform)


class Basis(StrEnum):
    """How a value is known."""

    MEASURED = "measured"
    ASSUMED = "assumed"


class HelloFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ClientHello that was derived from a configuration; codes in hex, separated by blanks."""

    record_version: str
    suites: str
    groups: str
    signature_algorithms: str
    extensions: tuple[int, ...]


class StoredHello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ClientHello of a firmware: the record as it was captured, or the fields that were derived; never both.

    `exact`: captured from a build of exactly the configuration that the firmware has. `family` is its ClientHello family.
    """

    family: str
    source: str
    exact: bool
    record: str | None = None
    fields: HelloFields | None = None

    @property
    def captured(self) -> bool:
        """Whether these are recorded bytes."""
        return self.record is not None

    @property
    def data(self) -> bytes:
        """The record with the server name tls.test; composed where none was captured."""
        if self.record is not None:
            return bytes.fromhex(self.record)
        assert self.fields is not None
        return composed_hello(
            record_version=int(self.fields.record_version, 16),
            suites=_codes(self.fields.suites),
            groups=_codes(self.fields.groups),
            signature_algorithms=_codes(self.fields.signature_algorithms),
            extensions=self.fields.extensions,
            name="tls.test",
        )

    @property
    def facts(self) -> HelloFacts:
        """The ClientHello as reports show it."""
        found = read_client_hello(self.data)
        assert found is not None
        return found


class Build(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A TLS library with one configuration: what it accepts and how large its buffers are.

    `rsa_bits` are the smallest and largest key of a certificate that is verified, `curves` those of EC keys, `hashes` those of
    signatures. `pss`: reads certificates with RSA-PSS signatures. `ip_names`: compares IP addresses in the subjectAltName. `spans_records`:
    reads a handshake message from several records. `tls11` and `alpn`: speaks TLS 1.0 or 1.1, and has ALPN compiled in. `own_pss`: takes in
    TLS 1.2 the RSA-PSS signatures that it offers, if it offers any.
    """

    library: TlsLibrary
    rsa_bits: tuple[int, int]
    curves: tuple[str, ...]
    hashes: tuple[str, ...]
    pss: bool
    ip_names: bool
    key_usage: bool
    pem: bool
    pkcs8: bool
    record_in_bytes: int
    record_out_bytes: int
    spans_records: bool
    alpn: bool
    tls11: bool
    own_pss: bool
    deviations: tuple[str, ...]
    assumed: frozenset[str]


class Api(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One generation of the Python API, from a release on."""

    since: str
    library: TlsLibrary
    module: TlsModule
    verifies: bool
    names_reason: bool
    chooses_suites: bool
    what: str


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    port: str
    hello: str
    build: str
    library: str
    dates: bool
    assumed: frozenset[str]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    about: str
    families: dict[str, str]
    mbedtls_since: dict[str, tuple[int, ...]]
    hellos: dict[str, StoredHello]
    builds: dict[str, Build]
    apis: tuple[Api, ...]
    firmware: tuple[_Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """One release of one port. `nearest` is the release whose values it takes, if the table does not have its own."""

    version: str
    port: str
    library: str
    dates: bool
    hello: StoredHello
    hello_id: str
    build: Build
    api: Api
    assumed: frozenset[str]
    nearest: str | None = None

    @property
    def name(self) -> str:
        """The port and the release, e.g. `stm32 1.20.0`."""
        return f"{self.port} {self.version}"

    @property
    def source(self) -> str:
        """Where the ClientHello comes from; one of another release or port says so."""
        borrowed = self.nearest is not None or "hello" in self.assumed
        return f"taken from {self.hello_id}: {self.hello.source}" if borrowed else self.hello.source

    def basis(self, value: str) -> Basis:
        """Say how a value is known.

        Args:
            value: a field of this record or of its build.
        """
        inherited = self.nearest is not None or ("build" in self.assumed and hasattr(self.build, value))
        unsure = value in self.assumed or value in self.build.assumed or (value == "hello" and not self.hello.exact)
        return Basis.ASSUMED if inherited or unsure else Basis.MEASURED

    def board(self) -> BoardInfo:
        """Return the firmware as a probe would find it, as far as the table says."""
        numbers = tuple(int(part) for part in _parts(self.version)[:3])
        has = self.api
        api = [f"{has.module}.SSLContext.load_verify_locations"] * has.names_reason
        api += [f"{has.module}.SSLContext.load_cert_chain"] * has.names_reason
        api += [f"{has.module}.SSLContext.set_ciphers"] * has.chooses_suites
        api += [f"{has.module}.wrap_socket(cadata)"] * (has.verifies and not has.names_reason)
        return BoardInfo(
            implementation="micropython",
            version=(*numbers, *(("preview",) if self.version.endswith("-preview") else ())),
            platform=_PLATFORMS.get(self.port, "linux" if self.port in ("unix", "debian") else self.port),
            machine=f"{self.port}, simulated",
            tls_module=has.module,
            tls_library=self.build.library,
            tls_version=self.library,
            api=tuple(api),
            hello=self.hello.facts,
            reads_pem=self.build.pem,
            reads_pkcs8=self.build.pkcs8,
            refuses_expired=self.dates,
        )


@functools.cache
def _table() -> _Table:
    data = resources.files("harness.firmware").joinpath("firmware.json").read_bytes()
    return msgspec.json.decode(data, type=_Table)


@functools.cache
def firmwares() -> tuple[Firmware, ...]:
    """Return every entry of the table, by port and release."""
    found = [_firmware(row, version=row.version) for row in _table().firmware]
    return tuple(sorted(found, key=lambda item: (item.port, _parts(item.version))))


def family_texts() -> dict[str, str]:
    """Return the ClientHello families, each with the builds that it comes from."""
    return _table().families


def library_since(value: str) -> tuple[int, ...]:
    """Return the mbedTLS version from which on a field of `Build` is true, whatever the configuration.

    Raises:
        KeyError: the table has no such version for this field.
    """
    return _table().mbedtls_since[value]


def stored_hellos() -> dict[str, StoredHello]:
    """Return every ClientHello of the table by its id."""
    return _table().hellos


def ports() -> tuple[str, ...]:
    """Return the ports that the table has."""
    return tuple(dict.fromkeys(item.port for item in firmwares()))


def firmware(version: str, *, port: str) -> Firmware | None:
    """Return a release of a port; one that the table does not have takes the nearest lower release of its port.

    Args:
        version: `1.22.0`; `1.22` stands for the last 1.22 of the table.
        port: a name of `ports()`.

    Returns:
        None if the port has no entry at or below this release.

    Raises:
        ValueError: the text is no release.
    """
    major, minor, patch, final = _parts(version)
    series = version.count(".") == 1 and final
    wanted = (major, minor, 99 if series else patch, final)
    rows = [row for row in _table().firmware if row.port == port and _parts(row.version) <= wanted]
    if not rows:
        return None
    row = max(rows, key=lambda item: _parts(item.version))
    same = _parts(row.version) == wanted or (series and _parts(row.version)[:2] == (major, minor))
    return _firmware(row, version=row.version if same else version.removeprefix("v"))


def _firmware(row: _Row, *, version: str) -> Firmware:
    table = _table()
    build = table.builds[row.build]
    older = [api for api in table.apis if api.library == build.library and _parts(api.since) <= _parts(version)]
    return Firmware(
        version=version,
        port=row.port,
        library=row.library,
        dates=row.dates,
        hello=table.hellos[row.hello],
        hello_id=row.hello,
        build=build,
        api=max(older, key=lambda api: _parts(api.since)),
        assumed=row.assumed,
        nearest=None if version == row.version else row.version,
    )


def release_series(version: str) -> tuple[int, int]:
    """Return the first two numbers of a release.

    Raises:
        ValueError: the text is no release.
    """
    return _parts(version)[:2]


def _parts(version: str) -> tuple[int, int, int, int]:
    """Return a release as numbers that compare; a preview precedes its release.

    Raises:
        ValueError: the text is no release.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"not a MicroPython release: {version!r}")
    major, minor, patch, preview = found.groups()
    return int(major), int(minor), int(patch or 0), 0 if preview else 1


def _codes(text: str) -> tuple[int, ...]:
    return tuple(int(word, 16) for word in text.split())
