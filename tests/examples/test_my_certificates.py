"""The same keys and certificates for a server of your own: files for it, DER for the board."""

import ssl


def test_files_for_another_server(certificates):
    """`make` returns paths for `load_cert_chain` and the bytes for a board."""
    material = certificates.make("server-p256")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(material.chain_file, material.key_file)
    assert material.certificate_der[0] == 0x30  # an ASN.1 SEQUENCE, what MicroPython's load_verify_locations reads
