"""NO_SHARED_CIPHER: the causes that concern suites and keys; groups and key usage have their own topics."""

from __future__ import annotations

from harness.explain import fixes
from harness.explain.client_lines import offering
from harness.explain.evidence import Evidence
from harness.explain.no_shared_cipher import Cause, cause, suite_table
from harness.explain.registry import rule, told
from harness.firmware.since import Feature
from harness.model import Change, Explanation, Fix, Stage
from harness.oracle.predict import Exclusion


def _keys(evidence: Evidence) -> str:
    return " and ".join(evidence.key_types) or "no"


@rule("ciphers/unknown-words")
def unknown_words(evidence: Evidence) -> Explanation | None:
    """`No cipher can be selected.`: the only SSLError of Python that has neither reason nor number."""
    failure = evidence.seen.server
    if failure is None or failure.stage is not Stage.CONFIG or failure.type != "SSLError":
        return None
    if failure.reason is not None or failure.errno is not None:
        return None
    return told(
        why=(
            f"given: {evidence.case.server.ciphers}",
            "no client ever connected: the setting itself is refused",
            "OpenSSL writes ECDHE-RSA-AES128-GCM-SHA256: dashes, no TLS_ and no WITH; `openssl ciphers -v` lists all names",
        ),
        fixes=(fixes.python_suites(),),
    )


@rule("ciphers/nothing-offered")
def nothing_offered(evidence: Evidence) -> Explanation | None:
    """mbedTLS omits suites for which it has no key; nothing may be left."""
    if cause(evidence) is not Cause.NOTHING_OFFERED:
        return None
    return told(
        why=("the ClientHello holds signalling values only; PSK suites are left out without psk_identity and psk_key",),
        fixes=_offer_all(evidence),
    )


@rule("ciphers/no-certificate")
def no_certificate(evidence: Evidence) -> Explanation | None:
    """The server has no key: load_cert_chain was forgotten."""
    if cause(evidence) is not Cause.NO_CERTIFICATE:
        return None
    return told(
        why=suite_table(evidence),
        fixes=(Fix(title="load the certificate and its key", server_lines=(fixes.load("cert.pem", "key.pem"),)),),
    )


@rule("ciphers/key-type")
def key_type(evidence: Evidence) -> Explanation | None:
    """The seed: an RSA key, and a client that cannot use one with forward secrecy."""
    if cause(evidence) is not Cause.KEY_TYPE:
        return None
    return told(
        f"the server's key is {_keys(evidence)}, and the board cannot use such a key with any suite that the server allows",
        why=suite_table(evidence),
        fixes=(
            *_another_key(evidence),
            *_common_group(evidence),
            *(
                fixes.firmware_since(evidence.info, Feature.ECDHE_RSA, "ECDHE with an RSA key came in")
                if "RSA" in evidence.key_types
                else ()
            ),
            *_offer_all(evidence),
            *_plain_rsa(evidence),
        ),
    )


@rule("ciphers/ecdhe-rsa-only")
def rsa_suites_only(evidence: Evidence) -> Explanation | None:
    """An EC key, and a client that has suites for RSA keys only."""
    if cause(evidence) is not Cause.RSA_SUITES_ONLY:
        return None
    return told(
        f"the server's key is {_keys(evidence)}, and the board offers suites for RSA keys only",
        why=suite_table(evidence),
        fixes=(*_another_key(evidence), *_common_group(evidence), *_offer_all(evidence)),
    )


@rule("ciphers/plain-rsa-only")
def plain_rsa_only(evidence: Evidence) -> Explanation | None:
    """Old firmware has only suites that Python 3.10 dropped."""
    if cause(evidence) is not Cause.PLAIN_RSA_ONLY:
        return None
    needs_key = "RSA" not in evidence.key_types
    also = f", and the server's key is {_keys(evidence)}" if needs_key else ""
    # No version of axTLS (esp8266) has others.
    update = () if evidence.is_axtls else fixes.firmware_since(evidence.info, Feature.ECDHE, "ECDHE came with")
    return told(
        f"the board offers TLS_RSA suites only, which this server's suite list leaves out{also}",
        why=suite_table(evidence),
        fixes=(
            *_offer_all(evidence),
            *update,
            *_plain_rsa(evidence, always=True),
        ),
    )


