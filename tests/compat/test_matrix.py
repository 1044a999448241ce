"""The main job: every case of the list, on every board, against every server."""


def test_case(board, tls_case, run_case):
    """The case ends exactly as expected, on both sides and on the wire."""
    run_case(board, tls_case)
