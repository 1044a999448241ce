"""What is wrong with a chain, in words: which certificate, where it is, and why it is refused. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.certificates.chain_problems import Link, Problem, Reading, Reason, Role
from harness.certificates.placed import Origin, Placed

_COUNTED = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_HASHES = {"md5": "MD5", "sha1": "SHA-1", "sha224": "SHA-224"}
_EXTENSIONS = {"2.5.29.30": "nameConstraints", "2.5.29.36": "policyConstraints", "2.5.29.54": "inhibitAnyPolicy"}
_ROLES = {"serverAuth": "servers", "clientAuth": "clients"}
_SHOWN_NAMES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Whose certificate it is and who verifies it, as words for a sentence."""

    owner: str = "server"
    verifier: str = "board"


def sentence(problem: Problem, *, sides: Sides | None = None) -> str:
    """Return one certificate and one reason as a clause, e.g. `the intermediate 'X' (int.pem, second certificate) has no CA:TRUE`."""
    return _SENTENCES[problem.reason](problem, sides or Sides())


def further(reading: Reading, first: Problem | None, *, sides: Sides | None = None) -> tuple[str, ...]:
    """Return every other problem of a chain, a line each."""
    return tuple(f"also: {sentence(problem, sides=sides)}" for problem in reading.problems if problem != first)


def first_of(reading: Reading, reasons: Iterable[Reason]) -> Problem | None:
    """Return the first problem with one of these reasons."""
    return next(iter(reading.of(reasons)), None)


def titled(problem: Problem | None) -> str:
    """Return the sentence of a problem of the server's chain; empty, for the catalogue's sentence, if the chain does not show it."""
    return sentence(problem) if problem is not None else ""


def counted(number: int) -> str:
    """Return `second` for 2."""
    return _COUNTED[number - 1] if number <= len(_COUNTED) else f"{number}th"


def place(at: Placed) -> str:
    """Return where a certificate is: its file and, if there are several, its number in it; empty if nothing is known."""
    which = counted(at.number)
    if at.file is not None:
        return at.file if at.count == 1 else f"{at.file}, {which} certificate"
    return f"{which} of {at.count} that were sent" if at.origin is Origin.SENT and at.count > 1 else ""


def named(link: Link, role: Role, *, owner: str) -> str:
    """Return a certificate with its role, its name and its place."""
    where = place(link.at)
    what = {Role.LEAF: f"the {owner}'s certificate", Role.INTERMEDIATE: "the intermediate", Role.ROOT: "the CA"}[role]
    called = f" {link.parsed.name!r}" if role is not Role.LEAF else ""
    return f"{what}{called}{f' ({where})' if where else ''}"


# ----------------------------------------------------------------------------------------------- the sentences


def _it(problem: Problem, sides: Sides) -> str:
    if problem.link is None:
        return f"the {counted(problem.at.number)} certificate that the {sides.owner} sends"
    return named(problem.link, problem.role, owner=sides.owner)


def _other(problem: Problem, sides: Sides, *, leaf: str | None = None) -> str:
    """The other certificate by name; one that is not a CA is the leaf."""
    other = problem.other
    if other is None:
        return "another certificate"
    return repr(other.parsed.name) if other.parsed.ca else (leaf or f"the {sides.owner}'s certificate")


def _found_at(link: Link) -> str:
    where = place(link.at)
    return f"it is in {where}" if where else "it was sent before it"


def _says(text: str) -> Callable[[Problem, Sides], str]:
    """A sentence with the certificate in front; `{detail}`, `{owner}` and `{verifier}` are filled in."""

    def said(problem: Problem, sides: Sides) -> str:
        filled = text.format(detail=problem.detail, owner=sides.owner, verifier=sides.verifier)
        return f"{_it(problem, sides)} {filled}"

    return said


def _missing(problem: Problem, sides: Sides) -> str:
    assert problem.link is not None
    return f"the {sides.owner} does not send the intermediate {problem.link.parsed.name!r}; {_found_at(problem.link)}"


def _order(problem: Problem, sides: Sides) -> str:
    return (
        f"the chain is in the wrong order: {_it(problem, sides)} comes before {_other(problem, sides)}, which it issued"
    )


def _not_loaded(problem: Problem, sides: Sides) -> str:
    why = "of several DER certificates in one file MicroPython reads only the first"
    return f"the {sides.verifier} does not get {_it(problem, sides)}: {why}"


def _other_key(problem: Problem, sides: Sides) -> str:
    assert problem.other is not None
    right = f"; the right one is in {problem.detail}" if problem.detail else ""
    trusted = named(problem.other, Role.ROOT if problem.other.trusted else Role.INTERMEDIATE, owner=sides.owner)
    if problem.role is Role.ROOT:
        return f"{trusted} and {_it(problem, sides)} have the same name, but different keys{right}"
    return f"{trusted} has the right name but not the key that signed {_it(problem, sides)}: the CA was generated again{right}"


def _other_ca(problem: Problem, sides: Sides) -> str:
    return f"{_it(problem, sides)} issued {_other(problem, sides)}, but the {sides.verifier} does not trust it"


