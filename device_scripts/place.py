"""Place modules of the user's in the harness's own directory; runs in RAM after load.py, then is discarded.

The host runs this text and th_place(text, check), and then writes what is missing. lib.txt lists the files that the
harness placed: it is written before they are, so that each of them can be removed later. Nothing else is overwritten or removed.
"""

th_os = th_module("uos", "os")


def th_place_list():
    """Return the paths that lib.txt lists, relative to lib."""
    try:
        # Not open(): in 1.20 to 1.22 a file object that could not be opened closes descriptor 0 when it is collected.
        th_os.stat("tls_harness/lib.txt")
    except OSError:
        return []
    with open("tls_harness/lib.txt") as file:
        return [line for line in file.read().split("\n") if line]



def th_place_folder(path):
    """Make a directory if it is missing."""
    try:
        th_os.mkdir(path)
    except OSError as e:
        try:
            th_os.stat(path)
        except OSError:
            raise e


def th_place(text, check):
    """Prepare for the paths of a JSON list: remove what was placed and is not one of them, list them in lib.txt, make their directories."""
    if th_sum(text) != check:
        th_say({"kind": "damaged"})
        return
    request = th_json.loads(text)
    paths = request["paths"]
    answer = {"kind": "stored", "n": request["n"]}
    try:
        before = th_place_list()
        for path in paths:
            if path not in before:
                try:
                    th_os.stat("tls_harness/lib/" + path)
                except OSError:
                    continue
                raise ValueError(path)  # of the user
        for path in before:
            if path not in paths:
                try:
                    th_os.remove("tls_harness/lib/" + path)
                except OSError:
                    pass
        th_place_folder("tls_harness")
        with open("tls_harness/lib.txt", "w") as file:
            file.write("\n".join(paths))
        th_place_folder("tls_harness/lib")
        for path in paths:
            parts = path.split("/")
            for count in range(1, len(parts)):
                th_place_folder("tls_harness/lib/" + "/".join(parts[:count]))
    except Exception as e:
        answer = {"kind": "error", "n": request["n"], "type": type(e).__name__, "args": th_bounded(e.args)}
    th_say(answer)
