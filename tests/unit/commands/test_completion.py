"""`tls-harness completion`: scripts that the shells accept."""

import shutil
import subprocess

import pytest

from harness import cli
from harness.commands.completion import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts(shell, capsys, tmp_path):
    """Each script names commands and options, and its shell can read it, if it is installed."""
    assert cli.main(["completion", shell]) == 0
    script, errors = capsys.readouterr()
    assert errors == ""
    assert all(word in script for word in ("tls-harness", "diagnose", "explain", "client-ca"))
    if shutil.which(shell):
        path = tmp_path / "script"
        path.write_text(script, encoding="utf-8")
        done = subprocess.run([shell, "-n", path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_bash_completes_a_command(capsys, tmp_path):
    """bash completes `tls-harness diag` to the command."""
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    assert cli.main(["completion", "bash"]) == 0
    path = tmp_path / "script"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    code = (
        f'source {path}; COMP_WORDS=(tls-harness diag); COMP_CWORD=1; f=$(complete -p tls-harness | sed "s/.*-F \\([^ ]*\\).*/\\1/"); '
        '$f tls-harness diag tls-harness; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["diagnose"], done.stderr


def test_another_shell(capsys):
    """Another shell is a usage error with the list and the nearest one."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["completion", "bach"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "tls-harness completion: argument WHAT: invalid choice: 'bach'; did you mean 'bash'? (choose from bash, zsh, fish, man) "
        "(see `tls-harness completion --help`)\n"
    )
