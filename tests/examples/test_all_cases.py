"""The whole case list of the harness in a suite of your own, one test per case and board."""


def test_case(board, tls_case, run_case):
    """Passes as expected, skips what this firmware cannot try, else fails with both sides, the wire and the serial line."""
    run_case(board, tls_case)
