"""Remove the problems of a connection one after the other: try the fixes of each rule, then general changes, and prove what connects.

Knows explanations and settings. It does not do handshakes itself, nor run recipes: the caller passes what does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.certificates import Unavailable
from harness.diagnose.given import CLIENT_ISSUER, GIVEN, ISSUER, GivenCertificates
from harness.diagnose.recipes import RecipeBook, changed_lines
from harness.diagnose.request import Progress
from harness.diagnose.settings import Route, Settings, changed, filled, makes_keys
from harness.diagnose.workshop import Works
from harness.explain.fixes import MADE, load
from harness.model import CaseResult, Change, Explanation, Fix, Outcome, Stage, Trial, VerdictWord, Verify

Handshake = Callable[[str, Settings], CaseResult]
"""Has one handshake under a name, with these settings; raises Unavailable where this machine cannot."""

NOT_FROM_HERE = "cannot be tried from here"
NOT_OURS = "the harness cannot change this server: change it there, then diagnose again"
BOARD_FAILED = "not tried: the board or its line failed twice before"
NO_CHANGE = "not tried: with what is known here it changes nothing; if it is about a name, give one with --hostname"
SERVER_GONE = "not tried: the server no longer accepts connections"
NO_SWITCH = "not tried: the server did not agree to start TLS, or no longer accepts connections"
# More than this prevents no connection that anybody has seen.
_PROBLEMS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was tried, in the order in which to show it, and the problems that were met, in theirs."""

    trials: tuple[Trial, ...]
    problems: tuple[Explanation, ...]


