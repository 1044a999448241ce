"""Settings that MicroPython's own API refuses before a byte is sent: file forms, suite names, keywords and missing methods."""

from __future__ import annotations

from harness.explain import fixes
from harness.explain.client_lines import connecting, offering
from harness.explain.evidence import Evidence
from harness.explain.registry import rule, told
from harness.model import Change, Explanation, Fix, Stage
from harness.wire import mbedtls_numbers as mbedtls

_MISSING = ("AttributeError", "NotImplementedError")
_UNSUPPORTED_KEYS = ("Ed25519", "Ed448")
_TO_DER = {
    "RSA": "$ openssl rsa -in client-key.pem -traditional -outform der -out client-key.der",
    "EC": "$ openssl ec -in client-key.pem -outform der -out client-key.der",
}
# mbedtls/ssl.h, MBEDTLS_SSL_MAX_HOST_NAME_LEN.
_LONGEST_HOSTNAME = 255


def _pem_to_der(evidence: Evidence) -> Fix:
    """Convert the board's files to DER."""
    lines = []
    if evidence.case.client.ca:
        lines.append("$ openssl x509 -in ca.pem -outform der -out ca.der")
    if evidence.case.client.certificate:
        lines.append("$ openssl x509 -in client.pem -outform der -out client.der")
        lines.append(
            "$ openssl pkey -in client-key.pem -outform der -out client-key.der  # firmware 1.23: openssl rsa or ec"
        )
    return Fix(
        title="turn PEM into DER",
        server_lines=tuple(lines),
        change=Change(client={"ca_format": "der", "certificate_format": "der"}),
    )


@rule("api/invalid-cert")
def invalid_cert(evidence: Evidence) -> Explanation | None:
    """PEM on a DER-only build, a path instead of bytes, a damaged file."""
    if evidence.first_argument != "invalid cert":
        return None
    client = evidence.case.client
    pem = "pem" in (client.ca_format, client.certificate_format)
    reads = {None: "not known", True: "PEM and DER", False: "DER only"}[evidence.info.reads_pem]
    return told(
        "the board got a PEM certificate, but this firmware reads only DER"
        if pem
        else "the board cannot read one of its certificates",
        why=(
            f"this firmware reads: {reads}",
            "PEM: esp32 always, other ports since July 2026 (after 1.28); tls and firmware up to 1.21 accept bytes, not a path",
        ),
        fixes=(
            _pem_to_der(evidence),
            Fix(title="load bytes", client_lines=connecting(evidence.info, host="HOST", ca=True)),
        ),
    )


@rule("api/invalid-key")
def invalid_key(evidence: Evidence) -> Explanation | None:
    """PKCS#8 on 1.23, EC on axTLS and 1.19, Ed25519 everywhere, PEM."""
    if evidence.first_argument != "invalid key":
        return None
    if evidence.own_key in _UNSUPPORTED_KEYS:
        return told(
            f"the board cannot read its private key: no MicroPython supports {evidence.own_key} keys",
            why=(f"the key of the board's certificate is {evidence.own_key}; mbedTLS reads RSA and EC keys",),
            fixes=(fixes.other_own_key(evidence),),
        )
    form = evidence.case.client.certificate_format
    return told(
        why=(
            f"form: {form}; firmware {evidence.info.firmware}",
            "1.23 refuses PKCS#8, axTLS and firmware up to 1.19 refuse EC keys, none reads Ed25519, most read only DER",
        ),
        fixes=(
            Fix(
                title="give it PKCS#1 (RSA) or SEC1 (EC) as DER: every firmware that supports the key type can read these",
                server_lines=tuple(line for kind, line in _TO_DER.items() if evidence.own_key in (kind, None)),
                change=Change(client={"certificate_format": "der"}),
            ),
        ),
    )


