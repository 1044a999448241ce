"""How OpenSSL's server answers a ClientHello, one noun a file; `harness.oracle.predict` puts them together.

Nothing in here knows an observation: the input is the ClientHello and the server's live settings, and nothing else.
"""
