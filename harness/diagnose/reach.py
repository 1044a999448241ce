"""The certificates that the harness can read: in the given files, in their folders, and in this machine's trust store. Never keys."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from harness.certificates.chain import read_chain
from harness.certificates.chain_problems import OPENSSL_EXTENSIONS, Reading, Rules
from harness.certificates.placed import Origin, Placed, placed
from harness.diagnose import files as reading
from harness.diagnose.request import Files

STORE = "this machine's trust store"


class Reach:
    """The certificates of the given files and around them, each with its place.

    Args:
        files: what the user named.
    """

    def __init__(self, files: Files) -> None:
        self.files = files

    @functools.cached_property
    def named(self) -> tuple[Placed, ...]:
        """The certificates of the given files."""
        found: list[Placed] = []
        for option, path in self._options():
            ders, form, _data = reading.authorities(path, option=option)
            found += placed(ders, origin=Origin.NEARBY, file=path, form=form)
        return tuple(found)

    @functools.cached_property
    def nearby(self) -> tuple[Placed, ...]:
        """Certificates that the user did not name."""
        paths = [path for _option, path in self._options()]
        store = ssl.create_default_context().get_ca_certs(binary_form=True)
        return (
            *reading.within_reach([path.parent for path in paths], without=paths),
            *(Placed(der=der, origin=Origin.NEARBY, file=STORE) for der in store),
        )

    def with_files(self, found: Iterable[Placed], *, own: bool) -> tuple[Placed, ...]:
        """Name the file of each certificate that comes from one, and add what else is within reach.

        Args:
            found: what is sent and trusted.
            own: whether what is sent is in a file, and was not generated.
        """
        files = {at.der: at for at in reversed(self.named)}
        result = [
            replace(files[at.der], origin=at.origin)
            if at.der in files and (own or at.origin is not Origin.SENT)
            else at
            for at in found
        ]
        have = {at.der for at in result if at.file is not None}
        same_file = {at.file for at in result if at.origin is Origin.TRUSTED and at.file is not None}
        rest = [at for at in self.named if at.der not in have]
        unused = [replace(at, origin=Origin.TRUSTED, unused=True) for at in rest if at.file in same_file]
        return (*result, *unused, *(at for at in rest if at.file not in same_file), *self.nearby)

    def server_chain(self, now: datetime) -> Reading:
        """Follow the chain of the server's own file."""
        return self._chain(self.files.certificate, self.files.ca, rules=Rules(), now=now)

    def client_chain(self, now: datetime) -> Reading:
        """Follow the chain of the board's own file."""
        rules = Rules(
            in_order=False,
            needs_root=True,
            purpose="clientAuth",
            name_constraints=True,
            extensions=OPENSSL_EXTENSIONS,
        )
        return self._chain(self.files.client_certificate, self.files.client_ca, rules=rules, now=now)

    def _chain(self, own: Path | None, authority: Path | None, *, rules: Rules, now: datetime) -> Reading:
        sent = [replace(at, origin=Origin.SENT) for at in self.named if at.file == str(own)]
        trusted = [replace(at, origin=Origin.TRUSTED) for at in self.named if at.file == str(authority)]
        return read_chain(sent, trusted=trusted, nearby=(*self.named, *self.nearby), rules=rules, now=now)

    def _options(self) -> tuple[tuple[str, Path], ...]:
        named = (
            ("--cert", self.files.certificate),
            ("--ca", self.files.ca),
            ("--client-cert", self.files.client_certificate),
            ("--client-ca", self.files.client_ca),
        )
        return tuple((option, path) for option, path in named if path is not None)
