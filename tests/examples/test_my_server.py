"""Does my board connect to a server like mine? The fixtures come with the package: nothing to import, nothing to configure."""


def test_board_checks_the_certificate(board, tls_server, expect):
    """The board trusts the CA that signed the server's certificate: text is exchanged both ways."""
    seen = board.connect(tls_server("server-p256"), verify="required", ca="ca-p256")
    expect.connected(seen)


def test_board_refuses_another_ca(board, tls_server, expect):
    """With another CA the board must refuse the certificate, and both sides must report why."""
    seen = board.connect(tls_server("server-p256", maximum_version="TLSv1.2"), verify="required", ca="ca-other")
    expect.refused(seen, by="client", server="TLSV1_ALERT_UNKNOWN_CA", alert="unknown_ca", client="not_trusted")


def test_what_was_negotiated(board, tls_server, expect):
    """An observation has both sides and the wire: what was offered, what was negotiated, how long it took."""
    server = tls_server("server-p256", ciphers="ECDHE-ECDSA-AES128-GCM-SHA256", maximum_version="TLSv1.2")
    seen = board.connect(server)
    expect.connected(seen, version="TLSv1.2", suite="TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    assert "c02b" in seen.client_hello.suites
    assert seen.handshake_board_ms < 30_000
