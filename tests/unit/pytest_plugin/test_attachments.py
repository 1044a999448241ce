"""Attachments for allure-pytest."""

import sys
from types import SimpleNamespace

from harness.model import CaseResult, Explanation, Verdict, VerdictWord
from harness.pytest_plugin.attachments import attach


class Attached:
    """Stands for allure's `attach`: a list of what it was given."""

    def __init__(self):
        self.files, self.texts = [], []

    def __call__(self, text, *, name, attachment_type):
        self.texts.append((name, text, attachment_type))

    def file(self, path, *, name, extension):
        self.files.append((name, path.name, extension))


def test_files_and_explanation(tmp_path, monkeypatch):
    """With allure's plugin, the files that exist and the explanation are attached; without it, nothing is imported."""
    given = Attached()
    fake = SimpleNamespace(attach=given, attachment_type=SimpleNamespace(TEXT="text"))
    monkeypatch.setitem(sys.modules, "allure", fake)
    (tmp_path / "a.pcapng").touch()
    result = CaseResult(
        board="unix", server="in-process", case="own/a", attempt=1, verdict=Verdict(word=VerdictWord.FAIL), expected=None,
        observation=None, explanation=Explanation(rule="a/b", title="Because.", why=("this",)),
        artifacts={"pcapng": "a.pcapng", "transcript": "gone.txt"},
    )  # fmt: skip
    for plugins in ([], ["allure_listener"]):
        config = SimpleNamespace(pluginmanager=SimpleNamespace(hasplugin=plugins.__contains__))
        attach(config, result, folder=tmp_path)
        assert len(given.files) == len(plugins)
    assert given.files == [("own/a: capture", "a.pcapng", "pcapng")]
    assert given.texts == [("own/a: why", "  why         Because.   [a/b]\n              this", "text")]
