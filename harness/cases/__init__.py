"""The case list: declarations only. One decorated function is one case: its file is the topic, its name the rest of the id.

Knows the records of a case. Must not know boards, servers, the bytes of certificates, or pytest.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from harness.errors import UsageError
from harness.expectations.builders import connected
from harness.expectations.differences import with_differences
from harness.expectations.needs import CHECKS_CERTIFICATES, MBEDTLS, OFFERS_ECDHE_ECDSA, OFFERS_RSA, has_one_of
from harness.expectations.subjects import subject_of
from harness.model import (
    BoardInfo,
    Case,
    ClientPlan,
    Expectation,
    ExpectationRule,
    Need,
    ServerProfile,
    Subject,
    Tier,
    Verify,
    current_name,
)

_REGISTRY: dict[str, Case] = {}
# Topics that no set contains: their cases run on request.
ON_REQUEST = frozenset({"app"})
_ORDER = {Tier.SMOKE: 0, Tier.CORE: 1, Tier.FULL: 2}
_CLIENT_WORDS = frozenset(field.name for field in fields(ClientPlan))
_SERVER_WORDS = frozenset(field.name for field in fields(ServerProfile)) - _CLIENT_WORDS - {"certificates"}
_RSA_SUITES = "ECDHE+aRSA:kRSA+AES"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a case function returns: the server, the client, the expectation and the needs.

    With `predicted`, `expect` applies only after a successful negotiation; whether it succeeds is predicted. Without `expect`
    the prediction is all that is expected. `subject` is stated where it does not follow from the rest
    (`harness.expectations.subjects`).
    """

    server: ServerProfile
    client: ClientPlan = field(default_factory=ClientPlan)
    expect: Expectation | ExpectationRule | None = None
    subject: Subject | None = None
    predicted: bool = False
    needs: tuple[Need, ...] = ()
    positive_control: str | None = None
    without_ecdsa: Situation | None = None
    unverified: Situation | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One case of a table: its name, its text (title, then why it exists), and the situation.

    `tier` overrides that of the table.
    """

    name: str
    text: str
    situation: Situation
    tier: Tier | None = None


def checked(certificate: str, *, ca: str | tuple[str, ...] = "ca-p256", **words: Any) -> Situation:
    """Return a situation in which the board verifies the server's certificate and connects; the negotiation is predicted.

    Args:
        certificate: the server's certificate profile.
        ca: the profiles that the board trusts.
        words: other fields of `ServerProfile`, `ClientPlan` and `Situation`.
    """
    needs = (CHECKS_CERTIFICATES, *words.pop("needs", ()))
    trusted = (ca,) if isinstance(ca, str) else ca
    words.setdefault("expect", connected())
    return ordinary(certificate, verify=Verify.REQUIRED, ca=trusted, needs=needs, **words)


def ordinary(*certificates: str, **words: Any) -> Situation:
    """Return a situation in which a board meets a server with these certificates; the negotiation is predicted.

    Without `expect` the case is about the negotiation, and its predicted result is what is expected.

    Args:
        certificates: certificate profiles, one `load_cert_chain` each.
        words: fields of `ClientPlan` and `Situation`, and of `ServerProfile` (`verify` is the client's,
            `server_verify` the server's).
    """
    server = {name: words.pop(name) for name in _SERVER_WORDS if name in words}
    if "server_verify" in words:
        server["verify"] = words.pop("server_verify")
    client = {name: words.pop(name) for name in _CLIENT_WORDS if name in words}
    return Situation(
        server=ServerProfile(certificates=certificates, **server),
        client=ClientPlan(**client),
        **{"predicted": True, **words},
    )


def with_rsa_form(situation: Situation, **words: Any) -> Situation:
    """Return a situation with a P-256 key that also has a form with an RSA key, for firmware that offers no ECDHE_ECDSA suite.

    Only for a situation in which the board does not verify the server.

    Args:
        situation: with the need of an ECDHE_ECDSA suite.
        words: what else differs in the form: fields of `ServerProfile` and `ClientPlan`, the expectation if it depends on the key, and
            `needs` instead of a suite for RSA keys and mbedTLS.
    """
    server: dict[str, Any] = {"certificates": ("server-rsa2048",), "ciphers": _RSA_SUITES}
    server |= {name: words.pop(name) for name in _SERVER_WORDS if name in words}
    client = {name: words.pop(name) for name in _CLIENT_WORDS if name in words}
    kept = (need for need in situation.needs if need not in (OFFERS_ECDHE_ECDSA, MBEDTLS))
    form = replace(
        situation,
        server=replace(situation.server, **server),
        client=replace(situation.client, **client),
        needs=(*words.pop("needs", (OFFERS_RSA, MBEDTLS)), *kept),
        **words,
    )
    return replace(situation, without_ecdsa=form)


def with_unverified_form(situation: Situation, **words: Any) -> Situation:
    """Return a situation that also has a form in which the board does not verify the server, for firmware that cannot.

    Only for a situation that is about more than the verification: results of the form are marked as unverified.

    Args:
        situation: in which the board verifies the server.
        words: what else differs in the form, the expectation if it depends on the verification.
    """
    form = replace(
        situation,
        client=replace(situation.client, verify=Verify.NONE, ca=()),
        needs=tuple(need for need in situation.needs if need is not CHECKS_CERTIFICATES),
        **words,
    )
    return replace(situation, unverified=form)


def form_for(case: Case, info: BoardInfo) -> Case:
    """Return the form of a case that is for this firmware."""
    if case.unverified is not None and not info.can_verify:
        return case.unverified
    if case.without_ecdsa is None or OFFERS_ECDHE_ECDSA.met(info, {}):
        return case
    return case.without_ecdsa


def case(*, tier: Tier) -> Callable[[Callable[[], Situation]], Callable[[], Situation]]:
    """Register the decorated function as a case.

    Args:
        tier: the smallest `--cases` set that contains the case.

    Raises:
        ValueError: there is no docstring (it is the description), nothing is expected, or the id exists already.
    """

    def register(function: Callable[[], Situation]) -> Callable[[], Situation]:
        name = function.__name__.replace("_", "-")
        _register(Row(name, function.__doc__ or "", function()), module=function.__module__, tier=tier)
        return function

    return register


def table(*, tier: Tier) -> Callable[[Callable[[], Iterable[Row]]], Callable[[], Iterable[Row]]]:
    """Register every row of the decorated function as a case.

    Args:
        tier: the smallest `--cases` set that contains them; a row may override it.

    Raises:
        ValueError: a row has no text, no expectation or an invalid name, or the id exists already.
    """

    def register(function: Callable[[], Iterable[Row]]) -> Callable[[], Iterable[Row]]:
        for row in function():
            _register(row, module=function.__module__, tier=tier)
        return function

    return register


def _register(row: Row, *, module: str, tier: Tier) -> None:
    topic = module.rpartition(".")[2].replace("_", "-")
    case_id = f"{topic}/{row.name}"
    text = " ".join(row.text.split())
    if not _NAME.fullmatch(row.name):
        raise ValueError(f"{case_id}: a name consists of lower-case ASCII words and digits, joined by dashes")
    if not text:
        raise ValueError(f"{case_id}: a case needs a docstring that says why the case exists")
    if case_id in _REGISTRY:
        raise ValueError(f"{case_id}: declared twice")
    title, _, rest = text.partition(". ")
    situation = row.situation
    if situation.expect is None and not situation.predicted:
        raise ValueError(f"{case_id}: no expected result: specify `expect` or set `predicted`")
    words = {"id": case_id, "title": title.rstrip("."), "description": rest or title, "tier": row.tier or tier}
    _REGISTRY[case_id] = _declared(situation, words=words)


def _declared(situation: Situation, *, words: dict[str, Any]) -> Case:
    """Return the case of a situation; `words` are its id, texts and tier."""
    suites = situation.client.suites
    with_rsa, unverified = (
        None if form is None else _declared(form, words=words)
        for form in (situation.without_ecdsa, situation.unverified)
    )
    return Case(
        **words,
        server=situation.server,
        client=situation.client,
        expect=with_differences(words["id"], situation.expect),
        subject=subject_of(situation.server, situation.client, expect=situation.expect, stated=situation.subject),
        predicted=situation.predicted,
        needs=situation.needs if suites is None else (*situation.needs, has_one_of(suites)),
        positive_control=situation.positive_control,
        without_ecdsa=with_rsa,
        unverified=unverified,
    )


def all_cases() -> tuple[Case, ...]:
    """Load every topic file of this folder and return all cases in the order of their declaration."""
    for module in sorted(item.name for item in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return tuple(_REGISTRY.values())


def select(tier: str, cases: Iterable[Case] | None = None, *, on_request: bool = False) -> tuple[Case, ...]:
    """Return the cases of one `--cases` set: `smoke` is part of `core`, `core` of `full`.

    Args:
        tier: the name of the set.
        cases: the cases to select from; None for all.
        on_request: also those of the topics that are in no set.

    Raises:
        UsageError: there is no set of that name.
    """
    try:
        wanted = _ORDER[Tier(tier)]
    except ValueError:
        raise UsageError(f"--cases {tier!r}: expected one of {', '.join(Tier)}") from None
    given = all_cases() if cases is None else cases
    return tuple(item for item in given if (on_request if item.topic in ON_REQUEST else _ORDER[item.tier] <= wanted))


def find_case(case_id: str) -> Case:
    """Return the case with this id; a former id is accepted, too.

    Raises:
        UsageError: there is no case with that id.
    """
    all_cases()
    try:
        return _REGISTRY[current_name(case_id)]
    except KeyError:
        raise UsageError(f"unknown case {case_id!r}: run `tls-harness cases` for the list") from None
