"""The GitHub action, the GitLab component and the Dockerfile: accepted by linters, and described as they are."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.ci_parts import ACTION, COMPONENT, DOCKERFILE, ROOT, action, action_steps, component_inputs, component_job

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
DUMMY = {"boards": "esp32 pico", "tags": ["lab", "tls"], "arguments": "--ports 40000-40100"}


def lint(name: str, *arguments: str | Path) -> None:
    """Run a linter that .ci/run installs; skip where there is none."""
    program = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed (.ci/run installs it)")
    done = subprocess.run(
        [program, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def sections() -> dict[str, str]:
    """Return the sections of the page by their heading."""
    _title, *parts = PAGE.split("\n## ")
    return {part.partition("\n")[0]: part for part in parts}


def listed(section: str) -> dict[str, str]:
    """Return the inputs that a section of the page lists, with their defaults."""
    rows = re.findall(r"^\| (`.*?) \| .* \| (.*?) ?\|$", sections()[section], re.MULTILINE)
    names = [re.findall(r"`([\w-]+)`", cell) for cell, _default in rows]
    values = [re.findall(r"`(.*?)`", default) or [""] for _cell, default in rows]
    return {
        name: value
        for cells, defaults in zip(names, values, strict=True)
        for name, value in zip(cells, defaults, strict=True)
    }


def test_the_action_is_an_action():
    """GitHub's schema accepts it."""
    lint("check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION)


def test_the_component_is_a_pipeline(tmp_path):
    """GitLab's schema accepts the job with its inputs filled in, the defaults and others."""
    for number, given in enumerate(({}, DUMMY)):
        (tmp_path / f"{number}.yml").write_text(yaml.safe_dump(component_job(given)), encoding="utf-8")
    files = (tmp_path / "0.yml", tmp_path / "1.yml")
    lint("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", *files)


def test_the_action_is_safe():
    """zizmor finds no injection, no credentials that stay, no unpinned action."""
    lint("zizmor", "--offline", "--config", ROOT / ".github" / "zizmor.yml", ACTION)


def test_the_dockerfile():
    """hadolint finds nothing."""
    lint("hadolint", DOCKERFILE)


@pytest.mark.parametrize("part", ["action", "component"])
def test_the_scripts(tmp_path, part):
    """shellcheck finds nothing; words that are lists on purpose are split where the component says so."""
    if part == "action":
        texts = [
            "".join(["#!/bin/bash\nset -eo pipefail\n", *(f"export {name}=x\n" for name in environment), script])
            for script, environment in action_steps({})
        ]
        options = []
    else:
        (job,) = component_job({}).values()
        texts = ["#!/bin/sh -e\n" + "\n".join(job["script"]) + "\n"]
        options = ["--exclude", "SC2086"]  # $TLS_TESTS and $TLS_ARGUMENTS are several words
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.sh"
        path.write_text(text, encoding="utf-8")
        lint("shellcheck", *options, path)


def test_inputs_reach_scripts_through_the_environment():
    """No input is pasted into a script, where a quote in it would be code."""
    assert [script for script, _environment in action_steps({}) if "${{" in script] == []
    (job,) = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8").partition("\n---\n")[2])
    (job,) = job.values()
    assert [line for line in job["script"] if "$[[" in line] == []


def test_words_of_the_action(tmp_path):
    """Words may be on several lines; none of them is code, and none is a pattern of file names."""
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    stand_in = tmp_path / "tls-harness" / "bin" / "pytest"
    stand_in.parent.mkdir(parents=True)
    stand_in.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n", encoding="utf-8")
    stand_in.chmod(0o755)
    given = {
        "boards": "esp32\n  /dev/tty*\n",
        "tests": "--pyargs\nharness.compat tests",
        "arguments": "-n 2\n--ports 40000-40100\n$(touch$IFS-x) `id` ; *\n",
    }
    _install, (script, environment) = action_steps(given)
    forge = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=tmp_path, env={"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path)} | forge | environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    boards = ["--board", "esp32", "--board", "/dev/tty*"]
    reports = ["--compat-report", "tls-results/matrix.md", "--junitxml", "tls-results/junit.xml"]
    assert done.stdout.split("\n") == [
        "--pyargs", "harness.compat", "tests", *boards, "--cases", "core", "--artifacts", "tls-results", *reports,
        "-n", "2", "--ports", "40000-40100", "$(touch$IFS-x)", "`id`", ";", "*", "",
    ]  # fmt: skip


def test_every_input_is_used():
    """An input that changes nothing is a mistake."""
    text = ACTION.read_text(encoding="utf-8").partition("\nruns:")[2]
    assert [name for name in action()["inputs"] if f"inputs.{name} " not in text] == []
    text = COMPONENT.read_text(encoding="utf-8").partition("\n---\n")[2]
    assert [name for name in component_inputs() if f"inputs.{name} " not in text] == []


def test_the_page_lists_the_inputs():
    """docs/ci.md has each input with its default, and no other."""
    assert listed("GitHub Actions") == {name: one["default"] for name, one in action()["inputs"].items()}
    defaults = {
        name: str(one["default"]).replace("'", "") if one["default"] else one["default"]
        for name, one in component_inputs().items()
    }
    assert listed("GitLab") == defaults | {"tags": "[]"}


def test_the_examples_of_the_page():
    """Both examples are YAML, use the parts by the paths that they have, and only inputs that exist."""
    job = yaml.safe_load(re.search(r"```yaml\n(.*?)```", sections()["GitHub Actions"], re.DOTALL)[1])
    (step,) = [one for one in job["jobs"]["boards"]["steps"] if "ci/github" in one["uses"]]
    assert step["uses"].partition("@")[0].endswith(f"/{ACTION.parent.relative_to(ROOT)}")
    assert set(step["with"]) <= set(action()["inputs"])
    (include,) = yaml.safe_load(re.search(r"```yaml\n(.*?)```", sections()["GitLab"], re.DOTALL)[1])["include"]
    assert include["component"].partition("@")[0].endswith(f"/{COMPONENT.stem}")
    assert set(include["inputs"]) <= set(component_inputs())


def test_the_image_of_the_page():
    """The build arguments and the folder in the page's commands are those of the Dockerfile."""
    found = set(re.findall(r"--build-arg (\w+)", PAGE))
    assert found
    assert found <= set(re.findall(r"^ARG (\w+)=", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE))
    assert f" {DOCKERFILE.parent.relative_to(ROOT)}\n" in PAGE
