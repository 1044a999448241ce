"""Reports: pure functions of a run's records to text. Only `journal.py` writes files."""
