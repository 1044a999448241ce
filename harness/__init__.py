"""TLS hardware-in-the-loop harness for MicroPython: the names that other code may import from it.

Everything else is internal and may change. Names are loaded at their first use: `import harness` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.certificates import Certificates as Certificates
    from harness.errors import BoardError as BoardError
    from harness.errors import HarnessError as HarnessError
    from harness.errors import ServerError as ServerError
    from harness.errors import UsageError as UsageError
    from harness.model import BoardInfo as BoardInfo
    from harness.model import Case as Case
    from harness.model import CaseResult as CaseResult
    from harness.model import Observation as Observation
    from harness.model import Outcome as Outcome
    from harness.model import Side as Side
    from harness.model import Stage as Stage
    from harness.model import VerdictWord as VerdictWord
    from harness.model import Verify as Verify
    from harness.pytest_plugin.arguments import Server as Server
    from harness.pytest_plugin.arguments import ServerFactory as ServerFactory
    from harness.pytest_plugin.expect import Expect as Expect
    from harness.pytest_plugin.fixtures import Board as Board
    from harness.pytest_plugin.fixtures import RunCase as RunCase

__version__ = "0.1.0"

_HOMES = {
    "harness.certificates": ("Certificates",),
    "harness.errors": ("BoardError", "HarnessError", "ServerError", "UsageError"),
    "harness.model": (
        "BoardInfo",
        "Case",
        "CaseResult",
        "Observation",
        "Outcome",
        "Side",
        "Stage",
        "VerdictWord",
        "Verify",
    ),
    "harness.pytest_plugin.arguments": ("Server", "ServerFactory"),
    "harness.pytest_plugin.expect": ("Expect",),
    "harness.pytest_plugin.fixtures": ("Board", "RunCase"),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [*sorted(_MODULES), "__version__"]


def __getattr__(name: str) -> Any:
    """Load a public name (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    globals()[name] = value = getattr(importlib.import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
