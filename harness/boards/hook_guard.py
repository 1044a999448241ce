"""Run a hook only as long as the harness runs: started by path as `python -I hook_guard.py`, never imported.

Standard input is a pipe that only the harness holds open. When it closes, however the harness ended, the hook is killed with its
process group, which is also this process's.

    hook_guard.py DESCRIPTOR WORD ...   start WORD ... and end as it ends; if it cannot be started, write errno to DESCRIPTOR
"""

import os
import signal
import subprocess
import sys
import threading


def main(arguments: list[str]) -> int:
    """Start the hook, wait for it, and end with its status or signal."""
    start_error = int(arguments[0])
    try:
        hook = subprocess.Popen(arguments[1:], stdin=subprocess.DEVNULL)
    except OSError as error:
        os.write(start_error, str(error.errno).encode("ascii"))
        return 1
    threading.Thread(target=_end_with_the_harness, daemon=True).start()
    status = hook.wait()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL) if -status not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), -status)
    return status


def _end_with_the_harness() -> None:
    while os.read(0, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
