"""Makes the certificates of one run by name, and removes their files at the end.

Knows profiles, chains and the private directory; leaves X.509 to `build` and key files to `keys`, which it loads only
when the first certificate is made.
"""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from harness.certificates import declarations
from harness.certificates.additions import Additions
from harness.certificates.declarations import Profile
from harness.certificates.material import Material, Unavailable
from harness.certificates.placed import Origin, Placed, placed
from harness.errors import UsageError
from harness.model import ClientPlan, ServerProfile
from harness.system.data_files import cache_dir, data_dir
from harness.system.near_names import did_you_mean
from harness.system.private_folder import PrivateFolder

if TYPE_CHECKING:
    from harness.certificates.keys import KeyStore, PrivateKey


class Certificates:
    """Makes the certificates of `certs/` on demand, each once. Not thread-safe.

    Args:
        store: directory that keeps RSA keys between runs; default the user's cache. One that is not private is not
            used, and keys are then made anew, without an error.
        now: the moment that validity counts from, with a time zone. Default: when this object was made. Give the
            board's own time for a board whose clock cannot be set.
        folder: declarations to read instead of the harness's own.
        host: the name or address of the user's own server, which server certificates are for in addition to `tls.test`.
        additions: the user's own profiles and files, in addition to the declarations.
    """

    def __init__(
        self,
        store: Path | None = None,
        *,
        now: datetime | None = None,
        folder: Path | None = None,
        host: str | None = None,
        additions: Additions | None = None,
    ) -> None:
        if now is not None and now.tzinfo is None:
            raise UsageError(f"certificates: now = {now.isoformat()} has no time zone (give one, for example UTC)")
        self.now = now or datetime.now(UTC)
        self._store_folder = store
        self._folder = folder
        self._host = host
        self.additions = additions or Additions()
        self._profiles: dict[str, Profile] | None = None
        self._added = 0
        self._store: KeyStore | None = None
        self._keys: dict[str, PrivateKey] = {}
        self._certificates: dict[str, bytes] = {}
        self._made: dict[str, Material] = {}
        self._directory: PrivateFolder | None = None

    def at(self, now: datetime) -> Certificates:
        """Return a factory with the same declarations for another current time; it shares nothing that was made."""
        return Certificates(self._store_folder, now=now, folder=self._folder, host=self._host, additions=self.additions)

    def __enter__(self) -> Certificates:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the files of everything made so far; later `make` calls write new ones."""
        self._made.clear()
        if self._directory is not None:
            self._directory.close()
            self._directory = None

    def names(self) -> tuple[str, ...]:
        """List the declared profiles, in the order of the declarations."""
        return tuple(self._declared())

    def profile(self, name: str) -> Profile:
        """Return the declaration of a name.

        Raises:
            UsageError: for a name that is not declared.
        """
        profiles = self._declared()
        if name not in profiles:
            near = did_you_mean(name, profiles)
            raise UsageError(
                f"unknown certificate profile {name!r}{near} (`tls-harness files certs` prints the folder that declares all "
                f"{len(profiles)}; `certificates.names()` lists them)"
            )
        return profiles[name]

    def add(self, name: str, **keys: Any) -> str:
        """Declare a profile of your own, for this session.

        Args:
            name: lower-case words joined by dashes.
            keys: as in certs/README.md: description, role, key, issuer ...

        Returns:
            The name, for `tls_server(name)` or `board.connect(..., ca=name)`.

        Raises:
            UsageError: a key or value is not accepted, or another profile has this name.
        """
        self.additions.add(name, keys, known=self._declared())
        return name

    def make(self, name: str) -> Material:
        """Make a profile with its issuers, or return what was made before.

        Raises:
            UsageError: for a name that is not declared.
            Unavailable: if the cryptography of this machine refuses the key type or hash.
        """
        if name in self.additions.files:
            return self.additions.files[name]
        if name not in self._made:
            self._made[name] = self._material(self.profile(name))
        return self._made[name]

    def server_places(self, server: ServerProfile, client: ClientPlan) -> tuple[Placed, ...]:
        """Return the chain that a server sends and the certificates that its client trusts."""
        chain = self._chain(server.certificates[0]) if server.certificates else ()
        trusted = [made for name in client.ca if (made := self._made_or_none(name)) is not None]
        is_text = client.ca_format.startswith("pem")
        return (
            *placed(chain, origin=Origin.SENT),
            *_trusted(made.certificate_pem if is_text else made.certificate_der for made in trusted),
        )

    def client_places(self, server: ServerProfile, client: ClientPlan) -> tuple[Placed, ...]:
        """Return the client's own certificate and what the server trusts."""
        chain = self._chain(client.certificate) if client.certificate is not None else ()
        trusted = [made for name in server.client_ca if (made := self._made_or_none(name)) is not None]
        return (*placed(chain, origin=Origin.SENT), *_trusted(made.root_pem for made in trusted))

    def _chain(self, name: str) -> tuple[bytes, ...]:
        made = self._made_or_none(name)
        return made.chain_der if made is not None else ()

    def _made_or_none(self, name: str) -> Material | None:
        with contextlib.suppress(Unavailable):
            return self.make(name)
        return None

    def _declared(self) -> dict[str, Profile]:
        if self._profiles is None or self._added != len(self.additions.tables):
            declared = self.additions.added_to(declarations.load(self._folder or data_dir("certs")))
            self._added = len(self.additions.tables)
            if self._host is not None:
                declared = {name: declarations.for_host(one, self._host) for name, one in declared.items()}
            self._profiles = declared
        return self._profiles

    def _material(self, profile: Profile) -> Material:
        from harness.certificates import build, der, keys

        above = declarations.issuers(profile, self._declared())
        sent = (profile.name, *(above[:-1] if profile.chain is None else profile.chain))
        chain_der = tuple(self._certificate(self.profile(name)) for name in sent)
        root_der = self._certificate(self.profile(above[-1] if above else profile.name))
        key = self._foreign_key(profile) if profile.foreign_key else self._key(profile)
        key_pem, key_der, pkcs8 = keys.traditional_pem(key), keys.traditional_der(key), keys.pkcs8_der(key)
        if build.key_type(profile.key) == "RSA-PSS":
            pkcs8 = der.pss_private_key(pkcs8)
            key_pem, key_der = _pem("PRIVATE KEY", pkcs8), pkcs8
        chain_pem = b"".join(_pem("CERTIFICATE", one) for one in chain_der)
        issuer = profile if profile.self_signed else self.profile(profile.issuer)
        return Material(
            name=profile.name,
            key_file=self._write(f"{profile.name}.key.pem", key_pem),
            chain_file=self._write(f"{profile.name}.chain.pem", chain_pem),
            certificate_pem=_pem("CERTIFICATE", chain_der[0]),
            certificate_der=chain_der[0],
            chain_pem=chain_pem,
            chain_der=chain_der,
            key_pem=key_pem,
            key_der=key_der,
            key_pkcs8_der=pkcs8,
            root_pem=_pem("CERTIFICATE", root_der),
            root_der=root_der,
            facts=build.facts(profile, issuer=issuer, chain_der=chain_der),
        )

    def _certificate(self, profile: Profile) -> bytes:
        """Make the certificate alone, once; needs the issuer's key but not its certificate."""
        from harness.certificates import build

        if profile.name not in self._certificates:
            signer = profile if profile.self_signed else self.profile(profile.issuer)
            key = self._key(profile)
            issuer = build.Issuer(profile=signer, key=self._key(signer))
            with _unavailable(profile):
                made = build.make_certificate(profile, key=key, issuer=issuer, now=self.now)
            self._certificates[profile.name] = made
        return self._certificates[profile.name]

    def _key(self, profile: Profile) -> PrivateKey:
        from harness.certificates import keys

        if profile.key_of:
            return self._key(self.profile(profile.key_of))
        if profile.name not in self._keys:
            if self._store is None:
                self._store = keys.KeyStore(self._store_folder or cache_dir("keys"))
            with _unavailable(profile):
                self._keys[profile.name] = self._store.key(profile.name, kind=profile.key)
        return self._keys[profile.name]

    def _foreign_key(self, profile: Profile) -> PrivateKey:
        """Return a key of the same type that does not match the certificate."""
        return self._key(replace(profile, name=f"{profile.name}.foreign", key_of=""))

    def _write(self, name: str, content: bytes) -> Path:
        """Write a file that only this user can read, in a directory (0700) that is removed with this object."""
        if self._directory is None:
            self._directory = PrivateFolder("tls-harness-")
        path = self._directory.path / name
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(path, flags, 0o600), "wb") as file:
            file.write(content)
        return path


def _trusted(contents: Iterable[bytes]) -> Iterator[Placed]:
    """What a verifier gets from PEM texts and DER."""
    from harness.certificates.reading import in_file

    for data in contents:
        yield from placed(in_file(data)[0], origin=Origin.TRUSTED)


@contextlib.contextmanager
def _unavailable(profile: Profile) -> Iterator[None]:
    """Turn a refusal of the cryptography library (a build without this curve or hash) into `Unavailable`."""
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm

    try:
        yield
    except (InternalError, UnsupportedAlgorithm) as error:
        raise Unavailable(profile.name, str(error)) from error


def _pem(label: str, content: bytes) -> bytes:
    """Write DER as text (RFC 7468)."""
    encoded = base64.b64encode(content).decode("ascii")
    lines = [encoded[start : start + 64] for start in range(0, len(encoded), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode("ascii")
