"""website/ is part of the checkout, not of the package: an installed wheel does not have it."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))
