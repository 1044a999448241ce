"""The functions that the host calls on the board: th_run and th_put. Each prints one line: `#th `, a JSON object and its checksum.

Runs in __main__ behind line.py and tls_client.py, one statement after another with a collection between them, so that the heap is
not fragmented. Anything else on the console (axTLS prints `TLS buffer overflow...`, ESP-IDF logs) is noise to the host.
"""

th_version = 2
th_json = th_module("ujson", "json")
th_blobs = {}
th_said = [""]
th_tight = {"separators": (",", ":")}  # a tenth of an answer would be spaces
try:
    th_json.dumps(0, **th_tight)
except TypeError:
    th_tight = {}  # up to 1.16, and where a port leaves it out


def th_say(answer):
    """Print one answer, in as few writes as print() allows: each is a packet on USB and wakes up the host."""
    try:
        text = th_json.dumps(answer, **th_tight)
    except MemoryError:
        text = '{"kind":"error","message":"MemoryError"}'
    th_said[0] = "#th " + text + " " + th_sum(text)
    th_again()


def th_again():
    """Print the last answer again, because it was damaged on the line. Nothing is run again."""
    print(th_said[0])


def th_put(number, name, text, more, check):
    """Store base64 text under a name; more=True appends to what is there, None as text deletes it."""
    answer = {"kind": "stored", "n": number}
    try:
        if th_sum(name + (text or "")) != check:
            answer["kind"] = "damaged"
        elif text is None:
            th_blobs.pop(name, None)
        else:
            # bytes, not bytearray: mbedTLS reads the NUL after them when it checks for PEM.
            data = th_binascii.a2b_base64(text)
            if more:
                data = th_blobs[name] + data
            th_blobs[name] = data
            answer["size"] = len(data)
    except Exception as e:
        th_blobs.pop(name, None)
        answer = {"kind": "error", "n": number, "message": type(e).__name__, "blob": name}
    th_say(answer)


def th_blob(name):
    """Return a stored blob; KeyError with its name if the host did not send it (or the board was reset since)."""
    return th_blobs[name]


def th_run(text, check):
    """Try one connection as the JSON text describes and print the result; th_attempt documents each key."""
    request = {}
    if th_sum(text) != check:
        answer = {"kind": "damaged"}
    else:
        try:
            request = th_json.loads(text)
            answer = th_attempt(request, th_blob)
        except NotImplementedError as e:
            answer = {"kind": "error", "missing": str(e)}
        except KeyError as e:
            answer = {"kind": "error", "message": "KeyError", "blob": str(e.args[0])}
        except Exception as e:
            answer = {"kind": "error", "message": type(e).__name__ + ": " + str(e)[:80]}
    answer["n"] = request.get("n")
    th_say(answer)


def th_memory(number):
    """Print how much memory is free: the heap, its largest block, and ESP-IDF's heap if there is one."""
    gc.collect()
    free = th_free()
    largest = 0
    step = 1
    while step < (free or 0):
        step *= 2
    while step > 255:
        try:
            bytearray(largest + step)
            largest += step
        except MemoryError:
            pass
        step //= 2
    gc.collect()
    th_say({"kind": "memory", "n": number, "free": free, "largest": largest, "idf": th_idf()})
