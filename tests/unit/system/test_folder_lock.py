"""One run at a time in a folder."""

import pytest

from harness.errors import UsageError
from harness.system.folder_lock import FolderLock


def test_held(tmp_path):
    """A second lock on the folder is refused until the first is released; nothing is written into the folder."""
    folder = tmp_path / "new" / "deep"
    first = FolderLock(folder)
    with pytest.raises(
        UsageError,
        match=r"^--artifacts .*/new/deep: another run is writing there \(expected a directory that is not in use by another run",
    ):
        FolderLock(folder)
    assert list(folder.iterdir()) == []
    first.close()
    first.close()
    FolderLock(folder).close()


def test_no_folder(tmp_path):
    """A path that cannot be a folder is a usage error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"/file: cannot be written \(File exists\)$"):
        FolderLock(tmp_path / "file")