@rule("api/unknown-suite")
def unknown_suite(evidence: Evidence) -> Explanation | None:
    """set_ciphers accepts mbedTLS's names, in a list."""
    if evidence.number != mbedtls.SSL_BAD_CONFIG or evidence.seen.stage is not Stage.CONFIG:
        return None
    words = evidence.case.client.suite_words
    given = (
        f"given: {', '.join(words) if words else 'an empty list'}"
        if words is not None
        else "given: see the board's code"
    )
    return told(
        why=(given, "mbedTLS writes TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256: dashes, no underscores, no OpenSSL names"),
        fixes=(
            Fix(
                title="use names from get_ciphers()",
                client_lines=(
                    "print(context.get_ciphers())",
                    *offering(evidence.info, ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",)),
                ),
                change=Change(client={"suite_words": None, "suites": ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",)}),
            ),
        ),
    )


@rule("api/unknown-keyword")
def unknown_keyword(evidence: Evidence) -> Explanation | None:
    """cert_reqs and cadata exist since 1.20, and never in axTLS."""
    if evidence.client is None or evidence.client.type != "TypeError":
        return None
    return told(
        why=(
            str(evidence.first_argument)[:120],
            "cert_reqs and cadata: mbedTLS from 1.20 on; keyfile, certfile, ca_certs: never",
        ),
        fixes=(
            Fix(
                title="what this firmware accepts",
                client_lines=connecting(evidence.info, host="HOST", ca=evidence.info.can_verify),
            ),
        ),
    )


@rule("api/missing-method")
def missing_method(evidence: Evidence) -> Explanation | None:
    """1.21 has an SSLContext without certificates; ssl hides methods of tls."""
    if evidence.client is None or evidence.client.type not in _MISSING:
        return None
    return told(
        why=(
            str(evidence.first_argument)[:120],
            "certificates on SSLContext: 1.22; get_ciphers, set_ciphers, verify_callback: only in `tls` since 1.23",
        ),
        fixes=(
            Fix(
                title="what this firmware has",
                client_lines=connecting(evidence.info, host="HOST", ca=evidence.info.can_verify),
            ),
        ),
    )


@rule("api/missing-module")
def missing_module(evidence: Evidence) -> Explanation | None:
    """ussl was removed in 1.23, ssl is missing where the manifest lacks it."""
    if evidence.client is None or evidence.client.type not in ("ImportError", "ModuleNotFoundError"):
        return None
    return told(
        why=(
            str(evidence.first_argument)[:120],
            "ussl: removed in 1.23; ssl: missing on small builds; tls: 1.23 and later; samd and nrf have none",
        ),
        fixes=(
            Fix(
                title="import the module that exists",
                client_lines=(
                    "try:",
                    "    import tls as ssl",
                    "except ImportError:",
                    "    import ssl  # or ussl before 1.21",
                ),
            ),
        ),
    )


@rule("api/setting-refused")
def setting_refused(evidence: Evidence) -> Explanation | None:
    """Any other refusal of the board's own settings for which mbedTLS has a number."""
    if (
        evidence.seen.stage is not Stage.CONFIG
        or evidence.client is None
        or evidence.number in (None, mbedtls.SSL_BAD_CONFIG)
    ):
        return None
    if any(name.endswith("ALLOC_FAILED") or name == "ENOMEM" for name in evidence.client_names):
        return None
    length = len((evidence.case.client.server_hostname or "").encode())
    if evidence.number == mbedtls.SSL_BAD_INPUT_DATA and length > _LONGEST_HOSTNAME:
        return told(
            f"server_hostname is {length} bytes long, and the board's TLS library accepts {_LONGEST_HOSTNAME}",
            why=(
                "wrap_socket refused it before a byte was sent; TCP was connected, so the server saw an empty connection",
            ),
            fixes=(Fix(title="pass the server's name, without a path or a port"),),
        )
    psk = evidence.case.client.psk_key is not None
    return told(
        "the board's TLS library rejects one of its settings"
        + (": the pre-shared key or identity is too long" if psk else ""),
        why=(f"the board reports {' '.join(sorted(evidence.client_names)) or evidence.number}; it sent nothing",),
        fixes=(Fix(title="use a key of at most 32 bytes and an identity of at most 128"),) if psk else (),
    )
