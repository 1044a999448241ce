"""The chains of a result as both verifiers see them: the server's on the board, the board's in the server. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from harness.certificates.chain import read_chain
from harness.certificates.chain_problems import OPENSSL_EXTENSIONS, Problem, Reading, Reason, Rules
from harness.certificates.placed import Origin, Placed, placed
from harness.certificates.unreadable import UNREADABLE
from harness.expectations.clients import checks_dates, has_full_configuration, is_axtls, is_before, is_mbedtls_2
from harness.explain.chain_sentences import place
from harness.explain.evidence import Evidence
from harness.explain.shown import read_certificates
from harness.model import Verify
from harness.wire.suites import suite_code, suite_info

_LONGEST, _SHOWN = 24, 10
# What stops a client that only reads a chain, and the hashes that mbedTLS cannot read.
_READING = frozenset({Reason.UNREADABLE, Reason.EXTENSION, Reason.SIGNATURE_ALGORITHM, Reason.EXPLICIT_CURVE})
_UNREADABLE_HASH = "sha3-"
_OLD_HASHES = frozenset({"sha224", "sha256", "sha384", "sha512"})
# OpenSSL reads these, and MicroPython's servers are not in question: SHA-1 is refused from security level 1 on.
_SERVER_HASHES = _OLD_HASHES | {"sha3-224", "sha3-256", "sha3-384", "sha3-512"}
_SERVER_SIGNATURES = frozenset({"RSA", "EC", "RSA-PSS", "Ed25519", "Ed448"})
# Bits of RSA and EC keys by OpenSSL's security level (SSL_CTX_set_security_level(3)).
_LEVEL_BITS = {0: (0, 0), 1: (1024, 160), 2: (2048, 224), 3: (3072, 256), 4: (7680, 384), 5: (15360, 512)}


def server_chain(evidence: Evidence) -> Reading:
    """Follow the server's chain as the board does; a board that does not verify only has to be able to read it."""
    reading = own_chain(evidence)
    if evidence.case.client.verify is not Verify.NONE:
        return reading
    return replace(reading, problems=tuple(filter(_stops_a_reader, reading.problems)))


def _stops_a_reader(problem: Problem) -> bool:
    return problem.reason in _READING or (problem.reason is Reason.HASH and problem.detail.startswith(_UNREADABLE_HASH))


def own_chain(evidence: Evidence) -> Reading:
    """Follow the server's chain as a board that verifies does."""
    own = [at for at in evidence.server_places if at.origin is Origin.SENT]
    sent = _with_places(evidence.wire.certificates[:_LONGEST], evidence.server_places) or own
    plan = evidence.case.client
    return read_chain(
        sent,
        trusted=_trusted_by_board(evidence),
        nearby=[at for at in evidence.server_places if at.origin is Origin.NEARBY],
        rules=board_rules(evidence),
        host=plan.server_hostname if plan.verify is Verify.REQUIRED else None,
        now=_clock(evidence) if checks_dates(evidence.info) else None,
    )


def trusted_texts(evidence: Evidence) -> tuple[str, ...]:
    """Return what the board trusts: each subject, its dates, and its file."""
    used = [at for at in _trusted_by_board(evidence) if not at.unused][:_SHOWN]
    shown = ((at, read_certificates((at.der,))) for at in used)
    return tuple(
        f"{found[0].subject}, {found[0].valid_text}{f' ({place(at)})' if at.file is not None else ''}"
        for at, found in shown
        if found
    )


def client_chain(evidence: Evidence) -> Reading:
    """Follow the board's chain as OpenSSL in the server does; its clock is this machine's."""
    own = [at for at in evidence.client_places if at.origin is Origin.SENT]
    sent = _with_places((evidence.wire.client_certificates or ())[:_LONGEST], evidence.client_places) or own
    return read_chain(
        sent,
        trusted=[at for at in evidence.client_places if at.origin is Origin.TRUSTED],
        nearby=[at for at in evidence.client_places if at.origin is Origin.NEARBY],
        rules=_server_rules(evidence),
        now=_moment(evidence.info.hello_unix_s),
    )


def board_rules(evidence: Evidence) -> Rules:
    """Return what the board's library checks in a server's chain."""
    info = evidence.info
    full, old = has_full_configuration(info), is_mbedtls_2(info)
    suite = suite_info(suite_code(evidence.seen.negotiated.suite or "") or 0)
    return Rules(
        key_usage=full or not old,
        usage="keyEncipherment" if suite is not None and suite.key_exchange == "RSA" else "digitalSignature",
        addresses=not is_axtls(info) and not is_before(info, 3, 5),
        ec_bits=0 if old else 256,
        hashes=_OLD_HASHES if old else _OLD_HASHES - {"sha224"},
        signatures=frozenset({"RSA", "EC", "RSA-PSS"} if full else {"RSA", "EC"}),
    )


def _server_rules(evidence: Evidence) -> Rules:
    facts = evidence.server
    rsa_bits, ec_bits = _LEVEL_BITS.get(facts.security_level if facts is not None else 1, _LEVEL_BITS[1])
    return Rules(
        in_order=False,
        needs_root=True,
        purpose="clientAuth",
        ca_purposes=True,
        name_constraints=True,
        rsa_bits=rsa_bits,
        ec_bits=ec_bits,
        hashes=_SERVER_HASHES,
        signatures=_SERVER_SIGNATURES,
        extensions=OPENSSL_EXTENSIONS,
    )


def _clock(evidence: Evidence) -> datetime | None:
    """The board's clock; one that is not known is taken to be right."""
    info = evidence.info
    return _moment(info.clock_unix_s if info.clock_unix_s is not None else info.hello_unix_s)


def _moment(unix_s: int | None) -> datetime | None:
    return datetime.fromtimestamp(unix_s, UTC) if unix_s is not None else None


def _with_places(sent: Sequence[bytes], places: Iterable[Placed]) -> list[Placed]:
    """Name the file of each certificate that was sent, if it is known."""
    files = {at.der: at for at in reversed(list(places)) if at.file is not None}
    wire = placed(sent, origin=Origin.SENT)
    return [replace(files[at.der], origin=Origin.SENT, unused=False) if at.der in files else at for at in wire]


def _trusted_by_board(evidence: Evidence) -> list[Placed]:
    return [at for at in evidence.server_places if at.origin is Origin.TRUSTED] or _trusted(evidence.authorities)


def _trusted(authorities: Iterable[bytes]) -> list[Placed]:
    """The board's CA certificates, each DER or a PEM text."""
    found: list[Placed] = []
    for data in authorities:
        try:
            many = [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(data)]
        except UNREADABLE:
            many = [data]
        found += placed(many, origin=Origin.TRUSTED)
    return found