def _unknown(problem: Problem, sides: Sides) -> str:
    return f"{_it(problem, sides)} was issued by {problem.detail!r}, which is neither sent nor trusted"


def _no_root(problem: Problem, sides: Sides) -> str:
    found = f"; {_found_at(problem.other)}" if problem.other is not None else ""
    return (
        f"{_it(problem, sides)} is trusted, but the root {problem.detail!r} is missing: OpenSSL needs it as well{found}"
    )


def _leaf_trusted(problem: Problem, sides: Sides) -> str:
    return f"the {sides.verifier} trusts {_it(problem, sides)} itself, but needs the CA that issued it ({problem.detail!r})"


def _hash(problem: Problem, sides: Sides) -> str:
    return f"{_it(problem, sides)} is signed with {_HASHES.get(problem.detail, problem.detail.upper())}, which the {sides.verifier} refuses"


def _extension(problem: Problem, sides: Sides) -> str:
    name = _EXTENSIONS.get(problem.detail, problem.detail)
    return f"{_it(problem, sides)} has a critical extension that the {sides.verifier} does not know: {name}"


def _expired(problem: Problem, sides: Sides) -> str:
    renewed = problem.other
    where = place(renewed.at) if renewed is not None else ""
    return f"{_it(problem, sides)} expired on {problem.detail}{f'; the renewed one is in {where}' if where else ''}"


def _other_name(problem: Problem, sides: Sides) -> str:
    assert problem.link is not None
    names = problem.link.parsed.names
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return f"{_it(problem, sides)} is for {', '.join(names[:_SHOWN_NAMES])}{more}, not for {problem.detail}"


def _purpose(problem: Problem, sides: Sides) -> str:
    return f"{_it(problem, sides)} is not for {_ROLES[problem.detail]}: its ExtendedKeyUsage has no {problem.detail}"


def _name_constraint(problem: Problem, sides: Sides) -> str:
    found, above = problem.violation, problem.other
    assert found is not None
    assert above is not None
    authority = named(above, Role.ROOT if above.parsed.is_self_issued else Role.INTERMEDIATE, owner=sides.owner)
    limit = f"may not issue below {found.limit!r}" if found.is_excluded else f"may issue only below {found.limit!r}"
    return f"{_it(problem, sides)} is for {found.name}, but {authority} {limit} (nameConstraints)"


def _usage(problem: Problem, sides: Sides) -> str:
    may = "sign" if problem.detail == "digitalSignature" else "encrypt keys"
    return f"{_it(problem, sides)} may not {may}: its KeyUsage has no {problem.detail}"


_SENTENCES: dict[Reason, Callable[[Problem, Sides], str]] = {
    Reason.UNREADABLE: _says("cannot be read"),
    Reason.SELF_SIGNED: _says("is self-signed, and the {verifier} does not have it"),
    Reason.LEAF_TRUSTED: _leaf_trusted,
    Reason.NOT_CA: _says("has CA:FALSE, so it may not issue certificates"),
    Reason.NO_BASIC_CONSTRAINTS: _says("has no CA:TRUE, so it may not issue certificates"),
    Reason.NO_CERT_SIGN: _says("may not issue certificates: its KeyUsage has no keyCertSign"),
    Reason.PATH_LENGTH: _says("allows {detail} CAs below it (pathlen:{detail}), and this chain has more"),
    Reason.WRONG_ORDER: _order,
    Reason.NOT_LOADED: _not_loaded,
    Reason.OTHER_KEY: _other_key,
    Reason.MISSING: _missing,
    Reason.OTHER_CA: _other_ca,
    Reason.UNKNOWN_ISSUER: _unknown,
    Reason.UNTRUSTED_ROOT: _says("is the end of the chain, and the {verifier} does not trust it"),
    Reason.NO_ROOT: _no_root,
    Reason.UNCHECKED_SIGNATURE: _says("has a signature that cannot be checked here"),
    Reason.EXTENSION: _extension,
    Reason.SIGNATURE_ALGORITHM: _says("is signed with {detail}, which the {verifier} cannot read"),
    Reason.KEY_TOO_SHORT: _says("has an RSA key of {detail} bits, which the {verifier} refuses as too short"),
    Reason.CURVE: _says("has a key on the curve {detail}, which the {verifier} refuses as too short"),
    Reason.EXPLICIT_CURVE: _says("has a key that spells out its curve instead of naming it"),
    Reason.HASH: _hash,
    Reason.EXPIRED: _expired,
    Reason.NOT_YET_VALID: _says("is not valid before {detail}"),
    Reason.NAME_CONSTRAINT: _name_constraint,
    Reason.CA_PURPOSE: _says("may not issue for this use: its ExtendedKeyUsage has no {detail}"),
    Reason.PURPOSE: _purpose,
    Reason.KEY_USAGE: _usage,
    Reason.NO_NAME: _says("has no name, so it is for no host"),
    Reason.ADDRESS_NAME: _says(
        "has the address {detail} only as a name of type IP, which this firmware does not compare"
    ),
    Reason.OTHER_NAME: _other_name,
}
