"""The page of facts about firmware, from `harness/firmware/firmware.json`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from harness.firmware.table import Basis, Build, Firmware, family_texts, firmwares, stored_hellos
from harness.wire.groups import group_name
from harness.wire.signature_algorithms import signature_name
from harness.wire.suites import suite_name
from website.docstring import code, prose, table
from website.links import anchor
from website.page import Page

_YES = {True: "yes", False: "no"}
_MARK = {True: "\\*", False: ""}


def firmware_page() -> Page:
    """Return what each release of each port sends and accepts."""
    parts = [
        "# Firmware",
        "What MicroPython firmware sends and accepts, by release and port. Measured means with a Linux build of that release and its "
        "port's configuration; nothing was measured on a board. What was not measured is marked with \\*. "
        "[simulate](../simulate.md) uses this table; [MicroPython](micropython.md) has the sources.",
        "## ClientHello families",
        table(("family", "sent by"), ([code(name), prose(text)] for name, text in family_texts().items())),
        "## Releases",
    ]
    for port, found in groupby(firmwares(), key=lambda one: one.port):
        rows = (_release(one) for one in found)
        heads = ("release", "library", "ClientHello", "verifies", "chooses suites", "checks dates", "ALPN")
        parts += [f"### {port}", table(heads, rows)]
    parts.append("## What they accept")
    builds: dict[Build, list[str]] = {}
    for one in firmwares():
        builds.setdefault(one.build, []).append(one.name)
    for build, names in builds.items():
        parts += [f"### {', '.join(_ranges(names))}", table(("", ""), _accepted(build))]
    parts.append("## ClientHellos")
    for name, hello in stored_hellos().items():
        facts = hello.facts
        lists = {
            "cipher suites": [suite_name(int(one, 16)) for one in facts.suites],
            "groups": [group_name(int(one, 16)) for one in facts.groups],
            "signatures": [signature_name(int(one, 16)) for one in facts.signature_algorithms],
        }
        cells = ([what, ", ".join(map(code, names)) or "none sent"] for what, names in lists.items())
        parts += [
            f"### {name}",
            f"Family {code(hello.family)}; {prose(hello.source)}.",
            table(("", "in this order"), cells),
        ]
    return Page(path="facts/firmware.md", title="Firmware", text="\n\n".join(parts) + "\n")


def _release(one: Firmware) -> list[str]:
    def marked(text: str, value: str) -> str:
        return text + _MARK[one.basis(value) is Basis.ASSUMED]

    hello = f"{code(one.hello.family)} [{one.hello_id}](#{anchor(one.hello_id)})"
    return [
        one.version,
        marked(one.library, "library"),
        marked(hello, "hello"),
        _YES[one.api.verifies],
        _YES[one.api.chooses_suites],
        marked(_YES[one.dates], "dates"),
        marked(_YES[one.build.alpn], "alpn"),
    ]


def _accepted(build: Build) -> Iterator[list[str]]:
    """Yield the rows about one library with one configuration."""
    smallest, largest = build.rsa_bits
    values: dict[str, tuple[str, str]] = {
        "rsa_bits": ("RSA keys of a certificate", f"{smallest} to {largest} bits"),
        "curves": ("curves of a certificate", ", ".join(build.curves) or "none"),
        "hashes": ("hashes of a signature", ", ".join(build.hashes)),
        "pss": ("reads certificates signed with RSA-PSS", _YES[build.pss]),
        "ip_names": ("compares IP addresses with the certificate", _YES[build.ip_names]),
        "key_usage": ("checks key usages", _YES[build.key_usage]),
        "pem": ("reads PEM", _YES[build.pem]),
        "pkcs8": ("reads PKCS#8 keys", _YES[build.pkcs8]),
        "record_in_bytes": ("largest record, received", f"{build.record_in_bytes} bytes"),
        "record_out_bytes": ("largest record, sent", f"{build.record_out_bytes} bytes"),
        "spans_records": ("reads a handshake message from several records", _YES[build.spans_records]),
        "tls11": ("speaks TLS 1.0 or 1.1", _YES[build.tls11]),
    }
    for name, (what, value) in values.items():
        yield [prose(what), prose(value) + _MARK[name in build.assumed]]
    for text in build.deviations:
        yield ["also", prose(text)]


def _ranges(names: list[str]) -> Iterator[str]:
    """Yield `stm32 1.20.0 to 1.23.0` for consecutive releases of a port."""
    for port, found in groupby(names, key=lambda name: name.partition(" ")[0]):
        releases = [name.partition(" ")[2] for name in found]
        yield f"{port} {releases[0]}" + (f" to {releases[-1]}" if len(releases) > 1 else "")
