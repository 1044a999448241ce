"""The settings of a context that Python does not show, found by handshakes in memory."""

from __future__ import annotations

import signal
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import Certificates
from harness.model import FoundSettings, ServerFacts, ServerProfile
from harness.oracle.prediction.hidden import hidden_settings
from harness.oracle.prediction.openssl import configured_groups, group_allowed, group_fits_version
from harness.oracle.prediction.signatures import configured_signatures
from harness.oracle.prediction.versions import configured_versions
from harness.server import Serving
from harness.server.engine import found_settings
from harness.server.engine.found_settings import find_settings, groups_up_to_tls12, takes_anonymous
from harness.server.engine.tls_contexts import ContextStore, build_context, context_facts
from harness.server.engine_records import facts_of, found_of
from harness.server.remote import RemoteServer
from harness.wire.versions import version_name

LEVELS = (None, "ALL:@SECLEVEL=0", "DEFAULT:@SECLEVEL=1", "DEFAULT:@SECLEVEL=3", "DEFAULT:@SECLEVEL=4")
VERSIONS = ((None, None), (None, "TLSv1.2"), ("TLSv1.3", None), ("TLSv1", None))
CURVES = (None, "secp384r1", "brainpoolP256r1", "secp256k1")
KEYS = (
    (),
    ("server-p256",),
    ("server-rsa2048",),
    ("server-secp256k1",),
    ("server-ed25519",),
    ("server-p256", "server-rsa2048"),
)
MakeRemote = Callable[[str], RemoteServer]


def facts_for(certificates: Certificates | None = None, keys: tuple[str, ...] = (), **settings: Any) -> ServerFacts:
    """Build a context with these settings and return its facts."""
    if certificates is not None:
        files = [certificates.make(name) for name in keys]
        settings["certificates"] = [{"chain_file": str(f.chain_file), "key_file": str(f.key_file)} for f in files]
    facts = facts_of(context_facts(build_context(settings), settings), keys=(), behaviour={})
    assert facts is not None
    return facts


def usable(facts: ServerFacts) -> tuple[str, ...]:
    """Return the groups that the settings say, where OpenSSL's configuration adds nothing."""
    assert facts.found is not None
    tls12 = any(version != "TLSv1.3" for version in facts.found.versions)
    tls13 = "TLSv1.3" in facts.found.versions
    spoken = [tls13] * tls13 + [False] * tls12
    return tuple(
        group
        for each in configured_groups(facts)
        for group in each
        if group_allowed(group, server=facts)
        and any(group_fits_version(group, server=facts, tls13=newer) for newer in spoken)
    )


@pytest.mark.parametrize("ciphers", LEVELS)
def test_what_is_found_is_what_openssl_documents(ciphers: str | None) -> None:
    """Without a configuration of its own, a context takes exactly what the tables of the prediction say, in that order."""
    for oldest, newest in VERSIONS:
        for curve in CURVES:
            facts = facts_for(ciphers=ciphers, minimum_version=oldest, maximum_version=newest, curve=curve)
            assert facts.found is not None
            assert hidden_settings(facts) == {}
            versions = [version_name(version) for version in reversed(configured_versions(facts))]
            assert list(facts.found.versions) == versions
            found = tuple(group for each in facts.found.groups for group in each if group_allowed(group, server=facts))
            known = set(configured_groups(facts)[0]).union(*configured_groups(facts))
            assert tuple(group for group in found if group in known) == usable(facts)
            assert set(configured_signatures(facts)) <= set(facts.found.signature_algorithms)


def test_the_key_changes_nothing(certificates: Certificates) -> None:
    """What is found depends on the settings, not on which keys were loaded, or on whether they can sign in TLS 1.3."""
    found = [facts_for(certificates, keys).found for keys in KEYS]
    flat = [None if each is None else sorted(group for one in each.groups for group in one) for each in found]
    assert found[0] is not None
    assert [each and (each.versions, each.signature_algorithms) for each in found] == [
        (found[0].versions, found[0].signature_algorithms)
    ] * len(KEYS)
    assert flat == [flat[0]] * len(KEYS)


def test_nothing_left() -> None:
    """A context without a version has no settings to find; one without a suite for its newest version refuses every hello alike."""
    nothing = FoundSettings(versions=(), groups=(), signature_algorithms=())
    assert facts_for(minimum_version="TLSv1.3", maximum_version="TLSv1.2").found == nothing
    newest_has_none = facts_for(ciphers="ECDHE+AESGCM:@SECLEVEL=0", minimum_version="TLSv1", maximum_version="TLSv1.1")
    assert newest_has_none.found is None


