"""The documentation page of a cause, docs/causes/*.md, and their index. Pure: the catalogue in, Markdown out."""

from __future__ import annotations

from harness.explain.catalogue.causes import Cause, all_causes, find_cause
from harness.explain.catalogue.signs import Sign, all_signs
from harness.wire.alerts import alert_name

_MOST_WORDS = 8
TOPICS = {
    "api": "The board's own API",
    "certificates": "Certificates and keys",
    "ciphers": "Cipher suites",
    "client-auth": "The board's certificate (mutual TLS)",
    "clock": "Dates and clocks",
    "closing": "The connection ends or stalls",
    "configuration": "OpenSSL's configuration",
    "groups": "Elliptic curves and groups",
    "identity": "Trust in the server's certificate",
    "link": "The network below TLS",
    "memory": "Memory of the board",
    "names": "Host names",
    "peer": "What the other side sends",
    "plain-peer": "Ports without TLS",
    "versions": "TLS versions",
}


def file_name(cause: str) -> str:
    """`ciphers/key-type` -> `ciphers-key-type.md`."""
    return f"{cause.replace('/', '-')}.md"


def page(cause: Cause, *, evidence: str | None) -> str:
    """Return the page of one cause.

    Args:
        cause: the entry.
        evidence: what the rule of this id looks for, in its own words; None if no rule finds this cause.
    """
    rows = [
        ("on the board", cause.board),
        ("on the other side", cause.server),
        ("how to tell", cause.tell),
        ("what helps", cause.fix),
        *([("what diagnose proves", cause.proves)] if cause.proves is not None else []),
    ]
    parts = [f"# {cause.sentence.removesuffix('.')}", f"`{cause.id}`", _table(rows)]
    if cause.reasons:
        parts.append("One of these, the likeliest first:\n\n" + _list(cause.reasons))
    wider = [other.id for other in all_causes() if cause.id in other.reasons]
    if wider:
        parts.append("It looks like one of these:\n\n" + _list(wider))
    printed = _printed(cause)
    if printed:
        parts.append("Programs print it as: " + ", ".join(f"`{text}`" for text in printed) + ".")
    parts.append(_found(cause, evidence=evidence))
    if cause.links:
        parts.append("Reports: " + ", ".join(f"<{link}>" for link in cause.links))
    return "\n\n".join(parts) + "\n"


def index() -> str:
    """Return the index of all pages, by topic."""
    parts = [
        "# Why a board and a server do not connect",
        "Every cause that `tls-harness` knows, one page each, generated from `harness/explain/catalogue/causes/`. "
        "Reports and `tls-harness diagnose` print a cause's id in brackets; `tls-harness explain ID` prints its page, "
        "`tls-harness explain TEXT` finds it from an error message.",
    ]
    for topic in dict.fromkeys(cause.topic for cause in all_causes()):
        names = [cause.id for cause in all_causes() if cause.topic == topic]
        parts.append(f"## {TOPICS[topic]}\n\n{_list(names)}")
    return "\n\n".join(parts) + "\n"


def _table(rows: list[tuple[str, str]]) -> str:
    return "\n".join(
        ["| | |", "|---|---|", *(f"| {name} | {value.replace('|', chr(92) + '|')} |" for name, value in rows)]
    )


def _list(names: tuple[str, ...] | list[str]) -> str:
    found = (cause for cause in map(find_cause, names) if cause is not None)
    return "\n".join(f"* [{cause.sentence.removesuffix('.')}]({file_name(cause.id)}) `{cause.id}`" for cause in found)


def _printed(cause: Cause) -> list[str]:
    """Return texts that point to this cause before any other."""
    signs = [
        sign
        for sign in all_signs()
        if cause.id in {names[0] for names in (sign.any, sign.server, sign.client, sign.board) if names}
    ]
    return [text for sign in signs for text in _texts(sign)][:_MOST_WORDS]


def _texts(sign: Sign) -> list[str]:
    alert = [f"alert {sign.alert} ({alert_name(sign.alert)})"] if sign.alert is not None else []
    return [
        *alert,
        *sign.words,
        *sorted(sign.mbedtls),
        *sorted(name for name in sign.axtls if not name.startswith("alert")),
        *sorted(sign.errno),
    ]


def _found(cause: Cause, *, evidence: str | None) -> str:
    if evidence is None:
        return "`tls-harness explain` recognises it in a text; no rule looks for it in a handshake."
    return (
        f"Evidence: {evidence} (`harness/explain/{cause.topic.replace('-', '_')}.py`). "
        "`tls-harness diagnose` finds it in a handshake."
    )
