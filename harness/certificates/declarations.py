"""Reads `certs/*.toml` into `Profile` records: what each certificate contains, and why it exists.

Knows the words of the declarations and checks every one of them; knows no cryptography and makes nothing.
`certs/README.md` explains the words to people.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.system.near_names import did_you_mean

HOST = "tls.test"

KEYS = (
    *("rsa-1024", "rsa-2048", "rsa-3072", "rsa-4096", "rsa-8192", "rsa-pss-2048"),
    *("p224", "p256", "p384", "p521", "secp256k1", "brainpool-p256", "ed25519", "ed448"),
)
EXPLICIT = ("p224", "p256", "p384", "p521")  # the keys that can spell out their curve
SIGNATURES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3-256")
# RFC 5280 section 4.2.1.3, in the order of the bits.
KEY_USAGES = (
    *("digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement"),
    *("keyCertSign", "cRLSign"),
)
EXTENDED_KEY_USAGES = ("serverAuth", "clientAuth", "anyExtendedKeyUsage")
OMISSIBLE = ("basic-constraints", "key-usage", "subject-key-identifier", "authority-key-identifier")
# One word per way in which a certificate can be wrong; `tests/unit/certificates` proves each with OpenSSL.
DEFECTS = (
    *("expired", "not-yet-valid", "wrong-host", "wide-wildcard", "address-as-name", "no-san"),
    *("untrusted", "self-signed", "expired-issuer", "expired-root"),
    *("missing-intermediate", "missing-middle", "chain-order", "issuer-not-ca", "issuer-without-basic-constraints"),
    *("path-length", "chain-too-long", "name-constraint", "unknown-critical-extension"),
    *("wrong-extended-key-usage", "unusual-extended-key-usage", "wrong-key-usage", "leaf-is-ca"),
    *("weak-key", "weak-issuer-key", "weak-hash", "unusual-hash", "unusual-key", "unusual-signature"),
    *("no-authority-key-identifier", "no-extensions", "missing-staple", "oversized", "foreign-key"),
)
# The extensions that `critical` and `not_critical` may name.
EXTENSIONS = (
    *("basic-constraints", "key-usage", "extended-key-usage", "subject-key-identifier", "authority-key-identifier"),
    *("subject-alternative-name", "name-constraints"),
)
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Role(StrEnum):
    """What a certificate is for; decides the defaults of its usages, names and validity."""

    AUTHORITY = "authority"
    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnExtension:
    """An extension by its OID; `content` is the DER of its value."""

    oid: str
    content: bytes
    critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One declared certificate. Dates are days from now or an absolute day (UTC); empty lists omit the extension.

    `issuer` is another profile or `self`. `chain` names what is sent after the certificate, in order; None means all intermediates in order
    without the root. `many_dns` adds that many generated names, `padding_bytes` a private non-critical extension of that size. `key_of` is
    the profile whose key this one has as well. With `ec_parameters` explicit the key spells out its curve; version 1 has no extensions.
    `defect` is what is wrong (`a+b` for two), empty for a good certificate.
    """

    name: str
    description: str
    role: Role
    key: str
    key_of: str = ""
    ec_parameters: str = "named"
    version: int = 3
    issuer: str
    signature: str = "sha256"
    signature_padding: str = "pkcs1"
    subject: str
    dns: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    many_dns: int = 0
    not_before: int | date
    not_after: int | date
    ca: bool
    path_length: int | None = None
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...]
    omit: tuple[str, ...] = ()
    padding_bytes: int = 0
    permitted_dns: tuple[str, ...] = ()
    excluded_dns: tuple[str, ...] = ()
    unknown_extension: str = ""
    must_staple: bool = False
    critical: tuple[str, ...] = ()
    not_critical: tuple[str, ...] = ()
    extensions: tuple[OwnExtension, ...] = ()
    chain: tuple[str, ...] | None = None
    foreign_key: bool = False
    defect: str = ""

    @property
    def self_signed(self) -> bool:
        """Whether the certificate is signed with its own key."""
        return self.issuer == "self"


