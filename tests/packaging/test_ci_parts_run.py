"""The commands of the GitHub action, the GitLab component and the Dockerfile, run in an empty folder with the wheel."""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.ci_parts import action_steps, component_job, docker_commands

pytestmark = pytest.mark.slow

NO_BOARD = "/dev/ttyNOPE7"
# As GitHub starts the shell of a step, and GitLab's runner that of a job.
BASH, SH = ("bash", "--noprofile", "--norc", "-eo", "pipefail"), ("sh", "-e")


@pytest.fixture
def shell(installed, run_clean, tmp_path):
    """Run a script in an empty folder; needs an interpreter for the default board and, as `installed`, a package index."""
    installed.needs_unix()
    folder = tmp_path / "checkout"
    folder.mkdir()

    # `python3` in the scripts is the Python that runs the tests: `installed` has made an environment with it.
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(program, script, environment):
        path = tmp_path / "script"
        path.write_text(script, encoding="utf-8")
        return run_clean(*program, path, cwd=folder, also={"PATH": programs} | environment)

    run.folder = folder
    return run


def junit(path):
    """Return the number of tests in a JUnit file, and of failures and errors."""
    suite = ElementTree.parse(path).getroot().find("testsuite")
    return int(suite.get("tests")), int(suite.get("failures")) + int(suite.get("errors"))


def test_the_action(shell, distributions, tmp_path):
    """Its steps install the package, test the boards and write summary, outputs and results; a missing board gives exit code 10."""
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    files = {"GITHUB_OUTPUT": tmp_path / "output", "GITHUB_STEP_SUMMARY": tmp_path / "summary"}
    forge = {name: str(path) for name, path in files.items()} | {"RUNNER_TEMP": str(tmp_path / "runner")}
    given = {"package": str(distributions.wheel), "cases": "smoke", "arguments": "-k seed/ --keep-wire"}
    for script, environment in action_steps(given):
        done = shell(BASH, script, forge | environment)
        assert done.returncode == 0, done.stdout + done.stderr
    results = shell.folder / "tls-results"
    record = json.loads((results / "run.json").read_text(encoding="utf-8"))
    assert {row["case"].partition("/")[0] for row in record["results"]} == {"seed"}
    assert junit(results / "junit.xml") == (len(record["results"]), 0)
    assert (results / "matrix.html").is_file()
    assert files["GITHUB_OUTPUT"].read_text(encoding="utf-8") == "exit-code=0\n"
    assert files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8") == (results / "matrix.md").read_text(
        encoding="utf-8"
    )

    _install, (script, environment) = action_steps(given | {"boards": f"\nunix\n{NO_BOARD}\n", "results": "second"})
    files["GITHUB_OUTPUT"].unlink()
    done = shell(BASH, script, forge | environment)
    assert done.returncode == 10, done.stdout + done.stderr
    assert files["GITHUB_OUTPUT"].read_text(encoding="utf-8") == "exit-code=10\n"
    record = json.loads((shell.folder / "second" / "run.json").read_text(encoding="utf-8"))
    assert {entry["board"] for entry in record["boards"]} == {"unix", "ttyNOPE7"}


def test_the_component(shell, distributions):
    """Its script does the same for GitLab; the files that it keeps are there."""
    inputs = {
        "package": str(distributions.wheel),
        "cases": "smoke",
        "boards": f"unix {NO_BOARD}",
        "arguments": "-k seed/",
    }
    (job,) = component_job(inputs).values()
    done = shell(SH, "\n".join(job["script"]), job["variables"])
    assert done.returncode == job["retry"]["exit_codes"][0] == 10, done.stdout + done.stderr
    for path in (*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]):
        assert (shell.folder / path).exists(), path
    record = json.loads((shell.folder / "tls-results" / "run.json").read_text(encoding="utf-8"))
    assert {row["board"] for row in record["results"]} >= {"unix"}
    assert {entry["board"] for entry in record["boards"]} == {"unix", "ttyNOPE7"}


def test_the_image(shell, distributions, tmp_path):
    """What the Dockerfile installs, in another folder than in the image, runs the packaged matrix with workers."""
    *_system, install = docker_commands()
    environment = tmp_path / "opt"
    script = install.replace("/opt/tls-harness", str(environment))
    script, found = re.subn(r'"micropython-tls-harness\$VERSION"', f"'{distributions.wheel}'", script)
    assert found == 1
    done = shell(SH, script, {})
    assert done.returncode == 0, done.stdout + done.stderr
    command = f"{environment}/bin/pytest --pyargs harness.compat --cases smoke -k seed/ -n 2 --artifacts results"
    done = shell(SH, command, {})
    assert done.returncode == 0, done.stdout + done.stderr
    assert (shell.folder / "results" / "run.json").is_file()
