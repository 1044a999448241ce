"""Our code on the board: deployed to one directory of its own if its hash differs, else run from RAM; and taken off again.

Knows the names of our own files. Nothing of the user's is overwritten or removed, boot.py and main.py are never touched.
"""

from __future__ import annotations

import hashlib

from harness.boards.agent.console import Console
from harness.boards.agent.protocol import FOLDER, IMPORT_CODE, VERSION, VERSION_CODE, agent_files, agent_source
from harness.boards.serial.raw_repl import last_line
from harness.errors import BoardError, FaultKind

HASH_FILE = f"{FOLDER}/hash"
# Where mpremote mounts a directory of the host: files written there end up in somebody's working tree.
HOST_MOUNT = "/remote"
_ENOENT = (2, 44)  # 44 on ports whose errno come from newlib's WASI numbering

_READ_HASH = f"""\
try:
 with open('{HASH_FILE}') as _f: print(_f.read())
except OSError:
 print()
"""
# The old hash goes first: a deployment that breaks off is never taken for a whole one.
_MAKE_FOLDER = f"""\
import os
try:
 os.mkdir('{FOLDER}')
except OSError as e:
 try:
  os.stat('{FOLDER}')
 except OSError:
  raise e
try:
 os.remove('{HASH_FILE}')
except OSError:
 pass
"""
# A file of the user's in our directory stays, and the directory with it.
_CLEAN = f"""\
import os
def _c(names):
 n = 0
 for f in names:
  try:
   os.remove('{FOLDER}/' + f)
   n += 1
  except OSError as e:
   if e.args[0] not in {_ENOENT}: raise
 try:
  os.rmdir('{FOLDER}')
 except OSError:
  pass
 return n
try:
 print('#th {{"kind":"result","removed":%d}}' % _c(NAMES))
except OSError as e:
 print('#th {{"kind":"error","number":%d}}' % e.args[0])
"""


def load_agent(console: Console, *, filesystem: str | None) -> str | None:
    """Have the agent's functions in `__main__`: from its files if they are there or can be written, else from RAM.

    Args:
        console: of a board fresh from a soft reset.
        filesystem: the working directory that can be written, None if there is none.

    Returns:
        None if it runs from its files, else why it runs from RAM.

    Raises:
        BoardError: it runs neither way, or the line failed.
    """
    files = agent_files()
    wanted = hashlib.sha256(b"".join(files.values())).hexdigest()[:16]
    try:
        if _deployed_hash(console) != wanted:
            _deploy(console, files, wanted, filesystem=filesystem)
        console.must(IMPORT_CODE, "start the agent from its files")
    except BoardError as error:
        if error.kind not in (FaultKind.FILESYSTEM, FaultKind.AGENT, FaultKind.MEMORY):
            raise
        if error.kind == FaultKind.FILESYSTEM and filesystem is not None:
            _remove(console)  # what a full disk had room for
        console.must(agent_source(), "load the agent into RAM")
        return f"the agent runs from RAM: {error.message}"
    return None


def is_loaded(console: Console) -> bool:
    """Whether the agent answers: nothing reset the board since it was loaded.

    Raises:
        BoardError: the line failed.
    """
    return f'"version": {VERSION}'.encode() in console.run(VERSION_CODE, timeout_s=5.0).stdout


def reload_agent(console: Console, *, from_files: bool) -> None:
    """Start the agent again after a reset, the way it was started before.

    Raises:
        BoardError: it does not start.
    """
    console.must(IMPORT_CODE if from_files else agent_source(), "start the agent again")


def clean(console: Console) -> bool:
    """Remove what was deployed, nothing else.

    Returns:
        Whether there was anything.

    Raises:
        BoardError: kind `filesystem` when it cannot be removed.
    """
    answer = _remove(console)
    if answer.get("kind") != "result":
        number = str(answer.get("number"))[:20]
        raise BoardError(f"{console.label}: cannot remove {FOLDER} (OSError {number})", kind=FaultKind.FILESYSTEM)
    return bool(answer.get("removed"))


def _remove(console: Console) -> dict[str, object]:
    names = [path.removeprefix(f"{FOLDER}/") for path in (*agent_files(), HASH_FILE)]
    return console.answer(console.run(_CLEAN.replace("NAMES", repr(names)), timeout_s=10.0), "remove the agent")


def _deployed_hash(console: Console) -> str:
    return console.run(_READ_HASH, timeout_s=5.0).stdout.decode("ascii", "replace").strip()


def _deploy(console: Console, files: dict[str, bytes], wanted: str, *, filesystem: str | None) -> None:
    """Write the agent, its hash last."""
    if filesystem is None:
        raise BoardError(
            f"{console.label}: the board has no filesystem that can be written (none, read-only or full)",
            kind=FaultKind.FILESYSTEM,
        )
    if filesystem.startswith(HOST_MOUNT):
        raise BoardError(
            f"{console.label}: {filesystem} is a directory of the host, mounted by mpremote", kind=FaultKind.FILESYSTEM
        )
    output = console.run(_MAKE_FOLDER, timeout_s=5.0)
    if output.stderr:
        raise BoardError(
            f"{console.label}: cannot make the directory {FOLDER}: {last_line(output.stderr)}",
            kind=FaultKind.FILESYSTEM,
        )
    deadline = console.deadline(60.0)
    for path, data in files.items():
        console.link.write_file(path, data, deadline=deadline)
    console.link.write_file(HASH_FILE, wanted.encode("ascii"), deadline=deadline)
