"""The page of a simulation: valid HTML, nothing of a server is markup."""

from __future__ import annotations

from justhtml import JustHTML

from harness.model import Explanation, Fix, Outcome, Side, Simulated, SimulatedChange, SimulatedFirmware, Simulation
from harness.reports.html.simulation_page import render_simulations

ROW = SimulatedFirmware(port="stm32", version="1.20.0", library="mbedTLS 2.16", source="captured", measured=False)
EVIL = "<script>alert(1)</script>"
FOUND = Simulation(
    server=f"h:1 {EVIL}",
    server_lines=("context.load_cert_chain(...)",),
    certificate="RSA key, 2048 bits",
    results=(
        Simulated(
            firmware=(ROW,),
            outcome=Outcome.REFUSED,
            ended_by=Side.SERVER,
            reason=EVIL,
            explanation=Explanation(rule="a/b", title=EVIL, why=(EVIL,), fixes=(Fix(title=EVIL),)),
        ),
    ),
    changes=(SimulatedChange(fix=Fix(title="an EC key"), connecting=1, server_lines=(EVIL,)),),
)


def test_page() -> None:
    """A strict parser accepts it; the texts of a server are escaped, and no script is allowed."""
    page = render_simulations([FOUND, Simulation(server="h:2", failure="connection refused")])
    document = JustHTML(page, strict=True)
    assert "<script" not in page
    text = document.root.to_text() if hasattr(document.root, "to_text") else page
    assert "No session was completed and no application data was sent" in text
    for words in ("0 of 1 firmwares connect", "h:2: not reached: connection refused", "1.20.0*", "mbedTLS 2.16"):
        assert words in page


def test_one_server() -> None:
    """One server has no list of servers, and its result is the title."""
    page = render_simulations([FOUND])
    assert "<title>Simulated firmware: 0 of 1 firmwares connect</title>" in page
    assert 'href="#server-1"' not in page
