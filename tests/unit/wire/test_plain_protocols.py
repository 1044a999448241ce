"""Protocols without TLS, by their first bytes: greetings and answers of real servers, and what only looks like one."""

import re

import pytest

from harness.wire.plain_protocols import (
    CAPABILITIES,
    MQTT_CONNECT,
    TLS_PORTS,
    PlainProtocol,
    answer_of,
    capabilities_complete,
    first_line,
    greeting_of,
    http_request,
    offers_tls,
)

SMTP, IMAP, POP3, FTP = PlainProtocol.SMTP, PlainProtocol.IMAP, PlainProtocol.POP3, PlainProtocol.FTP


@pytest.mark.parametrize(
    ("data", "protocol"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", PlainProtocol.SSH),
        (b"220 mail.example ESMTP Postfix\r\n", SMTP),
        (b"220-mail.example\r\n", SMTP),
        (b"554 no service\r\n", SMTP),
        (b"220 (vsFTPd 3.0.3)\r\n", FTP),
        (b"220 ProFTPD Server\r\n", FTP),
        (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", IMAP),
        (b"+OK POP3 ready\r\n", POP3),
        (b"HTTP/1.1 408 Request Timeout\r\n", PlainProtocol.HTTP),
        (b"2200 something\r\n", None),
        (b"login: ", None),
    ],
)
def test_greetings(data, protocol):
    """A server that speaks first is known by its first words."""
    assert greeting_of(data) is protocol


@pytest.mark.parametrize(
    ("data", "protocol"),
    [
        (b"\x20\x02\x00\x00", PlainProtocol.MQTT),
        (b"\x20\x02\x00\x05", PlainProtocol.MQTT),
        (b"\x20\x03\x00\x00", None),
        (b"HTTP/1.0 200 OK\r\n", PlainProtocol.HTTP),
        (b"<!DOCTYPE HTML>\n", PlainProtocol.HTTP),
        (b"<html>", PlainProtocol.HTTP),
        (b"<htmlx>", None),
        (b"\x15\x03\x01\x00\x02\x02\x28", None),
        (b"", None),
    ],
)
def test_answers(data, protocol):
    """A silent server is known by its answer; a TLS alert is no answer in plain text."""
    assert answer_of(data) is protocol


def test_the_mqtt_packet():
    """The remaining length, the protocol's name and level, and the client identifier are as MQTT 3.1.1 section 3.1 has them."""
    assert MQTT_CONNECT[0] == 0x10
    assert MQTT_CONNECT[1] == len(MQTT_CONNECT) - 2
    assert MQTT_CONNECT[2:9] == b"\x00\x04MQTT\x04"
    assert MQTT_CONNECT[-13:] == b"\x00\x0btls-harness"


def test_the_http_request():
    """An IPv6 address is written in brackets."""
    assert http_request("::1") == b"GET / HTTP/1.0\r\nHost: [::1]\r\n\r\n"
    assert http_request("a.example") == b"GET / HTTP/1.0\r\nHost: a.example\r\n\r\n"


@pytest.mark.parametrize(
    ("protocol", "data", "offered"),
    [
        (SMTP, b"250-mail.example\r\n250-STARTTLS\r\n250 HELP\r\n", True),
        (SMTP, b"250-mail.example\r\n250 STARTTLS\r\n", True),
        (SMTP, b"250-mail.example\r\n250 HELP STARTTLS\r\n", False),
        (SMTP, b"502 not implemented\r\n", False),
        (IMAP, b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK done\r\n", True),
        (IMAP, b"* CAPABILITY IMAP4rev1\r\na1 OK done\r\n", False),
        (POP3, b"+OK\r\nSTLS\r\n.\r\n", True),
        (POP3, b"-ERR unknown\r\n", False),
        (FTP, b"211-Features:\r\n AUTH TLS\r\n UTF8\r\n211 End\r\n", True),
        (FTP, b"211-Features:\r\n UTF8\r\n211 End\r\n", False),
    ],
)
def test_the_switch_to_tls(protocol, data, offered):
    """The whole list is read before the answer counts, at whatever place it is cut."""
    complete = [size for size in range(len(data) + 1) if capabilities_complete(protocol, data[:size])]
    assert complete == [len(data)]
    assert offers_tls(protocol, data) is offered


def test_each_protocol_that_switches_has_a_request_and_a_port():
    """Every request is one line, and every protocol has a port with TLS; SSH has neither."""
    assert all(re.fullmatch(rb"[^\r\n]+\r\n", request) for request, _found in CAPABILITIES.values())
    assert set(PlainProtocol) - set(TLS_PORTS) == {PlainProtocol.SSH}
    assert set(CAPABILITIES) == {SMTP, IMAP, POP3, FTP}


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"220 mail\r\n500 what\r\n", "220 mail"),
        (b"\x1b[31mred\x00\r\n", r"\x1b[31mred\x00"),
        (b"caf\xc3\xa9\n", r"caf\xc3\xa9"),
        (b"back\\slash\n", r"back\\slash"),
        (b"\x20\x02\x00\x05", "CONNACK, return code 5 (not authorized)"),
        (b"\x20\x02\x00\x09", "CONNACK, return code 9 (unknown)"),
        (b"x" * 5000, "x" * 200),
        (b"\r\n\r\n", ""),
    ],
)
def test_the_first_line(data, line):
    """Only the first line is shown, in printable ASCII and bounded; a CONNACK is put into words."""
    assert first_line(data) == line
