"""The catalogue of cases: each with its reason, the settings of both sides as a test writes them, and what is expected."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import ssl
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from harness.cases import ON_REQUEST, all_cases, select
from harness.certificates import Certificates
from harness.expectations.differences import DIFFERENCES
from harness.firmware.table import firmware
from harness.model import BoardInfo, Case, ClientPlan, Expectation, KeyFacts, ServerFacts, ServerProfile
from harness.reports.text.failure_text import expected_text
from website.docstring import code, prose, table
from website.page import Page

# How wide code on a page may be.
WIDTH = 90
# What expectations that depend on the board are shown for: a current firmware with MicroPython's common configuration.
PORT, RELEASE = "rp2", "1.28.0"


def case_pages() -> list[Page]:
    """Return the index of all cases and a page for each topic."""
    topics: dict[str, list[Case]] = {}
    for case in all_cases():
        topics.setdefault(case.topic, []).append(case)
    pages = [_topic_page(topic, topics[topic]) for topic in sorted(topics)]
    return [_index(topics), *pages]


def _index(topics: Mapping[str, list[Case]]) -> Page:
    rows = ([f"[{topic}]({topic}.md)", str(len(topics[topic])), _about(topic)] for topic in sorted(topics))
    parts = [
        "# Cases",
        f"What `pytest --board SPEC` runs: {len(select('full'))} cases with `--cases full`, fewer with `core` and `smoke`. "
        "`tls-harness cases -v` lists them. Each page shows the settings of both sides as a test of your own would write them, with "
        "[certificate profiles](../../certs/README.md).",
        table(("topic", "cases", "about"), rows),
        "## What is expected",
        "Version, suite and group, or the exact refusal, are computed from the board's ClientHello and the server's live settings: "
        "the negotiation that is predicted. Where the negotiation is not all, the page says what must follow. If that depends on the "
        f"board and the server, it is shown for {PORT} {RELEASE} and the Python that built this page ({_python()}). "
        "[Verdicts](../../README.md#verdicts) says how results are judged.",
    ]
    return Page(path="cases/index.md", title="All cases", text="\n\n".join(parts) + "\n")


def _python() -> str:
    return f"{sys.version.split()[0]}, {' '.join(ssl.OPENSSL_VERSION.split()[:2])}"


def _about(topic: str) -> str:
    """Return the first sentence of the topic's module."""
    module = importlib.import_module(f"harness.cases.{topic.replace('-', '_')}")
    return prose((inspect.getdoc(module) or "").split("\n\n")[0].split(". ")[0].removesuffix(".")) + "."


def _topic_page(topic: str, cases: list[Case]) -> Page:
    module = importlib.import_module(f"harness.cases.{topic.replace('-', '_')}")
    parts = [f"# {topic}", *(prose(part) for part in (inspect.getdoc(module) or "").split("\n\n"))]
    if len({case.description for case in cases}) == 1:
        rows = (
            [code(case.id), _set(case).removeprefix("set "), code(_server(case)), code(_client(case))] for case in cases
        )
        parts += [prose(cases[0].description), f"**Expected:** {expectation(cases[0])}"]
        parts.append(table(("case", "set", "server", "client"), rows))
    else:
        parts += [part for case in cases for part in _case(case)]
    return Page(path=f"cases/{topic}.md", title=topic, text="\n\n".join(parts) + "\n")


def _case(case: Case) -> list[str]:
    parts = [f"## {prose(case.title)} {{ #{case.id.partition('/')[2]} }}"]
    parts.append(f"{code(case.id)}, {_set(case)}, [subject](../../README.md#verdicts) {code(case.subject.value)}")
    parts += [prose(case.description), f"```python\n{settings(case)}\n```", f"**Expected:** {expectation(case)}"]
    facts = []
    if case.client.program is not None:
        facts.append(
            f"the program {code(case.client.program)} makes the connection: a test of your own cannot choose that"
        )
    facts += [f"unsupported if {prose(need.reason)}" for need in case.needs]
    if case.without_ecdsa is not None:
        facts.append(f"firmware that offers no ECDHE\\_ECDSA suite runs it with {code(_server(case.without_ecdsa))}")
    if case.unverified is not None:
        facts.append(f"firmware that cannot verify runs it with {code(_client(case.unverified))}")
    if case.positive_control:
        topic, _, name = case.positive_control.partition("/")
        facts.append(f"[{case.positive_control}]({topic}.md#{name}) must have connected first")
    facts += [
        f"some boards differ: {prose(row.why)} ({prose(row.source)}), and the result is then {prose(_text(row.expect, case))}"
        for row in DIFFERENCES
        if row.case == case.id
    ]
    if facts:
        parts.append("\n".join(f"* {fact}" for fact in facts))
    return parts


