"""The programs of tools/ are run by path: their folder is what they import each other from."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
