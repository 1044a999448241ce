"""What a server should use: configuration that was tried, and a sentence per board."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.firmware.since import Feature, since
from harness.model import VerdictWord
from harness.reports.record.run_types import RunRecord
from harness.reports.text.server_advice import advised, board_lines, configuration, suites_line
from harness.reports.text.server_keys import Connects, KeyCell, KeyMatrix, KeyRow

RECORD = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text(encoding="ascii"))
NO_SECRECY = "no forward secrecy"


def cell(text: str, board: str) -> KeyCell:
    """A cell: "" is a session, "!X" a refusal for X, "-X" not tried for X, "?" an unexpected session; anything else is weak."""
    kind = {"!": Connects.NO, "-": Connects.UNTRIED}.get(text[:1], Connects.YES)
    verdict = VerdictWord.INSECURE if text == "?" else VerdictWord.PASS
    weak = text if kind is Connects.YES and text != "?" else ""
    reason = text[1:] if kind is not Connects.YES else ""
    return KeyCell(board=board, server="py", connects=kind, verdict=verdict, weak=weak, reason=reason)


def matrix(*boards: str, **keys: str) -> KeyMatrix:
    """A row per key, with a word per board, separated by commas."""
    rows = tuple(
        KeyRow(
            case=f"key/{name.replace('_', '-')}",
            title=name,
            cells=tuple(cell(text.strip(), board) for text, board in zip(words.split(","), boards, strict=True)),
        )
        for name, words in keys.items()
    )
    return KeyMatrix(columns=tuple((board, "py") for board in boards), rows=rows)


def run(firmware: str | None = "1.20.0", version: tuple[int, ...] = (1, 20, 0), **facts: Any) -> RunRecord:
    """A run with one described board, `desk`."""
    known = {**RECORD["boards"][0]["facts"], "version": version, "platform": "pyboard", **facts}
    board = {**RECORD["boards"][0], "board": "desk", "firmware": firmware, "facts": known if firmware else None}
    return RunRecord.of_json({**RECORD, "boards": [board]})


def sentence(described: RunRecord, **keys: str) -> str:
    """The sentence about one board."""
    (line,) = board_lines(described, matrix("desk", **keys))
    return line


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"rsa2048": "", "p256": ""}, "EC or RSA key"),
        (
            {"rsa2048": "!NO_SHARED_CIPHER", "p256": ""},
            "EC key, or firmware 1.24 or later for an RSA key",
        ),
        (
            {"rsa2048": NO_SECRECY, "p256": "", "p384": ""},
            f"EC key, or firmware 1.24 or later for an RSA key; with an RSA key its sessions are weak ({NO_SECRECY})",
        ),
        ({"rsa2048": "", "p256": "!X"}, "RSA key"),
        (
            {"rsa2048": "TLS 1.0; no forward secrecy"},
            "RSA key, but every session is weak (TLS 1.0; no forward secrecy)",
        ),
        ({"rsa2048": "!NO_SHARED_CIPHER", "p256": "!OTHER"}, "no single key works with all servers (NO_SHARED_CIPHER)"),
        ({"rsa2048": "?"}, "no single key works with all servers (not run)"),
        ({"rsa2048": "-no CERT_REQUIRED"}, "no key could be tried (no CERT_REQUIRED)"),
    ],
)
def test_a_board(keys: dict[str, str], text: str) -> None:
    """Which kinds of key make good sessions, what is weak, and what firmware would help."""
    assert sentence(run(), **keys) == f"desk (1.20.0 on stm32): {text}."


def test_firmware_that_has_all_suites() -> None:
    """From 1.24 on another firmware is no advice: something else is missing."""
    keys = {"rsa2048": "!NO_SHARED_CIPHER", "p256": ""}
    assert sentence(run("1.24.0", (1, 24, 0)), **keys) == "desk (1.24.0 on stm32): EC key."
    assert sentence(run("1.23.0", (1, 23, 0)), **keys).endswith("EC key, or firmware 1.24 or later for an RSA key.")


@pytest.mark.parametrize(
    ("platform", "version", "advice"),
    [
        ("rp2", (1, 19, 1), ", or firmware 1.20 or later for an RSA key"),
        ("rp2", (1, 20, 0), ""),
        ("esp32", (1, 18, 0), ""),
        ("linux", (1, 23, 0), f", or firmware {since(Feature.ECDHE_RSA)} or later for an RSA key"),
        ("linux", (1, 24, 0), ""),
    ],
)
def test_the_release_is_that_of_the_port(platform: str, version: tuple[int, ...], advice: str) -> None:
    """A port that has had ECDHE_RSA for longer, or always, needs no other firmware; of an unknown port all are named."""
    keys = {"rsa2048": "!NO_SHARED_CIPHER", "p256": ""}
    text = ".".join(map(str, version))
    assert sentence(run(text, version, platform=platform), **keys) == f"desk ({text} on {platform}): EC key{advice}."


def described(name: str, firmware: str | None) -> dict[str, Any]:
    """A board of this name and firmware, as in run.json."""
    version = [int(part) for part in (firmware or "").split(".") if part]
    facts = {**RECORD["boards"][0]["facts"], "version": version, "platform": "pyboard"}
    return {**RECORD["boards"][0], "board": name, "firmware": firmware, "facts": facts if firmware else None}


def test_columns_of_one_board() -> None:
    """Firmwares, clients and links with the same advice share a line; the others have their own."""
    names = ("desk@1.20.0", "desk@1.24.1", "desk@1.24.1 asyncio", "lab")
    firmware = ("1.20.0", "1.24.1", "1.24.1", None)
    boards = [described(name, version) for name, version in zip(names, firmware, strict=True)]
    keys = matrix(*names, rsa2048="!NO_SHARED_CIPHER, , , ", p256=", , , ")
    assert board_lines(RunRecord.of_json({**RECORD, "boards": boards}), keys) == [
        "desk (1.20.0 on stm32): EC key, or firmware 1.24 or later for an RSA key.",
        "desk (1.24.1, 1.24.1 asyncio on stm32): EC or RSA key.",
        "lab: EC or RSA key.",
    ]


def test_suites() -> None:
    """What the recommended server needs, what was negotiated with it and how often, and whether that is weak."""
    keys = matrix("a", "b", "c", p256=", , ", rsa2048=", , !X")
    suites = ("TLS_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384")
    row = keys.rows[0]
    cells = tuple(replace(item, suite=suite) for item, suite in zip(row.cells, suites, strict=True))
    told = "the boards negotiated TLS_AES_256_GCM_SHA384 (2 of 3) and TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (1 of 3)"

    def line(case: str = "key/p256", cells: tuple[KeyCell, ...] = cells) -> str:
        return suites_line(replace(keys, rows=(replace(row, case=case, cells=cells), *keys.rows[1:])))

    default = "the server's default list is enough; "
    assert line() == f"Suites: {default}{told}; every session has forward secrecy."
    assert line("key/dual-with-plain-rsa") == f"Suites: those below; {told}; every session has forward secrecy."
    assert line("key/unknown") == f"Suites: {told}; every session has forward secrecy."
    assert line(cells=(replace(cells[0], weak=NO_SECRECY), *cells[1:])).endswith(f"; weak: {NO_SECRECY}.")
    assert line(cells=row.cells) == ""
    assert suites_line(matrix("a", p256="!X")) == ""


def test_a_board_that_is_not_described() -> None:
    """Only its name is known; nothing is known of its firmware either."""
    assert (
        sentence(run(None), p256="") == f"desk: EC key, or firmware {since(Feature.ECDHE_RSA)} or later for an RSA key."
    )


def test_every_server_of_a_board_counts() -> None:
    """A key that one of its servers cannot use with this board is not one that it needs; boards are in the order of the columns."""
    two = KeyMatrix(
        columns=(("lab", "a"), ("desk", "a"), ("desk", "b")),
        rows=(
            KeyRow(case="key/p256", title="p", cells=(cell("", "lab"), cell("", "desk"), cell("!X", "desk"))),
            KeyRow(case="key/rsa2048", title="r", cells=(cell("!Y", "lab"), cell("", "desk"), cell("", "desk"))),
            KeyRow(case="key/dual-rsa-ec", title="d", cells=(cell("", "lab"), cell("", "desk"), cell("", "desk"))),
        ),
    )
    lines = board_lines(run("1.28.0", (1, 28, 0)), two)
    assert lines[1] == "desk (1.28.0 on stm32): RSA key."
    assert lines[0].startswith("lab: EC key, or firmware ")


def test_a_board_that_cannot_verify() -> None:
    """It connects, but would accept any server."""
    unverified = KeyCell(board="desk", server="py", connects=Connects.YES, verdict=VerdictWord.PASS, unverified=True)
    keys = KeyMatrix(columns=(("desk", "py"),), rows=(KeyRow(case="key/p256", title="p", cells=(unverified,)),))
    (line,) = board_lines(run("1.28.0", (1, 28, 0)), keys)
    assert line == "desk (1.28.0 on stm32): EC key; its firmware cannot verify the certificate."


def test_one_key_for_all_boards() -> None:
    """The recommended key as configuration for five servers."""
    found = configuration(matrix("desk", "lab", rsa2048="!X,", p256=","))
    assert found is not None
    assert (found.title, dict(found.servers)) == (
        "p256",
        {
            "Python": (
                "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)",
                'context.load_cert_chain("ec-cert.pem", "ec-key.pem")',
            ),
            "nginx": ("ssl_certificate ec-cert.pem; ssl_certificate_key ec-key.pem;",),
            "mosquitto": ("certfile ec-cert.pem", "keyfile ec-key.pem"),
            "Apache": ("SSLCertificateFile ec-cert.pem", "SSLCertificateKeyFile ec-key.pem"),
            "HAProxy": ("$ cat ec-cert.pem ec-key.pem > ec.pem", "bind ... ssl crt ec.pem"),
        },
    )


def test_two_keys_and_old_suites() -> None:
    """If only a server with two keys and plain RSA connects every board, that is the configuration, with all its settings."""
    keys = matrix("desk", "lab", rsa2048="!X,", p256=",!X", dual_with_plain_rsa=f"{NO_SECRECY},")
    assert [row.case for row in (advised(keys),) if row] == ["key/dual-with-plain-rsa"]
    found = configuration(keys)
    assert found is not None
    servers = dict(found.servers)
    assert servers["Python"] == (
        "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)",
        'context.set_ciphers("ECDHE+AESGCM:ECDHE+AES:kRSA+AES")',
        "context.maximum_version = ssl.TLSVersion.TLSv1_2",
        'context.load_cert_chain("rsa-cert.pem", "rsa-key.pem")',
        'context.load_cert_chain("ec-cert.pem", "ec-key.pem")',
    )
    assert servers["nginx"][2:] == ("ssl_ciphers ECDHE+AESGCM:ECDHE+AES:kRSA+AES;", "ssl_protocols TLSv1.2;")
    assert servers["mosquitto"][0] == "supports only one certfile: give the other key its own listener"


def test_one_key_is_simpler_than_two() -> None:
    """The configuration is that of the key that the page recommends, even if a server with two keys was faster."""
    keys = matrix("desk", p256="", dual_rsa_ec="")
    rows = [
        replace(row, cells=(replace(row.cells[0], time_ms=time),))
        for row, time in zip(keys.rows, (9.0, 1.0), strict=True)
    ]
    found = advised(replace(keys, rows=tuple(rows)))
    assert found is not None
    assert found.case == "key/p256"


@pytest.mark.parametrize("keys", [{"p256": ",!X"}, {"p256": "-a,-b"}, {"dual_unknown": ","}])
def test_no_configuration(keys: dict[str, str]) -> None:
    """No server connects every board, nothing was tried, or the case is one of another version."""
    assert configuration(matrix("desk", "lab", **keys)) is None
