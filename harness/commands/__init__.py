"""The commands of `tls-harness`, one file each: `add(...)` declares the arguments, `run(...)` does the work.

A file imports at its top only what `add` needs, so that `--help` is fast and works on every platform.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
