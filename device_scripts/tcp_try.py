"""Try a plain TCP connection before any TLS; run in RAM, then forgotten.

The host runs this text and then th_tcp(host, port, timeout_ms). One `#th` line comes back: {"kind": "result",
"ms": ...} or {"kind": "exception", "type": ..., "args": [...], "ms": ...}. The numbers in args differ by port
(113 is "no route" on a Pico and "aborted" on an ESP32).
"""


def th_tcp_module(*names):
    """Import the first of several modules that exists."""
    for name in names:
        try:
            return __import__(name)
        except ImportError:
            pass


def th_tcp(host, port, timeout_ms):
    """Connect, close, and print how it went."""
    json = th_tcp_module("ujson", "json")
    socket = th_tcp_module("usocket", "socket")
    time = th_tcp_module("utime", "time")
    now = getattr(time, "ticks_ms", None) or (lambda: int(time.time() * 1000))
    diff = getattr(time, "ticks_diff", None) or (lambda a, b: a - b)
    begin = now()
    answer = {"kind": "result"}
    sock = None
    try:
        if socket is None:
            raise ImportError("socket")
        info = socket.getaddrinfo(host, port)[0]
        sock = socket.socket(info[0])
        if hasattr(sock, "settimeout"):
            sock.settimeout(timeout_ms / 1000)
        sock.connect(info[-1])
    except Exception as e:
        args = [a if a is None or isinstance(a, int) else str(a)[:120] for a in e.args[:3]]
        answer = {"kind": "exception", "type": type(e).__name__, "args": args}
    finally:
        if sock is not None:
            sock.close()
    answer["ms"] = diff(now(), begin)
    print("#th", json.dumps(answer) if json else repr(answer))
