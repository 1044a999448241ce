"""Fixes: their lines work and their changes are valid."""

import dataclasses
import ssl

import pytest

from harness.certificates import Certificates
from harness.explain import fixes
from harness.firmware.since import Feature
from harness.model import BoardInfo, ClientPlan, ServerProfile


def test_discouraged_fixes_say_why():
    """TLS_RSA and CERT_NONE always come with the reason against them."""
    for fix in (fixes.plain_rsa("AES128-SHA256"), fixes.unchecked()):
        assert fix.discouraged
        assert fix.because


def test_the_servers_lines_run():
    """Python accepts the lines unchanged."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for fix in (fixes.plain_rsa("ECDHE+AESGCM:AES128-SHA256"), fixes.default_groups(), fixes.allow_tls12()):
        for line in fix.server_lines:
            exec(line, {"context": context, "ssl": ssl})  # our own constants
    assert "AES128-SHA256" in {item["name"] for item in context.get_ciphers()}


def test_changes_name_settings_that_exist():
    """Changes name fields of the two records, and declared certificates."""
    board = BoardInfo()
    found = [fixes.ec_key(), fixes.rsa_key(), fixes.second_key("EC"), fixes.second_key("RSA"), fixes.default_groups()]
    found += [fixes.plain_rsa("AES128-SHA256", has_key=False), fixes.allow_tls12(), fixes.python_suites()]
    found += [fixes.send_name(board, host="h"), fixes.trust(board, host="h"), fixes.unchecked()]
    declared = {*Certificates().names(), "*", "issuer"}
    for fix in found:
        dataclasses.replace(ServerProfile(), **fix.change.server)
        dataclasses.replace(ClientPlan(), **fix.change.client)
        assert {*fix.change.server.get("certificates", ()), *fix.change.client.get("ca", ())} <= declared


def test_an_rsa_key_if_there_is_none():
    """TLS_RSA needs an RSA key, so its line is included."""
    assert fixes.plain_rsa("AES128-SHA256", has_key=False).server_lines[0] == fixes.load("rsa-cert.pem", "rsa-key.pem")


@pytest.mark.parametrize(
    ("version", "offered"), [((), True), ((1, 20, 0), True), ((1, 24, 0), False), ((1, 29, 0, "preview"), False)]
)
def test_no_update_to_the_present_firmware(version, offered):
    """An update is not suggested if the firmware already has the feature."""
    assert bool(fixes.firmware_since(BoardInfo(version=version), Feature.ECDHE_RSA, "x")) is offered
