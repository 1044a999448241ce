"""Server settings -> `ssl.SSLContext`, its live facts, and descriptions of failures.

Part of the stand-alone server engine: stdlib only, CPython 3.8 and later, plain dicts in and out, no sockets.
Knows the `ssl` module of the interpreter it runs under; must not know boards, cases or harness.model.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import platform
import shlex
import ssl
import sys
import sysconfig
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

if TYPE_CHECKING or __package__:
    from harness.server.engine.alert_tap import AlertTap
    from harness.server.engine.found_settings import find_settings, groups_up_to_tls12
    from harness.server.engine.security_levels import checks_own_signature, level_of
else:  # found next to this file; engine.py has put the folder on sys.path
    from alert_tap import AlertTap
    from found_settings import find_settings, groups_up_to_tls12
    from security_levels import checks_own_signature, level_of

#: Contexts kept per engine. They hold no descriptor: the key log is open only while one of them serves.
CACHE_SIZE = 128

#: The settings that determine a context; all others belong to one connection.
CONTEXT_SETTINGS = (
    "certificates",
    "ciphers",
    "minimum_version",
    "maximum_version",
    "curve",
    "groups",
    "verify",
    "client_ca",
    "alpn",
    "tickets",
    "swap_key_and_certificate",
)

#: Groups that a case may limit a server to, as OpenSSL spells them.
CURVES = ("prime256v1", "secp384r1", "secp521r1", "secp224r1", "secp256k1", "brainpoolP256r1", "X25519", "X448")

_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_VERSION_TEXTS = {value: text for text, value in _VERSIONS.items()}
_VERIFY = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


class DeliberateError(Exception):
    """Raised on purpose inside a callback of `ssl`, to see how the handshake ends."""


def failure_of(exc: BaseException, *, stage: str) -> dict[str, Any]:
    """Describe an exception of the server without its text, which changes with every OpenSSL.

    The reason is `SSLError.reason`; without one it is the name of the OS error, or for the three classes that correspond
    to one `SSL_get_error` result (end of file, zero return, system call) the name of that result.
    """
    number = getattr(exc, "errno", None)
    reason = getattr(exc, "reason", None)
    if reason is None and isinstance(exc, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)):
        reason = _ssl_error_name(number)
    elif reason is None and isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError):
        reason = errno.errorcode.get(number or 0)
    return {
        "type": type(exc).__name__,
        "reason": reason if isinstance(reason, str) else None,
        "errno": number if isinstance(number, int) else None,
        "verify_code": getattr(exc, "verify_code", None),
        "verify_message": getattr(exc, "verify_message", None),
        "stage": stage,
    }


def out_of_descriptors(exc: BaseException) -> bool:
    """Return whether this process or machine has no file descriptor left: a fault of the harness, not of the settings."""
    return isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError) and exc.errno in (errno.EMFILE, errno.ENFILE)


def _ssl_error_name(number: Any) -> str | None:
    """Return the name of a result of `SSL_get_error`; None for a number that this Python does not know."""
    try:
        return str(ssl.SSLErrorNumber(number).name)
    except ValueError:
        return None


class SettingsRefused(Exception):
    """Python refused the settings of a server before any connection.

    Args:
        cause: what `ssl` raised.
        facts: the live settings of the context so far; the security level in them is often the reason.
    """

    def __init__(self, cause: Exception, *, facts: dict[str, Any] | None) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.cause = cause
        self.facts = facts


class ContextStore:
    """Builds contexts once and keeps them: parsing keys and suite lists costs more than a handshake.

    Args:
        keylog_path: file a context appends its secrets to while it serves, None for none.
    """

    def __init__(self, *, keylog_path: str | None) -> None:
        self._keylog_path = keylog_path
        self._entries: dict[str, tuple[ssl.SSLContext, dict[str, Any], AlertTap]] = {}

    def get(self, settings: dict[str, Any]) -> tuple[ssl.SSLContext, dict[str, Any], AlertTap]:
        """Return the context, its facts and its alert tap.

        Raises:
            SettingsRefused: `ssl` does not accept the settings.
        """
        key = _cache_key(settings)
        entry = self._entries.pop(key, None)
        if entry is None:
            context = build_context(settings)
            # Before the tap is installed: it would see the handshakes that find the settings.
            facts = context_facts(context, settings)
            tap = AlertTap()
            # bpo-43577: together with an SNI callback this one can deadlock on older versions.
            if hasattr(ssl.SSLContext, "_msg_callback") and not _behaviour_name(settings).startswith("sni."):
                context._msg_callback = tap  # type: ignore[attr-defined]  # private, see AlertTap
            entry = (context, facts, tap)
        self._entries[key] = entry
        while len(self._entries) > CACHE_SIZE:
            self._entries.pop(next(iter(self._entries)))
        return entry

    @contextlib.contextmanager
    def secrets_of(self, *contexts: ssl.SSLContext | None) -> Iterator[None]:
        """Let contexts append their secrets inside the block; errors are ignored: without secrets a recording just stays encrypted.

        Set to None, `keylog_filename` closes its file (Modules/_ssl/debughelpers.c): descriptors do not grow with the contexts.
        """
        path = self._keylog_path
        logging = [one for one in contexts if one is not None and hasattr(one, "keylog_filename")]
        try:
            for context in logging:
                try:
                    context.keylog_filename = path  # type: ignore[assignment]  # typeshed does not know None
                except OSError:  # a cleaner of temporary files has removed it
                    continue
            yield
        finally:
            for context in logging:
                context.keylog_filename = None  # type: ignore[assignment]  # as above

    def clear(self) -> None:
        """Drop all contexts."""
        self._entries.clear()


def _behaviour_name(settings: dict[str, Any]) -> str:
    """Return the name of the behaviour, empty for none."""
    return str((settings.get("behaviour") or {}).get("name", ""))


def _cache_key(settings: dict[str, Any]) -> str:
    """Return a key that differs for settings that need different contexts; a rewritten certificate file gives another key."""
    chosen = [settings.get(name) for name in CONTEXT_SETTINGS]
    name = _behaviour_name(settings)
    odd = settings.get("behaviour") if name.startswith(("psk", "sni.")) else None
    files = list(settings.get("client_ca") or ())
    for pair in settings.get("certificates") or ():
        files += [pair["chain_file"], pair["key_file"]]
    stamps = []
    for path in files:
        try:
            status = os.stat(path)
        except OSError:
            stamps.append([0, 0])
        else:
            stamps.append([status.st_mtime_ns, status.st_size])
    return json.dumps([chosen, odd, stamps], sort_keys=True)


def build_context(settings: dict[str, Any]) -> ssl.SSLContext:
    """Return a context with the settings.

    Raises:
        SettingsRefused: `ssl` does not accept them; the cause is its exception.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        _configure(context, settings)
    except Exception as exc:  # SSLError, ValueError, OSError, AttributeError on an old Python: all are data here
        raise SettingsRefused(exc, facts=context_facts(context, settings)) from exc
    return context


