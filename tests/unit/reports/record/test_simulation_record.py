"""A simulation as JSON, against its schema."""

from __future__ import annotations

import json

import jsonschema

from harness.model import Explanation, Fix, Outcome, Side, Simulated, SimulatedChange, SimulatedFirmware, Simulation
from harness.reports.record.schema import simulation_schema
from harness.reports.record.simulation_record import simulation_record

ROW = SimulatedFirmware(port="stm32", version="1.20.0", library="mbedTLS 2.16", source="captured", measured=True)
WHY = Explanation(rule="ciphers/key-type", title="the key is RSA", why=("a",), fixes=(Fix(title="an EC key"),))
FOUND = Simulation(
    server="h:1",
    results=(
        Simulated(
            firmware=(ROW,),
            outcome=Outcome.REFUSED,
            ended_by=Side.SERVER,
            reason="NO_SHARED_CIPHER",
            client_number=-30592,
            explanation=WHY,
        ),
    ),
    changes=(SimulatedChange(fix=Fix(title="an EC key"), connecting=1),),
    connections=3,
)


def test_record() -> None:
    """The record has the counts, every result and the changes, and fits the schema; it says that no session was completed."""
    data = json.loads(json.dumps(simulation_record([FOUND]).as_json()))
    jsonschema.Draft202012Validator(simulation_schema()).validate(data)
    assert (data["schema"], data["completed_sessions"]) == ("tls-harness/simulate/1", 0)
    (server,) = data["servers"]
    assert (server["firmwares"], server["connecting"], server["connections"]) == (1, 0, 3)
    (result,) = server["results"]
    assert result["firmware"][0]["version"] == "1.20.0"
    assert (result["outcome"], result["ended_by"], result["reason"]) == ("refused", "server", "NO_SHARED_CIPHER")
    assert result["explanation"]["rule"] == "ciphers/key-type"
    assert server["changes"][0]["connecting"] == 1


def test_long_text() -> None:
    """A text of a server is cut at the length that the run record allows."""
    found = Simulation(server="h:1", failure="x" * 10_000)
    assert len(simulation_record([found]).servers[0].failure or "") < 3000
