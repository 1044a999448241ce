"""One set of certificates for all tests of this folder: RSA keys are made once, in a store of this test run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.certificates import Certificates


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    """Make the declared certificates with a separate key store."""
    with Certificates(tmp_path_factory.mktemp("certificates") / "keys") as certificates:
        yield certificates
