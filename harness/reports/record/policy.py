"""A policy for TLS sessions and servers (TOML), and what breaks it in a run or in what a server accepts. Pure but for reading one file.

A rule that the evidence cannot decide counts as broken and says so: a check must not pass because evidence is missing. Must not know how a
judgement is shown.
"""

from __future__ import annotations

import difflib
import fnmatch
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import msgspec

from harness.errors import UsageError
from harness.model import KeyFacts, Outcome, ServerFacts, TlsVersion, VerdictWord
from harness.oracle.weakness import curve_bits
from harness.reports.record.columns import column_name
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Number, Observed, Result
from harness.reports.record.run_types import RunRecord
from harness.system.user_files import FileRefused, read_file
from harness.wire.suites import suite_code, suite_info, suite_name
from harness.wire.versions import version_code

_SIZE_LIMIT_BYTES = 1 << 20
# Suites whose server proves itself without a certificate.
_NO_CERTIFICATE = ("PSK", "SRP", "ECJPAKE", "anon")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The rules, each a key of the file; a rule that is None, false or empty is not checked."""

    name: str = "policy"
    minimum_version: TlsVersion | None = None
    forward_secrecy: bool = False
    forbidden_suites: tuple[str, ...] = ()
    rsa_bits: Number | None = None
    ec_bits: Number | None = None
    forbidden_hashes: tuple[str, ...] = ()
    verification: bool = False

    def meaning(self, rule: str) -> str:
        """Return what a rule asks for, in a few words."""
        return {
            "minimum_version": f"{self.minimum_version} or newer",
            "forward_secrecy": "an ephemeral key exchange",
            "forbidden_suites": "none of the forbidden suites",
            "rsa_bits": f"RSA keys of at least {self.rsa_bits} bits",
            "ec_bits": f"curves of at least {self.ec_bits} bits",
            "forbidden_hashes": f"no certificate signed with {', '.join(self.forbidden_hashes)}",
            "verification": "the board verifies the server's certificate",
        }[rule]

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that are checked, in the order of the file."""
        return tuple(rule for rule in self.__struct_fields__ if rule != "name" and getattr(self, rule))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offence:
    """What breaks a rule, and where: a cell of the run, or the server itself. `known` is false where the evidence cannot decide."""

    rule: str
    text: str
    board: str = ""
    server: str = ""
    case: str = ""
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was judged and what breaks the policy. `judged` counts sessions; 1 for a server."""

    judged: int
    offences: tuple[Offence, ...]
    not_judged: tuple[str, ...] = ()


def packaged_text() -> str:
    """Return the default policy file."""
    return resources.files("harness.reports.record").joinpath("policy.toml").read_text(encoding="utf-8")


def read_policy(path: str | None) -> Policy:
    """Read a policy file; the packaged one for None.

    Raises:
        UsageError: one line that says what is wrong with the file.
    """
    if path is None:
        return parse_policy(packaged_text(), where="the packaged policy")
    where = one_line(f"--policy {path}")
    try:
        data = read_file(Path(path), limit_bytes=_SIZE_LIMIT_BYTES)
    except FileRefused as error:
        raise UsageError(
            f"{where}: cannot be read ({error.reason}); `tls-harness report check --print-policy` prints one to start from"
        ) from error
    return parse_policy(data, where=where)


def parse_policy(data: str | bytes, *, where: str) -> Policy:
    """Parse a policy.

    Args:
        data: TOML.
        where: the file's name, for messages.

    Raises:
        UsageError: it is not TOML, or has an unknown key or a value of the wrong type.
    """
    try:
        values = tomllib.loads(data if isinstance(data, str) else data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: not TOML: byte {error.start} is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not TOML: {one_line(str(error.args[0]))}") from error
    for key in values:
        if key not in Policy.__struct_fields__:
            near = difflib.get_close_matches(key, Policy.__struct_fields__, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(Policy.__struct_fields__)}"
            raise UsageError(f"{where}: unknown key {one_line(key)[:80]!r}; {hint}")
    try:
        policy = msgspec.convert(values, Policy)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{where}: {one_line(str(error.args[0]))}; `tls-harness report check --print-policy` shows a value for each key"
        ) from error
    if not policy.rules:
        raise UsageError(f"{where}: has no rule; expected one of {', '.join(Policy.__struct_fields__[1:])}")
    return policy


# ----------------------------------------------------------------------------------------------- a run


def judge_run(run: RunRecord, policy: Policy, *, cases: Sequence[str] = ()) -> Judgement:
    """Judge every session of a run.

    Args:
        run: the record.
        policy: the rules.
        cases: patterns of case ids; empty for all.
    """
    sessions, found = 0, []
    for result in run.results:
        seen = result.observed
        chosen = not cases or any(fnmatch.fnmatchcase(result.case, pattern) for pattern in cases)
        if seen is None or result.outcome is not Outcome.CONNECTED or not chosen:
            continue
        sessions += 1
        found += [
            Offence(
                rule=rule, text=text, known=known, board=column_name(result), server=result.server, case=result.case
            )
            for rule, text, known in _session(result, seen, policy)
        ]
    return Judgement(judged=sessions, offences=tuple(dict.fromkeys(found)))


_Broken = tuple[str, str, bool]


def _session(result: Result, seen: Observed, policy: Policy) -> Iterator[_Broken]:
    negotiated = seen.negotiated
    code = suite_code(negotiated.suite or "")
    if policy.minimum_version and (broken := _too_old(negotiated.version, policy.minimum_version)) is not None:
        yield "minimum_version", broken, negotiated.version is not None
    yield from _suite(code, negotiated.suite, policy)
    info = suite_info(code) if code is not None else None
    has_certificate = info is None or not any(word in info.authentication for word in _NO_CERTIFICATE)
    if seen.server_key is not None:
        yield from _key(seen.server_key, policy)
    elif has_certificate:
        for rule in ("rsa_bits", "ec_bits", "forbidden_hashes"):
            if getattr(policy, rule):
                yield rule, "the record does not say which key the server used", False
    yield from _group(negotiated.group, policy)
    if policy.verification:
        if result.verdict is VerdictWord.INSECURE:
            yield "verification", "the board accepted what it had to refuse", True
        elif seen.verified is not True:
            known = seen.verified is not None
            yield (
                "verification",
                "not verified" if known else "the record does not say whether the board verified the certificate",
                known,
            )


def _too_old(version: str | None, minimum: str) -> str | None:
    if version is None:
        return "the version is not known"
    return version if (version_code(version) or 0) < (version_code(minimum) or 0) else None


def _suite(code: int | None, name: str | None, policy: Policy) -> Iterator[_Broken]:
    info = suite_info(code) if code is not None else None
    if policy.forward_secrecy and (info is None or not info.forward_secret):
        yield "forward_secrecy", name or "the suite is not known", info is not None
    if policy.forbidden_suites and name is None:
        yield "forbidden_suites", "the suite is not known", False
    if any(fnmatch.fnmatchcase(name or "", pattern) for pattern in policy.forbidden_suites):
        yield "forbidden_suites", name or "", True


def _key(key: KeyFacts, policy: Policy) -> Iterator[_Broken]:
    least = {"RSA": policy.rsa_bits, "RSA-PSS": policy.rsa_bits, "EC": policy.ec_bits}.get(key.type)
    if least is not None and key.bits < least:
        yield "ec_bits" if key.type == "EC" else "rsa_bits", f"the server's {key.bits}-bit {key.type} key", True
    if key.signature_hash in policy.forbidden_hashes:
        yield "forbidden_hashes", f"the server's certificate is signed with {key.signature_hash}", True


def _group(group: str | None, policy: Policy) -> Iterator[_Broken]:
    bits = curve_bits(group or "")
    if policy.ec_bits and bits is not None and bits < policy.ec_bits:
        yield "ec_bits", f"the {bits}-bit group {group}", True


# ----------------------------------------------------------------------------------------------- a server


def judge_server(facts: ServerFacts, policy: Policy) -> Judgement:
    """Judge what a server accepts: every version, suite, group and key of it that was found.

    Args:
        facts: as probed.
        policy: the rules; whether a board verifies cannot be seen at a server.
    """
    found: list[_Broken] = []
    if policy.minimum_version and (broken := _too_old(facts.minimum_version, policy.minimum_version)) is not None:
        found.append(("minimum_version", f"accepts {broken}", facts.minimum_version is not None))
    for code, _protocol, _name in facts.suites:
        found += [(rule, f"accepts {text}", known) for rule, text, known in _suite(code, suite_name(code), policy)]
    for key in facts.keys:
        found += _key(key, policy)
    for group in facts.groups or ():
        found += [(rule, f"accepts {text}", known) for rule, text, known in _group(group, policy)]
    if not facts.keys:
        rules = ("rsa_bits", "ec_bits", "forbidden_hashes")
        found += [(rule, "its certificate is not known", False) for rule in rules if getattr(policy, rule)]
    not_judged = [policy.meaning("verification")] if policy.verification else []
    if policy.ec_bits and facts.groups is None:
        not_judged.append("which groups it accepts")
    offences = tuple(dict.fromkeys(Offence(rule=rule, text=text, known=known) for rule, text, known in found))
    return Judgement(judged=1, offences=offences, not_judged=tuple(not_judged))
