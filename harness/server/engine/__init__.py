"""The TLS server engine: standard library only, also started by its path under other interpreters."""
