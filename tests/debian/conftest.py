"""Add tools/ to the import path: its programs are run by path and import each other from their folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
