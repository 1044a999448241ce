"""The situations of situations.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Situation:
    """One of them; situations.toml says what the words mean."""

    name: str
    problems: tuple[str, ...]
    cert: str = "server-p256.pem"
    key: str = ""
    ca: str = ""
    client_ca: str = ""
    client_cert: str = ""
    client_key: str = ""
    beside: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    fast: bool = False

    def files(self) -> dict[str, str]:
        """Return option -> file."""
        profile = self.cert.split(".", maxsplit=1)[0]
        named = {
            "--cert": self.cert,
            "--key": self.key or f"{profile}.key.pem",
            "--ca": self.ca,
            "--client-ca": self.client_ca,
            "--client-cert": self.client_cert,
            "--client-key": self.client_key,
        }
        return {option: file for option, file in named.items() if file}


def situations() -> tuple[Situation, ...]:
    """Read them."""
    tables = tomllib.loads(Path(__file__).with_name("situations.toml").read_text(encoding="utf-8"))
    lists = ("problems", "beside", "options")
    return tuple(
        Situation(name=name, **{key: tuple(value) if key in lists else value for key, value in table.items()})
        for name, table in tables.items()
    )