# What a key of a declaration may hold: (kind, accepted words). All of `Profile` but the name, and `copies`.
_WORD, _TEXT, _COUNT, _FLAG, _DAY, _WORDS, _TEXTS = "word", "text", "count", "flag", "day", "words", "texts"
_OWN = "extensions"
_KEYS: Mapping[str, tuple[str, tuple[Any, ...]]] = {
    "description": (_TEXT, ()),
    "role": (_WORD, tuple(Role)),
    "key": (_WORD, KEYS),
    "key_of": (_TEXT, ()),
    "ec_parameters": (_WORD, ("named", "explicit")),
    "version": (_WORD, (1, 3)),
    "issuer": (_TEXT, ()),
    "signature": (_WORD, SIGNATURES),
    "signature_padding": (_WORD, ("pkcs1", "pss")),
    "subject": (_TEXT, ()),
    "dns": (_TEXTS, ()),
    "ip": (_TEXTS, ()),
    "many_dns": (_COUNT, ()),
    "not_before": (_DAY, ()),
    "not_after": (_DAY, ()),
    "ca": (_FLAG, ()),
    "path_length": (_COUNT, ()),
    "key_usage": (_WORDS, KEY_USAGES),
    "extended_key_usage": (_WORDS, EXTENDED_KEY_USAGES),
    "omit": (_WORDS, OMISSIBLE),
    "padding_bytes": (_COUNT, ()),
    "permitted_dns": (_TEXTS, ()),
    "excluded_dns": (_TEXTS, ()),
    "unknown_extension": (_WORD, ("", "critical", "non-critical")),
    "must_staple": (_FLAG, ()),
    "critical": (_WORDS, EXTENSIONS),
    "not_critical": (_WORDS, EXTENSIONS),
    "extensions": (_OWN, ()),
    "chain": (_TEXTS, ()),
    "foreign_key": (_FLAG, ()),
    "defect": (_TEXT, ()),
    "copies": (_COUNT, ()),
}
_REQUIRED = ("description", "role", "key")


def load(folder: Path) -> dict[str, Profile]:
    """Read every `*.toml` of a folder, whose profiles refer to each other only.

    Returns:
        Profile by name, in the order of the files and of the declarations in them.

    Raises:
        UsageError: one line with file, profile, key and what is accepted.
    """
    return extended({}, read(folder))


def extended(known: Mapping[str, Profile], added: Mapping[str, Profile]) -> dict[str, Profile]:
    """Return both; what is added may name what is known.

    Raises:
        UsageError: a name is declared in both, or a profile names one that is in neither.
    """
    for name in added:
        if name in known:
            raise UsageError(f"profile {name!r} is declared twice: the harness has one of this name")
    profiles = {**known, **added}
    for profile in added.values():
        _check_references(profile, profiles)
    return profiles


def declared(name: str, table: Mapping[str, Any], *, where: str) -> dict[str, Profile]:
    """Return the profiles of one declaration: one, or as many as it has copies.

    Args:
        name: of the profile.
        table: the keys of certs/README.md; tuples count as lists.
        where: what the message of an error begins with.

    Raises:
        UsageError: as `load`.
    """
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in table.items()}
    return {profile.name: profile for profile in _read(where, name, plain)}


def read(folder: Path) -> dict[str, Profile]:
    """Read every `*.toml` of a folder, without checking what the profiles refer to.

    Raises:
        UsageError: as `load`.
    """
    profiles: dict[str, Profile] = {}
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise UsageError(f"no certificate declarations (*.toml) in {folder}")
    for path in files:
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise UsageError(f"{path}: invalid TOML: {error}") from error
        for name, table in tables.items():
            for profile in _read(path, name, table):
                if profile.name in profiles:
                    raise UsageError(f"{path}: profile {profile.name!r} is declared twice")
                profiles[profile.name] = profile
    return profiles


def for_host(profile: Profile, host: str) -> Profile:
    """Let a server's certificate that is for `tls.test` be for another host, too; anything else stays as it is.

    Args:
        profile: of any role.
        host: a name, or an address: that one is written as both kinds, since clients before mbedTLS 3.5 compare names only.
    """
    if profile.role is not Role.SERVER or HOST not in profile.dns:
        return profile
    with contextlib.suppress(ValueError):
        return replace(profile, subject=host, dns=(host, *profile.dns), ip=(str(ip_address(host)), *profile.ip))
    return replace(profile, subject=host, dns=(host, *profile.dns))


