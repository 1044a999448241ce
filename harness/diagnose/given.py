"""Provide the user's files and the generated certificates under one set of names, for server and board.

`given` is the server's own certificate and key, used in place. `given-client-ca` is the CA whose clients that server accepts. `given-ca`
is the board's trusted CA, `every-ca` all CAs of that file; `given-client` is its client certificate. `issuer` and `client-issuer` are the
CAs that issued the server's and the board's certificate, if they can be found. `complete` is the server's chain with the intermediates that
were found; `client-issuers` are those of the board's certificate. Any other name is a profile of `certs/`, generated for the user's host.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from harness.certificates import Certificates, Material, Unavailable, declarations, keys
from harness.certificates.found import material_of, pem_of
from harness.certificates.parsed import parsed
from harness.certificates.placed import Placed
from harness.certificates.reading import anchor_among, host_of
from harness.diagnose import files as reading
from harness.diagnose.reach import Reach
from harness.diagnose.request import Files
from harness.errors import UsageError
from harness.model import ClientPlan, ServerProfile

GIVEN, CLIENT_CA, CA, CLIENT = "given", "given-client-ca", "given-ca", "given-client"
ISSUER, CLIENT_ISSUER = "issuer", "client-issuer"
COMPLETE, CLIENT_ISSUERS, EVERY_CA = "complete", "client-issuers", "every-ca"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a certificate of the user's is: a file (None: this machine's store), its form, and whether it is the first in it."""

    path: Path | None
    form: str = "pem"
    is_first: bool = True
    text: str = "this machine's trust store"


