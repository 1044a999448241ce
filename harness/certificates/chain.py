"""Follow a chain from a certificate to a trusted one as a client would, and name each certificate that stops it, and why.

Pure: certificates in, records out. Where the chain breaks, the reading continues with the certificate that was meant, so that one answer
has every problem. Must not know boards, servers or files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from harness.certificates.chain_problems import TRUST, Link, Problem, Reading, Reason, Role, Rules
from harness.certificates.host_match import matches
from harness.certificates.name_constraints import dns_names, violation
from harness.certificates.parsed import ANY_PURPOSE, PURPOSES, Parsed, parsed
from harness.certificates.placed import Origin, Placed

# Far more than any client follows.
_LONGEST_PATH = 24


def read_chain(
    sent: Sequence[Placed],
    *,
    trusted: Sequence[Placed] = (),
    nearby: Sequence[Placed] = (),
    rules: Rules | None = None,
    host: str | None = None,
    now: datetime | None = None,
) -> Reading:
    """Follow the chain of the first certificate that was sent.

    Args:
        sent: in order, the leaf first.
        trusted: what the verifier trusts.
        nearby: other certificates, which it does not have.
        rules: what it checks.
        host: the name it compares; None compares none.
        now: its clock; None checks no dates.
    """
    walk = _Walk(_links(sent), _links(trusted), list(nearby), rules=rules or Rules(), now=now)
    problems = [_unreadable(at, role=_role_of(place)) for place, at in enumerate(sent) if _link(at) is None]
    if not walk.path or _link(sent[0]) is None:
        return Reading(path=(), problems=tuple(problems))
    walk.follow()
    problems += walk.problems
    problems += _outside_constraints(walk.path) if walk.rules.name_constraints else []
    problems += _leaf_problems(walk.path[0], rules=walk.rules, host=host)
    order = list(Reason)
    # The path decides between problems of one group; trust is found from the leaf up already.
    ranked = sorted(problems, key=lambda item: 0 if item.reason in TRUST else order.index(item.reason))
    return Reading(path=tuple(walk.path), problems=tuple(ranked))


def _role_of(place: int) -> Role:
    return Role.INTERMEDIATE if place else Role.LEAF


def _unreadable(at: Placed, *, role: Role) -> Problem:
    return Problem(reason=Reason.UNREADABLE, role=role, at=at)


def _link(at: Placed) -> Link | None:
    try:
        return Link(parsed=parsed(at.der), at=at)
    except ValueError:
        return None


def _links(found: Iterable[Placed]) -> list[Link]:
    return [link for link in map(_link, found) if link is not None]


class _Walk:
    """One way up a chain."""

    def __init__(
        self, sent: list[Link], trusted: list[Link], nearby: list[Placed], *, rules: Rules, now: datetime | None
    ) -> None:
        self.rules = rules
        self.path = sent[:1]
        self.problems: list[Problem] = []
        self._sent, self._trusted, self._nearby = sent, trusted, nearby
        self._now = now

    def follow(self) -> None:
        """Go from certificate to issuer until a trusted one, or until none fits."""
        while len(self.path) < _LONGEST_PATH:
            child = self.path[-1]
            self._look_at(child)
            if self._is_anchor(child):
                return
            if child.parsed.is_self_issued and len(self.path) > 1 and child.at.origin is not Origin.SENT:
                return  # the root that the verifier does not have: noted when it was found
            issuer = self._issuer(child)
            if issuer is None or any(issuer.parsed.der == link.parsed.der for link in self.path):
                return
            self.path.append(issuer)

    # ------------------------------------------------------------------ one certificate

    def _look_at(self, link: Link) -> None:
        """Note what is wrong with this certificate itself."""
        found, rules = link.parsed, self.rules
        if self._now is not None and found.not_after < self._now:
            self._add(Reason.EXPIRED, link, other=self._renewed(link), detail=f"{found.not_after:%Y-%m-%d}")
        if self._now is not None and found.not_before > self._now:
            self._add(Reason.NOT_YET_VALID, link, detail=f"{found.not_before:%Y-%m-%d}")
        unknown = [oid for oid in found.critical if oid not in rules.extensions]
        if unknown:
            self._add(Reason.EXTENSION, link, detail=unknown[0])
        if found.explicit_curve:
            self._add(Reason.EXPLICIT_CURVE, link)
        elif found.key in ("RSA", "RSA-PSS") and found.bits < rules.rsa_bits:
            self._add(Reason.KEY_TOO_SHORT, link, detail=f"{found.bits}")
        elif found.key == "EC" and found.bits < rules.ec_bits:
            self._add(Reason.CURVE, link, detail=found.curve or f"{found.bits}")
        # A trusted certificate's own signature is not looked at (mbedTLS x509_crt.c; OpenSSL X509_V_FLAG_CHECK_SS_SIGNATURE is off).
        if found.signature not in rules.signatures and not link.trusted:
            self._add(Reason.SIGNATURE_ALGORITHM, link, detail=found.signature)
        elif found.hash is not None and found.hash not in rules.hashes and not link.trusted:
            self._add(Reason.HASH, link, detail=found.hash)
        if rules.ca_purposes and len(self.path) > 1 and not _allows(found, rules.purpose):
            self._add(Reason.CA_PURPOSE, link, detail=rules.purpose)

    def _renewed(self, link: Link) -> Link | None:
        """Return a valid certificate for the same name and key that is within reach."""
        for other in (*self._trusted, *self._sent, *self._near(link.parsed.subject)):
            same = other.parsed.subject == link.parsed.subject and other.parsed.shares_key_with(link.parsed)
            if same and not self._outside_dates(other):
                return other
        return None

    def _outside_dates(self, link: Link) -> bool:
        now = self._now
        return now is not None and not link.parsed.not_before <= now <= link.parsed.not_after

    def _is_anchor(self, link: Link) -> bool:
        """Whether the chain ends here: at a trusted issuer, or at a self-signed leaf that is trusted itself."""
        if len(self.path) > 1:
            return link.trusted and (link.parsed.is_self_issued or not self.rules.needs_root)
        same = any(other.trusted and other.parsed.der == link.parsed.der for other in self._trusted)
        return same and link.parsed.is_self_issued

    # ------------------------------------------------------------------ the next one

    def _issuer(self, child: Link) -> Link | None:
        """Return the issuer that the verifier finds, else the one that was meant, after noting why it is not found."""
        trusted = [link for link in self._named(self._trusted, child) if link.trusted]
        place = next((at for at, link in enumerate(self._sent) if link is child), len(self._sent))
        after = self._named(self._sent[place + 1 :] if self.rules.in_order else self._sent, child)
        for candidates in (trusted, after):
            good = [link for link in candidates if self._fault(child, link) is None]
            valid = [link for link in good if not self._outside_dates(link)]
            if good:
                return (valid or good)[0]
        return self._meant(child, [*trusted, *after])

    def _named(self, among: Iterable[Link], child: Link) -> list[Link]:
        wanted = child.parsed.issuer
        return [link for link in among if link.parsed.subject == wanted and link.parsed.der != child.parsed.der]

    def _near(self, subject: bytes) -> list[Link]:
        """Return what is within reach and may have this name: a machine's store has odd certificates, and only these are read."""
        return _links(at for at in self._nearby if subject in at.der)

    def _fault(self, child: Link, issuer: Link) -> Reason | None:
        """Return why this issuer is not accepted for this certificate; None if it is."""
        signed = child.parsed.is_signed_by(issuer.parsed)
        if signed is None:
            return Reason.UNCHECKED_SIGNATURE
        if not signed:
            return Reason.OTHER_KEY
        if issuer.parsed.ca is None:
            return Reason.NO_BASIC_CONSTRAINTS
        if not issuer.parsed.ca:
            return Reason.NOT_CA
        usage = issuer.parsed.key_usage
        if self.rules.key_usage and usage is not None and "keyCertSign" not in usage:
            return Reason.NO_CERT_SIGN
        between = sum(not link.parsed.is_self_issued for link in self.path[1:])
        if issuer.parsed.path_length is not None and issuer.parsed.path_length < between:
            return Reason.PATH_LENGTH
        return None

    def _meant(self, child: Link, refused: list[Link]) -> Link | None:
        """Note why no issuer fits, and return the certificate that should have been there."""
        faults = [(self._fault(child, link), link) for link in refused]
        for fault, link in faults:
            if fault not in (Reason.OTHER_KEY, Reason.UNCHECKED_SIGNATURE, None):
                self._add(fault, link, role=self._role(link), other=child, detail=str(link.parsed.path_length))
                return link
        elsewhere = [*self._sent, *self._trusted, *self._near(child.parsed.issuer)]
        signers = [link for link in self._named(elsewhere, child) if self._fault(child, link) is None]
        if signers:
            best = min(signers, key=lambda link: (not self._leads_to_trust(link), self._outside_dates(link)))
            return self._found_elsewhere(child, best, same_name=[link for _fault, link in faults])
        for fault, link in faults:
            self._add(fault or Reason.OTHER_KEY, child, other=link)
            return None
        self._add(self._dead_end(child), child, detail=child.parsed.issuer_name)
        return None

    def _found_elsewhere(self, child: Link, issuer: Link, *, same_name: list[Link]) -> Link:
        """Note that a fitting issuer exists where the verifier does not look."""
        if issuer.at.origin is Origin.SENT:
            if not any(problem.reason is Reason.WRONG_ORDER for problem in self.problems):
                self._add(Reason.WRONG_ORDER, issuer, role=Role.INTERMEDIATE, other=child)
        elif child.trusted and self.rules.needs_root:
            self._add(Reason.NO_ROOT, child, other=issuer, detail=issuer.parsed.name)
        elif issuer.at.unused:
            self._add(Reason.NOT_LOADED, issuer, role=self._role(issuer), other=child)
        elif same_name:
            self._add(Reason.OTHER_KEY, child, other=same_name[0], detail=_file(issuer))
        elif issuer.parsed.is_self_issued:
            self._add(Reason.OTHER_CA, issuer, role=Role.ROOT, other=child)
        else:
            self._add(Reason.MISSING, issuer, role=Role.INTERMEDIATE, other=child)
        return issuer

    def _leads_to_trust(self, link: Link) -> bool:
        """Whether a trusted certificate signed this one: of a cross-signed CA, that decides which one to send."""
        above = [other for other in self._named(self._trusted, link) if other.trusted]
        return any(link.parsed.is_signed_by(other.parsed) for other in above)

    def _dead_end(self, child: Link) -> Reason:
        if self.rules.needs_root and child.trusted:
            return Reason.NO_ROOT
        if child.parsed.is_self_issued:
            return Reason.SELF_SIGNED if len(self.path) == 1 else Reason.UNTRUSTED_ROOT
        trusts_it = any(link.trusted and link.parsed.der == child.parsed.der for link in self._trusted)
        return Reason.LEAF_TRUSTED if trusts_it else Reason.UNKNOWN_ISSUER

    # ------------------------------------------------------------------ notes

    def _role(self, link: Link) -> Role:
        if self.path and link is self.path[0]:
            return Role.LEAF
        return Role.ROOT if link.trusted or link.parsed.is_self_issued else Role.INTERMEDIATE

    def _add(
        self, reason: Reason, link: Link, *, role: Role | None = None, other: Link | None = None, detail: str = ""
    ) -> None:
        named = role if role is not None else self._role(link)
        self.problems.append(Problem(reason=reason, role=named, at=link.at, link=link, other=other, detail=detail))


