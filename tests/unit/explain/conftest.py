"""Provide results to explain: real ones of the virtual board, invented ones that no interpreter here gives; and stored texts."""

import os
import re
from pathlib import Path

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.cases import find_case
from harness.errors import HarnessError
from harness.explain import candidates, registry
from harness.explain.catalogue.causes import find_cause
from harness.explain.evidence import Evidence
from harness.explain.recipe_kinds import kinds
from harness.model import (
    BoardInfo,
    BoardSettings,
    BoardSpec,
    Case,
    ClientPlan,
    Expectation,
    HelloFacts,
    Observation,
    Outcome,
    ServerFailure,
    ServerProfile,
    Side,
    Stage,
    Tier,
    VerdictWord,
)
from harness.oracle.client_errors import client_failure
from harness.run.lab import Lab
from harness.run.options import RunOptions
from harness.wire.reading import WireReading

TEXTS = Path(__file__).with_name("texts")
SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix", settings=BoardSettings())
# Parts that differ between machines and days.
VOLATILE = (
    (r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", "DATE"),
    (r"server: Python \S+, OpenSSL [^,]*, \d+ suites", "server: Python VERSION, OpenSSL VERSION, N suites"),
    (r"(form: \S+); firmware \S+", r"\1; firmware VERSION"),
    (r"(is|has|sent|handshake:) \d+ bytes", r"\1 N bytes"),
    (r"\(byte \d+\)", "(byte N)"),
    (r"the board worked for \d+ ms", "the board worked for N ms"),
)


@pytest.fixture(autouse=True)
def only_declared_recipes(monkeypatch):
    """Whatever a rule proposes in these tests, its entry of the catalogue lists that kind of recipe."""
    named = registry._named

    def check(said, name):
        cause = find_cause(name)
        recipes = [kinds(fix.change) for fix in said.fixes if fix.change is not None]
        assert all(recipes), f"{name} proposes a change without a kind"
        made = {kind for recipe in recipes for kind in recipe}
        # tests/test_causes.py requires an entry for each real rule.
        assert cause is None or made <= {*cause.recipes}, f"{name} proposes recipes that its entry does not list"
        return named(said, name)

    monkeypatch.setattr(registry, "_named", check)


@pytest.fixture(scope="session")
def real(python_org_server):
    """Run a case once on the virtual board, against a server with the defaults of a python.org build."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    lab = Lab(RunOptions(boards=(SPEC,)))
    done = {}

    def run(case_id):
        if case_id not in done:
            runner = lab.runner(SPEC, "in-process")
            case = find_case(case_id)
            with python_org_server():
                result = runner.run(case)
            if result.verdict.word is VerdictWord.UNSUPPORTED:
                pytest.skip(f"{case_id}: {result.verdict.reason}")
            tried = runner.last
            done[case_id] = Evidence(
                case=case,
                seen=tried.observation,
                info=runner.board.info,
                wire=tried.wire,
                authorities=tried.authorities,
                expected=result.expected,
                own_key=tried.own_key,
                server_places=tried.server_places,
                client_places=tried.client_places,
            )
        return done[case_id]

    yield run
    lab.close()


def text_of(explanation):
    """Return an explanation as text, without the parts that differ between machines."""
    lines = [f"{explanation.title}   [{explanation.rule}]", *(f"    {line}" for line in explanation.why)]
    for fix in explanation.fixes:
        lines.append(f"fix: {fix.title}{f' - discouraged: {fix.because}' if fix.discouraged else ''}")
        lines += [f"    proof   {', '.join(sorted(kinds(fix.change)))}"] if fix.change is not None else []
        lines += [f"    server  {line}" for line in fix.server_lines]
        lines += [f"    board   {line}" for line in fix.client_lines]
    text = "\n".join(lines) + "\n"
    for pattern, word in VOLATILE:
        text = re.sub(pattern, word, text)
    return text


@pytest.fixture
def stored():
    """Assert that exactly one rule matches and gives the stored text (UPDATE_TEXTS=1 stores it)."""

    def check(rule, result):
        said = candidates(result)
        assert [item.rule for item in said] == [rule]
        text = text_of(said[0])
        place = TEXTS / f"{rule.replace('/', '.')}.txt"
        if os.environ.get("UPDATE_TEXTS"):
            place.write_text(text, encoding="utf-8")
        assert place.exists(), f"{rule} has no stored text: run this test with UPDATE_TEXTS=1 and read what it stores"
        assert text == place.read_text(encoding="utf-8")

    return check


HELLO = HelloFacts(
    record_version="0303",
    versions=("0303",),
    suites=("c02b", "c02f", "003d", "00ff"),
    groups=("0017",),
    signature_algorithms=("0403", "0401"),
    extensions=(0, 10, 13, 11),
    sni="tls.test",
)
API_1_20 = ("ssl.wrap_socket", "ssl.wrap_socket(cadata)", "ssl.wrap_socket(key)", "ssl.CERT_REQUIRED")
API_1_24 = ("tls.SSLContext.load_cert_chain", "tls.SSLContext.load_verify_locations", "tls.SSLContext.set_ciphers")


def board(version="1.24.0", **words):
    """Return a board with a version that no interpreter here has, from documented facts."""
    numbers = tuple(int(part) for part in version.split("."))
    old = numbers < (1, 22)
    known = {
        "version": numbers,
        "platform": "rp2",
        "tls_module": "ssl" if old else "tls",
        "tls_library": "mbedTLS",
        "api": API_1_20 if old else API_1_24,
        "word_bits": 32,
    }
    return BoardInfo(**{**known, **words})


@pytest.fixture
def made():
    """Return an invented result, because no interpreter here fails this way. The exceptions are those of docs/facts/micropython.md."""

    def make(
        kind=None,
        *args,
        stage=Stage.HANDSHAKE,
        server=None,
        alerts=(),
        info=None,
        client=None,
        profile=None,
        outcome=Outcome.REFUSED,
        by=Side.CLIENT,
        wire=None,
        expected=None,
        server_places=(),
        client_places=(),
        **words,
    ):
        known = info or board()
        hello = None if stage in (Stage.CONFIG, Stage.CONNECT) else HELLO
        failure = client_failure(
            kind or "",
            args,
            stage=stage,
            tls_library=known.tls_library,
            tls_version=known.tls_version,
            hello_sent=hello is not None,
            platform=known.platform,
        )
        words.setdefault("client_hello", hello)
        seen = Observation(
            outcome=outcome,
            stage=stage,
            ended_by=by,
            server=ServerFailure(**{"errno": 1, "stage": stage, **server}) if server else None,
            client=failure if kind else None,
            alerts=tuple(alerts),
            **words,
        )
        case = Case(
            id="own/case",
            title="",
            description="",
            tier=Tier.FULL,
            server=profile or ServerProfile(),
            client=client or ClientPlan(),
            expect=Expectation(source="stated", outcome=Outcome.CONNECTED),
        )
        places = {"server_places": tuple(server_places), "client_places": tuple(client_places)}
        return Evidence(case=case, seen=seen, info=known, wire=wire or WireReading(), expected=expected, **places)

    make.board, make.hello = board, HELLO
    return make
