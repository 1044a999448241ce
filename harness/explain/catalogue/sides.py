"""Whose log a line of pasted text comes from: the board's, the server's, or that of a client on a PC.

Knows how programs begin and end their lines; must not know what an error means. The side of the log gives an alert its direction.
"""

from __future__ import annotations

import re

from harness.explain.catalogue.signs import LogSide

# MicroPython, CircuitPython, esp-idf, Arduino, pico-sdk.
_BOARD = re.compile(
    r"MBEDTLS_ERR|mbedtls_|esp-tls|esp_tls|esp_crt|\bu(ssl|socket|requests|asyncio)\b|umqtt|micropython|circuitpython|MMQTT"
    r"|adafruit_|ssl_handshake_status|\bwifi:|MQTT_CLIENT|TRANSPORT_|WiFiClientSecure|ssl_client|Guru Meditation|\b[EWI] \(\d+\)"
    r"|main\.py|boot\.py|modussl|modssl|modtls|TLS buffer overflow|MicroWeb|UNKNOWN ERROR CODE|OSError: (\(?-|\d)"
    r"|\[Errno -?\d+\] E[A-Z]|got an alert message, type|send alert level=|fatal alert message \(msg",
    re.IGNORECASE,
)
# A C program of a microcontroller, where the size of TLS buffers is a build setting.
_C_PROGRAM = re.compile(
    r"mbedtls_(?!err_)\w+\b|esp-tls|esp_tls|UNKNOWN ERROR CODE|\b[EWI] \(\d+\)|ssl_client", re.IGNORECASE
)
# esp-idf and Arduino always send the server's name and offer every suite.
_ESP_IDF = re.compile(
    r"esp-tls|esp_tls|MQTT_CLIENT|TRANSPORT_|UNKNOWN ERROR CODE|\b[EWI] \(\d+\)|ssl_client|WiFiClientSecure",
    re.IGNORECASE,
)
_PYTHON_OSERROR = re.compile(r"\bOSError\b")
_SERVER = re.compile(
    r"server_side|\baccept\b|accept\(|do_accept|Client <|client connection|client: |while SSL handshaking|mosquitto|\bACCEPT_|_accept"
    r"|tls_process_client|post_process_client_hello|get_client_|TLS handshake error from|CLIENT ALERT|socketserver|http\.server"
    r"|load_cert_chain|\bemqx|hivemq|\bnginx|Client .{1,60} disconnected|generated SERVER",
    re.IGNORECASE,
)
_CLIENT = re.compile(
    r"tls_process_server|get_server_|\bCONNECT_C|SSL_connect|urlopen|requests\.exceptions|urllib3|http\.client|\bpaho|\bcurl\b"
    r"|create_connection|PKIX|\bdial tcp|x509: |SERVER ALERT|HTTPSConnectionPool|ClientConnectorCertificateError"
    r"|verify error:num=|Verify return code: |\bs_client\b|schannel",
    re.IGNORECASE,
)
_PC = re.compile(
    r"ssl\.SSL|_ssl\.c|SSL routines|OpenSSL|error:[0-9A-F]{8}|javax\.net|tls_alert|(?<!esp-)\btls: |\[SSL",
    re.IGNORECASE,
)


def is_c_program(line: str) -> bool:
    """Return whether a C program of a microcontroller printed this line."""
    return _C_PROGRAM.search(line) is not None and not _PYTHON_OSERROR.search(line)


def is_esp_idf(text: str) -> bool:
    """Return whether esp-idf or Arduino printed a part of this text."""
    return _ESP_IDF.search(text) is not None


def sides_of(lines: list[str]) -> list[LogSide]:
    """Return the side of every line.

    A line without a sign of its own belongs to the side of the others, where these agree; else to that of the nearest line above.
    """
    marked = [_side(line) for line in lines]
    role = _pc_role(lines)
    named = [role if side is LogSide.UNKNOWN else side for side in marked]
    known = {side for side in named if side is not None}
    if len(known) == 1:
        return [known.pop()] * len(lines)
    result: list[LogSide] = []
    last = LogSide.UNKNOWN
    for side in named:
        last = side or last
        result.append(last)
    return result


def _side(line: str) -> LogSide | None:
    """Return the side of one line; UNKNOWN for a PC whose role it does not show, None if it shows nothing."""
    if _SERVER.search(line):
        return LogSide.SERVER
    if _CLIENT.search(line):
        return LogSide.CLIENT
    if _PC.search(line):
        return LogSide.UNKNOWN
    return LogSide.BOARD if _BOARD.search(line) or _PYTHON_OSERROR.search(line) else None


def _pc_role(lines: list[str]) -> LogSide:
    """Return which role a PC's lines have that do not say so themselves."""
    server = any(_SERVER.search(line) for line in lines)
    client = any(_CLIENT.search(line) for line in lines)
    if server == client:
        return LogSide.UNKNOWN
    return LogSide.SERVER if server else LogSide.CLIENT
