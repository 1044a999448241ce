"""Write a server profile as lines of Python's `ssl` API. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from harness.model import ServerProfile, Verify


def serving(
    profile: ServerProfile, *, pairs: Mapping[str, tuple[str, str]], authorities: Mapping[str, str]
) -> tuple[str, ...]:
    """Return lines that make the context of a TLS server.

    Args:
        profile: its settings.
        pairs: certificate name -> file of the certificate, file of the key.
        authorities: CA name -> file.
    """
    lines = ["context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)"]
    if profile.ciphers is not None:
        lines.append(f'context.set_ciphers("{profile.ciphers}")')
    for name, version in (("minimum", profile.minimum_version), ("maximum", profile.maximum_version)):
        if version is not None:
            lines.append(f"context.{name}_version = ssl.TLSVersion.{version.replace('.', '_')}")
    for name in profile.certificates:
        certificate, key = pairs[name]
        if profile.swap_key_and_certificate:
            certificate, key = key, certificate
        lines.append(f'context.load_cert_chain("{certificate}", "{key}")')
    if profile.curve is not None:
        lines.append(f'context.set_ecdh_curve("{profile.curve}")')
    if profile.verify is not Verify.NONE:
        lines.append(f"context.verify_mode = ssl.CERT_{profile.verify.upper()}")
    lines += [f'context.load_verify_locations("{authorities[name]}")' for name in profile.client_ca]
    return tuple(lines)