class Trials:
    """The trials of one failure.

    Args:
        handshake: makes one.
        certificates: names to certificates.
        progress: gets a line per trial.
        book: writes settings as code; None leaves the lines of the rules.
        works: makes and proves recipes; None: a handshake with the settings is the proof.
        own_server: whether the server's settings can be changed from here.
    """

    def __init__(
        self,
        handshake: Handshake,
        *,
        certificates: GivenCertificates,
        progress: Progress,
        book: RecipeBook | None = None,
        works: Works | None = None,
        own_server: bool = True,
    ) -> None:
        self._handshake = handshake
        self._certificates = certificates
        self._progress = progress
        self._book = book
        self._works = works
        self._own_server = own_server
        self._faults = 0
        self._count = 0
        self._tried: dict[str, Trial] = {}

    def all(self, start: Settings, first: CaseResult) -> Tried:
        """Remove one problem after the other until something good connects or nothing is left.

        For each problem its own fixes are tried, on top of what removed those before. The most secure ones come first, weak sessions after
        them, what is discouraged last.

        Args:
            start: the current settings.
            first: their result.
        """
        problems = [first.explanation] if first.explanation else []
        found: list[Trial] = []
        removed: Fix | None = None
        for number in range(1, _PROBLEMS + 1):
            fixes = problems[-1].fixes if problems else ()
            current = [self._one(fix, start, problem=number, removed=removed) for fix in fixes]
            found += current
            rules = {problem.rule for problem in problems}
            step = next((trial for trial in current if uncovers(trial, rules)), None)
            if step is None and self._own_server and problems and not _connects(found):
                step = self._general(start, rules, problem=number, removed=removed)
                found += [step] if step is not None else []
            if _good(found) or step is None or step.result is None or step.result.explanation is None:
                break
            removed = step.fix
            problems.append(step.result.explanation)
        if not _good(found) and not _connects(found) and self._own_server:
            found += self._ladder(start, problem=max(1, len(problems)))
        order = sorted(found, key=lambda trial: (trial.problem, trial.fix.discouraged, _is_weak(trial)))
        return Tried(trials=tuple(order), problems=tuple(problems))

    def _general(self, start: Settings, rules: Collection[str], *, problem: int, removed: Fix | None) -> Trial | None:
        """Return the first general change that connects or uncovers the next problem, if the rule's own fixes did neither."""
        for fix in ladder(start, kind=self._key_kind()):
            trial = self._one(fix, start, problem=problem, removed=removed)
            if not fix.discouraged and (trial.fix.proved or uncovers(trial, rules)):
                return replace(trial, general=True)
        return None

    # ------------------------------------------------------------------ the ladder

    def _ladder(self, start: Settings, *, problem: int) -> list[Trial]:
        """Add changes until it connects; then revert, one by one, those that were not needed."""
        steps: list[Fix] = []
        for step in ladder(start, kind=self._key_kind()):
            steps.append(step)
            found = self._one(_all(steps), start, problem=problem)
            if found.fix.proved:
                break
        for step in steps[-2::-1]:
            fewer = [other for other in steps if other is not step]
            trial = self._one(_all(fewer), start, problem=problem) if found.fix.proved else found
            if trial is not found and trial.fix.proved:
                steps, found = fewer, trial
        return [replace(found, general=True)]

    def _key_kind(self) -> str:
        """Return the kind of key of a reissued certificate: that of the server's own."""
        return "RSA" if self._certificates.make(GIVEN).facts.type == "RSA" else "EC"

    # ------------------------------------------------------------------ one

    def _one(self, fix: Fix, start: Settings, *, problem: int = 1, removed: Fix | None = None) -> Trial:
        """Try a fix on top of what removed the problems before it."""
        untried = Trial(fix=filled(fix, self._certificates), problem=problem)
        if fix.change is None:
            return replace(untried, note=NOT_FROM_HERE)
        if fix.change.server and not self._own_server:
            return replace(untried, note=NOT_OURS)
        if self._faults >= 2:
            return replace(untried, note=BOARD_FAILED)
        fix = fix if removed is None else _both(removed, fix)
        assert fix.change is not None
        try:
            settings = changed(start, fix.change, self._certificates)
            before = changed(start, removed.change, self._certificates) if removed and removed.change else start
            if settings == before:
                return replace(untried, note=NO_CHANGE)
            known = self._tried.get(repr(settings))
            if known is not None:
                same = known.fix
                fix = replace(fix, proved=same.proved, server_lines=same.server_lines, client_lines=same.client_lines)
                return replace(known, fix=fix, problem=problem)
            for name in {ISSUER, CLIENT_ISSUER} & {*settings.client.ca, *settings.server.client_ca}:
                self._certificates.make(name)
            self._count += 1
            self._progress(f"trying: {fix.title}")
            trial = self._tried_once(replace(untried, fix=filled(fix, self._certificates)), settings, start)
        except Unavailable as error:
            return replace(untried, note=f"{NOT_FROM_HERE}: {error.reason}")
        self._tried[repr(settings)] = trial
        return trial

    def _tried_once(self, untried: Trial, settings: Settings, start: Settings) -> Trial:
        """Make the recipe, try its settings with every byte recorded, and prove it by running it."""
        fix, name = untried.fix, f"diagnose/change-{self._count}"
        prepared = self._works.prepare(settings) if self._works is not None else None
        self._certificates.use(prepared.materials if prepared is not None else {})
        try:
            result = self._handshake(name, settings)
        finally:
            self._certificates.use({})
        failed, gone = result.observation is None or result.verdict.word is VerdictWord.ERROR, _gone(result)
        self._faults = self._faults + 1 if result.verdict.word is VerdictWord.ERROR else 0
        proved = None if failed or gone else _connected(result)
        note = result.verdict.reason if failed else _missing(settings.route) if gone else self._note(fix)
        recipe = prepared.recipe if prepared is not None else None
        if proved and self._works is not None and prepared is not None:
            proof = self._works.prove(prepared)
            proved, recipe, note = proof.connected, proof.recipe, proof.note or note
        trial = replace(
            untried,
            fix=replace(fix, proved=proved),
            result=result if result.observation is not None and not gone else None,
            note=note,
            recipe=recipe,
        )
        return self._as_code(trial, settings, start)

    def _as_code(self, trial: Trial, settings: Settings, start: Settings) -> Trial:
        """Show the lines that this change really changes, and both sides' settings with it."""
        if self._book is None:
            return trial
        server, client = self._book.server_lines(settings), self._book.client_lines(settings)
        fix = trial.fix
        if self._own_server:
            fix = replace(fix, server_lines=changed_lines(self._book.server_lines(start), server))
        fix = replace(fix, client_lines=changed_lines(self._book.client_lines(start), client))
        return replace(trial, fix=fix, server_lines=server, client_lines=client)

    def _note(self, fix: Fix) -> str | None:
        """Return what it was tried with, if that is not the user's own."""
        change = fix.change
        if change is None:
            return None
        if ISSUER in change.client.get("ca", ()):
            return f"tried with the issuer found in {self._certificates.places[ISSUER].text}"
        if makes_keys(change, self._certificates):
            host = self._certificates.host
            return f"tried with a key, a certificate{f' for {host}' if host else ''} and a CA made by the commands"
        return None