def test_the_context_stays_as_it_was(certificates: Certificates) -> None:
    """Afterwards there is no callback, and a store's tap has seen nothing of it."""
    files = certificates.make("server-p256")
    pair = {"chain_file": str(files.chain_file), "key_file": str(files.key_file)}
    context, facts, tap = ContextStore(keylog_path=None).get({"certificates": [pair]})
    assert context.sni_callback is None
    assert facts["found"] is not None
    assert tap.take() == []


def test_no_signal_is_lost() -> None:
    """A signal during the search raises its exception in the caller: a callback in Python would swallow it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for delay_us in range(50, 1500, 50):
            with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # it may come at any point
                signal.setitimer(signal.ITIMER_REAL, delay_us / 1e6)
                for _ in range(500):
                    find_settings(context, tls12_groups=())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(("level", "anonymous"), [(0, True), (1, False)])
def test_anonymous_suites_mean_level_0(level: int, *, anonymous: bool) -> None:
    """No other level takes them (ssl_security_default_callback)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(f"ALL:@SECLEVEL={level}")
    assert takes_anonymous(context) is anonymous


def test_groups_of_tls12_keep_their_order() -> None:
    """The server's order, whatever the client's; one that only TLS 1.2 has is found too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ecdh_curve("secp256k1")
    assert groups_up_to_tls12(context) == [0x0016]
    assert groups_up_to_tls12(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))[:2] == [0x001D, 0x0017]


@pytest.mark.parametrize(
    ("tuples", "older", "expected"),
    [
        ([[1, 2]], [1, 9, 2], [[1, 9, 2]]),
        ([[1], [2]], [1, 2, 9], [[1], [2, 9]]),
        ([[1, 2]], [9, 1], [[9], [1, 2]]),
        ([], [9, 8], [[9, 8]]),
        ([[1]], [1], [[1]]),
    ],
)
def test_groups_of_tls12_find_their_place(tuples: list[list[int]], older: list[int], expected: list[list[int]]) -> None:
    """A group that only TLS 1.2 has comes after the one that it follows there."""
    assert found_settings._with_older(tuples, older) == expected


# ----------------------------------------------------------------------------------------------- with a configuration


@pytest.fixture
def configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> Iterator[Callable[[str], FoundSettings]]:
    """A function that starts the engine under this Python with lines in openssl.cnf and returns what it found."""
    hosts = []

    def found(lines: str) -> FoundSettings:
        path = tmp_path / "openssl.cnf"
        path.write_text(
            f"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n{lines}\n", encoding="ascii"
        )
        monkeypatch.setenv("OPENSSL_CONF", str(path))
        host = RemoteServer(sys.executable, materials=certificates.make)
        hosts.append(host)
        start = host.open(ServerProfile(certificates=("server-p256",)), Serving())
        assert start.facts is not None
        assert start.facts.found is not None
        assert start.facts.found == host.describe()["found"]
        return start.facts.found

    yield found
    for host in hosts:
        host.close()


def test_configured_groups(configured: Callable[[str], FoundSettings]) -> None:
    """`Groups` limits what every context takes, in its order, also a group that only TLS 1.2 has."""
    assert configured("Groups = P-384:secp256k1:X25519").groups == (("secp384r1", "secp256k1", "x25519"),)


def test_configured_signature_algorithms(configured: Callable[[str], FoundSettings]) -> None:
    """`SignatureAlgorithms` limits what every context signs with."""
    found = configured("SignatureAlgorithms = RSA+SHA256:ECDSA+SHA384:ed25519")
    assert set(found.signature_algorithms) == {"rsa_pkcs1_sha256", "ecdsa_secp384r1_sha384", "ed25519"}


def test_configured_versions(configured: Callable[[str], FoundSettings]) -> None:
    """`Protocol` takes a version away without any trace in minimum_version and maximum_version."""
    assert configured("Protocol = -TLSv1.3").versions[-1] == "TLSv1.2"


def test_found_is_read_from_json() -> None:
    """Codes get IANA's names; nothing found stays nothing."""
    raw = {"versions": ["TLSv1.2"], "groups": [[0x001D], [0x0017]], "signature_algorithms": [0x0403]}
    assert found_of(raw) == FoundSettings(
        versions=("TLSv1.2",), groups=(("x25519",), ("secp256r1",)), signature_algorithms=("ecdsa_secp256r1_sha256",)
    )
    assert found_of(None) is None
