"""What the host calls on the board: th_run and th_put. Each prints one line, `#th ` and a JSON object.

File mode: the host runs `from tls_harness.agent import th_run, th_put, th_version`. RAM mode: it runs this text behind
that of tls_client.py as one piece in __main__, where th_attempt is then there already. Anything else on the console
(axTLS prints `TLS buffer overflow...`, ESP-IDF logs) is noise to the host.
"""

try:
    th_attempt
except NameError:
    from tls_harness.tls_client import th_attempt, th_module

th_version = 1
th_json = th_module("ujson", "json")
th_binascii = th_module("ubinascii", "binascii")
th_blobs = {}


def th_say(answer):
    """Print one answer, in as few writes as print() allows: each is a packet on USB and wakes up the host."""
    try:
        answer = "#th " + th_json.dumps(answer)
    except MemoryError:
        answer = '#th {"kind":"error","message":"MemoryError"}'
    print(answer)


def th_put(name, text, more=False):
    """Store base64 text under a name; more=True appends to what is there, None as text drops it."""
    try:
        if text is None:
            th_blobs.pop(name, None)
            th_say({"kind": "stored", "size": None})
            return
        # bytes, not bytearray: mbedTLS reads the NUL that follows them when it looks for PEM.
        data = th_binascii.a2b_base64(text)
        if more:
            data = th_blobs[name] + data
        th_blobs[name] = data
        th_say({"kind": "stored", "size": len(data)})
    except Exception as e:
        th_blobs.pop(name, None)
        th_say({"kind": "error", "message": type(e).__name__, "blob": name})


def th_blob(name):
    """A stored blob; KeyError with its name if the host did not send it (or the board was reset since)."""
    return th_blobs[name]


def th_run(text):
    """Try one connection as the JSON text says and print what happened; th_attempt has the meaning of each key."""
    try:
        answer = th_attempt(th_json.loads(text), th_blob)
    except NotImplementedError as e:
        answer = {"kind": "error", "missing": str(e)}
    except KeyError as e:
        answer = {"kind": "error", "message": "KeyError", "blob": str(e.args[0])}
    except Exception as e:
        answer = {"kind": "error", "message": type(e).__name__ + ": " + str(e)[:80]}
    th_say(answer)
