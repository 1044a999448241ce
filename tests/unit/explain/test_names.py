"""Names: each rule matches only its own failure and gives the stored text."""

import dataclasses

from harness.model import Alert, ClientPlan, Side


def test_ip_address(made, stored):
    """An IP address as name before mbedTLS 3.5 (invented: firmware 1.22; docs/facts/micropython.md, "Features")."""
    plan = ClientPlan(server_hostname="192.168.1.10")
    text = "\nThe certificate Common Name (CN) does not match with the expected CN\n"
    stored("names/ip-address", made("ValueError", text, client=plan, info=made.board("1.22.0")))


def test_missing_sni(made, stored):
    """The server requires SNI, and the board sent none (invented: a server of several hosts)."""
    hello = dataclasses.replace(made.hello, extensions=(10, 13), sni=None)
    alert = Alert(sender=Side.SERVER, level="fatal", code=112, name="unrecognized_name")
    stored("names/missing-sni", made("OSError", -30592, by=Side.SERVER, alerts=(alert,), client_hello=hello))
