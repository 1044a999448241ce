"""The nearest name of a misspelled one."""

import pytest

from harness.system.near_names import did_you_mean

NAMES = ("server-p256", "server-p384", "ca-p256")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("server-p257", "; did you mean 'server-p256'?"),
        ("server_p384", "; did you mean 'server-p384'?"),
        ("p384", "; did you mean 'server-p384'?"),
        ("384", ""),
        ("mosquitto", ""),
        ("", ""),
        (256, ""),
        (None, ""),
    ],
)
def test_did_you_mean(name, expected):
    """The nearest name is suggested; a word that is near to none, or no word, gets no suggestion."""
    assert did_you_mean(name, NAMES) == expected
