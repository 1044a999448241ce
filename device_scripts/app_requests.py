"""The program `requests` (micropython-lib, python-ecosys/requests; `urequests` before 1.20): one POST over HTTPS.

It has no parameter for a CA certificate, and never verifies: https://github.com/micropython/micropython-lib/issues/838. One that takes a
context (as mrequests does) is recognised by its parameters.
"""


def th_app_program(req, wrap, text, did):
    """Send the text to the server and return (the first bytes of the answer, their number)."""
    module = th_app_import("requests", "urequests")
    words = {}
    if req.get("verify") or req.get("ca") or req.get("cert"):
        for name in ("ssl_context", "context"):
            # This URL is refused before any connection.
            if th_app_takes(module.request, "GET", "none:", **{name: th_kept[1]}):
                words[name] = th_kept[1]
                break
        if not words:
            raise NotImplementedError("app certificate" if req.get("cert") else "app ca")
    url = "https://%s:%d/tls-harness" % (req.get("name", "tls.test"), req["port"])
    response = module.post(url, data=text, **words)
    try:
        if response.status_code != 200:
            raise ValueError("status %d" % response.status_code)
        wanted = req.get("recv", 14)
        if wanted > 512:
            return th_read(response.raw, wanted, 0)
        data = response.content
        return data[:64], len(data)
    finally:
        response.close()
