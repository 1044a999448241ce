"""The settings of a server as a test writes them: checked when they are written, with the nearest name."""

import inspect
from dataclasses import fields

import pytest

from harness.errors import UsageError
from harness.expectations import builders
from harness.model import ClientPlan, ServerProfile, Verify
from harness.pytest_plugin.arguments import ClientSettings, NegotiatedValues, RefusalDetails, ServerSettings
from harness.pytest_plugin.server_settings import make_server


def test_make_server():
    """Keywords become settings, and a single string becomes a list."""
    profile = make_server(
        "server-p256", "server-rsa2048", verify="required", client_ca="ca-p256", alpn=["h2"], tickets=0
    )
    assert profile.certificates == ("server-p256", "server-rsa2048")
    assert (profile.verify, profile.client_ca, profile.alpn, profile.tickets) == (
        Verify.REQUIRED,
        ("ca-p256",),
        ("h2",),
        0,
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"cypher": "x"},
            r"^tls_server\(\): unknown setting 'cypher'; did you mean 'ciphers'\?; expected one of cert, key, ",
        ),
        ({"verify": "yes"}, r"^tls_server\(verify=\.\.\.\): 'yes' is not one of none, optional, required$"),
        ({"verify": 1}, r"^tls_server\(verify=\.\.\.\): 1 is not one of none, optional, required$"),
        (
            {"maximum_version": "TLSv9"},
            r"^tls_server\(maximum_version=\.\.\.\): 'TLSv9' is not one of TLSv1, TLSv1\.1, TLSv1\.2, TLSv1\.3$",
        ),
        ({"maximum_version": 771}, r"^tls_server\(maximum_version=\.\.\.\): 771 is not one of TLSv1, "),
        (
            {"minimum_version": ["TLSv1.2"]},
            r"^tls_server\(minimum_version=\.\.\.\): \['TLSv1\.2'\] is not one of TLSv1, ",
        ),
        (
            {"curve": "nocurve"},
            r"^tls_server\(curve=\.\.\.\): 'nocurve' is not a TLS curve; expected one of prime256v1, .*X448",
        ),
        ({"curve": 23}, r"^tls_server\(curve=\.\.\.\): 23 is not a TLS curve"),
        (
            {"client_ca": "ca-p257"},
            r"^unknown certificate profile 'ca-p257'; did you mean 'ca-p256'\? \(`tls-harness files certs`",
        ),
    ],
)
def test_make_server_refuses(settings, message):
    """The error for an unknown setting lists the known ones."""
    with pytest.raises(UsageError, match=message):
        make_server("server-p256", **settings)


def test_the_types_of_settings_are_those_of_the_records():
    """A type checker accepts what the run accepts: the typed settings are exactly the fields of the records."""
    of = {item.name for item in fields(ServerProfile)} - {"certificates"}
    assert set(ServerSettings.__annotations__) == of | {
        "cert",
        "key",
        "password",
        "flight",
        "unwrap_first",
        "suppress_ragged_eofs",
    }
    conditions = {"clock_unix_s", "heap_bytes"}
    of = {item.name for item in fields(ClientPlan)} - conditions
    assert set(ClientSettings.__annotations__) == of | {"key", "clock", "heap"}
    assert set(NegotiatedValues.__annotations__) | set(RefusalDetails.__annotations__) <= {
        *inspect.signature(builders.connected).parameters,
        *inspect.signature(builders.refused).parameters,
    }
