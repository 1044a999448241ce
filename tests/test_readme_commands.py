"""CI runs README.md's two commands."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def commands(text: str) -> list[str]:
    """Return the lines that set everything up and run pytest."""
    lines = [line.strip().removeprefix("$ ") for line in text.splitlines()]
    return [line for line in lines if line.startswith("python3 -m venv .venv && ")]


def test_ci_runs_what_the_readme_says():
    """`.ci/run` contains both commands unchanged: the project's tests and the main job."""
    in_ci = commands((ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    in_readme = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(in_ci) == 2
    assert sorted(in_readme) == sorted(in_ci)
