"""Protocol versions: what the server allows, and what the client speaks."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, ordinary, table
from harness.model import Tier, TlsVersion

ANY_LEVEL = "ALL:@SECLEVEL=0"


@table(tier=Tier.CORE)
def modern() -> Iterable[Row]:
    """Servers with TLS 1.2, 1.3 or both."""
    yield Row(
        "12-only",
        "TLS 1.2 only. Every firmware since 1.18 speaks it.",
        ordinary("server-p256", minimum_version=TlsVersion.TLSv1_2, maximum_version=TlsVersion.TLSv1_2),
    )
    yield Row(
        "12-13",
        "TLS 1.2 and 1.3. Python's default: a client of either version connects.",
        ordinary("server-p256", minimum_version=TlsVersion.TLSv1_2, maximum_version=TlsVersion.TLSv1_3),
        Tier.SMOKE,
    )
    yield Row(
        "13-only",
        "TLS 1.3 only. No official MicroPython speaks it: the alert is protocol_version, which the client's number hides.",
        ordinary("server-p256", minimum_version=TlsVersion.TLSv1_3),
        Tier.SMOKE,
    )
    yield Row(
        "13-only-rsa",
        "TLS 1.3 only, RSA key. In TLS 1.3 the key type does not depend on the suite.",
        ordinary("server-rsa2048", minimum_version=TlsVersion.TLSv1_3),
        Tier.FULL,
    )
    yield Row(
        "12-only-rsa",
        "TLS 1.2 only, RSA key. What remains when TLS 1.3 is disabled on the server for the sake of a board.",
        ordinary("server-rsa2048", minimum_version=TlsVersion.TLSv1_2, maximum_version=TlsVersion.TLSv1_2),
        Tier.FULL,
    )


@table(tier=Tier.CORE)
def old() -> Iterable[Row]:
    """Servers limited to a version before 1.2."""
    yield Row(
        "11-only-sec0",
        "TLS 1.1 only, security level 0. mbedTLS 2 speaks it, mbedTLS 3 refuses the ServerHello, and the server refuses a TLS 1.3 client.",
        ordinary(
            "server-p256",
            ciphers=ANY_LEVEL,
            minimum_version=TlsVersion.TLSv1_1,
            maximum_version=TlsVersion.TLSv1_1,
        ),
    )
    yield Row(
        "10-only-sec0",
        "TLS 1.0 only, security level 0. Like TLS 1.1, one version older.",
        ordinary(
            "server-p256",
            ciphers=ANY_LEVEL,
            minimum_version=TlsVersion.TLSv1,
            maximum_version=TlsVersion.TLSv1,
        ),
    )
    yield Row(
        "11-only-sec2",
        "TLS 1.1 only at the default security level. The server's settings leave no version, which shows only when a client connects.",
        ordinary("server-p256", minimum_version=TlsVersion.TLSv1_1, maximum_version=TlsVersion.TLSv1_1),
    )
    yield Row(
        "11-12-sec0",
        "TLS 1.1 and 1.2. The newer one must be chosen.",
        ordinary(
            "server-p256", ciphers=ANY_LEVEL, minimum_version=TlsVersion.TLSv1_1, maximum_version=TlsVersion.TLSv1_2
        ),
        Tier.FULL,
    )
    yield Row(
        "11-only-rsa-sec0",
        "TLS 1.1 only, RSA key, plain RSA allowed. As axTLS and mbedTLS 2.16 support it.",
        ordinary(
            "server-rsa2048",
            ciphers=ANY_LEVEL,
            minimum_version=TlsVersion.TLSv1_1,
            maximum_version=TlsVersion.TLSv1_1,
        ),
        Tier.FULL,
    )
