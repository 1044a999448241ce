"""Which board it is, and who holds it."""
