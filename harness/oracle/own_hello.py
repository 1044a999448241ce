"""Whether a ClientHello is the one that follows from the plan and from the board's unrestricted ClientHello. Pure.

A difference means that the board ignored a setting, or that the hello is not the board's. What a client may leave out is decided by
what the suites it offers need, never by a version.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.model import HelloFacts
from harness.wire.extensions import Extension, extension_name
from harness.wire.groups import group_name
from harness.wire.host_names import is_ip_address
from harness.wire.signature_algorithms import signature_name
from harness.wire.suites import iana_suite_name, is_signal, suite_code, suite_info, suite_name
from harness.wire.versions import TLS13, is_grease, version_name

_EC_EXCHANGES = frozenset({"ECDHE", "ECDH", "ECDHE_PSK", "ECJPAKE", "any"})
# What a client may add to its hello for a pre-shared key (RFC 8446 sections 4.2.9 to 4.2.11).
_PSK_EXTENSIONS = frozenset(
    {Extension.PRE_SHARED_KEY, Extension.PSK_KEY_EXCHANGE_MODES, Extension.EARLY_DATA, Extension.KEY_SHARE}
)
# Padding depends on the length of the rest; the server name is compared by itself.
_NOT_COMPARED = frozenset({Extension.SERVER_NAME, Extension.PADDING})


class Part(StrEnum):
    """The part of a ClientHello in which it differs."""

    SUITES = "suites"
    SERVER_NAME = "server name"
    VERSIONS = "versions"
    GROUPS = "groups"
    SIGNATURE_ALGORITHMS = "signature algorithms"
    KEY_SHARES = "key shares"
    ALPN = "ALPN protocols"
    EXTENSIONS = "extensions"


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloPlan:
    """What a plan says about the ClientHello.

    `suites` is what `set_ciphers` was given, as mbedTLS spells it; None if it was not called. `server_name` is None if there must be none.
    """

    suites: tuple[str, ...] | None = None
    server_name: str | None = None
    psk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One part of a ClientHello that does not follow from the plan; `text` says what was offered and what was expected."""

    part: Part
    text: str


def hello_differences(hello: HelloFacts, *, plan: HelloPlan, unrestricted: HelloFacts | None) -> tuple[Difference, ...]:
    """Compare a ClientHello with what the plan and the board's unrestricted ClientHello demand.

    Args:
        hello: the first ClientHello of the connection.
        plan: what the board was asked for.
        unrestricted: what the board offers without any setting, with a server name; None if it is not known yet.

    Returns:
        Every difference. Signalling suites and GREASE (RFC 8701) are not compared.
    """
    found = [*_suite_differences(hello, plan, unrestricted), *_name_difference(hello, plan, unrestricted)]
    if unrestricted is not None:
        found += _list_differences(hello, unrestricted)
        found += _extension_differences(hello, plan, unrestricted)
    return tuple(found)


# ----------------------------------------------------------------------------------------------- suites


def _suite_differences(hello: HelloFacts, plan: HelloPlan, unrestricted: HelloFacts | None) -> list[Difference]:
    offered = _real(hello.suites)
    own = _real(unrestricted.suites) if unrestricted is not None else []
    if plan.suites is not None:
        asked = [suite_code(iana_suite_name(word)) for word in plan.suites]
        # A word that is not known here cannot be compared; the board refuses a word that it does not know itself.
        known = [code for code in asked if code is not None]
        expected = [code for code in known if code in offered or not _may_skip(code, hello, plan)]
        if len(known) < len(asked) or offered == expected:
            return []
    elif plan.psk:
        if any(_needs_psk(code) for code in offered):
            expected = [code for code in own if code in offered and not _needs_psk(code)]
            if unrestricted is None or [code for code in offered if not _needs_psk(code)] == expected:
                return []
        return [
            Difference(
                part=Part.SUITES, text="did not offer suites for the pre-shared key in addition to its own suites"
            )
        ]
    else:
        expected = own
        if unrestricted is None or offered == expected:
            return []
    return [Difference(part=Part.SUITES, text=_suites_text(offered, expected))]


def _real(suites: tuple[str, ...]) -> list[int]:
    """The codes of real suites, in order: no signalling value and no GREASE."""
    codes = [int(text, 16) for text in suites]
    return [code for code in codes if not is_signal(code) and not is_grease(code)]


def _needs_psk(code: int) -> bool:
    info = suite_info(code)
    return info is not None and info.needs_psk


def _may_skip(code: int, hello: HelloFacts, plan: HelloPlan) -> bool:
    """Whether a client may leave out a suite it was given: for a version it does not offer, or a key it does not have."""
    info = suite_info(code)
    if info is None:
        return False
    versions = {int(text, 16) for text in hello.versions}
    of_offered_version = TLS13 in versions if info.tls13 else bool(versions - {TLS13})
    return not of_offered_version or (info.needs_psk and not plan.psk)


