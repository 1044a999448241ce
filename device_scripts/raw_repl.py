"""A board's prompt for interpreters without one: raw REPL, raw paste and a minimal friendly REPL.

The unix port has a raw REPL only since 1.27. Started as `micropython raw_repl.py [DESCRIPTOR] [SCRIPT...]` with stdout a
terminal in raw mode and the same terminal at that descriptor (default 0: stdin; but 1.20 to 1.22 close that after any open() that failed), this speaks the bytes of shared/runtime/pyexec.c. The scripts (boot.py, main.py) run first, as at
power-up. A soft reset (Ctrl-D) ends the process with status 0; the parent starts it again. Ctrl-C may come as
a byte or as SIGINT, at any moment. What differs from a board: print ends lines with \n alone, as the terminal is raw.
"""


def th_repl(names):
    """Serve the prompt until a soft reset or the end of input; names are those of __main__, in which all code runs."""
    import sys

    try:
        import uio as io
    except ImportError:
        import io
    del names["th_repl"]
    script, scripts = sys.argv[0], sys.argv[1:]
    line_fd = int(scripts.pop(0)) if scripts and scripts[0].isdigit() else 0
    # As at a board's prompt: modules are imported from the current directory, not from this file's.
    sys.path[0] = ""
    del sys.argv[1:]
    sys.argv[0] = ""
    # sys.stdin is text on old interpreters. Kept in this frame, or collecting them would close the descriptors.
    keyboard = open(line_fd, "rb")
    screen = open(1, "wb")
    out = screen.write
    one = bytearray(1)
    try:
        import uselect as select
    except ImportError:
        import select
    poll = select.poll()
    poll.register(line_fd, select.POLLIN)  # the number: old file objects do not have theirs

    def read():
        """Return one byte of input; the end of input ends the process."""
        try:
            # A SIGINT between two bytecodes only sets a flag, and a read begun after it would block with the flag
            # set. So never block for long: each iteration of this loop checks the flag.
            while not poll.poll(20):
                pass
            if keyboard.readinto(one):
                return one[0]
        except OSError as e:
            if e.args[0] == 4:  # EINTR that did not become a KeyboardInterrupt
                return 3
        sys.exit(0)

    def report(error):
        """Return the traceback as a board prints it, without the frames of this file."""
        text = io.StringIO()
        sys.print_exception(error, text)
        mark = '  File "' + script + '"'
        lines = [line for line in text.getvalue().split("\n") if not line.startswith(mark)]
        return "\r\n".join(lines).encode()

    def execute(source, kind):
        """Compile and run; return the traceback, b"" if there is none. SystemExit propagates."""
        try:
            try:
                text = str(source, "utf-8")
            except UnicodeError:
                text = source
            source = None
            exec(compile(text, "<stdin>", kind), names)
            return b""
        except SystemExit:
            raise
        except BaseException as e:
            return report(e)

    def say(data):
        """Write all of it even if Ctrl-C arrives meanwhile, then raise that.

        The unix port raises KeyboardInterrupt from the signal handler, so after the write as well as before it. The
        other side discards what it gets twice, but it would wait for what is missing.
        """
        interrupt = None
        waiting = True
        while waiting:
            try:
                out(data)
                waiting = False
            except KeyboardInterrupt as e:
                interrupt = e
        if interrupt is not None:
            raise interrupt

    def finish(source, answer):
        """Run the code that a raw REPL received and answer with the two end marks."""
        try:
            if answer is None:
                answer = execute(source, "exec")
        except SystemExit as e:
            say(b"\x04\x04")
            leave(e)
        except KeyboardInterrupt as e:
            # Ctrl-C while the traceback was being made; the answer still needs its end marks.
            answer = report(e)
        say(b"\x04" + answer + b"\x04>")

    def leave(request):
        """End the process with the status of a SystemExit."""
        value = request.args[0] if request.args else None
        sys.exit(value if isinstance(value, int) else 0 if value is None else 1)

    def paste():
        """Raw paste: (source, None), or (b"", traceback) if Ctrl-C ended it. The window is 128 bytes."""
        source = bytearray()
        left = 128
        ended = False
        try:
            say(b"R\x01\x80\x00\x01")
            while True:
                # One by one: old interpreters have no partial read; reading several bytes waits for all of them.
                c = read()
                if c == 4:
                    ended = True
                    say(b"\x04")
                    return source, None
                if c == 3:
                    raise KeyboardInterrupt
                source.append(c)
                left -= 1
                if left == 0:
                    say(b"\x01")
                    left = 128
        except KeyboardInterrupt as e:
            if not ended:
                say(b"\x04")
            return b"", report(e)

    def raw(line):
        """Process one byte for the raw REPL; return whether the raw REPL continues."""
        c = read()
        if c == 1:
            if bytes(line) == b"\x05A":
                finish(*paste())
            elif len(line) == 2 and line[0] == 5:
                say(b"R\x00>")
            else:
                say(b"raw REPL; CTRL-B to exit\r\n>")
        elif c == 2:
            return False
        elif c == 4:
            if not line:
                say(b"OK\r\n")
                sys.exit(0)
            say(b"OK")
            finish(bytes(line), None)
        elif c != 3:
            line.append(c)
            return True
        line[:] = b""
        return True

    def banner():
        """Print a board's banner at its friendly prompt."""
        machine = getattr(sys.implementation, "_machine", sys.platform)
        version = sys.version.split("; ")[-1]
        if "MicroPython" not in version:
            version = "MicroPython v" + ".".join(str(n) for n in sys.implementation.version[:3])
        return (version + "; " + machine + '\r\nType "help()" for more information.\r\n>>> ').encode()

    def run(source, kind):
        """Run at the friendly prompt and prompt again."""
        try:
            say(execute(source, kind))
        except SystemExit as e:
            leave(e)
        say(b">>> ")

    def friendly(line):
        """Process one byte for the friendly prompt; return whether the raw REPL comes next."""
        c = read()
        if c == 1:
            return True
        if c == 2:
            say(b"\r\n" + banner())
        elif c == 3:
            say(b"\r\n>>> ")
        elif c == 4 and not line:
            say(b"\r\n")
            sys.exit(0)
        elif c == 5:
            paste_mode()
        elif c in (10, 13):
            text = bytes(line)
            # A block continues until an empty line.
            if text.rstrip().endswith(b":") or (b"\n" in text and not text.endswith(b"\n")):
                line.append(10)
                say(b"\r\n... ")
                return False
            say(b"\r\n")
            if text.strip():
                run(text, "single")
            else:
                say(b">>> ")
        elif c in (8, 127):
            if line:
                line[:] = line[:-1]
                say(b"\b \b")
            return False
        elif c >= 32 or c == 9:
            line.append(c)
            say(bytes(one))
            return False
        else:
            return False
        line[:] = b""
        return False

    def paste_mode():
        """Ctrl-E: read everything up to Ctrl-D, then run it."""
        say(b"\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ")
        source = bytearray()
        while True:
            c = read()
            if c == 3:
                say(b"\r\n>>> ")
                return
            if c == 4:
                say(b"\r\n")
                run(bytes(source), "exec")
                return
            source.append(10 if c == 13 else c)
            say(b"\r\n=== " if c == 13 else bytes(one))

    for name in scripts:
        with open(name) as file:
            source = file.read()
        try:
            say(execute(source.encode(), "exec"))
        except SystemExit as e:
            leave(e)
        except KeyboardInterrupt:
            pass
    line = bytearray()
    # [raw REPL, interrupted]
    state = [False, False]

    def serve():
        """Process byte after byte; a Ctrl-C at the prompt discards the line."""
        while True:
            try:
                if state[1]:
                    state[1] = False
                    line[:] = b""
                    if not state[0]:
                        say(b"\r\n>>> ")
                elif not state[0]:
                    if friendly(line):
                        state[0] = True
                        line[:] = b""
                        say(b"\r\nraw REPL; CTRL-B to exit\r\n>")
                elif not raw(line):
                    state[0] = False
                    line[:] = b""
                    say(b"\r\n" + banner())
            except KeyboardInterrupt:
                state[1] = True

    try:
        say(banner())
    except KeyboardInterrupt:
        pass
    while True:
        # Caught twice, because a second Ctrl-C can come while the first is being caught.
        try:
            serve()
        except KeyboardInterrupt:
            state[1] = True


th_repl(globals())
