"""The kinds of recipes: what a `Change` changes, in the words of the catalogue. Pure.

Knows which fields of a change belong to which kind. Must not know rules, nor how a recipe is made.
"""

from __future__ import annotations

from enum import StrEnum

from harness.model import Change, Verify


class RecipeKind(StrEnum):
    """What a recipe changes; an entry of the catalogue lists those that `diagnose` proves for its cause."""

    SERVER_CERTIFICATE = "server-certificate"
    SECOND_CERTIFICATE = "second-certificate"
    COMPLETE_CHAIN = "complete-chain"
    SERVER_FILES = "server-files"
    SERVER_SUITES = "server-suites"
    SERVER_VERSIONS = "server-versions"
    SERVER_GROUP = "server-group"
    CLIENT_CA = "client-ca"
    CLIENT_CHECK = "client-check"
    BOARD_CA = "board-ca"
    BOARD_FORMS = "board-forms"
    BOARD_CERTIFICATE = "board-certificate"
    BOARD_SUITES = "board-suites"
    SERVER_NAME = "server-name"
    UNCHECKED = "unchecked"
    TLS_PORT = "tls-port"
    STARTTLS = "starttls"


class NoRecipe(StrEnum):
    """Why `diagnose` proves nothing for a cause."""

    FIRMWARE = "firmware"
    HARDWARE = "hardware"
    NETWORK = "network"
    BOARD_PROGRAM = "board-program"
    OTHER_PROGRAM = "other-program"
    CLOCK = "clock"
    FILES = "files"
    PROBED = "probed"


WORDS = {
    RecipeKind.SERVER_CERTIFICATE: "another key and certificate for the server",
    RecipeKind.SECOND_CERTIFICATE: "a second key and certificate for the server",
    RecipeKind.COMPLETE_CHAIN: "the server's chain, complete and in order",
    RecipeKind.SERVER_FILES: "the server's certificate and key in the right order",
    RecipeKind.SERVER_SUITES: "other cipher suites on the server",
    RecipeKind.SERVER_VERSIONS: "other TLS versions on the server",
    RecipeKind.SERVER_GROUP: "another group for the server's key exchange",
    RecipeKind.CLIENT_CA: "the CA of the board's certificate on the server",
    RecipeKind.CLIENT_CHECK: "a server that requires no client certificate",
    RecipeKind.BOARD_CA: "the CA of the server's certificate on the board",
    RecipeKind.BOARD_FORMS: "files in the form that the board reads",
    RecipeKind.BOARD_CERTIFICATE: "a certificate for the board",
    RecipeKind.BOARD_SUITES: "other cipher suites on the board",
    RecipeKind.SERVER_NAME: "the server's name on the board",
    RecipeKind.UNCHECKED: "no certificate check, which is discouraged",
    RecipeKind.TLS_PORT: "the server's TLS port",
    RecipeKind.STARTTLS: "STARTTLS on the board",
}
NONE_BECAUSE = {
    NoRecipe.FIRMWARE: "only other firmware removes the cause",
    NoRecipe.HARDWARE: "the cause is the board itself: its memory, power or crash",
    NoRecipe.NETWORK: "the cause is the network below TLS",
    NoRecipe.BOARD_PROGRAM: "the cause is in the program on the board, and `diagnose` runs its own",
    NoRecipe.OTHER_PROGRAM: "the cause is in the program on the other side, and `diagnose` cannot change that",
    NoRecipe.CLOCK: "the cause is the board's clock, which `diagnose` sets before it connects",
    NoRecipe.FILES: "`diagnose` checks the files before it connects, and says how to repair them",
    NoRecipe.PROBED: "`diagnose` finds out what the port speaks, and proves the fix for the cause that it finds",
}
_FIELDS = {
    "swap_key_and_certificate": RecipeKind.SERVER_FILES,
    "ciphers": RecipeKind.SERVER_SUITES,
    "minimum_version": RecipeKind.SERVER_VERSIONS,
    "maximum_version": RecipeKind.SERVER_VERSIONS,
    "curve": RecipeKind.SERVER_GROUP,
    "client_ca": RecipeKind.CLIENT_CA,
    "certificate": RecipeKind.BOARD_CERTIFICATE,
    "suites": RecipeKind.BOARD_SUITES,
    "suite_words": RecipeKind.BOARD_SUITES,
    "server_hostname": RecipeKind.SERVER_NAME,
    "port": RecipeKind.TLS_PORT,
    "starttls": RecipeKind.STARTTLS,
}


def kinds(change: Change) -> frozenset[RecipeKind]:
    """Return what a change is, as far as the catalogue distinguishes it."""
    fields = {**change.server, **change.client, **change.route}
    found = {_FIELDS[name] for name in fields if name in _FIELDS}
    if "certificates" in change.server:
        found.add(_of_certificates(change.server["certificates"]))
    if "verify" in change.server:
        found.add(RecipeKind.CLIENT_CHECK)
    if change.client.get("verify") == Verify.NONE:
        found.add(RecipeKind.UNCHECKED)
    elif change.client.get("ca"):
        found.add(RecipeKind.BOARD_CA)
    # A new certificate or CA has the form that goes with it.
    forms = {"ca_format", "certificate_format"} & set(change.client)
    if forms and not {RecipeKind.BOARD_CA, RecipeKind.BOARD_CERTIFICATE} & found:
        found.add(RecipeKind.BOARD_FORMS)
    return frozenset(found)


def _of_certificates(names: tuple[str, ...]) -> RecipeKind:
    if "complete" in names:
        return RecipeKind.COMPLETE_CHAIN
    return RecipeKind.SECOND_CERTIFICATE if len(names) > 1 else RecipeKind.SERVER_CERTIFICATE