def _file(link: Link) -> str:
    return link.at.file or ""


def _allows(found: Parsed, purpose: str) -> bool:
    return found.purposes is None or bool({PURPOSES[purpose], ANY_PURPOSE} & set(found.purposes))


def _outside_constraints(path: Sequence[Link]) -> list[Problem]:
    """Return each certificate with a name that a CA above it may not issue for; the first such CA counts."""
    result = []
    for at, link in enumerate(path):
        found = link.parsed
        # RFC 5280 section 6.1.4 (b): not those of a CA that certifies itself.
        if at and found.is_self_issued:
            continue
        dns = (found.dns or ()) if at else dns_names(found.dns, found.common_names)
        for above in path[at + 1 :]:
            limits = above.parsed.constraints
            broken = violation(limits, dns=dns, addresses=found.addresses or ()) if limits is not None else None
            if broken is not None:
                role = Role.INTERMEDIATE if at else Role.LEAF
                result.append(
                    Problem(
                        reason=Reason.NAME_CONSTRAINT, role=role, at=link.at, link=link, other=above, violation=broken
                    )
                )
                break
    return result


def _leaf_problems(leaf: Link, *, rules: Rules, host: str | None) -> list[Problem]:
    """Return what is wrong with the use and the names of the leaf."""
    found = leaf.parsed
    problem = Problem(reason=Reason.PURPOSE, role=Role.LEAF, at=leaf.at, link=leaf)
    result: list[Problem] = []
    if not _allows(found, rules.purpose):
        result.append(replace(problem, detail=rules.purpose))
    if rules.key_usage and found.key_usage is not None and rules.usage not in found.key_usage:
        result.append(replace(problem, reason=Reason.KEY_USAGE, detail=rules.usage))
    if host is None or matches(found, host, addresses=rules.addresses):
        return result
    if not found.names:
        reason = Reason.NO_NAME
    elif matches(found, host, addresses=True):
        reason = Reason.ADDRESS_NAME
    else:
        reason = Reason.OTHER_NAME
    return [*result, replace(problem, reason=reason, detail=host)]
