"""`python -m website`: build the site and check it. Needs no network and no board; exits with 1 if anything is wrong."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from website.check import problems
from website.contents import site
from website.links import DeadLinkError
from website.readme import UnplacedSectionError

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = Path(__file__).with_name("zensical.toml")
STYLE = SETTINGS.with_name("style.css")
# The path of `site_url` in zensical.toml.
BASE = "/micropython-tls-harness/"


def write_sources(folder: Path) -> int:
    """Write the pages and the settings that zensical reads into a folder; return the number of pages."""
    tree = site(ROOT)
    pages = list(tree.pages())
    for page in pages:
        path = folder / "pages" / page.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page.text, encoding="utf-8")
    shutil.copy(STYLE, folder / "pages")
    navigation = ",\n    ".join(entry.navigation() for entry in tree.entries)
    settings = SETTINGS.read_text(encoding="utf-8") + f"nav = [\n    {navigation},\n]\n"
    (folder / "zensical.toml").write_text(settings, encoding="utf-8")
    return len(pages)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options, and print an error as one line."""
    parser = argparse.ArgumentParser(prog="python -m website", description=__doc__)
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        default=ROOT / "build" / "site",
        help="folder of the site (default: build/site)",
    )
    options = parser.parse_args(arguments)
    if find_spec("zensical") is None:
        print("zensical is not installed here: pip install -e '.[docs]'")
        return 1
    if options.output.exists() and any(options.output.iterdir()) and not (options.output / "sitemap.xml").exists():
        print(
            f"--output {options.output}: this folder has other files, and would be replaced; give an empty or a new one"
        )
        return 1
    try:
        return build(options.output)
    except (DeadLinkError, UnplacedSectionError) as error:
        print(error)
        return 1


def build(output: Path) -> int:
    """Build the site, check it, and move it to its place.

    Raises:
        DeadLinkError: a page links to a file that does not exist.
        UnplacedSectionError: a section of README.md is on no page.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = write_sources(folder)
        command = [sys.executable, "-m", "zensical", "build", "--strict"]
        built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if built.returncode != 0:
            print(re.sub(r"\x1b\[[0-9;]*m", "", built.stdout + built.stderr))
            return 1
        found = problems(folder / "site", base=BASE)
        if found:
            print("\n".join(found))
            return 1
        shutil.rmtree(output, ignore_errors=True)
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / "site", output)
    print(f"{count} pages in {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
