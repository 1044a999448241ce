"""The probe: only simple values, bounded, are read; steps damaged by the line are run again."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest

from harness.boards.agent.console import Console
from harness.boards.agent.probe import (
    LINE_LIMIT,
    LINES_LIMIT,
    is_whole,
    parse_probe,
    probe_board,
    probe_steps,
    read_value,
    run_step,
)
from harness.boards.serial.raw_repl import Output
from harness.errors import BoardError
from harness.model import BoardInfo
from harness.system.deadline import Deadline

PICO_W = """#th implementation 'micropython'\r
#th version (1, 20, 0)\r
#th platform 'rp2'\r
#th version_text '3.4.0; MicroPython v1.20.0 on 2023-04-26'\r
#th maxsize 2147483647\r
#th machine 'Raspberry Pi Pico W with RP2040'\r
#th unique_id 'e66138935f4a2b28'\r
#th module 'ssl'\r
#th module 'ussl'\r
#th api 'ssl.CERT_REQUIRED'\r
#th api 'ssl.wrap_socket'\r
#th heap_free 180000\r
#th heap_used 9000\r
#th epoch_year 1970\r
#th time 1609459201\r
#th address '192.0.2.7'\r
#th cwd '/'\r
#th disk_free 860160\r
#th disk_flags 0\r
"""


def test_a_whole_board() -> None:
    """Every line sets its field; derived facts depend on what exists, not on the version."""
    assert parse_probe([PICO_W]) == BoardInfo(
        implementation="micropython",
        version=(1, 20, 0),
        version_text="3.4.0; MicroPython v1.20.0 on 2023-04-26",
        machine="Raspberry Pi Pico W with RP2040",
        platform="rp2",
        unique_id="e66138935f4a2b28",
        tls_module="ssl",
        tls_library="mbedTLS",
        modules=("ssl", "ussl"),
        api=(
            "ssl.CERT_REQUIRED",
            "ssl.wrap_socket",
            "ssl.wrap_socket(key)",
            "ssl.wrap_socket(cert)",
            "ssl.wrap_socket(server_hostname)",
            "ssl.wrap_socket(cert_reqs)",
            "ssl.wrap_socket(cadata)",
        ),
        heap_free_bytes=180000,
        heap_total_bytes=189000,
        word_bits=32,
        epoch_year=1970,
        clock_unix_s=1609459201,
        address="192.0.2.7",
        filesystem="/",
    )


def test_order_and_pieces_do_not_matter() -> None:
    """Each step's output may come alone, as bytes or text, in any order."""
    pieces = [line.encode() for line in PICO_W.splitlines(keepends=True)]
    info = parse_probe(reversed(pieces))
    assert (info.machine, info.heap_total_bytes) == ("Raspberry Pi Pico W with RP2040", 189000)


def test_nothing_is_an_empty_board() -> None:
    """If a board printed nothing, nothing is known about it."""
    assert parse_probe([]) == BoardInfo()


def test_the_clock_counts_from_the_ports_epoch() -> None:
    """ESP and stm32 count from 2000; without the epoch there is no clock."""
    assert parse_probe(["#th epoch_year 2000\n#th time 0"]).clock_unix_s == 946684800
    assert parse_probe(["#th epoch_year 1999\n#th time 1"]).clock_unix_s == 946684801
    assert parse_probe(["#th time 5"]).clock_unix_s is None
    assert parse_probe(["#th epoch_year 1234\n#th time 5"]).clock_unix_s is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("#th cwd '/flash'\n#th disk_free 10\n#th disk_flags 0", "/flash"),
        ("#th cwd '/flash'\n#th disk_free 10\n#th disk_flags 1", None),
        ("#th cwd '/flash'\n#th disk_free 0\n#th disk_flags 0", None),
        ("#th cwd '/flash'", "/flash"),
        ("#th disk_free 10", None),
    ],
)
def test_filesystem(lines: str, expected: str | None) -> None:
    """Without a directory, or with a read-only or full one, nothing can be deployed."""
    assert parse_probe([lines]).filesystem == expected


