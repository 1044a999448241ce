"""The prediction against this machine's OpenSSL: real contexts, real ClientHello bytes, no board, no network.

Every combination feeds a ClientHello to a MemoryBIO server and compares OpenSSL's reaction (ServerHello and group, or
error and alert) with what was computed from the same hello and the live settings of the same context. With THINNING at
1 this was also run manually under OpenSSL 3.5.9 and 3.6.5 (this interpreter, Debian's libssl), and the same contexts and
hellos under Python 3.9 with 1.1.1w: no difference in 88 276 comparisons each.
"""

from __future__ import annotations

import itertools
import ssl
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from harness.model import Expectation, Outcome, ServerFacts, Side
from harness.oracle.predict import explain_selection, predict
from harness.server.engine.tls_contexts import context_facts
from harness.server.engine_records import facts_of
from harness.wire.groups import group_name
from harness.wire.handshake import (
    MessageJoiner,
    parse_server_hello,
    parse_server_key_exchange,
    read_client_hello,
)
from harness.wire.records import ALERT, HANDSHAKE, RecordSplitter
from harness.wire.suites import suite_name
from harness.wire.versions import version_name

# Certificate name -> file and facts, and hello name -> record: both made in conftest.py.
Certificates = Mapping[str, Any]
Hellos = Mapping[str, bytes]


@dataclass(frozen=True)
class Settings:
    """The settings of one server context."""

    keys: tuple[str, ...] = ("rsa",)
    ciphers: str | None = None
    versions: tuple[str | None, str | None] = (None, None)
    curve: str | None = None
    client_decides: bool = False


def build(settings: Settings, certificates: Certificates) -> tuple[ssl.SSLContext, ServerFacts] | None:
    """Make the context and its facts; None if this OpenSSL refuses the settings, which is a config failure."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            if settings.ciphers is not None:
                context.set_ciphers(settings.ciphers)
            low, high = (ssl.TLSVersion[v.replace(".", "_")] if v else None for v in settings.versions)
            if low is not None:
                context.minimum_version = low
            if high is not None:
                context.maximum_version = high
            for key in settings.keys:
                context.load_cert_chain(certificates[key].path)
            if settings.curve is not None:
                context.set_ecdh_curve(settings.curve)
        except (ssl.SSLError, ValueError):
            return None
        if settings.client_decides:
            context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        raw = context_facts(context, {"curve": settings.curve})
    facts = facts_of(raw, keys=[certificates[key].facts for key in settings.keys], behaviour={})
    assert facts is not None
    return context, facts


def answer(context: ssl.SSLContext, hello: bytes) -> tuple[object, ...]:
    """Let OpenSSL answer: ("ok", version, suite, group), or ("refused", reason, alert code)."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(hello)
    try:
        server.do_handshake()
    except ssl.SSLWantReadError:
        return choice(outgoing.read())
    except ssl.SSLError as exc:
        return refusal(outgoing.read(), reason=exc.reason)
    raise AssertionError("a handshake cannot end after one message")


def refusal(flight: bytes, *, reason: str | None) -> tuple[object, ...]:
    """Read the alert of a refusal."""
    splitter = RecordSplitter()
    splitter.feed(flight)
    alerts = [record.payload[1] for record in iter(splitter.next_record, None) if record.content_type == ALERT]
    return ("refused", reason, alerts[0] if alerts else None)


def choice(flight: bytes) -> tuple[object, ...]:
    """Read the negotiated values from a flight that begins with a ServerHello."""
    splitter, joiner = RecordSplitter(), MessageJoiner()
    splitter.feed(flight)
    for record in iter(splitter.next_record, None):
        if record.content_type != HANDSHAKE:
            break
        joiner.feed(record.payload)
    first = joiner.next_message()
    assert first is not None
    found = parse_server_hello(first.body)
    group = found.group
    if group is None:
        for message in iter(joiner.next_message, None):
            if message.name == "ServerKeyExchange":
                group = parse_server_key_exchange(message.body, suite=found.suite, version=found.version).group
    named = None if group is None else group_name(group)
    return ("ok", version_name(found.version), suite_name(found.suite), named)


def predicted(expectation: Expectation) -> tuple[object, ...]:
    """Convert a prediction to the form of `answer`; a refusal by the client is an older ServerHello here."""
    if expectation.ended_by is Side.CLIENT:
        return ("older-server-hello",)
    if expectation.outcome is Outcome.CONNECTED:
        return ("ok", expectation.version, expectation.suite, expectation.group)
    assert expectation.alert is not None
    return ("refused", expectation.server_reason, expectation.alert.code)


def compare(settings: Settings, certificates: Certificates, *, hellos: Hellos) -> Iterator[tuple[str, object, object]]:
    """Compare some hellos against one context: (hello, OpenSSL's answer, prediction)."""
    built = build(settings, certificates)
    if built is None:
        return
    context, facts = built
    for name, data in hellos.items():
        hello = read_client_hello(data)
        assert hello is not None
        seen, computed = answer(context, data), predicted(predict(hello, facts))
        if computed == ("older-server-hello",) and seen[:2] in (("ok", "TLSv1"), ("ok", "TLSv1.1")):
            seen = computed
        yield name, seen, computed


