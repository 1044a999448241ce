"""A report on its way from a worker of pytest-xdist to the controller, as one piece of bytes.

execnet walks through every word and number of a dict in Python, on both ends, and a result has hundreds; `marshal` does it in C and keeps
tuples as they are. Both ends are the same Python on one machine, or two of one run: nobody else's bytes are read.
"""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any

from harness.pytest_plugin.run import LAB

if TYPE_CHECKING:
    import pytest

PACKED = "tls_harness_packed"
# Readable for every Python that this package runs under.
FORMAT = 4


def pack(data: dict[str, Any] | None, config: pytest.Config) -> dict[str, Any] | None:
    """Make one piece of a report in a worker that has had a board. What marshal does not know stays as it is, as in any other process."""
    if data is None or not hasattr(config, "workerinput") or LAB not in config.stash:
        return data
    try:
        return {"$report_type": data.get("$report_type"), PACKED: marshal.dumps(data, FORMAT)}
    except ValueError:
        return data


def unpack(data: dict[str, Any]) -> None:
    """Undo `pack`, in place; other data is left alone."""
    packed = data.pop(PACKED, None)
    if packed is not None:
        data.update(marshal.loads(packed))
