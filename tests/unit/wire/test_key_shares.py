"""Key shares of a client, against a second share of the same group."""

import pytest

from harness.wire.key_shares import KeyShare, can_share

SIZES = {0x17: 65, 0x18: 97, 0x19: 133, 0x1D: 32, 0x1E: 56}


@pytest.mark.parametrize(("group", "size"), SIZES.items())
def test_both_sides_agree(group: int, size: int) -> None:
    """Two shares of a group have the same secret, and each is new."""
    one, other = KeyShare(group), KeyShare(group)
    assert one.secret(other.public) == other.secret(one.public)
    assert len(one.public) == size
    assert one.public != other.public


@pytest.mark.parametrize("group", SIZES)
def test_not_a_point(group: int) -> None:
    """A share of the wrong length or off the curve is a ValueError."""
    with pytest.raises(ValueError, match=r".*"):
        KeyShare(group).secret(b"\x04" + b"\x01" * 5)


def test_groups_without_a_share() -> None:
    """Finite fields and unknown groups have none here."""
    assert [group for group in (0x17, 0x1D, 0x100, 0x1A, 0x11EC) if can_share(group)] == [0x17, 0x1D]
    with pytest.raises(ValueError, match=r"^no key share for group 0x0100$"):
        KeyShare(0x100)
