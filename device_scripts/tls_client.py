"""One TLS connection attempt on the board: settings in, what the client saw out.

Knows the three generations of MicroPython's TLS API and nothing of the serial line. Runs on 1.14 to 1.29 and, for
tests, under CPython, after line.py. Every global starts with th_, because this text runs in the user's __main__.
"""

import gc

# The u-names come first where both exist: a user's own socket.py or json.py on the board must not be picked up.
th_socket = th_module("usocket", "socket")
th_select = th_module("uselect", "select")
th_time = th_module("utime", "time")
th_esp32 = th_module("esp32")
# As a process, MicroPython's TLS uses malloc: gc does not show that memory, and asking it costs 0.4 ms.
th_inside = __import__("sys").platform not in ("linux", "darwin", "win32")
# The last settings, their context and what was passed to it: parsing a key again costs milliseconds on a board.
th_kept = [None, None, None]


def th_tls():
    """Find the TLS module: (name, module, whether its SSLContext is usable)."""
    old = (None, None, False)
    for name in ("tls", "ssl", "ussl"):
        module = th_module(name)
        # 1.21 has an SSLContext without any certificate method, so its existence alone says nothing.
        if hasattr(getattr(module, "SSLContext", None), "load_cert_chain"):
            return name, module, True
        if old[0] is None and hasattr(module, "wrap_socket"):
            old = (name, module, False)
    return old


def th_need(owner, attribute, name):
    """Refuse a request for which this firmware has no API; the host reports the case as unsupported."""
    if not hasattr(owner, attribute):
        raise NotImplementedError(name + "." + attribute)


def th_pass(did, mark, value):
    """Record a value that is passed to the API: a letter, and the number or part of the checksum; no 0. The host compares it with its plan."""
    if value != 0:
        did.append(mark + ("%d" % value if isinstance(value, int) else th_sum(value)[3:7]))
    return value


def th_context(req, blob, did):
    """Build what wraps the socket, as far as possible before any connection: (wrap function, keywords)."""
    name, module, modern = th_tls()
    if module is None:
        raise NotImplementedError("tls")
    verify = req.get("verify", 0)
    ca = req.get("ca") or ()
    cert = req.get("cert")
    key = req.get("key")
    suites = req.get("suites")
    psk = req.get("psk_identity")
    words = {}
    if verify or ca:
        # Without it the library is axTLS, which verifies nothing, or the firmware is 1.19 or older, which cannot verify.
        th_need(module, "CERT_REQUIRED", name)
    if not modern:
        if suites is not None:
            raise NotImplementedError(name + ".SSLContext.set_ciphers")
        if psk is not None:
            raise NotImplementedError(name + ".SSLContext.psk_key")
        if len(ca) > 1:
            # Of concatenated DER certificates only the first is read, silently.
            raise NotImplementedError(name + ".SSLContext.load_verify_locations")
        # Only requested settings: up to 1.19, and with axTLS, any other keyword is a TypeError.
        if verify:
            words["cert_reqs"] = th_pass(did, "v", verify)
        for mark, name, item in (("c", "cert", cert), ("k", "key", key), ("a", "cadata", ca and ca[0])):
            if item:
                words[name] = th_pass(did, mark, blob(item))
        return module.wrap_socket, words
    mark = (verify, tuple(ca), cert, key, suites, psk, req.get("psk_key"))
    if th_kept[0] == mark:
        did.extend(th_kept[2])
        return th_kept[1].wrap_socket, words
    th_kept[0] = th_kept[1] = th_kept[2] = None
    gc.collect()
    ctx = module.SSLContext(module.PROTOCOL_TLS_CLIENT)
    name += ".SSLContext"
    # Always set: a client of the tls module starts with CERT_REQUIRED, one of ssl with CERT_NONE.
    if hasattr(ctx, "verify_mode"):
        ctx.verify_mode = verify
        th_pass(did, "v", ctx.verify_mode)
    if suites is not None:
        th_need(ctx, "set_ciphers", name)
        names = th_pass(did, "s", blob(suites)).decode()
        ctx.set_ciphers(names.split(",") if names else [])
    if cert or key:
        ctx.load_cert_chain(
            th_pass(did, "c", blob(cert)) if cert else None, th_pass(did, "k", blob(key)) if key else None
        )
    if ca:
        th_need(ctx, "load_verify_locations", name)
    for item in ca:
        # The first argument of ssl's method is a path, of tls's the data.
        data = th_pass(did, "a", blob(item))
        load = ctx.load_verify_locations
        load(data) if name[0] == "t" else load(cadata=data)
    if psk is not None:
        th_need(ctx, "psk_key", name)
        ctx.psk_identity = th_pass(did, "i", psk)
        ctx.psk_key = th_pass(did, "p", blob(req["psk_key"]))
    th_kept[0] = mark
    th_kept[1] = ctx
    th_kept[2] = list(did)
    return ctx.wrap_socket, words


