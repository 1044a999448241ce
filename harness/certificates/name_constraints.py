"""Which names a CA may issue for (nameConstraints, RFC 5280 section 4.2.1.10), and whether a certificate keeps to them. Pure.

OpenSSL enforces them on the whole chain (crypto/x509/v3_ncons.c). mbedTLS cannot read them: it refuses a certificate in which they are
critical, and ignores them otherwise (library/x509_crt.c, x509_get_crt_ext; Mbed-TLS issue 8759). Only DNS names and addresses are looked
at here: OpenSSL compares directory names, e-mail addresses and URIs as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from cryptography import x509

OID = "2.5.29.30"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameConstraints:
    """The DNS names and networks that a CA may and may not issue for. No entry of a kind in `permitted`: any name of that kind."""

    permitted_dns: tuple[str, ...] = ()
    permitted_networks: tuple[str, ...] = ()
    excluded_dns: tuple[str, ...] = ()
    excluded_networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A name that a CA may not issue for. `limit` is what is permitted instead, or what excludes it (`is_excluded`)."""

    name: str
    limit: str
    is_excluded: bool


def constraints_of(extension: x509.NameConstraints) -> NameConstraints:
    """Read the extension's DNS names and networks."""
    permitted, excluded = extension.permitted_subtrees or (), extension.excluded_subtrees or ()
    return NameConstraints(
        permitted_dns=tuple(name.value for name in permitted if isinstance(name, x509.DNSName)),
        permitted_networks=tuple(str(name.value) for name in permitted if isinstance(name, x509.IPAddress)),
        excluded_dns=tuple(name.value for name in excluded if isinstance(name, x509.DNSName)),
        excluded_networks=tuple(str(name.value) for name in excluded if isinstance(name, x509.IPAddress)),
    )


def violation(limits: NameConstraints, *, dns: tuple[str, ...], addresses: tuple[str, ...]) -> Violation | None:
    """Return the first name outside the limits; None if all are inside.

    Args:
        limits: of a CA above the certificate.
        dns: the certificate's DNS names.
        addresses: its IP addresses.
    """
    for names, permitted, excluded, fits in (
        (dns, limits.permitted_dns, limits.excluded_dns, _is_below),
        (addresses, limits.permitted_networks, limits.excluded_networks, _is_in),
    ):
        for name in names:
            against = next((base for base in excluded if fits(name, base)), None)
            if against is not None:
                return Violation(name=name, limit=against, is_excluded=True)
            if permitted and not any(fits(name, base) for base in permitted):
                return Violation(name=name, limit=", ".join(permitted), is_excluded=False)
    return None


def dns_names(dns: tuple[str, ...] | None, common_names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of a leaf that OpenSSL compares: without a DNS name, a common name that looks like one, with a dot in it."""
    return dns or tuple(name for name in common_names if "." in name.strip("."))


def _is_below(name: str, base: str) -> bool:
    """Whether a DNS name is the base or below it; an empty base has every name below it."""
    name, base = name.lower(), base.lower()
    if not base or name == base:
        return True
    return name.endswith(base) and (base.startswith(".") or name[-len(base) - 1] == ".")


def _is_in(address: str, network: str) -> bool:
    one, many = ip_address(address), ip_network(network)
    return one.version == many.version and one in many
