"""The program `umqtt.simple` (micropython-lib, micropython/umqtt.simple): one message to a topic that it is subscribed to.

It has been given TLS in two ways: `ssl=True, ssl_params={...}` (up to 1.3, and since 1.5), which it passes to ssl.wrap_socket, and
`ssl=CONTEXT` (since 1.4). https://github.com/micropython/micropython-lib/pull/936 has both. Which of them this one has is tried without a
connection.
"""


class th_app_Seen(Exception):
    """The context was used."""

    number = 0


class th_app_Nowhere:
    """A socket module, a socket and a context that lead nowhere."""

    def __getattr__(self, name):
        if name == "wrap_socket":
            raise th_app_Seen
        return lambda *args: self

    def __getitem__(self, index):
        return self


def th_app_takes_context(module):
    """Whether a client calls wrap_socket of the context that it is given."""
    real = module.socket
    module.socket = nowhere = th_app_Nowhere()
    try:
        module.MQTTClient(b"th", "none", 1, ssl=nowhere).connect()
    except th_app_Seen:
        return True
    except Exception:
        pass
    finally:
        module.socket = real
    return False


def th_app_params(req, wrap):
    """Return ssl_params: what ssl.wrap_socket has to be given."""
    params = {"server_hostname": req.get("name", "tls.test")}
    if th_kept[1] is None:
        params.update(wrap[1])  # the older API: the agent gives it the same
        return params
    if req.get("verify"):
        params["cert_reqs"] = req["verify"]
    for name, item in (("cert", req.get("cert")), ("key", req.get("key")), ("cadata", (req.get("ca") or [None])[0])):
        if item:
            params[name] = th_blob(item)
    return params


def th_app_program(req, wrap, text, did):
    """Publish the text and return (the first bytes of the message that comes back, their number)."""
    module = th_app_import("umqtt.simple")
    if req["program"] == "umqtt-context":
        if th_kept[1] is None or not th_app_takes_context(module):
            raise NotImplementedError("app context")
        words = {"ssl": th_kept[1]}
    else:
        if not th_app_takes(module.MQTTClient, b"th", "none", ssl_params={}):
            raise NotImplementedError("app ssl_params")
        words = {"ssl": True, "ssl_params": th_app_params(req, wrap)}
    topic = ("tls-harness/%d" % req["n"]).encode()
    client = module.MQTTClient(topic, req.get("name", "tls.test"), req["port"], keepalive=60, **words)
    got = []
    client.set_callback(lambda topic, message: got.append(message))
    client.connect()
    client.subscribe(topic)
    client.publish(topic, text)
    while not got:
        client.wait_msg()
    client.disconnect()
    return bytes(got[0][:64]), len(got[0])
