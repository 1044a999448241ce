"""Deploy our code to the board: files in its own directory, written only if they differ, else run from RAM; and remove it.

Knows the names of our own files. No file of the user is overwritten or removed, boot.py and main.py are never touched. The file is read
back on the board each time before it runs: its checksum decides, not a record of earlier writes.
"""

from __future__ import annotations

from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.console import Console
from harness.boards.agent.protocol import (
    FOLDER,
    FORMER_FILES,
    VERSION,
    VERSION_CODE,
    AnswerKind,
    read_check,
    read_objects,
)
from harness.boards.agent.scripts import AGENT, ASYNCIO_CLIENT, Part
from harness.boards.serial.line_errors import last_line
from harness.errors import BoardError, FaultKind

# Where mpremote mounts a directory of the host: files written there would end up in a user's working tree.
HOST_MOUNT = "/remote"
WRITE_BYTES = 256
_ENOENT = (2, 44)  # 44 on ports whose errno come from newlib's WASI numbering

# Files of earlier versions are removed: they are ours, and flash is small.
_MAKE_FOLDER = f"""\
import os
try:
 os.mkdir('{FOLDER}')
except OSError as e:
 try:
  os.stat('{FOLDER}')
 except OSError:
  raise e
for _f in {FORMER_FILES!r}:
 try:
  os.remove(_f)
 except OSError:
  pass
"""
# A user's file in our directory stays, and so does the directory.
_CLEAN = f"""\
import os
def _c(names):
 n = 0
 folders = ['']
 try:
  os.stat('{FOLDER}/lib.txt')
  with open('{FOLDER}/lib.txt') as f:
   placed = [p for p in f.read().split('\\n') if p and '..' not in p]
  names = ['lib/' + p for p in placed] + ['lib.txt'] + names
  for p in ['lib/' + p for p in placed]:
   while '/' in p:
    p = p[:p.rfind('/')]
    if p not in folders: folders.append(p)
 except OSError:
  pass
 for f in names:
  try:
   os.remove('{FOLDER}/' + f)
   n += 1
  except OSError as e:
   if e.args[0] not in {_ENOENT}: raise
 folders.sort(key=len)
 for f in folders[::-1]:
  try:
   os.rmdir('{FOLDER}/' + f if f else '{FOLDER}')
  except OSError:
   pass
 return n
try:
 _r = '{{"kind":"result","removed":%d}}' % _c(NAMES)
except OSError as e:
 _r = '{{"kind":"error","number":%d}}' % e.args[0]
print('#th ' + _r + ' ' + th_sum(_r))
"""


def load_part(
    console: Console, part: Part = AGENT, *, filesystem: str | None, is_usb_drive: bool = False
) -> str | None:
    """Load the functions of a part into `__main__`: from its file if that exists or can be written, else from RAM.

    Args:
        console: of a board fresh from a soft reset.
        part: the agent; the asyncio client only behind it.
        filesystem: the writable working directory, None if there is none.
        is_usb_drive: whether a host may have mounted it. Two systems that write to one FAT filesystem destroy it, so nothing is written.

    Returns:
        None if it runs from its file, else why it runs from RAM.

    Raises:
        BoardError: it cannot be loaded either way, or the line failed.
    """
    if is_usb_drive:
        load_into_ram(console, part)
        return (
            f"{part.name} runs from RAM: {console.label}: the board is also a USB drive, which a host may have mounted"
        )
    try:
        console.load("load", "load the loader")
        if filesystem is not None and not _is_deployed(console, part):
            _deploy(console, part, filesystem=filesystem)
        if filesystem is None:
            raise BoardError(
                f"{console.label}: the board has no writable filesystem (none, read-only or full)",
                kind=FaultKind.FILESYSTEM,
            )
        console.must(f"th_load({part.path!r},{part.sizes})", f"start {part.name} from its file")
    except BoardError as error:
        if error.kind not in (FaultKind.FILESYSTEM, FaultKind.AGENT, FaultKind.MEMORY):
            raise
        if error.kind == FaultKind.FILESYSTEM and filesystem is not None:
            _remove(console, part)  # what fit on a full disk
        load_into_ram(console, part)
        return f"{part.name} runs from RAM: {error.message}"
    return None


