"""The `tls-harness diagnose` line for a pasted text, filled in as far as the text allows.

Knows how programs name their server and files, and the options of `diagnose`. What the text does not say stays a word in capitals.
"""

from __future__ import annotations

import re
import shlex

from harness.explain.catalogue.answers import Answer
from harness.explain.catalogue.signs import LogSide

BOARD, HOST, PORT = "BOARD", "HOST", "PORT"
_PORT_OF_SCHEME = {"https": "443", "wss": "443", "mqtts": "8883", "ssl": "8883", "smtps": "465", "imaps": "993"}
_NAME = r"[A-Za-z0-9][A-Za-z0-9.-]{0,200}"
_SERIAL = re.compile(r"(/dev/(?:tty|cu\.|serial/by-id/)[\w.:-]{1,80}|\bCOM\d{1,3}\b)")
_URL = re.compile(rf"\b(https|wss|mqtts|ssl|smtps|imaps)://({_NAME})(?::(\d{{1,5}}))?", re.IGNORECASE)
_CONNECT = re.compile(
    rf"connect\(\s{{0,3}}\(?\s{{0,3}}['\"]({_NAME})['\"]\s{{0,3}},\s{{0,3}}(?:port\s{{0,3}}=\s{{0,3}})?(\d{{1,5}})"
)
_KEYWORDS = re.compile(
    rf"\bhost\s{{0,3}}=\s{{0,3}}['\"]?({_NAME})['\"]?\s{{0,3}},\s{{0,3}}port\s{{0,3}}=\s{{0,3}}(\d{{1,5}})",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    r"(?<![\w./@:-])((?:\d{1,3}\.){3}\d{1,3}|(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24}):(\d{2,5})(?![\w.:])",
    re.IGNORECASE,
)
# Before the address of a client, in the logs of servers.
_OF_CLIENT = re.compile(r"(client:?|from|peer(?:name)?:?)\s{0,3}$", re.IGNORECASE)
# Source files and their lines look like hosts and their ports.
_SOURCE = re.compile(r"\.(c|cpp|h|py|mpy|erl|go|js|java|rs|ts)$", re.IGNORECASE)
_SERVER_NAME = re.compile(rf"server_hostname\s{{0,3}}=\s{{0,3}}['\"]({_NAME})['\"]")
_FILE = r"['\"]([\w./ ~-]{1,120})['\"]"
_PAIR = re.compile(
    rf"load_cert_chain\(\s{{0,3}}(?:certfile\s{{0,3}}=\s{{0,3}})?{_FILE}\s{{0,3}},\s{{0,3}}(?:keyfile\s{{0,3}}=\s{{0,3}})?{_FILE}"
)
_CIPHERS = re.compile(r"set_ciphers\(\s{0,3}['\"]([\w:!+@=-]{1,200})['\"]")
_CLIENT_CERTIFICATE = "client-auth"
_VERIFIES = ("identity", "names", "clock")


def diagnose_line(text: str, answer: Answer) -> str:
    """Return the command that finds the cause with the user's board.

    Args:
        text: as pasted.
        answer: what it was found to mean.
    """
    topic = answer.head.topic if answer.head else ""
    words = ["tls-harness", "diagnose", "--board", _board(text), *_server(text, answer)]
    named = _SERVER_NAME.search(text)
    if topic in _VERIFIES:
        words += ["--ca", "CA.pem"]
    if named:
        words += ["--hostname", named[1]]
    if topic == _CLIENT_CERTIFICATE:
        words += ["--client-cert", "CLIENT.pem", "--client-key", "CLIENT-KEY.pem"]
    return shlex.join(words)


def _board(text: str) -> str:
    found = _SERIAL.search(text)
    return found[1] if found else BOARD


def _server(text: str, answer: Answer) -> list[str]:
    """Return the server's files where the text shows a Python server, else its address."""
    pair, address = _PAIR.search(text), _address(text)
    own = pair is not None or (address is None and _is_python_server(text, answer))
    if not own:
        host, port = address or (HOST, PORT)
        return ["--connect", f"{host}:{port}"]
    words = ["--cert", pair[1] if pair else "CERT.pem", "--key", pair[2] if pair else "KEY.pem"]
    ciphers = _CIPHERS.search(text)
    if ciphers:
        words += ["--ciphers", ciphers[1]]
    if answer.head is not None and answer.head.topic == _CLIENT_CERTIFICATE:
        words += ["--client-ca", "CLIENT-CA.pem"]
    return words


def _is_python_server(text: str, answer: Answer) -> bool:
    client = any(fact.side is LogSide.CLIENT for fact in answer.facts.facts)
    return not client and ("_ssl.c" in text or "ssl.SSL" in text or "[SSL" in text)


def _address(text: str) -> tuple[str, str] | None:
    """Return host and port of the server; not an address that the text calls a client's."""
    url = _URL.search(text)
    if url:
        return url[2], url[3] or _PORT_OF_SCHEME[url[1].lower()]
    for pattern in (_CONNECT, _KEYWORDS, _PLAIN):
        for match in pattern.finditer(text):
            of_client = _OF_CLIENT.search(text[max(0, match.start() - 16) : match.start()])
            if not of_client and not _SOURCE.search(match[1]) and int(match[2]) < 1 << 16:
                return match[1], match[2]
    return None
