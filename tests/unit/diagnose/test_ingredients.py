"""The files behind each name: the user's own in place, the rest by commands."""

import pytest

from harness.certificates import Unavailable
from harness.diagnose.given import CLIENT, GIVEN, GivenCertificates
from harness.diagnose.ingredients import ingredient
from harness.diagnose.request import Files


def test_the_users_own_files_are_used_in_place(server):
    """The key is named by its absolute path, and nothing is made."""
    given = server("server-p256")
    one = ingredient(GIVEN, GivenCertificates(given), host="h")
    assert (one.certificate, one.key, one.commands) == (str(given.certificate), str(given.key), ())


@pytest.mark.parametrize(
    ("form", "der", "key_der", "commands"),
    [
        ("cert.pem key.pem", "client.der", "client-key.der", 2),
        ("cert.der key.der", None, None, 0),
        ("cert.der pkcs8.der", None, "client-key.der", 1),
    ],
)
def test_the_boards_own_certificate(files, form, der, key_der, commands):
    """PEM is converted, both files; of PKCS#8 only the key is; DER stays where it is."""
    certificate, key = (files / "client-p256" / name for name in form.split())
    one = ingredient(CLIENT, GivenCertificates(Files(client_certificate=certificate, client_key=key)), host=None)
    assert (one.der, one.key_der) == (der or str(certificate), key_der or str(key))
    assert len(one.der_commands) == commands


@pytest.mark.parametrize(
    ("name", "host", "reason"),
    [
        ("server-p256", None, "None is not a name for a certificate: give one with --hostname"),
        ("server-p256", "a b", "'a b' is not a name for a certificate: give one with --hostname"),
        ("server-expired", "h", "no command for a certificate like this"),
        ("server-p521", "h", "no command for a certificate like this"),
    ],
)
def test_what_no_command_makes(server, name, host, reason):
    """The reason says what is missing."""
    with pytest.raises(Unavailable) as caught:
        ingredient(name, GivenCertificates(server("server-p256")), host=host)
    assert caught.value.reason == reason
