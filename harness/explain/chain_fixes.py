"""What to do about a problem of a server's chain: the lines name the files in which the certificates are. Pure."""

from __future__ import annotations

import shlex

from harness.certificates.chain_problems import NOT_AN_ISSUER, Link, Problem, Reading, Reason
from harness.explain import fixes
from harness.explain.client_lines import connecting
from harness.explain.evidence import Evidence
from harness.model import Change, Command, Fix

#: The chain in order, as one file.
FULL_CHAIN_FILE = "fullchain.pem"
FULL_CHAIN = Fix(
    title="send the intermediates too: fullchain.pem instead of cert.pem",
    server_lines=("$ cat cert.pem intermediate.pem > fullchain.pem", fixes.load(FULL_CHAIN_FILE, "key.pem")),
)


def chain_commands(links: tuple[Link, ...]) -> tuple[Command, ...] | None:
    """Return the commands that write these certificates into one PEM file, in this order; None if one is in no file.

    A certificate that is alone in its PEM file is copied as it is; any other is taken out of its file first.
    """
    commands: list[Command] = []
    parts: list[str] = []
    for number, link in enumerate(links, start=1):
        at = link.at
        if at.source is None:
            return None
        if at.form == "pem" and at.count == 1:
            parts.append(at.source)
            continue
        part = f"chain-{number}.pem"
        if at.form == "der" and at.number == 1:
            convert = ("openssl", "x509", "-inform", "der", "-in", at.source, "-out", part)
            commands.append(Command(arguments=convert, creates=(part,)))
        elif at.form == "pem":
            taken = ("awk", f"/-----BEGIN CERTIFICATE/ {{n++}} n == {at.number}", at.source)
            commands.append(Command(arguments=taken, creates=(part,), output=part))
        else:
            return None
        parts.append(part)
    joined = Command(arguments=("cat", *parts), creates=(FULL_CHAIN_FILE,), output=FULL_CHAIN_FILE)
    return (*commands, joined)


def command_line(command: Command) -> str:
    """Return a command as a line for a shell."""
    line = shlex.join(command.arguments)
    return f"$ {line} > {shlex.quote(command.output)}" if command.output is not None else f"$ {line}"


def trust_fixes(evidence: Evidence, reading: Reading, problem: Problem | None) -> tuple[Fix, ...]:
    """Return what helps against the reason why the board does not trust the server's certificate, the best first."""
    reason = problem.reason if problem is not None else Reason.UNKNOWN_ISSUER
    trust = fixes.trust(evidence.info, host=evidence.case.client.server_hostname)
    if reason in (Reason.MISSING, Reason.WRONG_ORDER):
        return (_complete(reading, reason),)
    if reason is Reason.NOT_LOADED:
        return (_load_each(evidence),)
    if reason in (Reason.OTHER_CA, Reason.UNTRUSTED_ROOT, Reason.LEAF_TRUSTED):
        return (trust,)
    if reason is Reason.OTHER_KEY:
        return (
            (trust, _issued_by_the_new_ca(evidence))
            if problem and problem.detail
            else (_issued_by_the_new_ca(evidence),)
        )
    if reason is Reason.SELF_SIGNED:
        own = "issue the server's certificate from a CA of your own, and load that CA"
        return Fix(title=own, change=fixes.issued_again(evidence)), trust
    if reason in NOT_AN_ISSUER:
        return (_proper_ca(evidence, problem),)
    return FULL_CHAIN, trust


def _complete(reading: Reading, reason: Reason) -> Fix:
    commands = chain_commands(reading.complete)
    lines = tuple(map(command_line, commands)) if commands is not None else FULL_CHAIN.server_lines[:1]
    what = "in order" if reason is Reason.WRONG_ORDER else "with the intermediate"
    return Fix(
        title=f"send the chain {what}: the server's certificate, then its issuer, then the issuer of that, without the root",
        server_lines=(*lines, fixes.load(FULL_CHAIN_FILE, "key.pem")),
        change=Change(server={"certificates": ("complete",)}) if commands is not None else None,
    )


def _load_each(evidence: Evidence) -> Fix:
    return Fix(
        title="give the board each certificate as a file of its own, and call load_verify_locations once per file",
        client_lines=connecting(evidence.info, host=evidence.case.client.server_hostname, ca=True),
        change=Change(client={"ca": ("every-ca",), "ca_format": "der"}),
    )


def _issued_by_the_new_ca(evidence: Evidence) -> Fix:
    return Fix(
        title="issue the server's certificate again with the CA that the board has, or give the board the new CA",
        change=fixes.issued_again(evidence),
    )


def _proper_ca(evidence: Evidence, problem: Problem | None) -> Fix:
    name = problem.link.parsed.name if problem is not None and problem.link is not None else "the issuer"
    wanted = {
        Reason.PATH_LENGTH: "with a larger pathlen",
        Reason.NO_CERT_SIGN: "with keyUsage=critical,keyCertSign,cRLSign",
    }.get(problem.reason if problem is not None else Reason.NOT_CA, "with basicConstraints=critical,CA:TRUE")
    return Fix(
        title=f"issue {name!r} again {wanted}, and the server's certificate from it; or use a CA of your own",
        change=fixes.issued_again(evidence),
    )


def renewal(evidence: Evidence, problem: Problem | None) -> tuple[Fix, ...]:
    """Return what helps against an expired certificate."""
    renewed = problem.other if problem is not None else None
    if renewed is not None:
        return (fixes.trust(evidence.info, host=evidence.case.client.server_hostname),)
    what = "it" if problem is None or problem.link is None else f"{problem.link.parsed.name!r}"
    return (
        Fix(
            title=f"renew {what}, and restart the server so that it loads the new file",
            change=fixes.issued_again(evidence),
        ),
    )