@rule("ciphers/sha1-mac-only")
def sha1_mac_only(evidence: Evidence) -> Explanation | None:
    """Python's list says !SHA1."""
    if cause(evidence) is not Cause.SHA1_MAC_ONLY:
        return None
    # A library that reports its suites has GCM even if this offer leaves it out.
    has_gcm = any("-GCM-" in suite for suite in evidence.info.suites)
    name = "ECDHE-ECDSA-AES128-SHA" if "EC" in evidence.key_types else "ECDHE-RSA-AES128-SHA"
    allow = Fix(
        title="allow CBC with SHA-1 on the server",
        discouraged=True,
        because="CBC with HMAC-SHA1 (MAC-then-encrypt) is vulnerable to padding attacks in some libraries; prefer GCM or SHA-256",
        server_lines=(f'context.set_ciphers("ECDHE+AESGCM:ECDHE+AES:{name}")',),
        change=Change(server={"ciphers": f"ECDHE+AESGCM:ECDHE+AES:{name}"}),
    )
    return told(
        why=suite_table(evidence),
        fixes=(
            *_offer_all(evidence),
            *(() if has_gcm else fixes.firmware_since(evidence.info, Feature.GCM, "GCM came with")),
            allow,
        ),
    )


@rule("ciphers/key-without-signature")
def key_without_signature(evidence: Evidence) -> Explanation | None:
    """Ed25519, Ed448, RSA-PSS: a suite would match, the signature does not."""
    if cause(evidence) is not Cause.KEY_SIGNATURE:
        return None
    return told(
        f"the server's key is {_keys(evidence)}, and the board supports no signature of that kind",
        why=suite_table(evidence),
        fixes=fixes.other_keys(evidence),
    )


@rule("ciphers/tls13-without-suites")
def tls13_without_suites(evidence: Evidence) -> Explanation | None:
    """A TLS 1.3 client limited to names of TLS 1.2."""
    if cause(evidence) is not Cause.TLS13_WITHOUT_SUITES:
        return None
    wanted = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", *(item.name for item in evidence.selection[:2]))
    return told(
        why=suite_table(evidence),
        fixes=(
            Fix(
                title="add TLS 1.3 suites to the board's list",
                client_lines=offering(evidence.info, wanted),
                change=Change(client={"suites": wanted, "suite_words": None}),
            ),
            *(
                (
                    Fix(
                        title="leave set_ciphers out on the board",
                        change=Change(client={"suites": None, "suite_words": None}),
                    ),
                )
                if _can_choose(evidence)
                else ()
            ),
            Fix(
                title="keep the server at TLS 1.2; key and suites must then match as usual",
                server_lines=("context.maximum_version = ssl.TLSVersion.TLSv1_2",),
                change=Change(server={"maximum_version": "TLSv1.2"}),
            ),
        ),
    )


@rule("ciphers/server-contradicts-itself")
def server_contradicts_itself(evidence: Evidence) -> Explanation | None:
    """Suites for one kind of key, and a key of another kind."""
    if cause(evidence) is not Cause.CONTRADICTION:
        return None
    return told(
        f"the server's own suites and its {_keys(evidence)} key contradict each other: it cannot serve any client",
        why=suite_table(evidence),
        fixes=(
            *((fixes.python_suites(),) if fixes.forward_secret_list_helps(evidence) else ()),
            *fixes.other_keys(evidence),
        ),
    )


@rule("ciphers/no-dh-parameters")
def no_dh_parameters(evidence: Evidence) -> Explanation | None:
    """DHE suites need parameters that Python never loads by itself."""
    if cause(evidence) is not Cause.NO_DH_PARAMETERS:
        return None
    return told(
        why=suite_table(evidence),
        fixes=(
            Fix(
                title="use ECDHE suites",
                server_lines=('context.set_ciphers("ECDHE+AESGCM:ECDHE+AES")',),
                change=Change(server={"ciphers": "ECDHE+AESGCM:ECDHE+AES"}),
            ),
            Fix(
                title="load DH parameters",
                server_lines=("$ openssl dhparam -out dh.pem 2048", 'context.load_dh_params("dh.pem")'),
            ),
        ),
    )


@rule("ciphers/pre-shared-key")
def pre_shared_key(evidence: Evidence) -> Explanation | None:
    """One side has only a pre-shared key, the other side has none."""
    if cause(evidence) is not Cause.PRE_SHARED_KEY:
        return None
    return told(
        why=suite_table(evidence),
        fixes=(
            Fix(
                title="leave PSK names out of set_ciphers on the board, or give both sides the same key",
                client_lines=('context.psk_identity = b"board-1"', "context.psk_key = KEY"),
                server_lines=(
                    "context.set_psk_server_callback(lambda identity: KEY)  # Python 3.13",
                    'context.set_ciphers("PSK")',
                ),
            ),
            Fix(title="give the server a certificate too", server_lines=(fixes.load("cert.pem", "key.pem"),)),
        ),
    )