def th_free():
    """Free heap in bytes; None under CPython."""
    return gc.mem_free() if hasattr(gc, "mem_free") else None


def th_idf():
    """The heap of ESP-IDF, where TLS lives on an ESP32: (free, largest block, lowest ever), or None."""
    if hasattr(th_esp32, "idf_heap_info"):
        free = largest = low = 0
        for region in th_esp32.idf_heap_info(th_esp32.HEAP_DATA):
            free += region[1]
            largest = max(largest, region[2])
            low += region[3]
        return free, largest, low


def th_left(free):
    """Return the memory that is free for TLS: the given free heap in bytes, and that of ESP-IDF."""
    heap = th_idf()
    return free + (heap[0] if heap else 0)


def th_linger(sock):
    """Read the peer's remaining data until it closes, or our close would send a reset that destroys our own alert."""
    try:
        sock.settimeout(0.2)
        for _ in range(256):  # 64 KB: more than any flight; unread data would turn our close into a reset
            if not sock.recv(256):
                break
    except Exception:
        pass


def th_read(tls, size, to_end):
    """Read size bytes, then to the end if requested; return (first bytes, count)."""
    first = b""
    count = 0
    while to_end or count < size:
        data = tls.read(512 if to_end else min(size - count, 512))
        if not data:
            break
        if count < 64:
            first += data
        count += len(data)
    return first[:64], count


def th_now():
    """Microseconds on the board's own clock."""
    return th_time.ticks_us() if hasattr(th_time, "ticks_us") else int(th_time.time() * 1000000)


def th_wait_connected(sock, timeout_ms):
    """Wait until a non-blocking connect() has finished; raise its error.

    connect() with a timeout is unreliable: lwIP up to 1.23 polls once after 100 ms, and reports a connection that the peer has
    closed meanwhile as a failure with a meaningless number (extmod/modlwip.c, lwip_connect); an ESP32 up to 1.21 ignores the
    timeout (ports/esp32/modsocket.c).
    """
    poller = th_select.poll()
    poller.register(sock, th_select.POLLOUT)
    ready = poller.poll(timeout_ms)
    poller.unregister(sock)
    if not ready:
        raise OSError(110)
    if ready[0][1] & (th_select.POLLERR | th_select.POLLHUP):
        sock.recv(1)  # raises the error of the connection


def th_connect(sock, address, timeout_ms):
    """Connect within this many milliseconds, also if connect() itself has no timeout; the timeout also applies to reads and writes."""
    if hasattr(sock, "setblocking") and hasattr(th_select, "poll"):
        sock.setblocking(False)
        try:
            sock.connect(address)
        except OSError as e:
            # EINPROGRESS: 115 on lwIP and Linux, 119 on ESP-IDF, 36 on macOS
            if e.args[0] not in (115, 119, 36):
                raise
            th_wait_connected(sock, timeout_ms)
        sock.setblocking(True)
        if hasattr(sock, "settimeout"):
            sock.settimeout(timeout_ms / 1000)
    else:
        if hasattr(sock, "settimeout"):
            sock.settimeout(timeout_ms / 1000)
        sock.connect(address)


def th_write(tls, data, size):
    """Write data, padded with x to size bytes, in pieces that fit a fragmented heap."""
    size = max(size, len(data))
    data += b"x" * (min(size, 1024) - len(data))
    while size > 0:
        size -= tls.write(data[:size]) or 0
        data = data if data[:1] == b"x" else b"x" * min(size, 1024)


