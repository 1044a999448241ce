"""Reports sent from a pytest-xdist worker to the controller, as one piece of bytes.

execnet serialises every value of a dict in Python, on both ends, and a result has hundreds of values; `marshal` does it in C and keeps
tuples. Both ends belong to the same run, so no untrusted bytes are read.
"""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any

from harness.pytest_plugin.run import LAB

if TYPE_CHECKING:
    import pytest

PACKED = "tls_harness_packed"
# A format that every supported Python can read.
FORMAT = 4


def pack(data: dict[str, Any] | None, config: pytest.Config) -> dict[str, Any] | None:
    """Pack the report in a worker that has used a board. A report that marshal cannot serialise stays as it is."""
    if data is None or not hasattr(config, "workerinput") or LAB not in config.stash:
        return data
    try:
        return {"$report_type": data.get("$report_type"), PACKED: marshal.dumps(data, FORMAT)}
    except ValueError:
        return data


def unpack(data: dict[str, Any]) -> None:
    """Undo `pack`, in place. Other data is not changed."""
    packed = data.pop(PACKED, None)
    if packed is not None:
        data.update(marshal.loads(packed))
