"""The compatibility matrix as one test file: an installed wheel runs it with `pytest --pyargs harness.compat`."""
