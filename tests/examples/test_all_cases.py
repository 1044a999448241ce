"""The whole case list of the harness in a suite of your own, one test per case and board."""


def test_case(board, tls_case, run_case):
    """Pass as expected, skip what this firmware cannot run, or fail with both sides' errors, the wire and the serial line."""
    run_case(board, tls_case)
