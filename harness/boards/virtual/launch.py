"""Start an interpreter on a terminal of its own: run by path as `python -I launch.py`, never imported.

The child of `harness.boards.virtual.board`. Makes standard input its controlling terminal, so that the interpreter gets SIGHUP
when the harness ends, however it ends; then becomes the interpreter. A `preexec_fn` would do the same, but forking a process
with threads is deprecated since Python 3.12.

    launch.py exec PATH [ARG ...]          replace this process by a program
    launch.py module FOLDER NAME [ARG ...] run NAME.run_main of an extension module found in FOLDER, in this process
"""

import os
import signal
import sys

# The descriptor of the line that raw_repl.py reads.
LINE = 10


def main(arguments: list[str]) -> int:
    """Take the terminal, ignore SIGINT, start the interpreter."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # The line once more, for raw_repl.py: MicroPython 1.20 to 1.22 close descriptor 0 after any open() that failed.
    os.dup2(0, LINE)
    # The bridge knows by the SIGINT handler whether code runs, so the interpreter must not start with one: neither this CPython's
    # nor, if it is a Python script itself (a console script), its own: CPython leaves an ignored SIGINT alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The harness starts this process with SIGINT blocked, so that none reaches CPython's handler before this line.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    if arguments[0] == "exec":
        os.execv(arguments[1], arguments[1:])
    folder, name = arguments[1], arguments[2]
    sys.path.insert(0, folder)
    module = __import__(name)
    return int(module.run_main(["micropython", *arguments[3:]]) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