@rule("ciphers/security-level")
def security_level(evidence: Evidence) -> Explanation | None:
    """All common suites are too weak for the server's security level."""
    if cause(evidence) is not Cause.SECURITY_LEVEL:
        return None
    level = evidence.server.security_level if evidence.server else None
    return told(
        f"what the two sides share is too weak for the server's security level ({level})",
        why=suite_table(evidence),
        fixes=(
            fixes.ec_key(),
            Fix(
                title="lower the server's security level",
                discouraged=True,
                because="it lets in broken algorithms for every client",
                server_lines=('context.set_ciphers("DEFAULT:@SECLEVEL=1")',),
                change=Change(server={"ciphers": "DEFAULT:@SECLEVEL=1"}),
            ),
        ),
    )


@rule("ciphers/nothing-in-common")
def nothing_in_common(evidence: Evidence) -> Explanation | None:
    """The lists are disjoint, and neither key nor group is the cause."""
    if cause(evidence) is not Cause.NOTHING_IN_COMMON:
        return None
    helps = fixes.forward_secret_list_helps(evidence)
    foreign = evidence.server is not None and not evidence.server.python
    set_there = foreign or evidence.case.server.ciphers is not None
    return told(
        why=suite_table(evidence),
        fixes=(
            *((fixes.python_suites(),) if helps and set_there else ()),
            *((_forward_secrecy(),) if helps else ()),
            *_offer_all(evidence),
        ),
    )


def _forward_secrecy() -> Fix:
    return Fix(
        title="allow what the board offers with forward secrecy",
        server_lines=('context.set_ciphers("ECDHE+AESGCM:ECDHE+AES")',),
        change=Change(server={"ciphers": "ECDHE+AESGCM:ECDHE+AES"}),
    )


def _another_key(evidence: Evidence) -> tuple[Fix, ...]:
    """Another or a second key for the server, if the board can use it; a key that the server does not have cannot be kept."""
    kinds = evidence.key_types
    found: list[Fix] = []
    if "EC" not in kinds and fixes.key_helps(evidence, "EC"):
        found += [fixes.ec_key(), *((fixes.second_key("EC"),) if "RSA" in kinds else ())]
    if "RSA" not in kinds and fixes.key_helps(evidence, "RSA"):
        found += [*((fixes.second_key("RSA"),) if "EC" in kinds else ()), fixes.rsa_key()]
    return tuple(found)


def _common_group(evidence: Evidence) -> tuple[Fix, ...]:
    """A group that the other key needs as well, if there is none in common."""
    lacking = any(Exclusion.NO_GROUP in item.reasons for item in evidence.selection)
    return (fixes.default_groups(),) if lacking and evidence.server and evidence.server.groups is not None else ()


def _can_choose(evidence: Evidence) -> bool:
    """Whether the firmware has set_ciphers; a board that was never probed may have it."""
    return not evidence.info.api or evidence.info.can_set_ciphers


def _plain_rsa(evidence: Evidence, *, always: bool = False) -> tuple[Fix, ...]:
    """Allow TLS_RSA if the board offers it, with an RSA key if the server has none."""
    offered = any(item.name.startswith("TLS_RSA_WITH_") for item in evidence.selection)
    has_key = "RSA" in evidence.key_types
    if not offered or not (always or has_key):
        return ()
    gcm = any(item.name.startswith("TLS_RSA_WITH_AES_128_GCM") for item in evidence.selection)
    suites = f"ECDHE+AESGCM:ECDHE+AES:{'AES128-GCM-SHA256' if gcm else 'AES256-SHA256:AES128-SHA256:AES128-SHA'}"
    return (fixes.plain_rsa(suites, has_key=has_key),)


def _offer_all(evidence: Evidence) -> tuple[Fix, ...]:
    """Let the board offer all its suites, if the case limits them."""
    plan = evidence.case.client
    if (plan.suites is None and plan.suite_words is None) or not _can_choose(evidence):
        return ()
    return (
        Fix(
            title="leave set_ciphers out on the board: it then offers every suite it has",
            client_lines=("# remove the call to context.set_ciphers(...)",),
            change=Change(client={"suites": None, "suite_words": None}),
        ),
    )
