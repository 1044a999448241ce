"""Evidence as attachments of a test for allure-pytest, if that plugin is in use. Knows its `attach` only."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from harness.model import CaseResult

PLUGIN = "allure_listener"
NAMES = {"pcapng": "capture", "transcript": "serial transcript"}


def attach(config: pytest.Config, result: CaseResult, *, folder: Path) -> None:
    """Attach the capture, the transcript and the explanation of a result to the test that is running.

    Args:
        config: of the run; without allure's plugin nothing happens.
        result: with the names of its files.
        folder: where they are.
    """
    if not config.pluginmanager.hasplugin(PLUGIN):
        return
    allure: Any = importlib.import_module("allure")  # only there if its plugin is

    for kind, name in result.artifacts.items():
        if name and (folder / name).is_file():
            extension = "pcapng" if kind == "pcapng" else "txt"
            allure.attach.file(folder / name, name=f"{result.case}: {NAMES[kind]}", extension=extension)
    if result.explanation is not None:
        from harness.reports.text.failure_text import why_lines

        text = "\n".join(why_lines(result.explanation))
        allure.attach(text, name=f"{result.case}: why", attachment_type=allure.attachment_type.TEXT)