def ladder(start: Settings, *, kind: str) -> list[Fix]:
    """General changes, the most secure first: each is added to those before it. Changes without effect are omitted.

    Args:
        start: the current settings.
        kind: of the server's own key, `EC` or `RSA`.
    """
    server, client = start.server, start.client
    steps: list[Fix] = []
    if client.verify is not Verify.NONE:
        steps.append(
            Fix(
                title="a certificate from your own CA on the server, and that CA on the board",
                server_lines=(load(f"{kind.lower()}-cert.pem", f"{kind.lower()}-key.pem"),),
                change=Change(server={"certificates": (MADE[kind],)}),
            )
        )
    steps += [
        Fix(
            title="an EC key on P-256",
            server_lines=(load("ec-cert.pem", "ec-key.pem"),),
            change=Change(server={"certificates": (MADE["EC"],)}),
        ),
        Fix(
            title="add an RSA key",
            server_lines=(load("rsa-cert.pem", "rsa-key.pem"),),
            change=Change(server={"certificates": (MADE["EC"], MADE["RSA"])}),
        ),
    ]
    if server.ciphers is not None:
        line = "# remove the call to context.set_ciphers(...)"
        steps.append(Fix(title="Python's own suites", server_lines=(line,), change=Change(server={"ciphers": None})))
    if server.minimum_version is not None or server.maximum_version is not None:
        line = "context.minimum_version = ssl.TLSVersion.TLSv1_2"
        change = Change(server={"minimum_version": "TLSv1.2", "maximum_version": None})
        steps.append(Fix(title="TLS 1.2 and newer", server_lines=(line,), change=change))
    if server.curve is not None:
        line = "# remove the call to context.set_ecdh_curve(...)"
        steps.append(Fix(title="OpenSSL's own groups", server_lines=(line,), change=Change(server={"curve": None})))
    if client.suites is not None:
        line = "# remove the call to context.set_ciphers(...)"
        steps.append(Fix(title="the board's own suites", client_lines=(line,), change=Change(client={"suites": None})))
    if "pem" in (client.ca_format, client.certificate_format):
        change = Change(client={"ca_format": "der", "certificate_format": "der"})
        steps.append(Fix(title="DER files on the board", change=change))
    if server.verify is not Verify.NONE:
        change = Change(
            server={"client_ca": ("*", "ca-p256")}, client={"certificate": "client-p256", "certificate_format": "der"}
        )
        steps.append(Fix(title="a client certificate from a CA that the server has", change=change))
    steps.append(
        Fix(
            title="every suite that OpenSSL has, without certificate checks",
            discouraged=True,
            because="this only shows that the board can connect at all: anyone on the network path can read and change everything",
            server_lines=('context.set_ciphers("DEFAULT")', "context.verify_mode = ssl.CERT_NONE"),
            change=Change(server={"ciphers": "DEFAULT", "verify": "none"}, client={"verify": "none", "ca": ()}),
        )
    )
    return steps


def _all(steps: Sequence[Fix]) -> Fix:
    return functools.reduce(_both, steps)


def _both(one: Fix, other: Fix) -> Fix:
    """Combine two changes into one."""
    first, second = one.change or Change(), other.change or Change()
    server = {**first.server, **_after(first.server, second.server)}
    client = {**first.client, **_after(first.client, second.client)}
    route = {**first.route, **second.route}
    return Fix(
        title=f"{one.title}; and {other.title}",
        discouraged=one.discouraged or other.discouraged,
        because=other.because or one.because,
        server_lines=tuple(dict.fromkeys((*one.server_lines, *other.server_lines))),
        client_lines=tuple(dict.fromkeys((*one.client_lines, *other.client_lines))),
        change=Change(server=server, client=client, route=route),
    )


def _after(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the later values; a placeholder for present values is filled with the earlier ones."""
    result: dict[str, Any] = {}
    for name, value in second.items():
        if isinstance(value, tuple) and "*" in value and isinstance(first.get(name), tuple):
            value = tuple(item for word in value for item in (first[name] if word == "*" else (word,)))
        result[name] = value
    return result


def uncovers(trial: Trial, rules: Collection[str]) -> bool:
    """Return whether this change removed its problem and led to another one, whose rule is not among these."""
    said = trial.result.explanation if trial.result is not None else None
    return said is not None and not trial.fix.discouraged and trial.fix.proved is False and said.rule not in rules


def _missing(route: Route) -> str:
    """Say what a server lacks that did not accept a connection this time."""
    if route.port is not None:
        return f"not tried: nothing accepts connections at port {route.port} of this server"
    return SERVER_GONE if route.starttls is None else NO_SWITCH


def _gone(result: CaseResult) -> bool:
    """Return whether a foreign server did not accept a connection this time."""
    failure = result.observation.server if result.observation is not None else None
    return failure is not None and failure.stage is Stage.CONNECT


def _connected(result: CaseResult) -> bool:
    seen = result.observation
    return seen is not None and seen.outcome is Outcome.CONNECTED and result.verdict.word is VerdictWord.PASS


def _good(trials: Sequence[Trial]) -> bool:
    """Whether a fix was proved that is neither discouraged nor leads to a weak session."""
    return any(trial.fix.proved and not trial.fix.discouraged and not _is_weak(trial) for trial in trials)


def _connects(trials: Sequence[Trial]) -> bool:
    """Whether a fix was proved that is not discouraged, weak or not: the general changes would find nothing better."""
    return any(trial.fix.proved and not trial.fix.discouraged for trial in trials)


def _is_weak(trial: Trial) -> bool:
    seen = trial.result.observation if trial.result is not None else None
    return seen is not None and bool(seen.weak)