def _set(case: Case) -> str:
    """Return the smallest set of `--cases` that has the case."""
    return "in no set" if case.topic in ON_REQUEST else f"set {code(case.tier.value)}"


def settings(case: Case) -> str:
    """Return both sides of a case as a test writes them."""
    return f"server = {_server(case, width=WIDTH)}\nseen = {_client(case, width=WIDTH)}"


def _server(case: Case, *, width: int | None = None) -> str:
    profiles = [_literal(name) for name in case.server.certificates]
    return _call("tls_server", [*profiles, *_arguments(case.server, without=("certificates",))], width=width)


def _client(case: Case, *, width: int | None = None) -> str:
    return _call("board.connect", ["server", *_arguments(replace(case.client, program=None))], width=width)


def _call(name: str, words: list[str], *, width: int | None) -> str:
    """Return a call on one line, or with a line for each argument where it is wider."""
    line = f"{name}({', '.join(words)})"
    return (
        line if width is None or len(line) < width else f"{name}(\n" + "".join(f"    {word},\n" for word in words) + ")"
    )


def _arguments(record: ServerProfile | ClientPlan, *, without: tuple[str, ...] = ()) -> list[str]:
    """Return the settings that are not the default, as keyword arguments; `suite_words` must be a tuple."""
    default = type(record)()
    return [
        f"{one.name}={(repr if one.name == 'suite_words' else _literal)(getattr(record, one.name))}"
        for one in fields(record)
        if one.name not in without and getattr(record, one.name) != getattr(default, one.name)
    ]


def _literal(value: Any) -> str:
    """Return a value as a test writes it; one value instead of a list of one."""
    if isinstance(value, str):  # a StrEnum is one
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple):
        return _literal(value[0]) if len(value) == 1 else f"[{', '.join(map(_literal, value))}]"
    return repr(value)


def expectation(case: Case) -> str:
    """Return what must happen, as Markdown."""
    return "the negotiation that is predicted" if case.expect is None else prose(_text(case.expect, case))


def _text(expect: Any, case: Case) -> str:
    stated = expect if isinstance(expect, Expectation) else expect(_board(), _facts(case))
    text = expected_text(stated)
    for more in (stated.note, stated.open_because):
        text += f" ({more})" if more else ""
    return text


def _board() -> BoardInfo:
    found = firmware(RELEASE, port=PORT)
    assert found is not None
    return found.board()


def _facts(case: Case) -> ServerFacts:
    """Return the settings of a case's server, as far as expectations ask for them: its keys, and what this Python has by default."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return ServerFacts(
        python=sys.version.split()[0],
        openssl=ssl.OPENSSL_VERSION,
        openssl_number=ssl.OPENSSL_VERSION_NUMBER,
        keys=tuple(_key(name) for name in case.server.certificates if _key(name).type == "RSA"),
        suites=tuple((one["id"] & 0xFFFF, one["protocol"], one["name"]) for one in context.get_ciphers()),
        security_level=context.security_level,
    )


def _key(profile: str) -> KeyFacts:
    """Return the key of a certificate profile; its size only for RSA."""
    kind, _, bits = _declared().profile(profile).key.partition("-")
    return KeyFacts(type=kind.upper(), bits=int(bits) if bits.isdigit() else 0)


@functools.cache
def _declared() -> Certificates:
    """Return the profiles; none of them is made here."""
    return Certificates()
