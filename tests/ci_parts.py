"""The parts for other people's CI, read as their systems read them: inputs filled in. Starts nothing."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
ACTION = ROOT / "ci" / "github" / "action.yml"
COMPONENT = ROOT / "templates" / "tls-compat.yml"
DOCKERFILE = ROOT / "ci" / "runner" / "Dockerfile"


def action() -> dict[str, Any]:
    """Return the action."""
    return yaml.safe_load(ACTION.read_text(encoding="utf-8"))


def action_steps(given: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Return script and environment of each step of the action that runs one, for these inputs."""
    made = action()
    values = {name: given.get(name, one["default"]) for name, one in made["inputs"].items()}

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: values[found[1]], text)

    steps = [step for step in made["runs"]["steps"] if "run" in step]
    return [(step["run"], {name: filled(text) for name, text in step["env"].items()}) for step in steps]


def component_inputs() -> dict[str, dict[str, Any]]:
    """Return the inputs of the component, from its header."""
    header, _job = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8"))
    return header["spec"]["inputs"]


def component_job(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pipeline of the component for these inputs: a value that is all of a text keeps its type."""
    _header, job = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8"))
    values = {name: given.get(name, one["default"]) for name, one in component_inputs().items()}

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {filled(key): filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled(item) for item in node]
        if not isinstance(node, str):
            return node
        whole = re.fullmatch(r"\$\[\[ inputs\.([\w-]+) \]\]", node)
        return values[whole[1]] if whole else re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda m: str(values[m[1]]), node)

    return json.loads(json.dumps(filled(job)))


def docker_commands() -> list[str]:
    """Return the shell commands of the Dockerfile's RUN instructions."""
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.removeprefix("RUN ") for line in text.splitlines() if line.startswith("RUN ")]