def is_loaded(console: Console) -> bool:
    """Whether the agent answers: the board was not reset since it was loaded.

    Raises:
        BoardError: the line failed.
    """
    output = console.run(VERSION_CODE, timeout_s=5.0)
    try:
        versions = [answer.get("version") for answer in read_objects(output.stdout)]
    except ValueError:
        return False
    return versions == [VERSION] and not output.stderr


def reload_agent(console: Console, *, from_files: bool) -> None:
    """Start the agent again after a reset, the way it was started before; the checksums are on the board.

    Raises:
        BoardError: it does not start.
    """
    if not from_files:
        load_into_ram(console)
        return
    console.load("load", "load the loader")
    if not _is_deployed(console, AGENT):
        _deploy(console, AGENT, filesystem=FOLDER)
    console.must(f"th_load({AGENT.path!r},{AGENT.sizes})", "start the agent again")


def load_into_ram(console: Console, part: Part = AGENT) -> None:
    """Run the pieces of a part one by one, with a collection after each, so that free memory is not fragmented."""
    for piece in part.pieces():
        console.must(piece, f"load {part.name} into RAM")
        console.must("import gc\ngc.collect()", "collect garbage")


def unload(console: Console, part: Part) -> None:
    """Give the memory of a part back, of which perhaps not everything was loaded.

    Raises:
        BoardError: the line failed.
    """
    names = " ".join(part.names)
    console.must(f"for th_n in '{names}'.split():globals().pop(th_n,0)\nimport gc\ngc.collect()", f"unload {part.name}")


def clean(console: Console) -> bool:
    """Remove what was deployed, nothing else.

    Returns:
        Whether there was anything.

    Raises:
        BoardError: `filesystem`: it cannot be removed.
    """
    answer = _remove(console, AGENT, ASYNCIO_CLIENT)
    if answer.get("kind") != AnswerKind.RESULT:
        number = str(answer.get("number"))[:20]
        raise BoardError(f"{console.label}: cannot remove {FOLDER} (OSError {number})", kind=FaultKind.FILESYSTEM)
    return bool(answer.get("removed"))


def _remove(console: Console, *parts: Part) -> dict[str, object]:
    names = [path.removeprefix(f"{FOLDER}/") for path in (*(part.path for part in parts), *FORMER_FILES)]
    code = _CLEAN.replace("NAMES", repr(names))
    return console.answer(console.run(code, timeout_s=10.0), f"remove {parts[0].name}")


def _is_deployed(console: Console, part: Part) -> bool:
    """Whether the file on the board is this part, as far as a checksum shows; checked twice before it is written again."""
    kind = console.check_kind
    sums = "".join(check_sum(piece.encode("ascii"), kind=kind) for piece in part.pieces())
    right = check_sum(sums.encode("ascii"), kind=kind)
    code = f"print('#th ' + (th_check({part.path!r},{part.sizes}) or 'a00000000'))"
    for _attempt in range(2):
        output = console.run(code, timeout_s=10.0)
        if output.stderr:
            raise console.no_answer(output, f"read {part.path} back")
        if read_check(output.stdout) == right:
            return True
    return False


def _deploy(console: Console, part: Part, *, filesystem: str) -> None:
    """Write the file of a part and read it back; write it again if it differs.

    Raises:
        BoardError: `filesystem` if nothing can be written; `garbled` if it differs each time.
    """
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
    for _attempt in range(2):
        write_file(console, part.path, "".join(part.pieces()).encode("ascii"))
        if _is_deployed(console, part):
            return
    raise BoardError(
        f"{console.label}: {part.path} was written twice, and differed both times when the board read it back",
        kind=FaultKind.GARBLED,
    )


def write_file(console: Console, path: str, data: bytes) -> None:
    """Write a file on the board's filesystem, in pieces that fit a small heap.

    Raises:
        BoardError: `filesystem` with the board's own error when the file cannot be written; else as `Console.run`.
    """
    pieces = [data[start : start + WRITE_BYTES] for start in range(0, len(data), WRITE_BYTES)]
    steps = [f"import gc\n_f=open({path!r},'wb')", *(f"_w=_f.write({piece!r})" for piece in pieces), "_f.close()"]
    for step in (
        f"{step}\ngc.collect()" for step in steps
    ):  # else what stays lies between garbage, and splits the heap
        output = console.run(step, timeout_s=20.0)
        if output.stderr:
            raise BoardError(
                f"{console.label}: cannot write {path} on the board: {last_line(output.stderr)}",
                kind=FaultKind.FILESYSTEM,
                transcript=console.link.log.show(output.stderr),
            )
