"""Normalises what MicroPython raised on the board: number, name, verification flags, and the stage it belongs to.

The one place where the shapes of facts about the firmware are decoded: mbedTLS numbers with and without text, names or
English; numbers that MicroPython folded into an errno; verification texts; axTLS alerts. Knows nothing of cases,
servers or verdicts. Texts are compared only with the fixed strings that mbedTLS and MicroPython compile in, and only
`args[0]` is looked at, never `str(exc)`.
"""

from __future__ import annotations

from typing import Any

from harness.model import ClientFailure, Stage, TlsLibrary
from harness.oracle.errnos import errno_name, is_plausible_on_socket, resolver_name
from harness.oracle.mbedtls_errors import error_name, low_level_name
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import alert_name

# mbedtls include/mbedtls/x509_crt.h, MBEDTLS_X509_CRT_ERROR_INFO_LIST (3.x); library/x509_crt.c (2.x): same texts.
_FLAG_OF_TEXT = {
    "The certificate validity has expired": "expired",
    "The certificate has been revoked (is on a CRL)": "revoked",
    "The certificate Common Name (CN) does not match with the expected CN": "cn_mismatch",
    "The certificate is not correctly signed by the trusted CA": "not_trusted",
    "The certificate validity starts in the future": "future",
    "The certificate is signed with an unacceptable hash.": "bad_md",
    "The certificate is signed with an unacceptable PK alg (eg RSA vs ECDSA).": "bad_key",
    "The certificate is signed with an unacceptable key (eg bad curve, RSA too short).": "bad_key",
    "The CRL is not correctly signed by the trusted CA": "other",
    "The CRL is expired": "other",
    "The CRL is from the future": "other",
    "The CRL is signed with an unacceptable hash.": "other",
    "The CRL is signed with an unacceptable PK alg (eg RSA vs ECDSA).": "other",
    "The CRL is signed with an unacceptable key (eg bad curve, RSA too short).": "other",
    "Certificate was missing": "other",
    "Certificate verification was skipped": "other",
    "Other reason (can be used by verify callback)": "other",
    "Usage does not match the keyUsage extension": "other",
    "Usage does not match the extendedKeyUsage extension": "other",
    "Usage does not match the nsCertType extension": "other",
}

# extmod/modtls_mbedtls.c raises these for what it was given, even where the old API only looks inside wrap_socket.
_CONFIG_TEXTS = frozenset({"invalid cert", "invalid key", "CERT_REQUIRED requires server_hostname"})
# Exceptions of the interpreter, not of TLS: a keyword, method or module that this firmware does not have.
_API_TYPES = frozenset({"TypeError", "AttributeError", "NotImplementedError", "ImportError", "NameError"})

# Own input that mbedTLS refused. Only while nothing was sent: later the same numbers blame the peer's messages.
_OWN_INPUT = frozenset({mbedtls.SSL_BAD_INPUT_DATA, mbedtls.SSL_FEATURE_UNAVAILABLE})
_LOW_LEVEL_LIMIT = 256
# What asyncio.wait_for() raises (extmod/asyncio/core.py): a class of its own, without arguments. MicroPython has no built-in of that name.
ASYNCIO_TIMEOUT = "TimeoutError"

# extmod/modtls_axtls.c:80-138; -270 is not used there.
AXTLS_NAMES = {
    -1: "NOT_OK",
    -2: "DEAD",
    -3: "CLOSE_NOTIFY",
    -4: "EAGAIN",
    -256: "CONN_LOST",
    -257: "RECORD_OVERFLOW",
    -258: "SOCK_SETUP_FAILURE",
    -260: "INVALID_HANDSHAKE",
    -261: "INVALID_PROT_MSG",
    -262: "INVALID_HMAC",
    -263: "INVALID_VERSION",
    -264: "UNSUPPORTED_EXTENSION",
    -265: "INVALID_SESSION",
    -266: "NO_CIPHER",
    -267: "INVALID_CERT_HASH_ALG",
    -268: "BAD_CERTIFICATE",
    -269: "INVALID_KEY",
    -271: "FINISHED_INVALID",
    -272: "NO_CERT_DEFINED",
    -273: "NO_CLIENT_RENOG",
    -274: "NOT_SUPPORTED",
}


