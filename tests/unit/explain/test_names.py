"""Names: each rule matches only its own failure and gives the stored text."""

import dataclasses

from harness.explain import candidates
from harness.model import Alert, ClientPlan, Side
from harness.wire.insistence import Addition, Insistence


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


def test_a_name_is_required_without_an_alert(made):
    """A server that closes without SNI, as the probe of this machine found; the board's own name is not in question then."""
    hello = dataclasses.replace(made.hello, extensions=(10, 13, 11), sni=None)
    result = made("OSError", -29312, by=Side.SERVER, client_hello=hello)
    insists = Insistence(additions=(Addition.SERVER_NAME, Addition.ALPN), name="a.example")
    (said,) = candidates(dataclasses.replace(result, insists=insists))
    assert said.rule == "names/missing-sni"
    assert said.why[1] == (
        "this machine sent what the board sends: refused; accepted with a server name (SNI) and application protocols (ALPN)"
    )
