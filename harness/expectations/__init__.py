"""What each side is expected to do: builders, needs, and the differences between TLS libraries."""
