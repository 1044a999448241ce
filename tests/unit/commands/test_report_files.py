"""The files of `report`: outputs that are refused."""

import pytest

from harness.commands.report_files import check_other, check_suffix, write
from harness.errors import HarnessError, UsageError


def test_suffixes():
    """The suffix selects the format; the message lists what is accepted."""
    check_suffix("a.json", accepted=(".html", ".json"))
    with pytest.raises(UsageError, match=r"^-o 'a.xml': unknown suffix '.xml' \(expected one of .html, .json\)$"):
        check_suffix("a.xml", accepted=(".html", ".json"))


def test_a_record_is_not_overwritten(tmp_path):
    """Not under another name of the same file either."""
    (tmp_path / "link.json").symlink_to(tmp_path / "run.json")
    check_other(str(tmp_path / "out.json"), [str(tmp_path / "run.json")])
    with pytest.raises(UsageError, match=r"would overwrite the run record .*run\.json; give another path$"):
        check_other(str(tmp_path / "link.json"), [str(tmp_path / "run.json")])


def test_a_file_that_cannot_be_written(tmp_path):
    """One line with the reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(HarnessError, match=r"^no report: cannot write .*file/x\.txt \("):
        write(str(tmp_path / "file" / "x.txt"), "text")
