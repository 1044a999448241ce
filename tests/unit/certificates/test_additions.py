"""Profiles that a user adds to the harness's own."""

import re
from pathlib import Path

import pytest

from harness.certificates import Certificates
from harness.certificates.additions import Additions
from harness.errors import UsageError

OWN = {
    "description": "The broker of the lab.",
    "role": "server",
    "key": "p384",
    "issuer": "ca-p256",
    "dns": ("broker.lab",),
}
FOLDER = """
[lab-ca]
description = "The root of the lab."
role = "authority"
key = "p256"

[lab-broker]
description = "The broker, from the lab's root."
role = "server"
key = "rsa-2048"
issuer = "lab-ca"
"""


@pytest.fixture
def made():
    """Return certificates that are removed at the end."""
    with Certificates() as factory:
        yield factory


def test_a_profile_of_a_test(made: Certificates) -> None:
    """An added profile is made like any other, from an issuer of the harness; the same declaration again is the same profile."""
    assert made.add("lab-broker", **OWN) == "lab-broker"
    assert made.add("lab-broker", **OWN) == "lab-broker"
    assert made.make("lab-broker").facts.curve == "secp384r1"
    assert made.make("lab-broker").root_der == made.make("ca-p256").certificate_der
    assert made.at(made.now).make("lab-broker").facts.curve == "secp384r1"


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        (
            "lab",
            {**OWN, "keyy": 1},
            "certificates.add(): profile 'lab': unknown key 'keyy'; did you mean 'key'? (expected one of description,",
        ),
        ("lab", {**OWN, "key": "p257"}, "certificates.add(): profile 'lab': key = 'p257': expected 'rsa-1024', "),
        ("lab", {**OWN, "issuer": "nobody"}, "profile 'lab': issuer names 'nobody', which is not declared"),
        ("Lab", OWN, "certificates.add(): profile 'Lab': a name consists of lower-case words joined by dashes"),
        ("server-p256", OWN, "profile 'server-p256' is declared twice: the harness has one of this name"),
    ],
)
def test_a_wrong_profile(made: Certificates, name: str, keys: dict, message: str) -> None:
    """A mistake is one line; the profile is not added."""
    with pytest.raises(UsageError, match=f"^{re.escape(message)}"):
        made.add(name, **keys)
    assert made.additions.tables == {}


def test_another_declaration_of_the_same_name(made: Certificates) -> None:
    """A second, different profile of one name is refused."""
    made.add("lab-broker", **OWN)
    with pytest.raises(UsageError, match="profile 'lab-broker' is declared twice"):
        made.add("lab-broker", **{**OWN, "key": "p256"})


def test_a_folder(tmp_path: Path) -> None:
    """The profiles of a folder are added to those of the harness, and may refer to each other."""
    (tmp_path / "lab.toml").write_text(FOLDER, encoding="utf-8")
    with Certificates(additions=Additions(folders=(tmp_path,))) as made:
        assert {"lab-ca", "lab-broker", "server-p256"} <= set(made.names())
        assert made.make("lab-broker").root_der == made.make("lab-ca").certificate_der


def test_a_folder_without_declarations(tmp_path: Path) -> None:
    """A folder without profiles is a mistake."""
    with pytest.raises(UsageError, match=rf"^no certificate declarations \(\*\.toml\) in {re.escape(str(tmp_path))}$"):
        Certificates(additions=Additions(folders=(tmp_path,))).names()
