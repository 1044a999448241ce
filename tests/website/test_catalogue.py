"""The pages of the cases."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.cases import ON_REQUEST, all_cases, find_case
from harness.certificates import Certificates
from harness.errors import UsageError
from harness.pytest_plugin.client_settings import client_plan
from harness.pytest_plugin.server_settings import ServerMaker
from website.catalogue import case_pages, expectation, settings

PAGES = {page.path: page.text for page in case_pages()}
KNOWN = Certificates()
# What the case is about is that no such group exists; `tls_server` refuses it before a server could.
NO_GROUP = "group/unknown-name"


def written(case):
    """The records that the code of a page makes, with the functions that a test has."""
    board = SimpleNamespace(connect=lambda server, **given: client_plan(server, KNOWN, given))
    names = {"tls_server": ServerMaker(KNOWN), "board": board}
    exec(settings(case), names)
    return names["server"], names["seen"]


def test_the_code_of_each_case_is_the_case():
    """A test with this code has exactly the settings of the case."""
    cases = [case for case in all_cases() if case.id != NO_GROUP]
    expected = {case.id: (case.server, replace(case.client, program=None)) for case in cases}
    assert [case.id for case in cases if written(case) != expected[case.id]] == []
    with pytest.raises(UsageError):
        written(find_case(NO_GROUP))


def test_a_case_in_no_set():
    """A program that is not the agent is named, because a test of the reader's own cannot choose it."""
    lines = part("app/requests-wrong-ca")
    assert "`app/requests-wrong-ca`, in no set, [subject](../../README.md#verdicts) `server-certificate`" in lines
    assert "* the program `requests` makes the connection: a test of your own cannot choose that" in lines


def test_every_case_is_on_the_page_of_its_topic():
    """With its id and its set; a topic whose cases differ in no reason is one table."""
    for case in all_cases():
        text = PAGES[f"cases/{case.topic}.md"]
        word = "in no set" if case.topic in ON_REQUEST else f"set `{case.tier}`"
        row = f"\n| `{case.id}` | {word.removeprefix('set ')} |"
        assert f"\n`{case.id}`, {word}, " in text or row in text, case.id


def part(case: str) -> list[str]:
    """The lines of a case on the page of its topic."""
    topic, _, name = case.partition("/")
    return PAGES[f"cases/{topic}.md"].partition(f"{{ #{name} }}")[2].partition("\n## ")[0].splitlines()


def test_a_case():
    """What a page says of one case: its settings, what must happen, what it needs, what ran before, and which boards differ."""
    assert part("cert/ip-san-match")[2:] == [
        "`cert/ip-san-match`, set `core`, [subject](../../README.md#verdicts) `server-certificate`",
        "",
        "Boards often connect to an address.",
        "",
        "```python",
        'server = tls_server("server-ip")',
        'seen = board.connect(server, verify="required", server_hostname="127.0.0.1", ca="ca-p256")',
        "```",
        "",
        "**Expected:** connected",
        "",
        "* unsupported if this firmware's TLS module cannot verify the server's certificate (no CERT\\_REQUIRED with cadata)",
        "* some boards differ: this version does not read IP addresses in the subjectAltName (mbedTLS ChangeLog 3.5.0, x509\\_crt.c "
        "x509\\_crt\\_check\\_san\\_ip; measured on MicroPython 1.22 (2.28.3)), and the result is then refused by the client at handshake; "
        "server SSLError SSLV3\\_ALERT\\_BAD\\_CERTIFICATE; client ValueError cn\\_mismatch; alert bad\\_certificate(42) from the client",
    ]
    control = f"* [cert/good]({'cert.md'}#good) must have connected first"
    assert control in part("cert/expired")
    assert "* firmware that cannot verify runs it with `board.connect(server)`" in part("key/rsa2048")
    assert any(
        line.startswith("* firmware that offers no ECDHE\\_ECDSA suite runs it with `tls_server(")
        for line in part("cut-off/fin-after-shd")
    )


def test_settings_of_many_words():
    """A call that is too wide has a line for each argument; a former word is written as it is today."""
    assert settings(find_case("tampered/sh-version-0302")).splitlines() == [
        "server = tls_server(",
        '    "server-p256",',
        '    maximum_version="TLSv1.2",',
        '    behaviour={"name": "tampered.sh-version-0302"},',
        ")",
        "seen = board.connect(server)",
    ]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("key/p256", "connected"),
        (
            "key/rsa1024",
            "refused by the server at config; server SSLError EE\\_KEY\\_TOO\\_SMALL; client no error "
            "(security level 2 requires 112 bits, and RSA-1024 has 80)",
        ),
        (
            "key/rsa1024-sec0",
            "refused by the client at handshake; server SSLError SSLV3\\_ALERT\\_UNSUPPORTED\\_CERTIFICATE; "
            "client ValueError bad\\_key; alert unsupported\\_certificate(43) from the client",
        ),
        ("pairs/p256-gcm-both-any", "the negotiation that is predicted"),
    ],
)
def test_expectation(case, expected):
    """A stated result, one that depends on board and server, and one that is only predicted."""
    assert expectation(find_case(case)) == expected
