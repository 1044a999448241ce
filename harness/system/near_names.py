"""The nearest of several names, for the message about a misspelled one. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# difflib's measure: one wrong letter in four still counts as near.
CUTOFF = 0.7
# A word of this length that a name contains is near, too: `hostname` and `server_hostname`.
SHORTEST_PART = 4


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """Return `; did you mean 'server-p256'?`, or nothing if no name is near.

    Args:
        name: as given; one that is not a string is near to none.
        names: those that exist.
    """
    if not isinstance(name, str):
        return ""
    known = [str(one) for one in names]
    near = difflib.get_close_matches(name, known, n=1, cutoff=CUTOFF)
    if not near and len(name) >= SHORTEST_PART:
        near = [one for one in known if name in one][:1]
    return f"; did you mean {near[0]!r}?" if near else ""