def _suites_text(offered: list[int], expected: list[int]) -> str:
    if len(offered) != len(expected):
        return f"offered {len(offered)} suites, expected {len(expected)}"
    place = next(at for at, pair in enumerate(zip(offered, expected, strict=True)) if pair[0] != pair[1])
    return f"offered {suite_name(offered[place])} as suite {place + 1} of {len(offered)}, expected {suite_name(expected[place])}"


# ----------------------------------------------------------------------------------------------- the rest


def _name_difference(hello: HelloFacts, plan: HelloPlan, unrestricted: HelloFacts | None) -> list[Difference]:
    sent, expected = hello.sni, plan.server_name
    if expected is not None:
        # As `read_client_hello` shows what is not ASCII.
        expected = expected.encode().decode("ascii", "backslashreplace")
        never = unrestricted is not None and Extension.SERVER_NAME not in unrestricted.extensions
        if sent is None and (never or not expected or is_ip_address(expected)):
            return []  # RFC 6066 section 3: a literal address is not permitted as a server name
    if sent == expected:
        return []
    shown = [repr(value) if value is not None else "none" for value in (sent, expected)]
    return [Difference(part=Part.SERVER_NAME, text=f"sent server name {shown[0]}, expected {shown[1]}")]


def _list_differences(hello: HelloFacts, own: HelloFacts) -> list[Difference]:
    curves, tls13 = _offers(hello, _EC_EXCHANGES), _offers(hello, frozenset({"any"}))
    certificates = any(not _needs_psk(code) for code in _real(hello.suites)) or not hello.suites
    lists = (
        (Part.VERSIONS, hello.versions, own.versions, version_name, True),
        (Part.GROUPS, hello.groups, own.groups, group_name, curves),
        (
            Part.SIGNATURE_ALGORITHMS,
            hello.signature_algorithms,
            own.signature_algorithms,
            signature_name,
            certificates,
        ),
        (Part.KEY_SHARES, hello.key_share_groups, own.key_share_groups, group_name, tls13),
    )
    found = []
    for part, sent, expected, name, needed in lists:
        mine, theirs = _codes(sent), _codes(expected)
        # What no offered suite needs may be shortened.
        if mine != theirs and (needed or mine != [code for code in theirs if code in mine]):
            shown = [" ".join(name(code) for code in codes) or "none" for codes in (mine, theirs)]
            found.append(Difference(part=part, text=f"offered {part} {shown[0]}, expected {shown[1]}"))
    if hello.alpn != own.alpn:
        shown = [" ".join(names) or "none" for names in (hello.alpn, own.alpn)]
        found.append(Difference(part=Part.ALPN, text=f"offered {Part.ALPN} {shown[0]}, expected {shown[1]}"))
    return found


def _extension_differences(hello: HelloFacts, plan: HelloPlan, own: HelloFacts) -> list[Difference]:
    sent, expected = _extensions(hello), _extensions(own)
    added = [code for code in sent if code not in expected and not (plan.psk and code in _PSK_EXTENSIONS)]
    dropped = [code for code in expected if code not in sent and code not in _spare(hello)]
    texts = [f"sent the extension {extension_name(code)}, which it does not send by itself" for code in added]
    texts += [f"did not send the extension {extension_name(code)}" for code in dropped]
    return [Difference(part=Part.EXTENSIONS, text=text) for text in texts]


def _extensions(hello: HelloFacts) -> list[int]:
    return [code for code in hello.extensions if code not in _NOT_COMPARED and not is_grease(code)]


def _spare(hello: HelloFacts) -> set[int]:
    """The extensions that no suite of this hello needs."""
    spare: set[int] = set()
    infos = [info for code in _real(hello.suites) if (info := suite_info(code)) is not None]
    if not _offers(hello, _EC_EXCHANGES):
        spare |= {Extension.SUPPORTED_GROUPS}
    if not _offers(hello, _EC_EXCHANGES - {"any"}):
        spare |= {Extension.EC_POINT_FORMATS}
    if all(info.needs_psk for info in infos):
        spare |= {Extension.SIGNATURE_ALGORITHMS}
    if all(info.aead for info in infos):
        spare |= {Extension.ENCRYPT_THEN_MAC}
    if all(info.tls13 for info in infos):
        spare |= {Extension.EXTENDED_MASTER_SECRET, Extension.SESSION_TICKET, Extension.RENEGOTIATION_INFO}
    if not any(info.tls13 for info in infos):
        spare |= {Extension.KEY_SHARE, Extension.PSK_KEY_EXCHANGE_MODES}
    return spare


def _offers(hello: HelloFacts, exchanges: frozenset[str]) -> bool:
    infos = (suite_info(code) for code in _real(hello.suites))
    return any(info is not None and info.key_exchange in exchanges for info in infos)


def _codes(values: tuple[str, ...]) -> list[int]:
    return [code for code in (int(text, 16) for text in values) if not is_grease(code)]