def _configure(context: ssl.SSLContext, settings: dict[str, Any]) -> None:
    """Apply the settings in the only order that works for all of them."""
    # First of all: `@SECLEVEL` in the string decides which keys load_cert_chain accepts (ssl/ssl_rsa.c).
    if settings.get("ciphers") is not None:
        context.set_ciphers(settings["ciphers"])
    _apply_versions(context, settings)
    for pair in settings.get("certificates") or ():
        chain_file, key_file = pair["chain_file"], pair["key_file"]
        if settings.get("swap_key_and_certificate"):
            chain_file, key_file = key_file, chain_file
        context.load_cert_chain(chain_file, key_file, pair.get("password"))
    _limit_groups(context, settings.get("curve"), settings.get("groups"))
    context.verify_mode = _VERIFY[settings.get("verify") or "none"]
    for authority in settings.get("client_ca") or ():
        if authority.startswith("-----BEGIN"):
            context.load_verify_locations(cadata=authority)
        else:
            context.load_verify_locations(authority)
    if settings.get("alpn"):
        context.set_alpn_protocols(list(settings["alpn"]))
    if settings.get("tickets") is not None:
        context.num_tickets = settings["tickets"]
    if _behaviour_name(settings).startswith("psk"):
        _apply_psk(context, settings["behaviour"])


def _limit_groups(context: ssl.SSLContext, curve: str | None, groups: Sequence[str] | None) -> None:
    """Set the groups of the key exchange, if they are limited."""
    if curve is not None:
        context.set_ecdh_curve(curve)
    if groups:
        context.set_groups(":".join(groups))  # type: ignore[attr-defined]  # 3.15 and later


def _apply_versions(context: ssl.SSLContext, settings: dict[str, Any]) -> None:
    """Set the version limits without Python's warning about TLS 1.0 and 1.1, which a case requests on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        # OpenSSL never requires minimum <= maximum, so the order does not matter.
        if settings.get("minimum_version") is not None:
            context.minimum_version = _VERSIONS[settings["minimum_version"]]
        if settings.get("maximum_version") is not None:
            context.maximum_version = _VERSIONS[settings["maximum_version"]]


def _apply_psk(context: ssl.SSLContext, behaviour: dict[str, Any]) -> None:
    """Answer pre-shared-key identities (3.13 and later): `identity` None means any."""
    key = bytes.fromhex(behaviour.get("key", ""))
    identity = behaviour.get("identity")

    def server_key(offered: str | None) -> bytes:
        if behaviour.get("raises"):
            raise DeliberateError("psk callback")
        return key if identity is None or offered == identity else b""

    context.set_psk_server_callback(server_key, behaviour.get("hint"))  # type: ignore[attr-defined]  # 3.13


def context_facts(context: ssl.SSLContext, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the live settings of a context that decide a handshake."""
    groups = settings.get("groups") or ([settings["curve"]] if settings.get("curve") else None)
    return {
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "openssl_number": ssl.OPENSSL_VERSION_NUMBER,
        "suites": [[item["id"] & 0xFFFF, item["protocol"], item["name"]] for item in context.get_ciphers()],
        "minimum_version": _VERSION_TEXTS.get(context.minimum_version),
        "maximum_version": _VERSION_TEXTS.get(context.maximum_version),
        "security_level": level_of(context, settings.get("ciphers")),
        "server_preference": bool(context.options & ssl.OP_CIPHER_SERVER_PREFERENCE),
        "groups": groups,
        "verify": settings.get("verify") or "none",
        "behaviour": settings.get("behaviour") or {},
        "eof": list(end_of_stream()),
        "checks_own_signature": checks_own_signature(),
        "found": find_settings(
            context, tls12_groups=_groups_up_to_tls12(settings.get("curve"), tuple(settings.get("groups") or ()))
        ),
    }