@pytest.mark.parametrize(
    ("api", "module", "library"),
    [
        (["ssl.wrap_socket", "SSLSocket.read", "SSLSocket.getpeercert"], "ssl", "mbedTLS"),
        (["ssl.wrap_socket", "SSLSocket.read"], "ssl", "axTLS"),
        (["ussl.wrap_socket"], "ussl", None),
        (["tls.SSLContext", "tls.SSLContext.load_cert_chain"], "tls", "axTLS"),
        (["tls.SSLContext", "tls.SSLContext.load_cert_chain", "tls.CERT_REQUIRED"], "tls", "mbedTLS"),
        ([], None, None),
    ],
)
def test_tls_library(api: list[str], module: str | None, library: str | None) -> None:
    """mbedTLS or axTLS is detected from what exists; otherwise it is unknown until the ClientHello shows it."""
    info = parse_probe([f"#th api {name!r}" for name in api])
    assert (info.tls_module, info.tls_library) == (module, library)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("None", None),
        ("'a'", "a"),
        ('"it\'s"', "it's"),
        (r"'a\\b\'c\n\x41\u20ac'", "a\\b'c\nA€"),
        ("()", ()),
        ("(1,)", (1,)),
        ("(1, 25, 0, '')", (1, 25, 0, "")),
        ("(1, 29, 0, 'preview')", (1, 29, 0, "preview")),
    ],
)
def test_values(text: str, value: object) -> None:
    """Values are the repr of numbers, strings, None and flat tuples, as MicroPython writes it."""
    assert read_value(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "1+1",
        "[1]",
        "{}",
        "1.5",
        "True",
        "'a",
        "'a' 'b'",
        "((1,),)",
        "(1",
        "(1 2)",
        "(1,) x",
        "__import__('os')",
        "9" * 21,
    ],
)
def test_nothing_else_is_a_value(text: str) -> None:
    """Anything that is not a simple value is a ValueError; nothing is ever evaluated."""
    with pytest.raises(ValueError, match="not a"):
        read_value(text)


def test_every_cut_of_a_value() -> None:
    """A value cut anywhere is a ValueError or another simple value, never another exception."""
    text = r"(1, 'a\\\'b', None, -22)"
    for end in range(len(text)):
        with pytest.raises(ValueError, match="not a"):
            read_value(text[:end])


def test_nonsense_is_bounded() -> None:
    """Long lines and endless output are ignored; the rest is still read."""
    long = f"#th machine '{'x' * LINE_LIMIT}'\n"
    flood = "#th api 'a'\n" * (LINES_LIMIT + 10)
    info = parse_probe([long, "#th machine 'real'\n", flood, "#th platform 'late'"])
    assert (info.machine, info.platform, info.api) == ("real", "", ("a",))


def test_noise_on_the_line() -> None:
    """An incomplete log line before the mark, and values of a wrong type, do no harm."""
    text = "I (12) wifi: #th machine 'esp32'\n#th platform 5\n#th heap_free 'much'\n#th version 'x'"
    info = parse_probe([text])
    assert (info.machine, info.platform, info.heap_free_bytes, info.version) == ("esp32", "", None, ())


def test_steps() -> None:
    """The script is split at its marks, without comments; each step is code."""
    steps = probe_steps("# about\n# --- one\nimport a\n# why\nfor x in a:\n    b\n# --- two\nc\n")
    assert steps == [("one", "import a\nfor x in a:\n b"), ("two", "c")]
    names = [name for name, code in probe_steps() if compile(code, name, "exec")]
    assert names[0] == "implementation"
    assert len(names) == len(set(names))


def step(*facts, count=None, end="\r\n"):
    """Return a step's output: its facts, and the last line with their number and their checksum."""
    check = zlib.adler32("".join(facts).encode())
    return "".join(
        f"#th {line}{end}" for line in [*facts, f"end {len(facts) if count is None else count} a{check:08x}"]
    )


@pytest.mark.parametrize("facts", [(), ("machine 'x'",), ("module 'tls'", "module 'ssl'", "text '\u00fc'")])
def test_a_whole_step(facts):
    """A complete step has all facts, their number and their checksum; log lines in between do not matter."""
    assert is_whole(step(*facts).encode())
    assert is_whole(("I (12) wifi: up\r\nE (13) x " + step(*facts, end="\r\nnoise\n")).encode())


