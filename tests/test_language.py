"""No code, test, document, message or template of the project uses a phrase of language/phrases.txt."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "language"
HIDDEN = {".ci", ".github"}  # other names with a dot are environments, caches and reports
GENERATED = {"build", "dist", "__pycache__"}
#: `FILE: TEXT` per line: text that one of our files must quote word for word, as other programs and older versions write it.
QUOTED = FOLDER / "quoted.txt"


def entries(path: Path) -> list[str]:
    """Return the lines of a list, without comments and empty lines."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def text_files(folder: Path) -> Iterator[Path]:
    """Return every text file below a folder that git would track."""
    for path in sorted(folder.iterdir()):
        if path == FOLDER or path.name in GENERATED or path.suffix in {".egg-info", ".pem", ".der", ".key", ".pcapng"}:
            continue
        if path.is_dir():
            if not path.name.startswith(".") or path.name in HIDDEN:
                yield from text_files(path)
        elif path.name != ".git":  # a file in a worktree
            yield path


def phrases() -> list[re.Pattern[str]]:
    """Return the patterns; a space also matches a line break and a comment sign."""
    return [re.compile(line.replace(" ", r"[\s#]+"), re.IGNORECASE) for line in entries(FOLDER / "phrases.txt")]


def found_in(text: str) -> list[str]:
    """Return each match in a text, as `LINE: words`."""
    matches = [match for pattern in phrases() for match in pattern.finditer(text)]
    return [f"{text.count(chr(10), 0, match.start()) + 1}: {' '.join(match[0].split())}" for match in matches]


def found() -> dict[str, list[str]]:
    """Return file -> matches for the files with matches."""
    quoted = [line.split(": ", 1) for line in entries(QUOTED)]
    matches = {}
    for path in text_files(ROOT):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8", errors="replace")
        for file, words in quoted:
            text = text.replace(words, "") if file == name else text
        matches[name] = found_in(text)
    return {name: lines for name, lines in matches.items() if lines}


def test_the_phrases_are_found():
    """A phrase is found in any case and across the lines of a comment; parts of other words are not."""
    assert found_in("a number\n# Is\n# wanted here") == ["2: Is # wanted"]
    assert found_in("amended, beside-it, somebodys") == []


def test_no_text_has_a_phrase():
    """No file has a phrase, except for the texts of language/quoted.txt."""
    assert found() == {}
