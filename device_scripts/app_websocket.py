"""The program `async_websocket_client` (PyPI: micropython-async-websocket-client): one message over wss://, and the answer.

It takes the CA certificate as the path of a file, and passes everything on to ssl.wrap_socket. Its open() finds the certificate in RAM.
"""


def th_app_opened(name, mode="r"):
    """Open the CA certificate; nothing is written to flash."""
    return th_module("uio", "io").BytesIO(th_blob(name))


async def th_app_talk(client, url, words, text):
    """Connect, send the text, and return the answer."""
    await client.handshake(url, **words)
    await client.send(text)
    answer = await client.recv()
    await client.close()
    return answer


def th_app_program(req, wrap, text, did):
    """Send the text to the server and return (the first bytes of the answer, their number)."""
    module = th_app_import("async_websocket_client.ws")
    client = module.AsyncWebsocketClient()
    words = {}
    ca = req.get("ca")
    if ca or req.get("verify"):
        if not th_app_takes(client.handshake, "wss://none", cafile=None, cert_reqs=0):
            raise NotImplementedError("app ca")
        words["cert_reqs"] = req.get("verify", 0)
        if ca:
            words["cafile"] = ca[0]
            module.open = th_app_opened
    if req.get("cert"):
        if not th_app_takes(client.handshake, "wss://none", keyfile=None, certfile=None):
            raise NotImplementedError("app certificate")
        words["certfile"] = th_blob(req["cert"])
        words["keyfile"] = th_blob(req["key"])
    url = "wss://%s:%d/tls-harness" % (req.get("name", "tls.test"), req["port"])
    answer = th_module("uasyncio", "asyncio").run(th_app_talk(client, url, words, text.decode()))
    if answer is None:
        raise RuntimeError("the program received no message")
    data = answer.encode() if isinstance(answer, str) else answer
    return data[:64], len(data)
