"""The table of firmware: captured wins over derived, each value says how it is known, and a missing release takes a lower one."""

from __future__ import annotations

import pytest

from harness.firmware.fingerprint import fingerprint
from harness.firmware.table import Basis, firmware, firmwares, library_since, port_of, ports
from harness.model import TlsLibrary, TlsModule


def test_releases_of_a_port() -> None:
    """Entries are sorted by release, the preview last, and each port begins with the first release that has TLS there."""
    found = {port: [item.version for item in firmwares() if item.port == port] for port in ports()}
    assert found["stm32"] == [
        *("1.18", "1.19.1", "1.20.0", "1.21.0", "1.22.2", "1.23.0", "1.24.1", "1.25.0"),
        *("1.26.1", "1.27.0", "1.28.0", "1.29.0-preview"),
    ]
    assert {port: versions[0] for port, versions in found.items()} == {
        "alif": "1.25.0",
        "debian": "1.25.0",
        "esp32": "1.18",
        "esp8266": "1.14",
        "mimxrt": "1.18",
        "renesas-ra": "1.21.0",
        "rp2": "1.18",
        "stm32": "1.18",
        "unix": "1.20.0",
    }


@pytest.mark.parametrize(
    ("port", "version", "family"),
    [
        *(("stm32", "1.19.1", "A"), ("stm32", "1.20.0", "B"), ("stm32", "1.23.0", "B3"), ("stm32", "1.24.1", "C3")),
        *(("rp2", "1.19.1", "A"), ("rp2", "1.22.2", "C"), ("rp2", "1.23.0", "C3"), ("mimxrt", "1.22.2", "B")),
        *(("esp32", "1.20.0", "E1"), ("esp32", "1.21.0", "E2"), ("esp32", "1.22.2", "E3"), ("esp32", "1.28.0", "E3")),
        *(("esp8266", "1.14", "X"), ("esp8266", "1.28.0", "X"), ("debian", "1.26.1", "D"), ("alif", "1.25.0", "C3")),
    ],
)
def test_family(port: str, version: str, family: str) -> None:
    """The hello of an entry, captured or composed, has the family that docs/facts/micropython.md names for it."""
    found = firmware(version, port=port)
    assert found is not None
    assert fingerprint(found.hello.facts) == family


def test_every_entry_can_be_read() -> None:
    """Each hello has exactly one form and names tls.test; each entry has the library of its build."""
    for item in firmwares():
        assert (item.hello.record is None) is not (item.hello.fields is None)
        assert item.hello.facts.sni == "tls.test"
        assert item.library.startswith(item.build.library.value)
        assert item.assumed <= {"hello", "build", "dates", "library"}
        assert all(hasattr(item.build, name) for name in item.build.assumed)


def test_captured_wins() -> None:
    """A release with a record is not composed, although a derived entry exists for it."""
    assert [item.version for item in firmwares() if item.port == "esp32" and item.hello.captured] == [
        *("1.20.0", "1.22.2", "1.25.0", "1.28.0"),
    ]


def test_missing_release() -> None:
    """1.22.0 on stm32 takes the values of 1.21.0 and is assumed throughout; the release itself is measured."""
    found = firmware("1.22.0", port="stm32")
    assert found is not None
    assert (found.version, found.nearest) == ("1.22.0", "1.21.0")
    assert {found.basis(name) for name in ("hello", "dates", "pss", "library")} == {Basis.ASSUMED}
    listed = firmware("v1.22.2", port="stm32")
    assert listed is not None
    assert (listed.version, listed.nearest, listed.basis("hello")) == ("1.22.2", None, Basis.MEASURED)


def test_release_without_patch_number() -> None:
    """`1.22` stands for the last 1.22 of the table, and `1.30` takes the newest entry."""
    series, future = firmware("1.22", port="rp2"), firmware("1.30", port="rp2")
    assert series is not None
    assert future is not None
    assert (series.version, series.nearest) == ("1.22.2", None)
    assert (future.version, future.nearest) == ("1.30", "1.29.0-preview")


def test_no_entry() -> None:
    """A port has nothing below its first release; a text that is no release is refused."""
    assert firmware("1.20.0", port="renesas-ra") is None
    assert firmware("1.13", port="esp8266") is None
    assert firmware("1.28.0", port="samd") is None
    with pytest.raises(ValueError, match="not a MicroPython release: 'newest'"):
        firmware("newest", port="stm32")


@pytest.mark.parametrize(
    ("version", "port", "value", "basis"),
    [
        ("1.20.0", "stm32", "hello", Basis.MEASURED),
        ("1.21.0", "stm32", "hello", Basis.ASSUMED),  # of 1.20.0
        ("1.28.0", "esp32", "hello", Basis.ASSUMED),  # captured from an approximate configuration
        ("1.27.0", "esp32", "hello", Basis.ASSUMED),  # derived
        ("1.28.0", "esp32", "pss", Basis.ASSUMED),
        ("1.28.0", "rp2", "pss", Basis.MEASURED),
        ("1.28.0", "alif", "pss", Basis.ASSUMED),  # the build itself is a guess
    ],
)
def test_basis(version: str, port: str, value: str, basis: Basis) -> None:
    """Each value says whether it was measured or is assumed."""
    found = firmware(version, port=port)
    assert found is not None
    assert found.basis(value) is basis


@pytest.mark.parametrize(
    ("port", "version", "module", "verifies", "reasons", "suites"),
    [
        ("stm32", "1.19.1", TlsModule.USSL, False, False, False),
        ("stm32", "1.20.0", TlsModule.USSL, True, False, False),
        ("stm32", "1.21.0", TlsModule.SSL, True, False, False),
        ("stm32", "1.22.2", TlsModule.SSL, True, True, True),
        ("stm32", "1.29.0-preview", TlsModule.TLS, True, True, True),
        ("esp8266", "1.28.0", TlsModule.TLS, False, False, False),
    ],
)
def test_board(port: str, version: str, module: TlsModule, verifies: bool, reasons: bool, suites: bool) -> None:
    """An entry as a probed board has the API of its release."""
    found = firmware(version, port=port)
    assert found is not None
    board = found.board()
    assert (board.tls_module, board.firmware) == (module, version if version.count(".") == 2 else f"{version}.0")
    assert (board.can_verify, board.names_verify_reason, board.can_set_ciphers) == (verifies, reasons, suites)
    assert board.tls_library is (TlsLibrary.AXTLS if port == "esp8266" else TlsLibrary.MBEDTLS)


@pytest.mark.parametrize(("value", "first"), [("ip_names", (3, 5)), ("spans_records", (3, 6, 3))])
def test_what_depends_on_the_version_of_mbedtls(value: str, first: tuple[int, ...]) -> None:
    """A build has it exactly from that version of mbedTLS on, whatever its configuration."""
    assert library_since(value) == first
    for item in firmwares():
        if item.build.library is TlsLibrary.MBEDTLS:
            version = tuple(int(part) for part in item.library.removeprefix("mbedTLS ").split("."))
            assert getattr(item.build, value) is (version >= first), item.name


def test_port_of_a_platform() -> None:
    """stm32's `sys.platform` is pyboard; a platform that is no port keeps its name."""
    assert [port_of(name) for name in ("pyboard", "rp2", "linux")] == ["stm32", "rp2", "linux"]
