"""A simulation on the terminal: the table, the numbered causes, the advice, and hostile texts."""

from __future__ import annotations

import pytest

from harness.model import (
    CertificateProblem,
    Command,
    Explanation,
    Fix,
    Negotiated,
    Outcome,
    Program,
    Recipe,
    Side,
    Simulated,
    SimulatedChange,
    SimulatedFirmware,
    Simulation,
)
from harness.reports.text.simulation_text import hosts_text, simulation_text, summary, table_lines

SESSION = Negotiated(version="TLSv1.2", suite="TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", group="secp256r1")
EXPIRED = CertificateProblem(flag="expired", text="the server's certificate expired", always=False, basis="measured")
WHY = Explanation(
    rule="ciphers/key-type",
    title="the server's key is RSA",
    why=(),
    fixes=(Fix(title="an EC key"), Fix(title="static RSA", discouraged=True)),
)


def firmware(port: str, *versions: str, measured: bool = True) -> tuple[SimulatedFirmware, ...]:
    """Return releases of a port."""
    return tuple(
        SimulatedFirmware(port=port, version=version, library="mbedTLS 3.5.1", source="captured", measured=measured)
        for version in versions
    )


def connected(*rows: SimulatedFirmware, **fields: object) -> Simulated:
    """Return a session."""
    return Simulated(firmware=rows, outcome=Outcome.CONNECTED, **{"negotiated": SESSION, **fields})


def refused(*rows: SimulatedFirmware, **fields: object) -> Simulated:
    """Return the seed's refusal."""
    words = {
        "ended_by": Side.SERVER,
        "reason": "NO_SHARED_CIPHER",
        "alert": "handshake_failure",
        "client_number": -30592,
    }
    return Simulated(firmware=rows, outcome=Outcome.REFUSED, explanation=WHY, **{**words, **fields})


RECIPE = Recipe(
    commands=(Command(arguments=("openssl", "ecparam")),),
    server=Program(name="server.py", text="import ssl\n"),
    server_start=("python3", "server.py"),
)
FOUND = Simulation(
    server="Python 3.12.1, OpenSSL 3.0.13",
    server_lines=('context.load_cert_chain("cert.pem", "key.pem")',),
    certificate="RSA key, 2048 bits",
    results=(
        connected(*firmware("stm32", "1.24.1", "1.29.0-preview"), *firmware("rp2", "1.20.0", measured=False)),
        connected(
            *firmware("esp8266", "1.28.0"), weak=("no forward secrecy",), negotiated=SESSION, problems=(EXPIRED,)
        ),
        refused(*firmware("stm32", "1.18", "1.20.0"), *firmware("stm32", "1.23.0", measured=False)),
    ),
    changes=(
        SimulatedChange(
            fix=Fix(title="an EC key", server_lines=("$ openssl ecparam",)),
            server_lines=("context.z()",),
            recipe=RECIPE,
            connecting=6,
            stand_in=True,
        ),
        SimulatedChange(
            fix=Fix(title="static RSA", discouraged=True, because="no forward secrecy", server_lines=("context.x()",)),
            connecting=7,
            weak=3,
            server_lines=("context.x()", "context.y()"),
        ),
    ),
)
TEXT = """\
server Python 3.12.1, OpenSSL 3.0.13
    context.load_cert_chain("cert.pem", "key.pem")
  certificate: RSA key, 2048 bits
  No session was completed and no application data was sent: each line is a server's answer to a ClientHello.

esp8266  1.28.0                     TLSv1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 secp256r1 weak: no forward secrecy  (a if it verifies)
rp2      1.20.0*                    TLSv1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 secp256r1
stm32    1.18 to 1.23.0             refused by the server: NO_SHARED_CIPHER  (1)
stm32    1.24.1 to 1.29.0-preview   TLSv1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 secp256r1
* assumed: the ClientHello was not captured from this release and configuration
also assumed: stm32 1.23.0

4 of 7 firmwares connect

(1) refused by the server: NO_SHARED_CIPHER; the client raises OSError -30592
    the server's key is RSA   [ciphers/key-type]
    fix: an EC key
    fix: static RSA (discouraged)

(a) a client that verifies refuses the certificate:
    the server's certificate expired   [expired, measured]

the best single change: 6 of 7 instead of 4 (simulated with a Python server that has the same keys, suites and versions)
    an EC key
    context.z()

# ---- run these commands in an empty folder ----
openssl ecparam
# ---- save as server.py, on this computer; then run: python3 server.py ----
import ssl
# ---- end ----

more would connect with a change that is weak or discouraged: 7 of 7 instead of 4, 3 of them in a weak session (simulated)
    static RSA - discouraged: no forward secrecy
    context.x()
    context.y()"""


