"""The record of a refusal."""

from __future__ import annotations

import pytest

from harness.oracle.prediction.refusal import Refusal


def test_a_refusal_is_a_value() -> None:
    """Two equal refusals compare as equal, and neither can be changed."""
    refusal = Refusal(reason="NO_SHARED_CIPHER", alert=40)
    assert refusal == Refusal(reason="NO_SHARED_CIPHER", alert=40)
    with pytest.raises(AttributeError, match="alert"):
        refusal.alert = 41  # type: ignore[misc]
