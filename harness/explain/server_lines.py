"""Write a server profile as lines of Python's `ssl` API. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from harness.model import ServerProfile, Verify


def quoted(text: str) -> str:
    """Return a text as a literal that Python and MicroPython read the same way: ASCII, in double quotes where possible."""
    literal = ascii(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in literal else literal


def serving(
    profile: ServerProfile,
    *,
    pairs: Mapping[str, tuple[str, str]],
    authorities: Mapping[str, str],
    der: Collection[str] = (),
    password_env: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Return lines that make the context of a TLS server.

    Args:
        profile: its settings.
        pairs: certificate name -> file of the certificate, file of the key.
        authorities: CA name -> file.
        der: the files among them that are DER, which Python takes as bytes only.
        password_env: certificate name -> environment variable with the password of its key.
    """
    lines = ["context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)"]
    if profile.ciphers is not None:
        lines.append(f"context.set_ciphers({quoted(profile.ciphers)})")
    for name, version in (("minimum", profile.minimum_version), ("maximum", profile.maximum_version)):
        if version is not None:
            lines.append(f"context.{name}_version = ssl.TLSVersion.{version.replace('.', '_')}")
    for name in profile.certificates:
        certificate, key = pairs[name]
        if profile.swap_key_and_certificate:
            certificate, key = key, certificate
        variable = (password_env or {}).get(name)
        password = f", password=os.environ[{quoted(variable)}]" if variable is not None else ""
        lines.append(f"context.load_cert_chain({quoted(certificate)}, {quoted(key)}{password})")
    if profile.curve is not None:
        lines.append(f"context.set_ecdh_curve({quoted(profile.curve)})")
    if profile.verify is not Verify.NONE:
        lines.append(f"context.verify_mode = ssl.CERT_{profile.verify.upper()}")
    for name in profile.client_ca:
        file = quoted(authorities[name])
        what = f'cadata=open({file}, "rb").read()' if authorities[name] in der else file
        lines.append(f"context.load_verify_locations({what})")
    return tuple(lines)