class GivenCertificates(Certificates):
    """The user's files under their names, and all certificates that can be generated.

    Args:
        files: what the user named.
        host: the server's name that the board uses; None takes one from its certificate.
        now: as for `Certificates`; the user's own files do not depend on it.

    `server_address` is where the board connects to: the server's name if its certificate has none.

    Raises:
        UsageError: a file that cannot be used.
    """

    def __init__(self, files: Files, *, host: str | None = None, now: datetime | None = None) -> None:
        self.files = files
        self.places: dict[str, Place] = {}
        self.server_address: str | None = None
        self._issued: dict[str, Material] = {}
        self._given: dict[str, Material] = {}
        self.served: tuple[bytes, ...] = ()
        chain: tuple[bytes, ...] = ()
        if files.certificate is not None and files.key is not None:
            variable = files.password_env
            chain = reading.server_chain(files.certificate, option="--cert", key=files.key, password_env=variable)
            password = reading.check_server_key(files.key, option="--key", password_env=variable)
            own = material_of(GIVEN, chain, chain_file=files.certificate, key_file=files.key)
            self._given[GIVEN] = replace(own, password=password)
        self.host = host if host is not None else host_of(chain[0]) if chain else None
        self.ca_names, self.ca_format = self._authorities()
        self.client_names, self.client_format = self._client()
        if files.client_ca is not None:
            found, form, _data = reading.authorities(files.client_ca, option="--client-ca")
            self._given[CLIENT_CA] = replace(material_of(CLIENT_CA, found), root_pem=pem_of(found))
            self.places[CLIENT_CA] = _place(files.client_ca, form)
        super().__init__(host=self.host, now=now)

    def at(self, now: datetime) -> GivenCertificates:
        """See `Certificates.at`; the files are read again."""
        return GivenCertificates(self.files, host=self.host, now=now)

    def make(self, name: str) -> Material:
        """See `Certificates.make`; `issuer` and `client-issuer` are searched for on first use.

        Raises:
            Unavailable: the certificate's issuer was not found.
        """
        if name in self._issued:
            return self._issued[name]
        if name in (ISSUER, CLIENT_ISSUER) and name not in self._given:
            self._given[name] = self._issuer(name)
        if name == COMPLETE and name not in self._given:
            self._given[name] = self._complete()
        if name == CLIENT_ISSUERS and name not in self._given:
            self._given[name] = self._client_issuers()
        return self._given[name] if name in self._given else super().make(name)

    def use(self, issued: Mapping[str, Material]) -> None:
        """Let `make` return these instead of generating them: what the commands of a recipe made."""
        self._issued = dict(issued)

    def is_own(self, name: str) -> bool:
        """Whether a name is one of the user's certificates, and not generated."""
        return name in self._given or name in (ISSUER, CLIENT_ISSUER, COMPLETE, CLIENT_ISSUERS, EVERY_CA)

    def root_of(self, name: str) -> str | None:
        """The root of a generated certificate; None for the user's own."""
        if self.is_own(name):
            return None
        above = declarations.issuers(self.profile(name), self._declared())
        return above[-1] if above else name

    @functools.cached_property
    def reach(self) -> Reach:
        """The certificates of the given files and around them."""
        return Reach(self.files)

    def server_places(self, server: ServerProfile, client: ClientPlan) -> tuple[Placed, ...]:
        """See `Certificates.server_places`; with files, and with what else is within reach."""
        found = super().server_places(server, client)
        return self.reach.with_files(found, own=bool({GIVEN, COMPLETE} & {*server.certificates}))

    def client_places(self, server: ServerProfile, client: ClientPlan) -> tuple[Placed, ...]:
        """See `Certificates.client_places`; with files, and with what else is within reach."""
        found = super().client_places(server, client)
        return self.reach.with_files(found, own=client.certificate == CLIENT)

    def _complete(self) -> Material:
        """The server's chain in order, with the intermediates that were found, in a file of its own."""
        own = self._given.get(GIVEN)
        if own is None:
            raise Unavailable(COMPLETE, "no certificate was given")
        chain = tuple(link.parsed.der for link in self.reach.server_chain(self.now).complete)
        chain_file = self._write(f"{COMPLETE}.chain.pem", pem_of(chain))
        return replace(
            material_of(COMPLETE, chain, chain_file=chain_file, key_file=own.key_file), password=own.password
        )

    def _client_issuers(self) -> Material:
        """The intermediates of the board's certificate that were found."""
        found = self.reach.client_chain(self.now).complete[1:]
        if not found:
            raise Unavailable(CLIENT_ISSUERS, "the intermediates of the board's certificate were not found")
        self.places[CLIENT_ISSUERS] = Place(path=None, text=found[0].at.file or "")
        chain = tuple(link.parsed.der for link in found)
        return replace(material_of(CLIENT_ISSUERS, chain), root_pem=pem_of(chain))

    def _authorities(self) -> tuple[tuple[str, ...], str]:
        """What the board must trust, in the form of the file: a PEM text is sent as one, DER is one certificate."""
        path = self.files.ca
        if path is None:
            return (), "der"
        found, form, data = reading.authorities(path, option="--ca")
        names = (CA, *(f"{CA}-{number}" for number in range(2, len(found) + 1)))
        for name, der in zip(names, found, strict=True):
            self._given[name] = material_of(name, (der,))
            self.places[name] = _place(path, form, is_first=der == found[0])
        self._given[CA] = replace(self._given[CA], certificate_pem=data)
        return names, form

    def _client(self) -> tuple[tuple[str, ...], str]:
        certificate, key = self.files.client_certificate, self.files.client_key
        if certificate is None or key is None:
            return (), "der"
        found, form, data = reading.authorities(certificate, option="--client-cert")
        own = reading.own_key(key, option="--client-key")
        if (form == "pem") != (own.form == "pem"):
            raise UsageError(
                f"--client-key {key}: certificate and key have different formats; give both as PEM or both as DER"
            )
        self._given[CLIENT] = replace(
            material_of(CLIENT, found),
            certificate_pem=data,
            key_pem=own.data,
            key_der=keys.traditional_der(own.key),
            key_pkcs8_der=keys.pkcs8_der(own.key),
        )
        return (CLIENT,), own.form

    def _issuer(self, name: str) -> Material:
        """Look for the CA in the given files, in their folders and in this machine's trust store; an expired one comes last."""
        own = self._given.get(GIVEN if name == ISSUER else CLIENT)
        chain = own.chain_der if own is not None else self.served if name == ISSUER else ()
        if not chain:
            raise Unavailable(name, "no certificate was given, so there is no issuer to look for")
        within = sorted((*self.reach.named, *self.reach.nearby), key=self._is_outside_dates)
        sent = chain[1:] if own is None else ()
        found = anchor_among(chain[0], [*(at.der for at in within), *sent])
        # What a running server sends leads to its CA, but must not be trusted because the server sent it.
        if found is None or (own is None and all(at.der != found for at in within)):
            raise Unavailable(
                name, "it was not found in the given files, in their folders or in this machine's trust store"
            )
        places = (_place_of(at) for at in within if at.der == found)
        self.places[name] = next(places, Place(path=None, text="the certificate itself"))
        return material_of(name, (found,))

    def _is_outside_dates(self, at: Placed) -> bool:
        """Whether a certificate in a file is not valid now; this machine's store has too many, and they come last anyway."""
        if at.source is None:
            return False
        try:
            found = parsed(at.der)
        except ValueError:
            return True
        return not found.not_before <= self.now <= found.not_after


def _place_of(at: Placed) -> Place:
    if at.source is None:
        return Place(path=None)
    return Place(path=Path(at.source), form=at.form, is_first=at.number == 1, text=at.file or at.source)


def _place(path: Path, form: str, *, is_first: bool = True) -> Place:
    return Place(path=path.absolute(), form=form, is_first=is_first, text=str(path))
