"""Keys and certificates, declared in `certs/*.toml` and made when a case needs them.

Importing this costs no cryptography: that is loaded when the first certificate is made, because start-up time counts.
"""

from __future__ import annotations

from harness.certificates.declarations import Profile, Role
from harness.certificates.factory import Certificates
from harness.certificates.material import Material, Unavailable

__all__ = ["Certificates", "Material", "Profile", "Role", "Unavailable"]
