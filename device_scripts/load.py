"""Load the agent into __main__ from its file, one statement after another, and check the file; runs in RAM, then is discarded.

Imported as a whole, the agent needs 27 KB to compile and leaves a fragmented heap. Statement by statement, with a collection after
each, it needs a few KB, and free memory stays in one block.
"""


def th_check(name, sizes):
    """Return the checksum of a file that should consist of pieces of these sizes: the sum of their sums, or None if it is missing."""
    os = th_module("uos", "os")
    try:
        # Not open(): in 1.20 to 1.22 a file object that could not be opened closes descriptor 0 when it is collected.
        os.stat(name)
    except OSError:
        return None
    sums = ""
    with open(name, "rb") as file:
        for size in sizes:
            sums += th_sum(file.read(size))
        if file.read(1):
            return None
    return th_sum(sums)


def th_load(name, sizes):
    """Run the pieces of a file in __main__."""
    import gc

    gc.collect()
    with open(name, "rb") as file:
        for size in sizes:
            exec(file.read(size).decode(), globals())
            gc.collect()
