"""RSA keys are kept in a private directory, once each, and only a valid key is read from there."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.certificates import keys
from harness.certificates.declarations import KEYS

KIND = "rsa-1024"
CHECKOUT = Path(keys.__file__).parents[2]


def modulus(key: keys.PrivateKey) -> int:
    """Return what distinguishes one RSA key from another."""
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.public_key().public_numbers().n


def mode(path: Path) -> int:
    """Return the permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("kind", [kind for kind in KEYS if kind != "rsa-8192"])
def test_every_declared_kind_can_be_made(kind: str) -> None:
    """Each key name of the declarations gives a key of that type and size."""
    key = keys.make_key(kind)
    if isinstance(key, rsa.RSAPrivateKey):
        assert key.key_size == int(kind.rpartition("-")[2])
    else:
        assert not kind.startswith("rsa-")


def test_a_kept_key_is_the_same_in_the_next_run(tmp_path: Path) -> None:
    """A second store of the same folder gives the same key, and another profile another one."""
    first = modulus(keys.KeyStore(tmp_path / "keys").key("leaf", kind=KIND))
    again = keys.KeyStore(tmp_path / "keys")
    assert modulus(again.key("leaf", kind=KIND)) == first
    assert modulus(again.key("other", kind=KIND)) != first


def test_folder_and_files_are_private(tmp_path: Path) -> None:
    """The folder is 0700, files are 0600, and fast kinds of keys are not kept at all."""
    store = keys.KeyStore(tmp_path / "deep" / "keys")
    store.key("leaf", kind=KIND)
    store.key("fast", kind="p256")
    assert mode(tmp_path / "deep" / "keys") == 0o700
    files = list((tmp_path / "deep" / "keys").iterdir())
    assert [(file.name, mode(file)) for file in files] == [("leaf.rsa-1024.pem", 0o600)]


def test_an_own_folder_that_others_may_read_is_closed(tmp_path: Path) -> None:
    """Our own folder with mode 0755 is used after it is made private."""
    (tmp_path / "keys").mkdir(mode=0o755)
    assert keys.KeyStore(tmp_path / "keys").folder == tmp_path / "keys"
    assert mode(tmp_path / "keys") == 0o700


def test_a_parent_that_others_can_write_to_is_closed(tmp_path: Path) -> None:
    """Who can write to the parent could exchange the folder; a new parent is private, and a folder like /tmp stays as it is."""
    for bits, expected in ((0o777, 0o755), (0o770, 0o750), (0o1777, 0o1777)):
        parent = tmp_path / oct(bits)
        parent.mkdir()
        parent.chmod(bits)
        assert keys.KeyStore(parent / "keys").folder == parent / "keys"
        assert mode(parent) == expected
    keys.KeyStore(tmp_path / "new" / "keys")
    assert (mode(tmp_path / "new"), mode(tmp_path / "new" / "keys")) == (0o700, 0o700)


@pytest.mark.parametrize("bits", [0o777, 0o720, 0o702])
def test_a_folder_that_others_can_write_to_is_not_read(tmp_path: Path, bits: int) -> None:
    """Keys there could be planted: none is read, none is kept, and there is no error."""
    folder = tmp_path / "keys"
    planted = modulus(keys.KeyStore(folder).key("leaf", kind=KIND))
    folder.chmod(bits)
    store = keys.KeyStore(folder)
    assert store.folder is None
    assert modulus(store.key("leaf", kind=KIND)) != planted


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_not_read(tmp_path: Path) -> None:
    """The owner of the folder could have put keys there."""
    (tmp_path / "keys").mkdir(mode=0o700)
    os.chown(tmp_path / "keys", 65534, 65534)
    assert keys.KeyStore(tmp_path / "keys").folder is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link could lead anywhere."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "keys").symlink_to(tmp_path / "real")
    assert keys.KeyStore(tmp_path / "keys").folder is None


def test_a_folder_that_cannot_be_made_only_costs_time(tmp_path: Path) -> None:
    """If a file has the folder's name, keys are made and not kept."""
    (tmp_path / "keys").write_text("in the way")
    store = keys.KeyStore(tmp_path / "keys")
    assert store.folder is None
    assert modulus(store.key("leaf", kind=KIND)) != modulus(store.key("leaf", kind=KIND))


@pytest.mark.parametrize(
    "damage", ["empty", "cut", "flipped", "no digest", "another size", "readable by others", "a link"]
)
def test_an_invalid_file_is_replaced(tmp_path: Path, damage: str) -> None:
    """A key with damage, a wrong size or open permissions is replaced by a new one, which is kept."""
    store = keys.KeyStore(tmp_path / "keys")
    first = modulus(store.key("leaf", kind=KIND))
    path = tmp_path / "keys" / "leaf.rsa-1024.pem"
    content = path.read_bytes()
    if damage == "another size":
        store.key("other", kind="rsa-2048")
        os.replace(tmp_path / "keys" / "other.rsa-2048.pem", path)
    elif damage == "readable by others":
        path.chmod(0o644)
    elif damage == "a link":
        os.replace(path, tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    else:
        wrong = {
            "empty": b"",
            "cut": content[:-20],
            "flipped": content[:200] + bytes((content[200] ^ 1,)) + content[201:],
            "no digest": content.partition(b"\n")[2],
        }
        path.write_bytes(wrong[damage])
    second = modulus(store.key("leaf", kind=KIND))
    assert second != first
    assert (mode(path), path.is_symlink()) == (0o600, False)
    assert modulus(keys.KeyStore(tmp_path / "keys").key("leaf", kind=KIND)) == second


def test_concurrent_processes_leave_one_valid_file(tmp_path: Path) -> None:
    """Several processes that make the same key do not disturb each other and leave no partial file."""
    code = "import sys; from harness.certificates import keys; from pathlib import Path\n"
    code += "store = keys.KeyStore(Path(sys.argv[1]))\n"
    code += "for number in range(6): store.key(f'leaf-{number}', kind='rsa-1024')\n"
    command = [sys.executable, "-c", code, str(tmp_path / "keys")]
    running = [subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE) for _ in range(3)]
    assert [(process.communicate(timeout=60)[1], process.returncode) for process in running] == [(b"", 0)] * 3
    files = sorted(path.name for path in (tmp_path / "keys").iterdir())
    assert files == [f"leaf-{number}.rsa-1024.pem" for number in range(6)]
    for path in (tmp_path / "keys").iterdir():
        assert keys._read(path, bits=1024) is not None