def issuers(profile: Profile, profiles: Mapping[str, Profile]) -> tuple[str, ...]:
    """Name the certificates above a profile, nearest first, the self-signed one last; empty for a self-signed one."""
    above: list[str] = []
    while not profile.self_signed:
        above.append(profile.issuer)
        profile = profiles[profile.issuer]
    return tuple(above)


def _read(place: object, name: str, table: object) -> list[Profile]:
    """Return the profile of one table, or numbered ones with `copies`."""
    where = f"{place}: profile {name!r}"
    if not _NAME.fullmatch(name):
        raise UsageError(f"{where}: a name consists of lower-case words joined by dashes")
    if not isinstance(table, dict):
        raise UsageError(f"{where}: expected a table, got {table!r}")
    for key in table:
        if key not in _KEYS:
            near = did_you_mean(key, _KEYS)
            raise UsageError(f"{where}: unknown key {key!r}{near} (expected one of {', '.join(_KEYS)})")
    for key in _REQUIRED:
        if not table.get(key):
            raise UsageError(f"{where}: {key!r} is missing")
    values = {key: _value(where, key, value) for key, value in table.items()}
    copies = values.pop("copies", 0)
    if not copies:
        return [_profile(where, name, values)]
    numbered = [f"{name}-{number:0{len(str(copies))}d}" for number in range(1, copies + 1)]
    return [_profile(where, copy, values) for copy in numbered]


def _value(where: str, key: str, value: Any) -> Any:
    """Check one value against `_KEYS` and convert it to the type of the record."""
    kind, accepted = _KEYS[key]
    wrong = UsageError(f"{where}: {key} = {value!r}: expected {_expected(kind, accepted)}")
    if kind in (_WORDS, _TEXTS):
        items = value if isinstance(value, list) else [None]
        if not all(isinstance(item, str) and item and (kind == _TEXTS or item in accepted) for item in items):
            raise wrong
        return tuple(items)
    if kind == _OWN:
        made = [_own_extension(item) for item in value] if isinstance(value, list) else [None]
        if None in made:
            raise wrong
        return tuple(made)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    fits = {
        _WORD: value in accepted and not isinstance(value, bool),
        _TEXT: isinstance(value, str),
        _COUNT: is_whole and value >= 0,
        _FLAG: isinstance(value, bool),
        _DAY: is_whole or (isinstance(value, date) and not isinstance(value, datetime)),
    }
    if not fits[kind]:
        raise wrong
    return value


def _own_extension(item: object) -> OwnExtension | None:
    """Read one extension by its OID; None if it is none."""
    if not isinstance(item, dict) or not {"oid", "der"} <= set(item) <= {"oid", "der", "critical"}:
        return None
    oid, text, critical = item["oid"], item["der"], item.get("critical", False)
    if not (isinstance(oid, str) and _OID.fullmatch(oid) and isinstance(text, str) and isinstance(critical, bool)):
        return None
    try:
        return OwnExtension(oid=oid, content=bytes.fromhex(text), critical=critical)
    except ValueError:
        return None


def _expected(kind: str, accepted: tuple[Any, ...]) -> str:
    """Return the accepted values of a key, for an error message."""
    words = ", ".join(repr(str(word)) for word in accepted)
    return {
        _WORD: words,
        _WORDS: f"a list of {words}",
        _TEXT: "a string",
        _TEXTS: "a list of strings",
        _COUNT: "a non-negative integer",
        _FLAG: "true or false",
        _OWN: 'a list such as [{oid = "1.3.6.1.4.1.32473.9", der = "0500", critical = true}], der in hex',
        _DAY: "an integer (days from now) or a date such as 2020-01-31",
    }[kind]


