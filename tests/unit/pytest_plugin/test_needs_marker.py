"""The words of `@pytest.mark.needs`; what the marker does is in tests/plugin/test_own_tests.py."""

from harness.expectations.needs import named_needs


def test_the_words():
    """Each word names the need of that name; needs that depend on certain suites or curves have none."""
    words = named_needs()
    assert {"tls1.3", "psk", "verification", "client-certificate", "ecdhe-ecdsa", "server-psk"} <= set(words)
    assert all(need.name == word for word, need in words.items())
    assert not {"restrict-suites", "has-suite", "server-suite", "server-curve"} & set(words)
