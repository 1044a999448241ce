"""Hold memory, so that little heap is free during an attempt; runs in RAM after the agent.

The host runs this text, then th_hold(size) before the attempt, until at most `size` bytes are free when it begins, and th_hold(None)
after it. Each call prints one `#th` line: {"kind": "result", "free": bytes when it began}. For a heap that does not grow, as an ESP32's does.
"""

th_held = []


def th_hold(size):
    """Hold memory until at most `size` bytes are free, at first as far as possible in one piece; None frees what is held."""
    if size is None:
        th_held.clear()
    th_kept[0] = th_kept[1] = th_kept[2] = None
    gc.collect()
    free = th_free()
    if size is not None and free > size:
        size -= 1024  # this call and its text are free after it
        left = None
        if not th_held:
            try:
                left = bytearray(size)
                size = 0
            except MemoryError:
                pass
        piece = 32768
        while piece > 31:
            try:
                while th_free() - size >= piece:
                    th_held.append(bytearray(piece))
            except MemoryError:
                pass
            piece //= 2
        left = None
    th_say({"kind": "result", "free": free})
