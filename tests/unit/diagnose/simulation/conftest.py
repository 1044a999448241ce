"""Servers of the harness with any settings, simulated against."""

import pytest

from harness.diagnose.settings import Settings
from harness.diagnose.simulation.simulator import Question, simulate
from harness.diagnose.simulation.targets import OwnServer
from harness.firmware.table import firmware, firmwares
from harness.model import ClientPlan, ServerProfile
from harness.server.local import LocalServer


@pytest.fixture(scope="session")
def row():
    """Return `row(port, version)`: an entry of the table, which must exist."""

    def find(port, version):
        found = firmware(version, port=port)
        assert found is not None
        return found

    return find


@pytest.fixture(scope="module")
def local_server(certificates):
    """A server of this Python, with the certificates of `certs/`."""
    server = LocalServer(materials=certificates.make)
    yield server
    server.close()


@pytest.fixture(scope="module")
def simulated(local_server):
    """Return `simulated(rows=..., name=..., anchors=..., **settings)`, which simulates a `ServerProfile` with these settings."""

    def run(*, rows=None, name="tls.test", anchors=None, now=None, **settings):
        settings = Settings(server=ServerProfile(**settings), client=ClientPlan())
        question = Question(settings=settings, name=name, host=name, anchors=anchors, now=now)
        return simulate(OwnServer(local_server, settings.server), rows or firmwares(), question=question)

    return run


@pytest.fixture(scope="session")
def by_firmware():
    """Return a function that gives the result of each firmware by its port and release."""
    return lambda results: {(item.port, item.version): result for result in results for item in result.firmware}
