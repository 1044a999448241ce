"""One command: its output, its failures in one line, and what it leaves behind."""

import os
import stat
import sys

import pytest

from harness.system.commands import CommandFailed, run_command, write_new


def test_its_output_becomes_a_private_file(tmp_path, monkeypatch):
    """The folder is its own, its output a new file, and a secret of the environment is not passed on."""
    monkeypatch.setenv("WIFI_PASSWORD", "hunter2")
    code = (
        "import os; open('made', 'w').write('x'); print(os.environ.get('WIFI_PASSWORD'), os.path.basename(os.getcwd()))"
    )
    run_command([sys.executable, "-c", code], folder=tmp_path, output=tmp_path / "out", strip_env={"WIFI_PASSWORD"})
    assert (tmp_path / "out").read_text().split() == ["None", tmp_path.name]
    if os.name == "posix":
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("words", "reason", "missing"),
    [
        (["no-such-program-here"], "no program 'no-such-program-here' on this machine", True),
        ([sys.executable, "-c", "import sys; sys.exit('first\\nsecond')"], f"{sys.executable} failed: first", False),
        ([sys.executable, "-c", "raise SystemExit(3)"], f"{sys.executable} failed: it printed nothing", False),
    ],
)
def test_failures(tmp_path, words, reason, missing):
    """The first line that it printed is the reason."""
    with pytest.raises(CommandFailed) as caught:
        run_command(words, folder=tmp_path)
    assert (caught.value.reason, caught.value.missing) == (reason, missing)


def test_nothing_is_overwritten(tmp_path):
    """An existing file, and a link to one, stay as they are."""
    (tmp_path / "there").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("there", "link"):
        with pytest.raises(OSError, match="exists"):
            write_new(tmp_path / name, b"x")
    assert (tmp_path / "there").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
