"""Server key x suites x versions x group: the whole product in `full`, every pair of values at least once in `core`.

Each setting alone is a case of another topic. Here the combinations count: what is chosen, or why nothing is, must be
predicted for all of them. `covertable` reduces the product (in 2 ms; allpairspy was found to lose valid pairs).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import covertable

from harness.cases import Row, Situation, ordinary, table
from harness.expectations.needs import server_has_suite, server_takes_curve
from harness.model import Tier

KEYS: dict[str, tuple[str, ...]] = {
    "p256": ("server-p256",),
    "p384": ("server-p384",),
    "rsa2048": ("server-rsa2048",),
    "rsa3072": ("server-rsa3072",),
    "dual": ("server-rsa2048", "server-p256"),
}
SUITES: dict[str, str | None] = {
    "default": None,
    "gcm": "ECDHE+AESGCM:AESGCM",
    "cbc": "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:AES128-SHA256",
    "sha1": "ECDHE+AES+SHA1:AES128-SHA",
    "plain-rsa": "kRSA+AES",
    "chacha20": "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
}
VERSIONS: dict[str, tuple[str, str]] = {
    "tls12": ("TLSv1.2", "TLSv1.2"),
    "tls13": ("TLSv1.3", "TLSv1.3"),
    "both": ("TLSv1.2", "TLSv1.3"),
}
GROUPS: dict[str, str | None] = {"any": None, "p256": "prime256v1", "p384": "secp384r1", "x25519": "X25519"}

FACTORS: dict[str, list[str]] = {
    "key": list(KEYS),
    "suites": list(SUITES),
    "version": list(VERSIONS),
    "group": list(GROUPS),
}


def reduced() -> set[tuple[str, ...]]:
    """Return the combinations of `core`, which contain every pair of values of any two factors."""
    return {tuple(row[factor] for factor in FACTORS) for row in covertable.make(FACTORS)}


def combination(key: str, suites: str, version: str, group: str) -> Situation:
    """One server of the product; the board is not restricted."""
    minimum, maximum = VERSIONS[version]
    needs = [server_has_suite("ECDHE-ECDSA-CHACHA20-POLY1305")] if suites == "chacha20" else []
    curve = GROUPS[group]
    if curve is not None:
        needs.append(server_takes_curve(curve))
    words: dict[str, Any] = {"ciphers": SUITES[suites], "curve": curve, "needs": tuple(needs)}
    return ordinary(*KEYS[key], minimum_version=minimum, maximum_version=maximum, **words)


@table(tier=Tier.FULL)
def product() -> Iterable[Row]:
    """Every combination; those of the reduction are in `core`, too."""
    core = reduced()
    for chosen in itertools.product(*FACTORS.values()):
        key, suites, version, group = chosen
        yield Row(
            "-".join(chosen),
            f"{key} key, {suites} suites, {version}, group {group}. What is negotiated depends on the combination of all four.",
            combination(*chosen),
            Tier.CORE if chosen in core else None,
        )
