"""A man in the middle on the serial line: he changes single keys of each request, or the data sent before, and corrects the checksums.

The board then does something other than it was asked to. No verdict about TLS may come of that, whatever it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.model import BoardSettings, BoardSpec

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix", settings=BoardSettings())
Change = Callable[[dict[str, Any]], None]

# Each key of a request, and cases that send it.
USERS = {
    "host": ("seed/ca-verified", "seed/rsa-key-no-shared-cipher"),
    "port": ("seed/ca-verified", "seed/rsa-key-no-shared-cipher"),
    "n": ("seed/ca-verified", "seed/rsa-key-no-shared-cipher"),
    "timeout": ("timing/no-answer", "timing/silent-after-hello"),
    "name": ("seed/ca-verified", "cert/wrong-host", "sni/default-name"),
    "verify": ("seed/ca-verified", "seed/wrong-ca", "cert/expired"),
    "ca": ("seed/ca-verified", "seed/wrong-ca", "cert/expired"),
    "cert": ("seed/mutual-tls", "mtls/ok-p256"),
    "key": ("seed/mutual-tls", "mtls/ok-p256"),
    "suites": ("seed/rsa-key-no-shared-cipher", "no-shared-cipher/key-type-rsa", "suite/ecdsa-suite-rsa-cert"),
    "psk_identity": ("psk/client-psk-server-cert",),
    "psk_key": ("psk/client-psk-server-cert",),
    "recv": ("seed/ca-verified",),
    "send": (),
    "text": (),
    "readtoend": (),
    "closefirst": (),
}
OTHER_VALUES: dict[str, Any] = {
    "host": "127.0.0.9",
    "port": 9,
    "n": 100_000_000,
    "timeout": 9000,
    "name": "other.test",
    "verify": 1,
    "psk_identity": "other",
    "text": "Hallo, Server?",
    "send": 1,
    "recv": 1,
    "readtoend": 1,
    "closefirst": 1,
}
