"""A refusal by the server: what Python raises and which alert goes out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """OpenSSL's `SSLfatal(s, alert, reason)`; `reason` is `SSLError.reason` in Python, None where it has no name."""

    reason: str | None
    alert: int
