"""Slow and lossy networks between board and server: what each is like, and when its bytes arrive. Pure."""
