"""A context's security level, also if Python does not provide it."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import SignatureAlgorithmOID

from harness.server.engine import security_levels
from harness.server.engine.security_levels import checks_own_signature, default_level, level_of

CODE = "import sys; sys.path.insert(0, {folder!r}); import security_levels; print(security_levels.default_level())"


def test_the_level_of_the_context() -> None:
    """If Python provides the level (3.10), it is used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=3")
    assert level_of(context, None) == 3


class Silent:
    """A context of Python 3.8 or 3.9, without `security_level`."""


@pytest.mark.parametrize(("ciphers", "level"), [("ALL:@SECLEVEL=0", 0), ("@SECLEVEL=1:HIGH:@SECLEVEL=3", 3)])
def test_the_cipher_string_is_read(ciphers: str, level: int) -> None:
    """Without it, the last @SECLEVEL of the cipher string counts."""
    assert level_of(Silent(), ciphers) == level  # type: ignore[arg-type] # the point is the missing attribute


@pytest.mark.parametrize("level", [0, 1, 2, 3, 4])
def test_openssl_is_tried(tmp_path: Path, level: int) -> None:
    """Without either, the default is determined by what OpenSSL accepts: it equals a configured level."""
    config = tmp_path / "openssl.cnf"
    config.write_text(
        "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
        f"CipherString = DEFAULT:@SECLEVEL={level}\n",
        encoding="ascii",
    )
    # From 3.10 on Python sets its own cipher string with @SECLEVEL=2: only older ones follow the configuration.
    older = next((Path(p) for p in _older_pythons() if Path(p).exists()), None)
    if older is None:
        pytest.skip("no CPython 3.8 or 3.9 on this machine: newer ones tell their level themselves")
    code = CODE.format(folder=str(Path(security_levels.__file__).parent))
    environment = {**os.environ, "OPENSSL_CONF": str(config)}
    answer = subprocess.run([str(older), "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == str(level)


def _older_pythons() -> list[str]:
    folders = Path(sys.base_prefix).parent
    return [str(path / "bin" / "python") for path in sorted(folders.glob("3.[89].*"))]


def test_the_default_of_this_python() -> None:
    """What OpenSSL accepts agrees with Python's level of a plain context."""
    assert default_level() == ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).security_level


def test_a_server_s_own_signature(tmp_path: Path) -> None:
    """Whether its hash counts is determined with a certificate that loads if it does not count, so it is not refused for other reasons."""
    path = tmp_path / "md5.pem"
    path.write_bytes(security_levels._signed_with_md5())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(path)
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    assert certificate.signature_algorithm_oid == SignatureAlgorithmOID.RSA_WITH_MD5
    assert certificate.issuer != certificate.subject
    # 3.0 was never changed; for other branches the answer equals that for a real certificate (test_server_library).
    if ssl.OPENSSL_VERSION_INFO[:2] == (3, 0):
        assert checks_own_signature() is True
