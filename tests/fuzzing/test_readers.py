"""Every reader of bytes from a peer, a board or a file, with damaged input: it gives a result or the error it documents, nothing else.

Each reader has seeds: real input, and the files of `corpus/READER/`, which are inputs that once broke it or reach rare code. The same
inputs are tried at each run; `TLS_HARNESS_FUZZ=100000` tries that many new ones, and a file with an input that breaks a reader
belongs in the corpus.
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.probe import parse_probe
from harness.boards.agent.protocol import read_answer, read_objects, read_stored
from harness.boards.lab_file import read_lab
from harness.boards.labgrid.text import read_export, read_place, read_places
from harness.boards.serial.symptoms import what_answers, what_happened
from harness.certificates import Certificates
from harness.certificates.chain import read_chain
from harness.certificates.file_forms import read_contents
from harness.certificates.placed import Origin, Placed, placed
from harness.certificates.reading import anchor_among, host_of, in_file, issuer_among, key_facts
from harness.certificates.weakness import weak_links
from harness.diagnose.file_advice import key_repair, repair
from harness.errors import UsageError
from harness.explain.catalogue.answers import understand
from harness.explain.catalogue.next_step import diagnose_line
from harness.explain.chain_sentences import sentence
from harness.explain.shown import read_certificates
from harness.firmware.table import firmware
from harness.model import Side, WireChunk
from harness.oracle.known import read_known
from harness.reports.record.reading import parse_run
from harness.wire.handshake import read_client_hello
from harness.wire.hello_replay import ReplayedHello
from harness.wire.last_word import last_word
from harness.wire.packet_list import packet_list
from harness.wire.pcapng import pcapng
from harness.wire.reading import read_wire
from harness.wire.server_flight import FlightReader
from tests.file_shapes import UNREADABLE

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).with_name("corpus")
EXAMPLES = int(os.environ.get("TLS_HARNESS_FUZZ", "400"))
#: New inputs only on request: a test that fails by chance would refuse a change that has nothing to do with it.
FIXED = "TLS_HARNESS_FUZZ" not in os.environ
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

_PIECES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from(
        [b"\x00", b"\xff" * 4, b"\n", b"#th ", b'"', b"{", b"[" * 2000, b"\xed\xa0\x80", b"\xef\xbb\xbf", b"9" * 5000]
    ),
)
_CHANGE = st.tuples(st.floats(0, 1), st.sampled_from(["cut", "insert", "replace", "double", "end"]), _PIECES)


def damaged(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """A seed with up to six changes, or any bytes."""

    def apply(seed: bytes, changes: list[tuple[float, str, bytes]]) -> bytes:
        for where, how, piece in changes:
            at = int(where * len(seed))
            size = max(1, len(piece))
            seed = {
                "cut": seed[:at] + seed[at + size :],
                "insert": seed[:at] + piece + seed[at:],
                "replace": seed[:at] + piece + seed[at + len(piece) :],
                "double": seed[:at] + seed[at : at + 40 * size] * 2 + seed[at + 40 * size :],
                "end": seed[:at],
            }[how]
        return seed

    return st.one_of(st.builds(apply, st.sampled_from(seeds), st.lists(_CHANGE, max_size=6)), st.binary(max_size=300))


# ----------------------------------------------------------------------------------------------- readers


def wire(data: bytes) -> None:
    """A recording of both sides, in uneven pieces, and what is made of it."""
    pieces = [data[at : at + 1 + at % 97] for at in range(0, len(data), 97)]
    chunks = [
        WireChunk(sender=Side.SERVER if at % 3 else Side.CLIENT, at_ms=float(at), data=piece)
        for at, piece in enumerate(pieces)
    ]
    reading = read_wire(chunks)
    last_word(reading)
    packet_list(chunks, reading)
    pcapng(chunks, client=("192.0.2.1", 1), server=("192.0.2.2", 2), started_unix_s=0.0, key_log="")


def server_flight(data: bytes) -> None:
    """A server's answer to a firmware's hello: TLS 1.2, TLS 1.3 up to the encryption, and what is inside the encryption."""
    pieces = [data[at : at + 1 + at % 61] for at in range(0, len(data), 61)]
    for port in ("rp2", "debian"):
        firmware_hello = firmware("1.25", port=port)
        assert firmware_hello is not None
        hello = ReplayedHello(firmware_hello.hello.data, name="tls.test")
        reader = FlightReader(hello, oldest=0x0301)
        for piece in (data[:44] + hello.session_id + data[44 + len(hello.session_id) :], *pieces):
            reader.feed(piece)
        reader.end()
        assert reader.done
    inside = FlightReader(hello, oldest=0x0301)
    inside.flight.version, inside.flight.suite, inside._expected = 0x0304, 0x1301, (8,)
    for piece in pieces:
        inside.feed(piece)
    inside.end()
    assert inside.done


def client_hello(data: bytes) -> None:
    """One ClientHello."""
    read_client_hello(data)


def certificate(data: bytes) -> None:
    """A certificate file, and each certificate of it."""
    found, _form = in_file(data)
    for der in (data, *found):
        for read in (
            host_of,
            lambda item: key_facts((item,)),
            lambda item: issuer_among(item, found),
            lambda item: anchor_among(item, found),
        ):
            try:
                read(der)
            except ValueError:
                continue
    weak_links((data, *found))
    read_certificates((data, *found))
    inside = read_contents(data)
    sent = [*placed(inside.certificates, origin=Origin.SENT), Placed(der=data, origin=Origin.NEARBY)]
    for problem in read_chain(sent, trusted=sent[1:], nearby=sent[1:], host="tls.test").problems:
        sentence(problem)
    for advice in (repair(Path("x"), inside), key_repair(Path("x"), inside)):
        assert advice is None or advice[1]


def run_record(data: bytes) -> None:
    """A run.json or run.jsonl."""
    parse_run(data, where="x")


def lab(data: bytes) -> None:
    """A boards.toml."""
    Path("boards.toml").write_bytes(data)
    read_lab("boards.toml", folder=Path())


def known(data: bytes) -> None:
    """A known_deviations.toml."""
    Path("known.toml").write_bytes(data)
    read_known("known.toml", folder=Path(), case_ids=("seed/x",))


def answer(data: bytes) -> None:
    """What a board printed; also with a checksum that fits, so that the damage gets behind it."""
    text = data.decode("utf-8", "replace").replace("\n", " ").encode()
    for console in (data, b"#th " + text + b" " + check_sum(text, kind="c").encode() + b"\n"):
        for read in (read_objects, read_answer, read_stored):
            try:
                read(console)
            except ValueError:
                continue


def probe(data: bytes) -> None:
    """The lines of a probe."""
    parse_probe(data.split(b"\x00"))


def line(data: bytes) -> None:
    """Bytes of a board that does not answer as it should."""
    what_answers(data)
    what_happened(data)


def pasted(data: bytes) -> None:
    """A pasted error message."""
    text = data.decode("utf-8", "replace")
    diagnose_line(text, understand(text))


def labgrid(data: bytes) -> None:
    """The output of labgrid-client."""
    text = data.decode("utf-8", "replace")
    read_place(text)
    read_places(text)
    read_export(text)


#: Reader -> the error that it documents.
READERS: dict[Callable[[bytes], None], type[Exception]] = {
    wire: KeyError,  # none: a recording is always read
    client_hello: ValueError,
    server_flight: KeyError,  # none: a flight is always read
    certificate: KeyError,  # none: ValueError is taken where it is documented
    run_record: UsageError,
    lab: UsageError,
    known: UsageError,
    answer: KeyError,  # none, as above
    probe: ValueError,
    line: KeyError,  # none
    pasted: KeyError,  # none
    labgrid: KeyError,  # none
}


def flights(made: Certificates) -> Iterator[bytes]:
    """A real flight of TLS 1.2, its ServerHello, and the messages that TLS 1.3 encrypts."""
    certificate = made.make("server-p256")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain_file, certificate.key_file)
    for port in ("rp2", "debian"):
        found = firmware("1.25", port=port)
        assert found is not None
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(ReplayedHello(found.hello.data, name="tls.test").record)
        with contextlib.suppress(ssl.SSLWantReadError):
            context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
        yield outgoing.read()
    der = certificate.certificate_der
    entry = len(der).to_bytes(3, "big") + der + bytes(2)
    bodies = ((8, bytes(2)), (11, b"\0" + len(entry).to_bytes(3, "big") + entry), (15, b"\4\3\0\3abc"), (20, bytes(32)))
    inner = b"".join(bytes([kind]) + len(body).to_bytes(3, "big") + body for kind, body in bodies)
    yield b"\x16\x03\x03" + len(inner).to_bytes(2, "big") + inner


def shapes(made: Certificates) -> Iterator[bytes]:
    """Files as people have them."""
    own = made.make("server-depth-2")
    yield own.certificate_der + own.root_der
    yield own.key_pem + own.chain_pem
    yield from (shape(own.chain_pem) for _form, shape in UNREADABLE.values())


def seeds_of(name: str, made: Certificates) -> Iterator[bytes]:
    """Real input for a reader, and its corpus."""
    hellos = json.loads((ROOT / "tests/data/client_hellos.json").read_text(encoding="utf-8"))["hellos"]
    if name in ("wire", "client_hello"):
        yield from (bytes.fromhex(entry["hex"]) for entry in hellos.values())
    yield from flights(made) if name == "server_flight" else ()
    if name in ("wire", "certificate"):
        for profile in ("server-p256", "server-rsa2048", "server-ed25519", "server-no-extensions"):
            yield made.make(profile).certificate_der
            yield made.make(profile).chain_pem
    yield from shapes(made) if name == "certificate" else ()
    if name == "run_record":
        yield (ROOT / "tests/unit/reports/record/data/run-1.json").read_bytes()
    if name == "answer":
        yield b'#th {"kind": "result", "n": 12, "stage": "handshake", "args": [-30592, "X"], "free": [1, null, 2]} c00000000\n'
        yield b'{"kind": "exception", "n": 12, "type": "OSError", "stage": "read", "args": [-110], "us": [1, 2, null]}'
        yield b'{"kind": "stored", "n": 3, "size": 5}'
    if name == "probe":
        yield b"#th version (1, 24, 0, '')\n#th machine 'x'\n#th modules ('tls', 'ssl')\n#th end 3 c00000000\n"
    if name == "line":
        yield b"ets Jan  8 2013,rst cause:2, boot mode:(3,6)\r\nMPY: soft reboot\r\nMicroPython v1.24.0 on 2024-01-01; X with Y\r\n>>> "
    if name == "pasted":
        yield b"OSError: (-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')"
        yield b"ssl.SSLError: [SSL: NO_SHARED_CIPHER] no shared cipher (_ssl.c:1006)"
    if name == "lab":
        yield b'[board.desk]\nspec = "/dev/ttyUSB0"\nwifi = {ssid = "n", password = {env = "P"}}\nbaud = 115200\nreset = ["a", "{port}"]\n'
    if name == "known":
        yield b'[[deviation]]\ncase = "seed/*"\nreason = "r"\nlink = "https://x.test/1"\nobserved = {outcome = "refused"}\n'
    if name == "labgrid":
        yield (
            b"Place 'x':\n  tags: a=b\n  matches:\n    */*/*\n  acquired: None\n"
            + b'host/port: {"host": "h", "port": 1}\n'
        )
    yield from (path.read_bytes() for path in sorted((CORPUS / name).glob("*")))


@pytest.fixture(scope="module")
def made() -> Iterator[Certificates]:
    """Certificates of `certs/`."""
    with Certificates() as certificates:
        yield certificates


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_damaged_input(
    reader: Callable[[bytes], None], made: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeds, and what becomes of them: a result or the documented error."""
    monkeypatch.chdir(tmp_path)
    seeds = list(seeds_of(reader.__name__, made)) or [b""]
    allowed = READERS[reader]

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=FIXED, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(damaged(seeds))
    def no_other_error(data: bytes) -> None:
        try:
            reader(data)
        except allowed:
            pass

    for seed in seeds:
        try:
            reader(seed)
        except allowed:
            continue
    no_other_error()


def test_every_file_of_the_corpus_has_its_reader() -> None:
    """A file in a folder of another name would never be read."""
    assert {path.parent.name for path in CORPUS.glob("*/*")} <= {reader.__name__ for reader in READERS}
