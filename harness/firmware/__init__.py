"""Data about firmware that needs no board: ClientHello families, and notes on a hello."""
