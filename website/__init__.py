"""The documentation site: `python -m website` builds it from docs/, README.md and the harness's own tables. No part of the package."""
