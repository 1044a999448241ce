"""The first code that runs on a board: checksums for all data on the serial line, in both directions.

The host runs this text first, in __main__, so every name starts with th_. It needs neither json nor 1 KB of RAM. The kinds of
checksum: `c` crc32, `s` the first four bytes of sha256, `a` adler32 (RFC 1950) in Python if firmware has neither.
"""


def th_module(*names):
    """Import the first of several modules that exists; return None if none does."""
    for name in names:
        try:
            return __import__(name)
        except ImportError:
            pass


th_binascii = th_module("ubinascii", "binascii")
th_hashlib = th_module("uhashlib", "hashlib")
th_lines = [1, 0, 0]  # adler32's two sums over the lines of a probe step, and their number


def th_adler(data, a=1, b=0):
    """Return the two sums of adler32."""
    for c in data:
        a = (a + c) % 65521
        b = (b + a) % 65521
    return a, b


def th_sum(data):
    """Return the checksum of text or bytes: a letter for its kind, two zeros and eight hexadecimal digits."""
    if isinstance(data, str):
        data = bytes(data, "utf-8")  # the smallest firmwares have no str.encode
    if hasattr(th_binascii, "crc32"):
        return "c%010x" % th_binascii.crc32(data)
    if hasattr(th_hashlib, "sha256"):
        return "s00" + th_binascii.hexlify(th_hashlib.sha256(data).digest()[:4]).decode()
    a, b = th_adler(data)
    return "a00%04x%04x" % (b, a)


def th_x(code, check):
    """Run code of the host if it arrived undamaged."""
    if th_sum(code) != check:
        print("#th damaged")
    else:
        exec(code, globals())


def th_p(key, value):
    """Print one fact of the probe: `#th key value`."""
    line = key + " " + repr(value)
    th_lines[0], th_lines[1] = th_adler(bytes(line, "utf-8"), th_lines[0], th_lines[1])
    th_lines[2] += 1
    print("#th", line)


def th_step(code, check):
    """Run a step of the probe; a last line has the number of facts it printed and the checksum of them all."""
    if th_sum(code) != check:
        print("#th damaged")
        return
    th_lines[0], th_lines[1], th_lines[2] = 1, 0, 0
    try:
        exec(code, globals())
    except Exception as e:
        th_p("failed", str(type(e)))
    print("#th end %d a%04x%04x" % (th_lines[2], th_lines[1], th_lines[0]))
