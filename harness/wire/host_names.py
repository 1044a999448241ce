"""Tells host names from IP addresses, which certificates and SNI treat differently. Pure."""

from __future__ import annotations

import ipaddress


def is_ip_address(host: str) -> bool:
    """Return whether a host is an IPv4 or IPv6 address; False for a name and for an empty text."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
