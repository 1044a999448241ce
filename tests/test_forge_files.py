"""The files for the forge, editors and pre-commit refer to existing things and agree with tox.ini and pyproject.toml."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
GITHUB = ROOT / ".github"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read_yaml(path: Path):
    """The content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def pinned(package: str) -> str:
    """The version of a package that the dev extra pins."""
    (version,) = [
        text.partition("==")[2] for text in PROJECT["optional-dependencies"]["dev"] if text.startswith(f"{package}==")
    ]
    return version


def test_every_yaml_file_is_yaml():
    """A forge ignores a file that it cannot read."""
    files = [*GITHUB.rglob("*.yml"), ROOT / ".pre-commit-config.yaml"]
    assert {path.name for path in files if not isinstance(read_yaml(path), dict)} == set()


def test_the_workflow_runs_the_checks():
    """Each Python runs `.ci/run`, on pull requests and on main."""
    workflow = read_yaml(GITHUB / "workflows" / "ci.yml")
    events = workflow[True]  # YAML 1.1 reads the key `on` as a boolean
    assert events["push"] == {"branches": ["main"]}
    assert "pull_request" in events
    assert ".ci/run" in [step.get("run") for step in workflow["jobs"]["checks"]["steps"]]


def test_one_job_is_required():
    """`required` needs every other job, and also runs after a failed one: the forge treats a skipped job as passed."""
    jobs = read_yaml(GITHUB / "workflows" / "ci.yml")["jobs"]
    required = jobs.pop("required")
    assert required["if"] == "always()"
    assert required["needs"] == list(jobs)
    assert [step["run"] for step in required["steps"]] == [
        f'test "${{{{ needs.{job}.result }}}}" = success' for job in jobs
    ]


def test_the_same_pythons_everywhere():
    """The workflow's matrix, the classifiers and tox's environments list the same Pythons, from requires-python on."""
    matrix = read_yaml(GITHUB / "workflows" / "ci.yml")["jobs"]["checks"]["strategy"]["matrix"]["python"]
    prefix = "Programming Language :: Python :: 3."
    classifiers = [f"3.{text.removeprefix(prefix)}" for text in PROJECT["classifiers"] if text.startswith(prefix)]
    (env_list,) = re.findall(r"^env_list = (.*)$", (ROOT / "tox.ini").read_text(encoding="utf-8"), re.MULTILINE)
    assert classifiers == matrix
    assert [f"3.{minor}" for minor in re.findall(r"\bpy3(\d+)\b", env_list)] == matrix
    assert PROJECT["requires-python"] == f">={matrix[0]}"


def test_owned_paths_exist():
    """Each line of CODEOWNERS names a path of the project and an owner; the first line covers everything."""
    text = (GITHUB / "CODEOWNERS").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[0][0] == "*"
    assert [line[0] for line in lines[1:] if not (ROOT / line[0].strip("/")).exists()] == []
    assert [line for line in lines if len(line) < 2 or not all(owner.startswith("@") for owner in line[1:])] == []


def test_issue_forms_ask_for_the_setup():
    """Every issue form requires board, firmware and TLS library."""
    forms = [path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]
    assert forms
    for path in forms:
        required = {part.get("id") for part in read_yaml(path)["body"] if part.get("validations") == {"required": True}}
        assert required >= {"board", "firmware", "tls-library"}, path.name


def test_the_pull_request_template_asks_for_the_setup():
    """A pull request says which board, firmware and TLS library it was tested with."""
    text = (GITHUB / "pull_request_template.md").read_text(encoding="utf-8")
    assert "| board | firmware | TLS library | server |" in text


def test_pre_commit_uses_the_same_ruff():
    """Two versions of ruff would disagree about the format."""
    (ruff, _local) = read_yaml(ROOT / ".pre-commit-config.yaml")["repos"]
    assert ruff["rev"] == f"v{pinned('ruff')}"


def test_local_hooks_run_what_exists():
    """A local hook runs a program of the checkout's environment, on test files that exist."""
    (_ruff, local) = read_yaml(ROOT / ".pre-commit-config.yaml")["repos"]
    words = [word for hook in local["hooks"] for word in hook["entry"].split()]
    assert {word for word in words if word.startswith(".venv/")} == {".venv/bin/pytest", ".venv/bin/towncrier"}
    assert [word for word in words if word.startswith("tests/") and not (ROOT / word).exists()] == []


def test_dependabot_updates_both_ecosystems():
    """Python packages and the workflow's actions are updated; its group names packages of the dev extra."""
    updates = {entry["package-ecosystem"]: entry for entry in read_yaml(GITHUB / "dependabot.yml")["updates"]}
    assert set(updates) == {"pip", "github-actions"}
    declared = {re.match(r"[\w.-]+", text)[0] for text in PROJECT["optional-dependencies"]["dev"]}
    assert set(updates["pip"]["groups"]["development"]["patterns"]) == declared - {PROJECT["name"]}


SITE = read_yaml(GITHUB / "workflows" / "site.yml")


def test_the_site_is_published_from_main_only():
    """A pull request builds the site in `.ci/run`, without publishing it."""
    assert SITE[True] == {"push": {"branches": ["main"]}, "workflow_dispatch": None}


def test_one_job_may_publish():
    """The job that runs the project's code can only read; the other one runs nothing of ours."""
    assert SITE["permissions"] == {"contents": "read"}
    build, publish = SITE["jobs"]["build"], SITE["jobs"]["publish"]
    assert publish["needs"] == ["build"]
    assert "permissions" not in build
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert [step.get("run") for step in publish["steps"]] == [None]


def test_the_published_site_is_the_one_that_is_checked():
    """The workflow runs the same command as `.ci/run`, with the same extra, and uploads the folder that it writes."""
    runs = [step["run"] for step in SITE["jobs"]["build"]["steps"] if "run" in step]
    assert runs[-1] == ".venv/bin/python -m website"
    assert runs[0].endswith("pip install -q -e '.[docs]'")
    uploads = [step["with"] for step in SITE["jobs"]["build"]["steps"] if "upload" in step.get("uses", "")]
    assert uploads == [{"path": "build/site"}]
    assert '"$tools/bin/python" -m website --output "$tools/site"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_a_checkout_leaves_no_password():
    """The job that runs the project's code does not keep the token that it was checked out with."""
    steps = [step for step in SITE["jobs"]["build"]["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"] for step in steps] == [{"persist-credentials": False}]