def test_text() -> None:
    """The whole text of a simulation."""
    assert simulation_text(FOUND) == TEXT


def test_not_reached() -> None:
    """A server that was not reached has neither table nor causes."""
    assert simulation_text(Simulation(server="h:1", failure="connection refused")).splitlines() == [
        "server h:1",
        "not reached: connection refused",
    ]


def test_client_certificate() -> None:
    """A server that asks for a client certificate: the summary says that this is not decided."""
    found = Simulation(server="h:1", results=(connected(*firmware("rp2", "1.28.0"), asks_certificate=True),))
    assert summary(found) == "1 of 1 firmwares connect; the server asks for a client certificate: not decided"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            connected(*firmware("rp2", "1.28.0"), retry=True, unread="x"),
            "TLSv1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 secp256r1 after a HelloRetryRequest not all read: x",
        ),
        (refused(*firmware("rp2", "1.28.0"), ended_by=Side.CLIENT, reason="x"), "refused by the client: x  (1)"),
        (
            Simulated(firmware=firmware("rp2", "1.28.0"), outcome=Outcome.HUNG, reason="no answer"),
            "hung: no answer  (1)",
        ),
    ],
)
def test_other_results(result: Simulated, words: str) -> None:
    """Retries, what was not read, refusals by the client and silence."""
    assert f"rp2  1.28.0   {words}" in simulation_text(Simulation(server="h:1", results=(result,))).splitlines()


def test_releases_with_another_result_between() -> None:
    """A range ends where another result begins; the preview comes after its releases."""
    rows = firmware("rp2", "1.9.0", "1.20.0", "1.28.0", "1.29.0-preview", "1.29.0")
    found = Simulation(server="h:1", results=(connected(rows[0], rows[3], rows[4]), refused(rows[1], rows[2])))
    assert [line.releases for line in table_lines(found)] == ["1.9.0", "1.20.0 to 1.28.0", "1.29.0-preview to 1.29.0"]


def test_many_servers() -> None:
    """One line per server, then what keeps firmwares from it."""
    everyone = Simulation(server="b:2", results=(refused(*firmware("rp2", "1.28.0")),))
    assert hosts_text([FOUND, everyone, Simulation(server="c:3", failure="connection refused")]).splitlines()[1:] == [
        "Python 3.12.1, OpenSSL 3.0.13: 4 of 7 firmwares connect",
        "    (1) stm32 1.18 to 1.23.0: refused by the server: NO_SHARED_CIPHER",
        "        the server's key is RSA   [ciphers/key-type]",
        "b:2: 0 of 1 firmwares connect",
        "    (1) every firmware: refused by the server: NO_SHARED_CIPHER",
        "        the server's key is RSA   [ciphers/key-type]",
        "c:3: not reached: connection refused",
    ]


def test_hostile_texts() -> None:
    """Control characters of a server reach no terminal."""
    found = Simulation(server="h:1\x1b[2J", results=(refused(*firmware("rp2", "1.28.0"), reason="a\x1b[31m\nb\u202e"),))
    for text in (simulation_text(found), hosts_text([found])):
        assert "\x1b" not in text
        assert "\u202e" not in text
