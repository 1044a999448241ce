"""One TLS connection attempt through asyncio.open_connection(): what th_session of tls_client.py does with a socket.

Loaded after the agent, and only if the host asks for asyncio. Nothing but this file knows asyncio. A handshake has no call of its own
there: it begins with the first write or read, and its errors come from that one (extmod/asyncio/stream.py).
"""

th_asyncio = th_module("asyncio")


class th_Wrapper:
    """What open_connection() gets as its SSLContext: it wraps the socket, and keeps the socket, which the stream hides.

    A TLS socket whose handshake failed no longer closes the socket below (extmod/modtls_mbedtls.c).
    """

    def __init__(self, *parts):
        self.parts = parts

    def wrap_socket(self, sock, **words):
        wrap, name, state, answer, did = self.parts
        state[1] = sock
        passed = words.get("server_hostname")
        if name is None and passed is not None:
            state[0] = "config"
            raise NotImplementedError("asyncio.open_connection(server_hostname=None)")
        if passed != name:
            th_pass(did, "n", str(passed))
        gc.collect()
        answer["free"][0] = th_free()
        heap = th_idf()
        if heap:
            answer["idf"] = heap[:2]
        state[2] = tls = wrap(sock, **words)
        return tls


def th_check_asyncio(req):
    """Raise NotImplementedError, with the name, for what this firmware's asyncio does not have."""
    if th_asyncio is None:
        raise NotImplementedError("asyncio")
    try:
        th_asyncio.open_connection("", 0, ssl=None, server_hostname=None).close()
    except (AttributeError, ImportError, TypeError):
        raise NotImplementedError("asyncio.open_connection(ssl)")
    name, module, modern = th_tls()
    if not hasattr(module, "CERT_REQUIRED"):
        # axTLS: a write returns 0 once the server has closed, and drain() repeats it forever (extmod/modtls_axtls.c).
        raise NotImplementedError("asyncio for axTLS")
    if not modern:
        raise NotImplementedError(name + ".SSLContext.load_cert_chain")
    if req.get("closefirst"):
        raise NotImplementedError("asyncio.Stream.do_handshake")


def th_diff(end, start):
    """Microseconds between two times of th_now, which may wrap around."""
    return th_time.ticks_diff(end, start)


async def th_within(start, limit_ms):
    """Await start(), at most so long. Time in which the board itself computes does not count, as with a socket's timeout: then the
    alarm is late, and the wait is repeated. Nothing is lost: a stream keeps what it has not sent, and reads when data is there.
    """
    while True:
        began = th_now()
        try:
            return await th_asyncio.wait_for(start(), limit_ms / 1000)
        except th_asyncio.TimeoutError:
            if th_diff(th_now(), began) < limit_ms * 1100 + 100000:
                raise


async def th_exchange(req, stream, state, times, did, limit_ms):
    """Write and read; the handshake is complete as soon as the first piece is accepted. Return (first bytes read, count)."""

    def done():
        if state[0] == "handshake":
            times.append(th_now())
            state[0] = "write"

    if "text" in req:
        data = th_pass(did, "w", req["text"].encode())
    else:
        data = ("Hallo, Server! %09d" % req["n"]).encode()
    left = max(th_pass(did, "z", req.get("send", 0)), len(data))
    data += b"x" * (min(left, 1024) - len(data))
    while left > 0:
        piece = data[:left]
        stream.write(piece)
        await th_within(stream.drain, limit_ms)
        done()
        left -= len(piece)
        data = b"x" * min(left, 1024)
    size = th_pass(did, "r", req["recv"]) if "recv" in req else 14
    to_end = th_pass(did, "e", req.get("readtoend", 0))
    if state[0] == "write":
        state[0] = "read"
    first = b""
    count = 0
    while to_end or count < size:
        data = await th_within(lambda: stream.read(512 if to_end else min(size - count, 512)), limit_ms)
        done()
        state[0] = "read"
        if not data:
            break
        if count < 64:
            first += data
        count += len(data)
    return first[:64], count


async def th_stream(req, wrap, state, times, answer, did):
    """Connect, exchange, close, as th_session does."""
    limit_ms = th_pass(did, "t", req["timeout"]) if "timeout" in req else 10000
    name = req.get("name", "tls.test")
    th_pass(did, "y", 1)
    if name is not None:
        th_pass(did, "n", name)
    host, port = th_pass(did, "h", req["host"]), th_pass(did, "o", req["port"])
    wrapper = th_Wrapper(wrap, name, state, answer, did)
    state[0] = "connect"
    times.append(th_now())
    stream = (
        await th_within(
            lambda: th_asyncio.open_connection(host, port, ssl=wrapper, server_hostname=name),
            limit_ms,
        )
    )[0]
    # open_connection() does not look whether connect() succeeded: the first write would raise its error.
    th_wait_connected(state[1], limit_ms)
    state[0] = "handshake"
    free = answer["free"][0]
    left = th_left(free) if th_inside and free is not None else None
    times.append(th_now())
    data, size = await th_exchange(req, stream, state, times, did, limit_ms)
    if left is not None:
        answer["held"] = left - th_left(th_free())
    try:
        answer["text"] = data.decode()
    except ValueError:
        answer["text"] = repr(data)
    if size > len(data):
        answer["size"] = size
    times.append(th_now())
    state[0] = "close"
    stream.close()
    await stream.wait_closed()
    state[2] = None
    th_close(state[1])
    state[1] = None


def th_async(req, wrap, state, times, answer, did):
    """Run th_stream in an event loop of its own: one that was interrupted keeps its tasks."""
    th_check_asyncio(req)
    th_asyncio.new_event_loop()
    th_asyncio.run(th_stream(req, wrap[0], state, times, answer, did))
