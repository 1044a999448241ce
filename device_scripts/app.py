"""Run a common client library (requests, umqtt.simple) instead of the agent's own session; runs in RAM after the agent.

The host runs this text, the text of the program (app_*.py), and then th_run with a request that names th_app. The program is imported as it is. Only its
name look-up is ours: it asks for the server by the name in the certificate, which no name server knows, and gets the address
of the test's server. What it does before it asks for an address is stage `config`, everything else is `connect` to the board: the host knows from the
server's record how far it came.
"""

import sys

th_app_kept = {}  # of sys.modules, before the program
th_app_path = None  # where the host placed modules for this run


class th_app_Socket:
    """The socket module as the program sees it: name look-up answers with the test's server."""

    def __init__(self, req, state, did):
        self.th = (req, state, did)

    def __getattr__(self, name):
        return getattr(th_socket, name)

    def getaddrinfo(self, host, port, *more):
        """Look up the server's address; record what the program asked for."""
        req, state, did = self.th
        state[0] = "connect"
        th_pass(did, "n", host if isinstance(host, str) else bytes(host))
        th_pass(did, "o", port)
        return th_socket.getaddrinfo(th_pass(did, "h", req["host"]), port, *more)

    def socket(self, *kind):
        """Make a real socket, and keep it: the agent closes what the program leaves open."""
        req, state, did = self.th
        state[0] = "connect"
        state[1] = sock = th_socket.socket(*kind)
        return sock


def th_app_import(*names):
    """Import the first module of these that exists, afresh, so that it uses the socket module above."""
    for name in names:
        parts = name.split(".")
        for count in range(len(parts)):
            whole = ".".join(parts[: count + 1])
            th_app_kept[whole] = sys.modules.pop(whole, None)
        try:
            module = __import__(name)
        except ImportError as e:
            lacks = str(e)
            continue
        for part in parts[1:]:
            module = getattr(module, part)
        return module
    raise ImportError(lacks)


def th_app_takes(function, *args, **words):
    """Whether a function has these parameters: without them MicroPython raises TypeError before it runs any of it."""
    try:
        function(*args, **words)
    except TypeError:
        return False
    except Exception:
        pass
    return True


def th_app(req, wrap, state, times, answer, did):
    """Run the program once and record what it received; what it raises is for th_attempt."""
    own = th_app_Socket(req, state, did)
    th_app_kept.clear()
    try:
        if th_app_path:
            sys.path.insert(0, th_app_path)
        for name in ("usocket", "socket"):
            th_app_kept[name] = sys.modules.get(name)
            sys.modules[name] = own
        gc.collect()
        answer["free"][0] = th_free()
        text = ("Hallo, Server! %09d" % req["n"]).encode()
        if "recv" in req:
            th_pass(did, "r", req["recv"])
        data, size = th_app_program(req, wrap, text, did)
        answer["text"] = data.decode()
        if size > len(data):
            answer["size"] = size
    except ImportError as e:
        # Some programs import TLS only when they connect.
        state[0] = "config"
        raise NotImplementedError("module: " + str(e)[:80])
    finally:
        if th_app_path in sys.path:
            sys.path.remove(th_app_path)
        # The program's modules go: they hold memory, and the socket module above.
        for name in th_app_kept:
            sys.modules.pop(name, None)
            if th_app_kept[name] is not None:
                sys.modules[name] = th_app_kept[name]
        for name in [name for name in globals() if name.startswith("th_app")]:
            del globals()[name]