KEY_SETS: tuple[tuple[str, ...], ...] = (
    *((), ("rsa",), ("p224",), ("p256",), ("p384",), ("p521",), ("k256",), ("bp256",), ("ed25519",), ("ed448",)),
    *(
        ("rsa", "p256"),
        ("p256", "ed25519"),
        ("rsa", "ed25519"),
        ("rsa", "bp256"),
        ("ed25519", "ed448"),
        ("rsa-keyenc",),
    ),
    *(("p256-certsign",), ("rsa", "p256-certsign"), ("p256", "p384"), ("rsa1024",)),
    *(("rsa-pss",), ("rsa", "rsa-pss"), ("rsa-pss", "p256"), ("rsa512",)),
)
CIPHERS = (
    None,
    "DEFAULT",
    "ALL:@SECLEVEL=0",
    "ALL:@SECLEVEL=1",
    "ALL:@SECLEVEL=3",
    "AES128-SHA256",
    "ECDHE-RSA-AES128-SHA",
)
MORE_CIPHERS = ("ALL:@SECLEVEL=4", "ALL:@SECLEVEL=5", "PSK:DHE:kRSA", "ECDHE+CHACHA20:ECDHE+AES", "ALL:COMPLEMENTOFALL")
VERSIONS: tuple[tuple[str | None, str | None], ...] = (
    *((None, None), ("TLSv1.2", "TLSv1.2"), ("TLSv1.3", "TLSv1.3"), (None, "TLSv1.2")),
    *(("TLSv1", "TLSv1.1"), ("TLSv1.1", "TLSv1.1"), ("TLSv1", "TLSv1"), ("TLSv1", None)),
)
GROUPS = ("prime256v1", "secp384r1", "secp521r1", "X25519", "secp256k1", "brainpoolP256r1", "secp224r1")


# Each context gets every ninth hello, the next context the following ones; 1 compares all with all (half a minute).
THINNING = 9


def differences(every: Iterable[Settings], certificates: Certificates, hellos: Hellos) -> tuple[int, list[str]]:
    """Run many contexts; count the comparisons and describe the differences."""
    counted, wrong = 0, []
    for index, settings in enumerate(every):
        if any(key not in certificates for key in settings.keys):
            continue
        some = dict(itertools.islice(hellos.items(), index % THINNING, None, THINNING))
        for name, seen, computed in compare(settings, certificates, hellos=some):
            counted += 1
            if seen != computed:
                wrong.append(f"{settings} {name}: OpenSSL {seen}, predicted {computed}")
    return counted, wrong


@pytest.mark.parametrize("keys", KEY_SETS, ids="+".join)
def test_keys_with_suites_and_versions(keys: tuple[str, ...], certificates: Certificates, hellos: Hellos) -> None:
    """Every key set under every suite string and version range chooses or fails as predicted."""
    every = (Settings(keys=keys, ciphers=c, versions=v) for c, v in itertools.product(CIPHERS, VERSIONS))
    counted, wrong = differences(every, certificates, hellos)
    assert wrong == []
    assert counted > 40 or not set(keys) <= set(certificates)


@pytest.mark.parametrize("ciphers", MORE_CIPHERS)
def test_rare_suite_strings(ciphers: str, certificates: Certificates, hellos: Hellos) -> None:
    """High security levels, suites without a key exchange here, and other orders choose or fail as predicted."""
    every = [Settings(keys=k, ciphers=ciphers, versions=v) for k in (("rsa", "p384"), ("p521",)) for v in VERSIONS]
    counted, wrong = differences(every, certificates, hellos)
    assert (counted > 50, wrong) == (True, [])


@pytest.mark.parametrize("curve", GROUPS)
def test_one_group(curve: str, certificates: Certificates, hellos: Hellos) -> None:
    """A server restricted to one group accepts, sends a HelloRetryRequest, or fails as predicted."""
    keys, versions = (("rsa",), ("p256",), ("rsa", "p521")), VERSIONS[:5]
    products = itertools.product(keys, versions, (None, "ALL:@SECLEVEL=0", "ALL:@SECLEVEL=3"))
    every = [Settings(keys=k, versions=v, ciphers=c, curve=curve) for k, v, c in products]
    counted, wrong = differences(every, certificates, hellos)
    assert wrong == []
    # Before 3.11.7 set_ecdh_curve does not know X25519 (docs/facts/python-ssl.md), and a distribution may leave curves out.
    assert counted > 50 or curve in ("X25519", "secp256k1", "brainpoolP256r1", "secp224r1")


def test_the_client_decides(certificates: Certificates, hellos: Hellos) -> None:
    """Without OP_CIPHER_SERVER_PREFERENCE suites, groups and signatures follow the client's order."""
    keys = (("rsa",), ("p256",), ("rsa", "p256"), ("p256", "ed25519"))
    products = itertools.product(keys, VERSIONS[:5], (None, "ALL:@SECLEVEL=0"))
    every = [Settings(keys=k, versions=v, ciphers=c, client_decides=True) for k, v, c in products]
    counted, wrong = differences(every, certificates, hellos)
    assert (counted > 150, wrong) == (True, [])


def test_the_table_of_suites_agrees_with_the_prediction(certificates: Certificates, hellos: Hellos) -> None:
    """A suite is marked as chosen exactly if the prediction names it, and never together with a reason against it."""
    for keys, data in itertools.product((("rsa",), ("p256",), ("rsa", "p256"), ()), hellos.values()):
        built, hello = build(Settings(keys=keys), certificates), read_client_hello(data)
        assert built is not None
        assert hello is not None
        verdicts, expectation = explain_selection(hello, built[1]), predict(hello, built[1])
        chosen = [verdict for verdict in verdicts if verdict.chosen]
        assert [verdict.code for verdict in verdicts] == list(hello.suites)
        assert all(not verdict.reasons for verdict in chosen)
        if expectation.server_reason == "NO_SHARED_CIPHER":
            assert all(verdict.reasons for verdict in verdicts)
        if expectation.outcome is Outcome.CONNECTED:
            assert [verdict.name for verdict in chosen] == [expectation.suite]
