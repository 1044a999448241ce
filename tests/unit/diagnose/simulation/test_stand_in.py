"""Settings of a Python server that is like a foreign one."""

from __future__ import annotations

from harness.diagnose.simulation.stand_in import changes_like, settings_like
from harness.model import KeyFacts, Outcome, ServerFacts, Simulated, SimulatedFirmware

EC = KeyFacts(type="EC", bits=256, curve="secp256r1")
RSA = KeyFacts(type="RSA", bits=2048)


def facts(*keys: KeyFacts, suites: tuple[int, ...] = (0xC02B, 0x1301, 0xC02F)) -> ServerFacts:
    """Return what a probe found."""
    return ServerFacts(
        python="",
        openssl="as seen from this machine",
        openssl_number=0x30000000,
        suites=tuple((code, "TLSv1.2", "name") for code in suites),
        keys=keys,
        minimum_version="TLSv1.2",
        maximum_version="TLSv1.3",
    )


def test_settings() -> None:
    """Keys of the same kinds, the suites by OpenSSL's names in the same order, and the versions."""
    found = settings_like(facts(EC, RSA))
    assert found is not None
    assert found.server.certificates == ("server-p256", "server-rsa2048")
    assert found.server.ciphers == "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"
    assert (found.server.minimum_version, found.server.maximum_version) == ("TLSv1.2", "TLSv1.3")


def test_only_tls13_suites() -> None:
    """set_ciphers is not called if there is nothing to give it."""
    found = settings_like(facts(EC, suites=(0x1301,)))
    assert found is not None
    assert found.server.ciphers is None


def test_key_that_cannot_be_made() -> None:
    """Without a key, or with one of another type, there is no such server here."""
    assert settings_like(facts()) is None
    assert settings_like(facts(EC, KeyFacts(type="Ed25519", bits=253))) is None


def test_server_that_behaves_differently(row) -> None:
    """If a firmware gets something else from the stand-in, no change is advised."""
    firmware = row("rp2", "1.28.0")
    listed = SimulatedFirmware(port="rp2", version="1.28.0", library="", source="", measured=True)
    results = (Simulated(firmware=(listed,), outcome=Outcome.REFUSED, reason="handshake_failure"),)
    assert changes_like(facts(EC), results, firmwares=(firmware,), host="tls.test") == ()
