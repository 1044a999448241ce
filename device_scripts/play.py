"""Run one program as a user would run it; runs in RAM after the agent, then is discarded.

The host runs this text and then th_play(text, check). The text is JSON: n, program (the name of a blob), files (file name: name of a
blob). The program is an ordinary script, except that its open() finds these files and its print() is collected: nothing is written
to flash. It prints one answer: {"kind": "played", "n", "said", and, if the program ended with an exception, "type" and "args"}.
"""

th_io = th_module("uio", "io")


def th_play(text, check):
    """Run the program and print what it said."""
    answer = {"kind": "damaged"}
    if th_sum(text) == check:
        request = th_json.loads(text)
        files = request["files"]
        said = []

        def opened(name, mode="r"):
            if name not in files:
                raise OSError(2)
            data = th_blob(files[name])
            return th_io.BytesIO(data) if "b" in mode else th_io.StringIO(data.decode())

        def printed(*words):
            if len(said) < 20:
                said.append(" ".join([str(word) for word in words])[:200])

        th_kept[0] = th_kept[1] = th_kept[2] = None
        gc.collect()
        answer = {"kind": "played", "n": request["n"]}
        try:
            code = th_blob(request["program"]).decode()
            exec(code, {"__name__": "__main__", "open": opened, "print": printed})
        except Exception as e:
            answer["type"] = type(e).__name__
            answer["args"] = th_bounded(e.args)
        answer["said"] = "\n".join(said)[:1000]
        said = code = None
        gc.collect()
    th_say(answer)