def test_no_damage_to_a_step_goes_unnoticed():
    """After any flipped bit or lost byte the step is incomplete, unless the damage is not part of a fact."""
    whole = step("api 'tls.SSLContext'", "suite 'TLS-RSA-WITH-AES-128-CBC-SHA'").encode()
    facts = [line.partition(b"#th ")[2].rstrip(b"\r") for line in whole.split(b"\n")]
    damaged = [whole[:index] + whole[index + 1 :] for index in range(len(whole))]
    damaged += [
        whole[:index] + bytes([whole[index] ^ (1 << bit)]) + whole[index + 1 :]
        for index in range(len(whole))
        for bit in range(7)
    ]
    unnoticed = [text for text in damaged if is_whole(text)]
    assert [text for text in unnoticed if [f for f in facts if f not in text]] == []
    # A CR, or a mark, which leaves a different line with the same facts.
    assert len(unnoticed) < len(damaged) / 10


def test_a_step_of_another_number():
    """The number of facts also shows that one is missing."""
    assert not is_whole(step("machine 'x'", count=2).encode())
    assert not is_whole(b"#th machine 'x'\r\n")
    assert not is_whole(b"")


CODE = "th_p('machine', 'x')"


@pytest.fixture
def bad_line(console: Console, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[bytes]]:
    """Damage a number of execs, in either direction; return the list of what was sent."""

    def damage(
        times: int, *, there: Callable[[bytes], bytes] = bytes, back: Callable[[bytes], bytes] = bytes
    ) -> list[bytes]:
        sent: list[bytes] = []

        def exec_damaged(code: bytes, *, deadline: Deadline) -> Output:
            sent.append(code)
            if len(sent) > times:
                return real(code, deadline=deadline)
            output = real(there(code), deadline=deadline)
            return Output(stdout=back(output.stdout), stderr=output.stderr)

        real = console.link.exec
        monkeypatch.setattr(console.link, "exec", exec_damaged)
        return sent

    return damage


def test_probe_a_board(console: Console) -> None:
    """Every step is run, and its output is read."""
    info = probe_board(console)
    assert (info.implementation, info.platform, info.tls_module) == ("micropython", "linux", "tls")


def facts(printed: bytes) -> list[bytes]:
    """The facts of a step, without its last line."""
    return [line.strip() for line in printed.splitlines() if b"#th end" not in line]


@pytest.mark.parametrize("damage", [lambda code: code[:-1], lambda code: code.replace(b"machine", b"machime")])
def test_a_step_damaged_on_the_way_there(
    console: Console, bad_line: Callable[..., list[bytes]], damage: Callable[[bytes], bytes]
) -> None:
    """A step that arrives as invalid or different Python is sent again."""
    sent = bad_line(2, there=damage)
    assert facts(run_step(console, CODE)) == [b"#th machine 'x'"]
    assert len(sent) == 3


def test_a_step_damaged_on_the_way_there_each_time(console: Console, bad_line: Callable[..., list[bytes]]) -> None:
    """After three attempts it is an error, not a statement about the firmware."""
    bad_line(9, there=lambda code: code[:-1])
    with pytest.raises(BoardError, match=r"^lab-1: data sent to the board arrived damaged 3 times: ") as raised:
        run_step(console, CODE)
    assert raised.value.kind == "garbled"


def test_a_step_damaged_on_the_way_back(console: Console, bad_line: Callable[..., list[bytes]]) -> None:
    """A damaged line would look like a missing feature of the firmware, so the step runs again."""
    sent = bad_line(2, back=lambda text: text.replace(b"machine", b"machne"))
    assert facts(run_step(console, CODE)) == [b"#th machine 'x'"]
    assert len(sent) == 3


def test_a_step_that_raises_is_whole(console: Console) -> None:
    """After an exception, such as a missing module, the later facts are missing, but this is not damage."""
    assert facts(run_step(console, "th_p('a', 1)\nimport nowhere\nth_p('b', 2)")) == [
        b"#th a 1",
        b"#th failed \"<class 'ImportError'>\"",
    ]


def test_a_step_damaged_on_the_way_back_each_time(console: Console, bad_line: Callable[..., list[bytes]]) -> None:
    """This is an error, not a statement about the firmware."""
    bad_line(9, back=lambda text: text[:-3])
    with pytest.raises(
        BoardError,
        match=r"^lab-1: the probe's output arrived damaged 3 times: bytes are lost or changed on the line$",
    ) as raised:
        run_step(console, CODE)
    assert raised.value.kind == "garbled"
    assert "#th machine" in raised.value.transcript
