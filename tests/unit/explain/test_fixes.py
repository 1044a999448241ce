"""Things to change: the lines are exact."""

import dataclasses
import ssl

import pytest

from harness.certificates import Certificates
from harness.explain import fixes
from harness.model import BoardInfo, ClientPlan, ServerProfile


def test_discouraged_fixes_say_why():
    """TLS_RSA and CERT_NONE are never offered without the reason against them."""
    for fix in (fixes.plain_rsa("AES128-SHA256"), fixes.unchecked()):
        assert fix.discouraged
        assert fix.because


def test_the_servers_lines_run():
    """Python takes the lines as they stand."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for fix in (fixes.plain_rsa("ECDHE+AESGCM:AES128-SHA256"), fixes.default_groups(), fixes.allow_tls12()):
        for line in fix.server_lines:
            exec(line, {"context": context, "ssl": ssl})  # our own constants
    assert "AES128-SHA256" in {item["name"] for item in context.get_ciphers()}


def test_changes_name_settings_that_exist():
    """What `diagnose` would set are fields of the two records, and certificates that are declared."""
    board = BoardInfo()
    found = [fixes.ec_key(), fixes.rsa_key(), fixes.second_key("EC"), fixes.second_key("RSA"), fixes.default_groups()]
    found += [fixes.plain_rsa("AES128-SHA256", has_key=False), fixes.allow_tls12(), fixes.python_suites()]
    found += [fixes.send_name(board, host="h"), fixes.trust(board, host="h"), fixes.unchecked()]
    declared = {*Certificates().names(), "*", "issuer"}
    for fix in found:
        dataclasses.replace(ServerProfile(), **fix.change.server)
        dataclasses.replace(ClientPlan(), **fix.change.client)
        assert {*fix.change.server.get("certificates", ()), *fix.change.client.get("ca", ())} <= declared


def test_an_rsa_key_where_there_is_none():
    """TLS_RSA needs an RSA key: the line for it comes along."""
    assert fixes.plain_rsa("AES128-SHA256", has_key=False).server_lines[0] == fixes.load("rsa-cert.pem", "rsa-key.pem")


@pytest.mark.parametrize(
    ("version", "offered"), [((), True), ((1, 20, 0), True), ((1, 24, 0), False), ((1, 29, 0, "preview"), False)]
)
def test_no_update_to_what_is_there(version, offered):
    """A firmware that has it already is not told to be updated."""
    assert bool(fixes.firmware_since(BoardInfo(version=version), (1, 24), "x")) is offered
