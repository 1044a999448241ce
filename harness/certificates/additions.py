"""What a user adds to the harness's certificates: folders of profiles, single profiles, and files used as they are.

Shared by all `Certificates` of a run, whose clocks may differ. Makes nothing; the factory makes what is declared here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.certificates import declarations
from harness.certificates.declarations import Profile
from harness.certificates.material import Material

WHERE = "certificates.add()"


@dataclass(slots=True)
class Additions:
    """Folders with `*.toml`, profiles by name, and the user's own files under their paths."""

    folders: tuple[Path, ...] = ()
    tables: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    files: dict[str, Material] = field(default_factory=dict)

    def add(self, name: str, table: Mapping[str, Any], *, known: Mapping[str, Profile]) -> None:
        """Declare a profile; the same declaration once more changes nothing.

        Raises:
            UsageError: a key or value is not accepted, or another profile has this name.
        """
        if self.tables.get(name) == table:
            return
        declarations.extended(known, declarations.declared(name, table, where=WHERE))
        self.tables[name] = dict(table)

    def added_to(self, profiles: Mapping[str, Profile]) -> dict[str, Profile]:
        """Return the harness's profiles and all that were added.

        Raises:
            UsageError: a folder has a wrong declaration, or one of a name that is taken.
        """
        result = dict(profiles)
        for folder in self.folders:
            result = declarations.extended(result, declarations.read(folder))
        for name, table in self.tables.items():
            result = declarations.extended(result, declarations.declared(name, table, where=WHERE))
        return result
