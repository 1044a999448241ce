"""A whole server as Python lines, which run unchanged."""

import ssl

from harness.certificates import Certificates
from harness.explain.server_lines import serving
from harness.model import ServerProfile, Verify


def test_a_whole_server_runs():
    """Every setting has its line, in an order that Python accepts."""
    profile = ServerProfile(
        certificates=("server-p256",),
        ciphers="ECDHE+AESGCM",
        minimum_version="TLSv1.2",
        maximum_version="TLSv1.2",
        curve="prime256v1",
        verify=Verify.REQUIRED,
        client_ca=("ca",),
    )
    with Certificates() as certificates:
        made = certificates.make("server-p256")
        pair = (str(made.chain_file), str(made.key_file))
        lines = serving(profile, pairs={"server-p256": pair}, authorities={"ca": pair[0]})
        names = {"ssl": ssl}
        for line in lines:
            exec(line, names)  # our own lines
    context = names["context"]
    assert (context.minimum_version, context.maximum_version) == (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(lines) == 8


def test_swapped_files_and_defaults():
    """Swapped files are visible in the line; defaults have no line."""
    swapped = ServerProfile(certificates=("a",), swap_key_and_certificate=True)
    assert serving(swapped, pairs={"a": ("c", "k")}, authorities={})[-1] == 'context.load_cert_chain("k", "c")'
    assert serving(ServerProfile(), pairs={}, authorities={}) == ("context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)",)


def test_the_password_of_a_key():
    """It comes from the environment: the program has the name of the variable only."""
    profile = ServerProfile(certificates=("a", "b"))
    pairs = {"a": ("a.pem", "a-key.pem"), "b": ("b.pem", "b-key.pem")}
    lines = serving(profile, pairs=pairs, authorities={}, password_env={"a": "TLS_PASSWORD"})
    assert lines[1:] == (
        'context.load_cert_chain("a.pem", "a-key.pem", password=os.environ["TLS_PASSWORD"])',
        'context.load_cert_chain("b.pem", "b-key.pem")',
    )
