"""The built site: every link inside it leads somewhere, and no page loads anything from another host. Reads the result only."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches by itself; `a` is fetched only if the reader follows it.
_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "object": "data"}
_LOADED_LINKS = {"stylesheet", "icon", "preconnect", "dns-prefetch", "preload", "modulepreload", "prefetch"}
_LIST_IN_PARAGRAPH = re.compile(r"<p>[^<]*\n[*-] ")


class _Found(HTMLParser):
    """What one page has and needs."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect anchors and addresses."""
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and _LOADED_LINKS & set(values.get("rel", "").split()):
            self.loaded.append(values["href"])
        if tag in _LOADED and _LOADED[tag] in values:
            self.loaded.append(values[_LOADED[tag]])


def problems(site: Path, *, base: str) -> list[str]:
    """Return what is wrong with a built site, one line each.

    Args:
        site: the folder.
        base: the path of the site's address, as `/name/`: absolute links begin with it.
    """
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    result = []
    for path, found in pages.items():
        name = path.relative_to(site).as_posix()
        for address in found.loaded:
            if _is_elsewhere(address):
                result.append(f"{name}: loads {address} from another host")
        for address in [*found.links, *found.loaded]:
            if not _is_elsewhere(address) and not _leads(address, path, site=site, base=base, pages=pages):
                result.append(f"{name}: dead link {address}")
        if _LIST_IN_PARAGRAPH.search(path.read_text(encoding="utf-8")):
            result.append(f"{name}: a list without an empty line before it is not shown as a list")
    for sheet in sorted(site.rglob("*.css")):
        if re.search(r"""(url\(\s*|@import\s+)["']?(https?:)?//""", sheet.read_text(encoding="utf-8")):
            result.append(f"{sheet.relative_to(site).as_posix()}: loads something from another host")
    return result


def _read(path: Path) -> _Found:
    found = _Found()
    found.feed(path.read_text(encoding="utf-8"))
    return found


def _is_elsewhere(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc or parts.scheme)


def _leads(address: str, page: Path, *, site: Path, base: str, pages: dict[Path, _Found]) -> bool:
    parts = urlsplit(address)
    path = unquote(parts.path)
    folder, relative = (site, path.removeprefix(base)) if path.startswith(base) else (page.parent, path or page.name)
    target = (folder / relative).resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return False
    fragment = unquote(parts.fragment)
    return not fragment or target not in pages or fragment in pages[target].anchors