def th_session(req, wrap, state, times, answer, did):
    """Connect, shake hands, exchange, close; state is [stage, socket, TLS socket] for the clean-up."""
    words = wrap[1]
    name = req.get("name", "tls.test")
    if name is not None:
        words["server_hostname"] = th_pass(did, "n", name)
    state[0] = "connect"
    times.append(th_now())
    info = th_socket.getaddrinfo(th_pass(did, "h", req["host"]), th_pass(did, "o", req["port"]))[0]
    state[1] = sock = th_socket.socket(info[0])
    # The timeout is set before the wrap: without it a silent server holds the board in wrap_socket forever.
    th_connect(sock, info[-1], th_pass(did, "t", req["timeout"]) if "timeout" in req else 10000)
    state[0] = "handshake"
    # Collect first, so that free memory is comparable between cases, and in one block: TLS needs 16.7 KB at once.
    gc.collect()
    answer["free"][0] = free = th_free()
    heap = th_idf()
    if heap:
        answer["idf"] = heap[:2]
    inside = th_inside and free is not None
    left = th_left(free) if inside else 0
    times.append(th_now())
    state[2] = tls = wrap[0](sock, **words)
    times.append(th_now())
    if inside:
        # Do not collect: a handshake leaves little garbage, and collecting takes longer than some handshakes.
        answer["held"] = left - th_left(th_free())
    if not th_pass(did, "x", req.get("closefirst", 0)):
        state[0] = "write"
        if "text" in req:
            data = th_pass(did, "w", req["text"].encode())
        else:
            # The number of this exec: no other board, and no other session of this one, sends the same text.
            data = ("Hallo, Server! %09d" % req["n"]).encode()
        th_write(tls, data, th_pass(did, "z", req.get("send", 0)))
        state[0] = "read"
        data, size = th_read(tls, th_pass(did, "r", req["recv"]) if "recv" in req else 14, th_pass(did, "e", req.get("readtoend", 0)))
        try:
            answer["text"] = data.decode()
        except ValueError:
            answer["text"] = repr(data)
        if size > len(data):
            answer["size"] = size
    times.append(th_now())
    state[0] = "close"
    tls.close()
    state[2] = None
    th_close(sock)
    state[1] = None


def th_close(thing):
    """Close, whatever state it is in."""
    try:
        thing.close()
    except Exception:
        pass


def th_tidy(state, failed):
    """Close everything that is open, whatever happens; no TLS socket twice (a second close can be a hard fault).

    The underlying socket is closed, too: after a failed read or write 1.22 never closes it.
    """
    sock = state[1]
    if sock is not None:
        if failed and state[0] in ("handshake", "write", "read"):
            th_linger(sock)
        if state[2] is not None:
            th_close(state[2])
        th_close(sock)


def th_bounded(args):
    """Return an exception's arguments as JSON values."""
    return [a if a is None or isinstance(a, int) else str(a)[:240] for a in args[:3]]


def th_attempt(req, blob):
    """Try one connection and return the answer that agent.th_run prints.

    req: host, port, name (server_hostname; null for none), verify (0 none, 1 optional, 2 required), ca (names of blobs),
    cert, key, suites, psk_key (a name each; suites is comma separated text, mbedTLS spelling), psk_identity, text, send
    (pad text with x to this many bytes), recv (read this many bytes), readtoend, closefirst (close right after the handshake),
    timeout (ms), run (instead of th_session: th_app runs the named program, th_async connects through asyncio), n (of this exec).
    All but host, port and n are optional: a serial line is slow, so what most requests have is the default. Without text it is a greeting with n. blob is a function from blob name to bytes.
    NotImplementedError means that the firmware lacks the named API, LookupError that a blob is missing; both are
    for the caller. Any other exception is data.
    """
    state = ["config", None, None]
    times = []
    free = [None, None, None]
    answer = {"kind": "result", "free": free}
    did = []
    error = None
    try:
        wrap = th_context(req, blob, did)
        # By name: further names and strings of the agent's own would cost a small board 1 KB, for the next table of them.
        (globals()[req["run"]] if "run" in req else th_session)(req, wrap, state, times, answer, did)
    except Exception as e:
        times.append(th_now())
        error = e
        if state[0] == "config" and isinstance(e, (NotImplementedError, LookupError)):
            raise
        # The old API, and the check of CERT_REQUIRED without a name, refuse settings only when the socket is wrapped.
        if state[0] == "handshake" and isinstance(e, (ValueError, TypeError)):
            if th_kept[1] is None or req.get("name", "tls.test") is None:
                state[0] = "config"
    finally:
        th_tidy(state, error)
    if error is not None:
        answer["kind"] = "exception"
        answer["stage"] = state[0]
        answer["type"] = type(error).__name__
        answer["args"] = th_bounded(error.args)
        th_kept[0] = th_kept[1] = th_kept[2] = error = None
    answer["did"] = " ".join(did)
    wrap = state = did = None
    gc.collect()
    free[2] = th_free()
    heap = th_idf()
    if heap:
        free[1] = heap[2]
    diff = getattr(th_time, "ticks_diff", None) or (lambda a, b: a - b)
    answer["us"] = [diff(times[i + 1], times[i]) if i + 1 < len(times) else None for i in range(3)]
    return answer
