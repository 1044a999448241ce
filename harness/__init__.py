"""TLS hardware-in-the-loop harness for MicroPython: what other people's code may import from it.

Everything else is internal and may change. The names are loaded at their first use: `import harness` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.errors import BoardError, HarnessError, ServerError, UsageError
    from harness.model import (
        BoardInfo,
        BoardSpec,
        Case,
        CaseResult,
        ClientPlan,
        Expectation,
        Observation,
        Outcome,
        ServerProfile,
        Side,
        Stage,
        Verdict,
        VerdictWord,
        Verify,
    )

__version__ = "0.1.0"

__all__ = [
    "BoardError",
    "BoardInfo",
    "BoardSpec",
    "Case",
    "CaseResult",
    "ClientPlan",
    "Expectation",
    "HarnessError",
    "Observation",
    "Outcome",
    "ServerError",
    "ServerProfile",
    "Side",
    "Stage",
    "UsageError",
    "Verdict",
    "VerdictWord",
    "Verify",
    "__version__",
]

_ERRORS = {"BoardError", "HarnessError", "ServerError", "UsageError"}


def __getattr__(name: str) -> Any:
    """Load a public name (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    value = getattr(importlib.import_module("harness.errors" if name in _ERRORS else "harness.model"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
