"""Declarations are read strictly, and every error names file, profile and key."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from harness.certificates import Profile, Role, declarations
from harness.errors import UsageError
from harness.system.data_files import data_dir

ROOT = '[root]\ndescription = "r"\nrole = "authority"\nkey = "p256"\n'
LEAF = '[leaf]\ndescription = "l"\nrole = "server"\nkey = "p256"\nissuer = "root"\n'


def read(folder: Path, text: str) -> dict[str, Profile]:
    """Load one file of declarations."""
    (folder / "some.toml").write_text(text, encoding="utf-8")
    return declarations.load(folder)


def test_every_field_of_a_profile_can_be_declared() -> None:
    """The keys of a declaration are the fields of the record, without the name and with `copies`."""
    assert {item.name for item in fields(Profile)} - {"name"} | {"copies"} == set(declarations._KEYS)


def test_roles_decide_the_defaults(tmp_path: Path) -> None:
    """An authority signs, a server is for tls.test, and only an RSA server may encrypt."""
    rsa = LEAF.replace("leaf", "rsa").replace("p256", "rsa-2048")
    client = LEAF.replace("leaf", "client").replace('"server"', '"client"')
    profiles = read(tmp_path, ROOT + LEAF + rsa + client)
    assert (profiles["root"].issuer, profiles["root"].ca, profiles["root"].subject) == (
        "self",
        True,
        "TLS harness root",
    )
    assert profiles["root"].key_usage == ("keyCertSign", "cRLSign")
    assert (profiles["leaf"].subject, profiles["leaf"].dns) == ("tls.test", ("tls.test",))
    assert profiles["leaf"].key_usage == ("digitalSignature",)
    assert profiles["rsa"].key_usage == ("digitalSignature", "keyEncipherment")
    assert (profiles["client"].dns, profiles["client"].extended_key_usage) == ((), ("clientAuth",))
    assert profiles["client"].role is Role.CLIENT


def test_values_are_kept_as_declared(tmp_path: Path) -> None:
    """Lists become tuples, dates stay dates, an empty key usage omits the extension."""
    leaf = read(tmp_path, ROOT + LEAF + 'dns = []\nnot_after = 9999-12-31\nkey_usage = []\nchain = ["root"]\n')["leaf"]
    assert (leaf.dns, leaf.not_after, leaf.chain) == ((), date(9999, 12, 31), ("root",))
    assert (leaf.key_usage, leaf.omit) == ((), ("key-usage",))


def test_copies_are_numbered(tmp_path: Path) -> None:
    """`copies` makes this number of profiles, each with its own numbered name."""
    profiles = read(tmp_path, ROOT + "copies = 12\n")
    assert list(profiles)[:2] == ["root-01", "root-02"]
    assert len(profiles) == 12
    assert profiles["root-12"].subject == "TLS harness root-12"


def test_issuers_go_up_to_the_root(tmp_path: Path) -> None:
    """Return the issuers of a certificate, the nearest first."""
    middle = ROOT.replace("[root]", "[middle]") + 'issuer = "root"\n'
    profiles = read(tmp_path, ROOT + middle + LEAF.replace('"root"', '"middle"'))
    assert declarations.issuers(profiles["leaf"], profiles) == ("middle", "root")
    assert declarations.issuers(profiles["root"], profiles) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            LEAF + 'keyy = "p256"\n',
            "some.toml: profile 'leaf': unknown key 'keyy'; did you mean 'key'? (expected one of description, role, key,",
        ),
        (LEAF.replace("p256", "p257"), "profile 'leaf': key = 'p257': expected 'rsa-1024',"),
        (LEAF + "must_staple = 1\n", "profile 'leaf': must_staple = 1: expected true or false"),
        (LEAF + "many_dns = -1\n", "profile 'leaf': many_dns = -1: expected a non-negative integer"),
        (LEAF + "many_dns = true\n", "profile 'leaf': many_dns = True: expected a non-negative integer"),
        (LEAF + 'dns = "tls.test"\n', "profile 'leaf': dns = 'tls.test': expected a list of strings"),
        (LEAF + "not_after = 1.5\n", "profile 'leaf': not_after = 1.5: expected an integer (days from now"),
        (LEAF + "not_after = 2020-01-01T00:00:00Z\n", "profile 'leaf': not_after = datetime.datetime(2020"),
        (
            LEAF + 'key_usage = ["sign"]\n',
            "key_usage = ['sign']: expected a list of 'digitalSignature'",
        ),
        (LEAF + "subject = 5\n", "profile 'leaf': subject = 5: expected a string"),
        (LEAF + 'defect = "odd"\n', "profile 'leaf': defect = 'odd': expected one of expired,"),
        (LEAF + "path_length = 0\n", "profile 'leaf': path_length = 0 needs ca = true"),
        (LEAF.replace('issuer = "root"\n', ""), "profile 'leaf': 'issuer' is missing (expected the name of a profile"),
        (LEAF.replace('description = "l"\n', ""), "profile 'leaf': 'description' is missing"),
        (LEAF.replace('"root"', '"rooot"'), "profile 'leaf': issuer names 'rooot', which is not declared"),
        (LEAF + 'chain = ["middle"]\n', "profile 'leaf': chain names 'middle', which is not declared"),
        (LEAF.replace("[leaf]", "[Leaf]"), "profile 'Leaf': a name consists of lower-case words joined by dashes"),
        ("leaf = 5\n", "profile 'leaf': expected a table, got 5"),
        (LEAF + 'signature = "md5"\n', "profile 'leaf': signature = 'md5' needs an RSA issuer, 'root' has 'p256'"),
        (LEAF + 'signature_padding = "pss"\n', "profile 'leaf': signature_padding = 'pss' needs an RSA issuer"),
        (
            LEAF.replace("p256", "rsa-pss-2048").replace('"root"', '"self"'),
            "profile 'leaf': the issuer 'leaf' has 'rsa-pss-2048', which cannot sign certificates",
        ),
        (
            LEAF.replace("p256", "ed25519").replace('"root"', '"self"') + 'signature = "sha1"\n',
            "profile 'leaf': 'leaf' has 'ed25519', which has only one signature: remove the key",
        ),
        (LEAF + 'ec_parameters = "odd"\n', "profile 'leaf': ec_parameters = 'odd': expected 'named', 'explicit'"),
        (
            LEAF.replace("p256", "secp256k1") + 'ec_parameters = "explicit"\n',
            "profile 'leaf': ec_parameters = 'explicit' needs a key of p224, p256, p384, p521",
        ),
        (
            "# a root that cannot sign it\n" + ROOT.replace("p256", "ed25519") + LEAF + 'ec_parameters = "explicit"\n',
            "profile 'leaf': ec_parameters = 'explicit' needs an RSA or EC issuer and signature_padding = 'pkcs1'",
        ),
        (LEAF.replace('"root"', '"leaf"'), "profile 'leaf': its issuers form a cycle: leaf -> leaf"),
        ("[leaf\n", "some.toml: invalid TOML: "),
    ],
)
def test_a_wrong_declaration_is_named(tmp_path: Path, text: str, message: str) -> None:
    """The error is one line with file, profile, key, value and what is expected."""
    with pytest.raises(UsageError, match=re.escape(message)):
        read(tmp_path, (ROOT + text) if text.startswith("[") else text)


def test_a_name_is_declared_once(tmp_path: Path) -> None:
    """Two files may not declare the same profile."""
    (tmp_path / "other.toml").write_text(ROOT, encoding="utf-8")
    with pytest.raises(UsageError, match=r"some\.toml: profile 'root' is declared twice"):
        read(tmp_path, ROOT)


def test_a_folder_without_declarations_is_an_error(tmp_path: Path) -> None:
    """An empty folder is named, not taken as "no certificates"."""
    with pytest.raises(UsageError, match=r"no certificate declarations \(\*\.toml\) in "):
        declarations.load(tmp_path)


def test_the_readme_names_every_key() -> None:
    """`certs/README.md` explains every key and lists every key type, hash and usage."""
    text = (data_dir("certs") / "README.md").read_text(encoding="utf-8")
    words = text.partition("## Keys of a profile")[2].partition("## Adding a profile")[0]
    first_column = re.findall(r"^\| ([a-z_, ]+) \|", words, flags=re.MULTILINE)
    assert {word for cell in first_column for word in cell.split(", ")} == set(declarations._KEYS)
    values = (*declarations.KEYS, *declarations.SIGNATURES, *declarations.EXTENDED_KEY_USAGES, *declarations.OMISSIBLE)
    assert [value for value in values if f"`{value}`" not in text] == []


def test_every_description_is_a_sentence_and_unlike_the_others() -> None:
    """A description says why the profile exists; two that say the same are one too many."""
    profiles = declarations.load(data_dir("certs"))
    texts = [profile.description for profile in profiles.values() if not profile.name.startswith("ca-listed-")]
    assert [text for text in texts if not text.endswith(".")] == []
    assert sorted(texts) == sorted(set(texts))