def _profile(where: str, name: str, values: Mapping[str, Any]) -> Profile:
    """Fill in the defaults of the role, then check the profile by itself."""
    role = Role(values["role"])
    if role is not Role.AUTHORITY and not values.get("issuer"):
        raise UsageError(f"{where}: 'issuer' is missing (expected the name of a profile, or 'self')")
    authority = role is Role.AUTHORITY
    # KeyUsage of a leaf (RFC 5246 section 7.4.2): RSA key exchange needs keyEncipherment, everything else signs.
    encrypts = role is Role.SERVER and str(values["key"]).startswith("rsa-") and "pss" not in values["key"]
    leaf_usage = ("digitalSignature", "keyEncipherment") if encrypts else ("digitalSignature",)
    defaults: dict[str, Any] = {
        "issuer": "self",
        "subject": HOST if role is Role.SERVER else f"TLS harness {name}",
        "dns": (HOST,) if role is Role.SERVER else (),
        # An authority is older than the oldest expired leaf. A day back covers any time zone a board may be set to.
        "not_before": -400 if authority else -2,
        "not_after": 3650 if authority else 365,
        "ca": authority,
        "key_usage": ("keyCertSign", "cRLSign") if authority else leaf_usage,
        "extended_key_usage": () if authority else (("serverAuth",) if role is Role.SERVER else ("clientAuth",)),
    }
    profile = Profile(name=name, **{**defaults, **values, "role": role})
    if profile.key_usage == ():
        profile = replace(profile, omit=tuple(sorted({*profile.omit, "key-usage"})))
    if "key-usage" in profile.omit:
        profile = replace(profile, key_usage=())
    for word in sorted(set(filter(None, profile.defect.split("+"))).difference(DEFECTS)):
        raise UsageError(f"{where}: defect = {word!r}: expected one of {', '.join(DEFECTS)}")
    if profile.ec_parameters == "explicit" and profile.key not in EXPLICIT:
        raise UsageError(f"{where}: ec_parameters = 'explicit' needs a key of {', '.join(EXPLICIT)}")
    if profile.path_length is not None and not profile.ca:
        raise UsageError(f"{where}: path_length = {profile.path_length} needs ca = true")
    return profile


def _check_references(profile: Profile, profiles: Mapping[str, Profile]) -> None:
    """Check that the profiles it names are declared, that its issuers end in a root, and its signature."""
    where = f"profile {profile.name!r}"
    shared = profiles.get(profile.key_of)
    if shared is not None and (shared.key != profile.key or shared.key_of):
        raise UsageError(
            f"{where}: key_of names {profile.key_of!r}; expected a profile with a key of its own, {profile.key!r} as well"
        )
    named = {"issuer": (profile.issuer,), "chain": profile.chain or (), "key_of": filter(None, [profile.key_of])}
    for key, names in named.items():
        for name in sorted(set(names) - {*profiles, "self" if key == "issuer" else ""}):
            raise UsageError(f"{where}: {key} names {name!r}, which is not declared")
    seen = [profile.name]
    while profile.issuer != "self":
        if profile.issuer in seen:
            raise UsageError(f"{where}: its issuers form a cycle: {' -> '.join([*seen, profile.issuer])}")
        seen.append(profile.issuer)
        if profile.issuer not in profiles:
            return  # said of that profile itself
        profile = profiles[profile.issuer]
    _check_signature(profiles[seen[0]], profiles)


def _check_signature(profile: Profile, profiles: Mapping[str, Profile]) -> None:
    """Check that the issuer's key can make the declared signature."""
    signer = profile if profile.self_signed else profiles[profile.issuer]
    asked = (profile.signature_padding == "pss", profile.signature)
    where = f"profile {profile.name!r}"
    if signer.key.startswith("rsa-pss"):
        raise UsageError(f"{where}: the issuer {signer.name!r} has {signer.key!r}, which cannot sign certificates")
    if asked[0] and (not signer.key.startswith("rsa-") or asked[1] in ("md5", "sha1") or "pss" in profile.key):
        raise UsageError(f"{where}: signature_padding = 'pss' needs an RSA issuer, a hash from SHA-2 on and no PSS key")
    if asked[1] == "md5" and not signer.key.startswith("rsa-"):
        raise UsageError(f"{where}: signature = 'md5' needs an RSA issuer, {signer.name!r} has {signer.key!r}")
    if (profile.version == 1 or profile.ec_parameters == "explicit") and (signer.key.startswith("ed") or asked[0]):
        word = "version = 1" if profile.version == 1 else "ec_parameters = 'explicit'"
        raise UsageError(f"{where}: {word} needs an RSA or EC issuer and signature_padding = 'pkcs1'")
    if signer.key.startswith("ed") and (asked[1] != "sha256" or "pss" in profile.key):
        raise UsageError(f"{where}: {signer.name!r} has {signer.key!r}, which has only one signature: remove the key")
