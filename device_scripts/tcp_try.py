"""Try a plain TCP connection before any TLS; runs in RAM after the agent, then is discarded.

The host runs this text and then th_tcp(host, port, timeout_ms). The server sends one secret byte, and gets it back: this
proves that it is the right server and the right board. The server closes only after the board has: a peer that closes at once makes connect()
fail on lwIP. It prints one answer: {"kind": "result", "ms": ...} or {"kind": "exception", "stage", "type", "args", "ms"}. The numbers in
args differ by port (113 is "no route" on a Pico and "aborted" on an ESP32).
"""


def th_tcp(host, port, timeout_ms):
    """Connect, return the byte, close, and print the result."""
    begin = th_now()
    answer = {"kind": "result"}
    stage = "connect"
    sock = None
    try:
        if th_socket is None:
            raise ImportError("socket")
        info = th_socket.getaddrinfo(host, port)[0]
        sock = th_socket.socket(info[0])
        th_connect(sock, info[-1], timeout_ms)
        stage = "read"
        data = sock.recv(1)
        if not data:
            raise OSError(104)
        stage = "write"
        sock.send(data)
    except Exception as e:
        answer = {"kind": "exception", "stage": stage, "type": type(e).__name__, "args": th_bounded(e.args)}
    finally:
        if sock is not None:
            sock.close()
    diff = getattr(th_time, "ticks_diff", None) or (lambda a, b: a - b)
    answer["ms"] = diff(th_now(), begin) // 1000
    th_say(answer)