@functools.lru_cache(maxsize=None)
def _groups_up_to_tls12(curve: str | None, groups: tuple[str, ...]) -> tuple[int, ...]:
    """Use a separate context, once for all contexts with these groups: a certificate's curve hides the groups after it (RFC 8422)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with contextlib.suppress(ssl.SSLError, ValueError, AttributeError):  # refused, which the caller's context reports
        _limit_groups(context, curve, groups)
    return tuple(groups_up_to_tls12(context))


def end_of_stream() -> tuple[str, str]:
    """Return how this Python's `ssl` reports a client that closed in the handshake: (type, reason)."""
    failure = failure_of(end_of_stream_error(), stage="handshake")
    return str(failure["type"]), str(failure["reason"])


def end_of_stream_error() -> ssl.SSLError:
    """Return the error that a plain `SSLSocket` of this Python raises for the end of the stream in the handshake."""
    kind, number, reason = _end_of_stream()
    error = kind(number, "the client closed without close_notify")
    error.reason = reason  # type: ignore[assignment]  # None without a reason, in CPython as here
    return error


@functools.lru_cache(maxsize=None)
def _end_of_stream() -> tuple[type[ssl.SSLError], int, str | None]:
    """Try it once, without a socket: class, number and reason.

    It depends on patch levels: gh-87960 and gh-95494 changed it between 3.10.11 and 3.11.3. For OpenSSL 1.1.1 Modules/_ssl.c
    (PySSL_SetError, SSL_ERROR_SYSCALL) reports SSLSyscallError for a memory BIO and SSLEOFError for a socket: the socket counts.
    """
    incoming = ssl.MemoryBIO()
    incoming.write_eof()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_bio(incoming, ssl.MemoryBIO(), server_side=True).do_handshake()
    except ssl.SSLSyscallError:
        return ssl.SSLEOFError, int(ssl.SSL_ERROR_EOF), None
    except ssl.SSLError as exc:
        return type(exc), int(exc.errno or 0), exc.reason
    raise RuntimeError("a handshake without a client succeeded")


def platform_name() -> str:
    """Return system, release and machine, without the process that platform.platform() starts: it inherits every password."""
    name = os.uname() if hasattr(os, "uname") else None
    return "-".join((name.sysname, name.release, name.machine)) if name else platform.platform()


def describe_interpreter() -> dict[str, Any]:
    """Return everything about this Python that decides how handshakes end."""
    facts = context_facts(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), {})
    return {
        "python": facts["python"],
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "platform": platform_name(),
        "openssl": ssl.OPENSSL_VERSION,
        "openssl_number": ssl.OPENSSL_VERSION_NUMBER,
        "default_suites": facts["suites"],
        "default_suites_flag": _build_flag("--with-ssl-default-suites"),
        "minimum_version": facts["minimum_version"],
        "maximum_version": facts["maximum_version"],
        "security_level": facts["security_level"],
        "found": facts["found"],
        "has_tls13": bool(ssl.HAS_TLSv1_3),
        "has_psk": bool(getattr(ssl, "HAS_PSK", False)),
        "has_wrap_socket": hasattr(ssl, "wrap_socket"),
        "has_msg_callback": hasattr(ssl.SSLContext, "_msg_callback"),
        "has_set_groups": hasattr(ssl.SSLContext, "set_groups"),
        "known_suites": _known_suites(),
        "curves": [name for name in CURVES if _takes_curve(name)],
    }


def _known_suites() -> list[str]:
    """Return every suite that this OpenSSL was built with, enabled or not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return [str(item["name"]) for item in context.get_ciphers()]


def _takes_curve(name: str) -> bool:
    """Return whether `set_ecdh_curve` accepts a group: before 3.12 it looked only among the curves of ECDSA (Modules/_ssl.c)."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ecdh_curve(name)
    except (ssl.SSLError, ValueError):
        return False
    return True


def _build_flag(name: str) -> str | None:
    """Return the value of a configure option of this interpreter; None if it was not given."""
    try:
        words = shlex.split(str(sysconfig.get_config_var("CONFIG_ARGS") or ""))
    except ValueError:
        return None
    for word in words:
        if word.startswith(name + "="):
            return word[len(name) + 1 :]
    return None
