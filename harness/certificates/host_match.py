"""Whether a certificate is for a host, by mbedTLS's rules. Pure.

mbedTLS compares the alternative names, and the common name only if there are none (library/x509_crt.c, x509_crt_verify_name). A
wildcard replaces exactly the first label. Alternative names of type IP count from mbedTLS 3.5 on; an address that is written as a DNS
name counts in every version.
"""

from __future__ import annotations

from ipaddress import ip_address

from harness.certificates.parsed import Parsed
from harness.wire.host_names import is_ip_address


def matches(certificate: Parsed, host: str, *, addresses: bool) -> bool:
    """Return whether the certificate is for this host.

    Args:
        certificate: the server's.
        host: name or address that the client compares.
        addresses: whether the client compares iPAddress alternative names.
    """
    if certificate.dns is None:
        return any(_fits(name, host) for name in certificate.common_names)
    if any(_fits(name, host) for name in certificate.dns):
        return True
    if not addresses or not is_ip_address(host):
        return False
    return any(is_ip_address(name) and ip_address(name) == ip_address(host) for name in certificate.addresses or ())


def _fits(name: str, host: str) -> bool:
    name, host = name.lower(), host.lower()
    if name == host:
        return True
    _label, dot, rest = host.partition(".")
    return name.startswith("*.") and bool(dot) and name[2:] == rest
