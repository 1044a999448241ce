"""One run at a time in a folder."""

import pytest

from harness.errors import UsageError
from harness.system.folder_lock import FolderLock


def test_held(tmp_path):
    """While one holds it a second is refused; nothing is written into the folder, and afterwards it is free."""
    folder = tmp_path / "new" / "deep"
    first = FolderLock(folder)
    with pytest.raises(
        UsageError, match=r"^--artifacts .*/new/deep: another run is writing there \(accepted: a directory"
    ):
        FolderLock(folder)
    assert list(folder.iterdir()) == []
    first.close()
    first.close()
    FolderLock(folder).close()


def test_no_folder(tmp_path):
    """A place that cannot be a folder is wrong usage."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"/file: cannot be written \(File exists\)$"):
        FolderLock(tmp_path / "file")