def client_failure(
    kind_type: str,
    args: tuple[Any, ...],
    *,
    stage: Stage,
    tls_library: TlsLibrary | None,
    tls_version: str | None,
    hello_sent: bool | None,
    platform: str = "",
) -> ClientFailure:
    """Normalise one exception of the board.

    Args:
        kind_type: the exception's class name, as the board reported it.
        args: its arguments, as JSON carried them.
        stage: where the device script was when it happened.
        tls_library: `mbedTLS` or `axTLS` as probed, None if not known.
        tls_version: the library's version text as probed, None if not known.
        hello_sent: whether the server received a ClientHello; None if that is unknown.
        platform: the board's `sys.platform`; errno numbers differ between ports.

    Returns:
        The failure with its number as seen, the name of it where one is known (`A|B` where the number has two
        readings that nothing here can tell apart), the verification flags (None where the exception says nothing of
        verification, empty where it does in words that mbedTLS does not use), and the stage it belongs to.
    """
    number = _number(args)
    corrected = _stage(kind_type, args, number=number, stage=stage, hello_sent=hello_sent)
    name: str | None = "ETIMEDOUT" if kind_type == ASYNCIO_TIMEOUT else None
    if kind_type == "OSError" and number is not None:
        if corrected is Stage.CONNECT:
            name = resolver_name(number) or errno_name(abs(number), platform=platform)
        elif _is_axtls(number, tls_library=tls_library, stage=corrected):
            name = _axtls_name(number)
        else:
            name = _os_error_name(
                number, stage=corrected, tls_version=tls_version, hello_sent=hello_sent, platform=platform
            )
    flags = verification_flags(args[0]) if kind_type == "ValueError" and args and isinstance(args[0], str) else None
    return ClientFailure(type=kind_type, args=args, number=number, flags=flags, name=name, stage=corrected)


def verification_flags(text: str) -> tuple[str, ...] | None:
    """Return the flags of a verification text, which has one fixed string of mbedTLS per line.

    Returns:
        The flags, sorted; empty for text that is not mbedTLS's; None for MicroPython's own complaint about a setting.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if text.strip() in _CONFIG_TEXTS:
        return None
    return tuple(sorted({_FLAG_OF_TEXT[line] for line in lines if line in _FLAG_OF_TEXT}))


def _number(args: tuple[Any, ...]) -> int | None:
    """Return the number in the arguments; a bool is not a number."""
    first = args[0] if args else None
    return first if isinstance(first, int) and not isinstance(first, bool) else None


def _stage(
    kind_type: str, args: tuple[Any, ...], *, number: int | None, stage: Stage, hello_sent: bool | None
) -> Stage:
    """Move a refusal of the client's own settings to `config`.

    The API up to 1.21 takes key, certificate and mode as keywords of wrap_socket, so the device script is already in
    the handshake when they are looked at; what decides is that no ClientHello left the board.
    """
    if stage is not Stage.HANDSHAKE or hello_sent:
        return stage
    own_settings = (
        (kind_type == "ValueError" and bool(args) and args[0] in _CONFIG_TEXTS)
        or kind_type in _API_TYPES
        or (kind_type == "OSError" and number == mbedtls.SSL_BAD_CONFIG)
        or (kind_type == "OSError" and number in _OWN_INPUT and hello_sent is False)
    )
    return Stage.CONFIG if own_settings else stage


def _is_axtls(number: int, *, tls_library: TlsLibrary | None, stage: Stage) -> bool:
    """Return whether a number is one of axTLS's small negative numbers and not mbedTLS's.

    Without a probed library the number itself tells in the handshake: mbedTLS has nothing between -1 and -274 that
    MicroPython would not have made positive, except an errno of read or write on 1.24 (`OSError(-104)`).
    """
    if tls_library is not None:
        return tls_library == TlsLibrary.AXTLS
    return stage is Stage.HANDSHAKE and min(AXTLS_NAMES) <= number < 0


def _axtls_name(number: int) -> str | None:
    """Name an axTLS number; below 256 the negated number is the alert the server sent."""
    if number in AXTLS_NAMES:
        return AXTLS_NAMES[number]
    if -_LOW_LEVEL_LIMIT < number < 0:
        return f"alert {alert_name(-number)}"
    return errno_name(number)


def _os_error_name(
    number: int, *, stage: Stage, tls_version: str | None, hello_sent: bool | None, platform: str
) -> str | None:
    """Name the OSError number of an mbedTLS client: an error of the library, or an errno, which may stand for a library error."""
    if number <= -_LOW_LEVEL_LIMIT:
        return error_name(number, tls_version=tls_version)
    return _folded_name(abs(number), stage=stage, hello_sent=hello_sent, platform=platform)


def _folded_name(number: int, *, stage: Stage, hello_sent: bool | None, platform: str) -> str | None:
    """Choose between an errno and the mbedTLS low-level error that `mbedtls_raise_error` folded into the same number.

    The rule `-256 < err < 0 -> OSError(-err)` is meant for an errno of the socket below and catches all low-level codes
    too. An errno that no socket call gives is the library's (16 is not EBUSY but out of memory). Of the ones that a
    socket does give, 32 and 110 are left to it (an AES key has the length the suite says; memory corruption is not what
    happens on a slow line); only 104 stays open, and only once the peer had a chance to send a certificate.
    """
    library = low_level_name(number)
    system = errno_name(number, platform=platform)
    if library is None or stage is Stage.CLOSE:
        return system
    if stage is Stage.CONFIG or not is_plausible_on_socket(system):
        return library
    if stage is Stage.HANDSHAKE and library == "MBEDTLS_ERR_ASN1_INVALID_DATA" and hello_sent is not False:
        return f"{system}|{library}"
    return system
