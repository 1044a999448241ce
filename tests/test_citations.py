"""Documents and sections that the repository's texts refer to exist, and no text refers to a numbered rule."""

import ast
import io
import os
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SUFFIXES = {".css", ".ini", ".j2", ".js", ".md", ".py", ".toml", ".txt", ".yaml", ".yml"}
FOLDERS = ("", "docs/", "docs/facts/", "docs/causes/")
# Reports that commands in the texts write, the example of a changelog fragment, and OpenSSL's list of changes.
NOT_HERE = {"diff.md", "matrix.md", "out.md", "x.md", "17.fix.md", "CHANGES.md"}
DOCUMENT = re.compile(r"[\w.-][\w./-]*\.md\b")
ADDRESS = re.compile(r"https?://\S+")
SECTION = re.compile(r'((?:docs/)?[\w/-]+\.md), "([^"]+)"')
NUMBERED = re.compile(r"(style rules? \d+|([\w-]+\.md),? (?:section |fact |finding |row )?\d+)")
# A path that begins at the top, or below harness/ as ARCHITECTURE.md writes them.
BELOW = "|".join(path.parent.name for path in ROOT.glob("harness/*/__init__.py"))
FILE = re.compile(
    rf"(?<![\w./-])(?:benchmarks|certs|device_scripts|harness|tests|tools|{BELOW})/[\w./-]*\w\.(?:css|j2|js|json|py|toml|txt)\b"
)
# Files of MicroPython's repository, and one of an installed wheel.
ELSEWHERE = {"tests/extmod/ssl_basic.py", "tests/net_inet/tls_text_errors.py", "harness/device_scripts/agent.py"}
LINK = re.compile(r"\]\(([^()\s#]*)(?:#([^()\s]+))?\)")


def paths() -> Iterator[Path]:
    """Return every text file of the repository: the tracked files or, in an unpacked sdist, all but those of an environment."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = (ROOT / name for name in listed.stdout.splitlines()) if listed.returncode == 0 else unpacked()
    yield from (path for path in found if path.is_file() and (path.suffix in SUFFIXES or path.parent.name == ".ci"))


def unpacked() -> Iterator[Path]:
    """Return the files of an unpacked sdist; `.venv` and caches are not the project's."""
    for folder, inside, names in os.walk(ROOT):
        inside[:] = [name for name in inside if name == ".ci" or not name.startswith(".")]
        yield from (Path(folder, name) for name in names)


def prose(path: Path) -> Iterator[str]:
    """Return the texts of a file that may name a document: the whole file, or a program's comments and strings that contain spaces."""
    text = path.read_text(encoding="utf-8")
    if ".md" not in text:
        return
    if path.suffix != ".py":
        yield text
        return
    yield from (
        token.string for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT
    )
    yield from (
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    )


def cited(text: str) -> set[str]:
    """Return the documents that a text names, without those of other sites."""
    return set(DOCUMENT.findall(ADDRESS.sub("", text))) if ".md" in text else set()


def missing(text: str, *, folder: Path) -> set[str]:
    """Return the documents that a text in this folder names and that do not exist."""
    places = [folder, *(ROOT / name for name in FOLDERS)]
    names = {name for name in cited(text) if Path(name).name not in NOT_HERE}
    return {name for name in names if not any((place / name).is_file() for place in places)}


def headings(page: Path) -> set[str]:
    """Return the headings of a page, without markup."""
    return {line.lstrip("# ") for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("#")}


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def page_at(name: str) -> Path:
    """Return the page that a citation names."""
    return next((ROOT / folder / name for folder in FOLDERS if (ROOT / folder / name).is_file()), ROOT / name)


def wrong_sections(text: str) -> list[str]:
    """Return the citations `page.md, "Heading"` whose page has no such heading."""
    one_line = re.sub(r"\s+(# )?", " ", text)
    return [
        f'{name}, "{title}"' for name, title in SECTION.findall(one_line)
        if page_at(name).is_file() and title not in headings(page_at(name))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see absent.md", {"absent.md"}),
        ("(facts/absent.md)", {"facts/absent.md"}),
        ("[a page](docs/absent.md#part) and `absent2.md`", {"docs/absent.md", "absent2.md"}),
        ("README.md, docs/lab.md, lab.md and facts/python-ssl.md", set()),
        ("https://example.org/absent.md and --compat-report=matrix.md", set()),
    ],
)
def test_a_missing_document_is_found(text, expected):
    """A name counts anywhere in a sentence; links to other sites and generated reports do not."""
    assert missing(text, folder=ROOT) == expected


def test_a_missing_section_is_found():
    """A heading must be spelt as on the page, also if the citation spans two lines."""
    assert wrong_sections('docs/facts/micropython.md, "Memory" and\n# python-ssl.md, "Nothing"') == [
        'python-ssl.md, "Nothing"'
    ]
    assert wrong_sections('docs/facts/micropython.md, "How mbedTLS numbers\n    become exceptions"') == []


def test_every_document_exists():
    """A document that a text names is in the repository, so that a reader can follow the reference."""
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in paths()
        if path != Path(__file__)
        for text in prose(path)
        for name in missing(text, folder=path.parent)
    }
    assert found == set()


def test_every_file_exists():
    """A project file that a text names exists at that path, so that moved files are noticed."""
    files = {str(path.relative_to(ROOT)) for path in ROOT.glob("[!.]*/**/*") if path.is_file()}
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in paths()
        for name in set(FILE.findall(ADDRESS.sub("", path.read_text(encoding="utf-8")))) - ELSEWHERE
        if not {name, f"harness/{name}"} & files
    }
    assert found == set()


def test_every_section_exists():
    """A section that a text names or links to is a heading of that page."""
    found = []
    for path in paths():
        if path == Path(__file__):
            continue
        for text in prose(path):
            found += [f"{path.relative_to(ROOT)}: {name}" for name in wrong_sections(text)]
        if path.suffix == ".md":
            for name, part in LINK.findall(path.read_text(encoding="utf-8")):
                page = path.parent / name if name else path
                if "://" in name or (page.exists() and not part):
                    continue
                if not page.is_file() or part not in {anchor(heading) for heading in headings(page)}:
                    found.append(f"{path.relative_to(ROOT)}: {name}#{part}")
    assert found == []


def test_no_numbers():
    """No text names a rule or a section by its number: numbers change, and a heading can be searched for."""
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in paths()
        for match in NUMBERED.finditer(path.read_text(encoding="utf-8"))
        if Path(match[2] or "").name not in NOT_HERE
    }
    assert found == set()
