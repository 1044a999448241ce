"""`tls-harness files`: the folders of the harness."""

import pytest

from harness import cli
from harness.system.data_files import DATA_FOLDERS, data_dir


def test_one_folder(capsys):
    """With a name, the output is only the path: it can stand in a command."""
    assert cli.main(["files", "examples"]) == 0
    assert capsys.readouterr() == (f"{data_dir('examples')}\n", "")
    assert (data_dir("examples") / "test_my_server.py").is_file()
    assert (data_dir("tools") / "fetch_debian.py").is_file()


def test_all_folders(capsys):
    """Without a name, each folder has one line."""
    assert cli.main(["files"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [[name, str(data_dir(name))] for name in DATA_FOLDERS]


def test_another_name(capsys):
    """An unknown name is a usage error with the list."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["files", "example"])
    assert ended.value.code == 2
    assert "argument NAME: invalid choice: 'example'; did you mean 'examples'? (choose from" in capsys.readouterr().err
