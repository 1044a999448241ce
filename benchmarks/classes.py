"""Define the timed classes of case: the most expensive one for the client, a common one, and one that ends before any key is used.

Knows cases, and what a client needs to make the same connection without the harness.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from harness.boards.agent.protocol import FIRST_NUMBERS, json_literal, own_text
from harness.cases import find_case
from harness.certificates import Certificates
from harness.model import Case, Verify
from harness.server import Serving
from harness.wire.suites import mbedtls_suite_name

# As long as what the agent sends.
TEXT = own_text(FIRST_NUMBERS.start)
REPLY_BYTES = len("Hallo, Client!")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A class of case: its name on the command line, its title in the table, and the case."""

    name: str
    title: str
    case: Case

    def serving(self) -> Serving:
        """Return the same server as in a run: on loopback, with the same exchange of texts."""
        return Serving(peers=("127.0.0.1",), expect_bytes=len(TEXT))

    def request(self, certificates: Certificates) -> dict[str, Any]:
        """Return what `client.py` needs to make the same connection: CAs as DER in hex, suites with mbedTLS names."""
        plan = self.case.client
        suites = plan.suites
        return {
            "verify": {Verify.NONE: 0, Verify.OPTIONAL: 1, Verify.REQUIRED: 2}[Verify(plan.verify)],
            "ca": [certificates.make(name).certificate_der.hex() for name in plan.ca],
            "suites": None if suites is None else [mbedtls_suite_name(name) for name in suites],
            "name": plan.server_hostname,
            "text": TEXT,
            "recv": REPLY_BYTES,
        }


def classes() -> tuple[Timed, ...]:
    """Return all timed classes, taken from the list of cases."""
    refused = find_case("seed/rsa-key-no-shared-cipher")
    # Explicit, so that a Python with other default suites (Debian's) refuses too.
    refused = replace(refused, server=replace(refused.server, ciphers="ECDHE+AESGCM"))
    return (
        Timed(name="p256", title="P-256, verified", case=find_case("seed/ca-verified")),
        Timed(name="rsa", title="RSA-2048, not verified", case=find_case("seed/ecdhe-rsa-client-connects")),
        Timed(name="refused", title="refused (NO_SHARED_CIPHER)", case=refused),
    )


def script_text(body: str, settings: dict[str, Any]) -> str:
    """Return a MicroPython script with its settings in front, as one JSON literal."""
    return f"SETTINGS = {json_literal(settings)}\n{body}"
