"""The main job: the packaged matrix, which `pytest` runs in a checkout and `pytest --pyargs harness.compat` anywhere."""

from harness.compat.test_matrix import test_case

__all__ = ["test_case"]
