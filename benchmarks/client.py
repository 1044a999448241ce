# A bare MicroPython client, as a user would write it to time handshakes without a harness. Runs on the board.
# SETTINGS (JSON text) is prepended to this file: ports, count, verify, ca, suites, name, text, recv.
import json
import socket
import time

try:
    import tls
except ImportError:
    import ssl as tls


def make_context(settings):
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = settings["verify"]
    if settings["suites"] is not None:
        context.set_ciphers(settings["suites"])
    for item in settings["ca"]:
        context.load_verify_locations(bytes.fromhex(item))
    return context


def connect_once(context, settings, address):
    sock = socket.socket()
    try:
        sock.connect(address)
        stream = context.wrap_socket(sock, server_hostname=settings["name"])
        stream.write(settings["text"])
        data = stream.read(settings["recv"])
        stream.close()
        return len(data)
    except OSError as error:
        sock.close()
        return error.args[0]


def main(settings):
    context = make_context(settings)
    # Two servers take turns, so that one is already listening while the other is reopened.
    addresses = [socket.getaddrinfo("127.0.0.1", port)[0][-1] for port in settings["ports"]]
    times = []
    results = []
    for turn in range(settings["count"]):
        started = time.ticks_us()
        result = 111
        while result == 111:  # ECONNREFUSED: not listening yet
            result = connect_once(context, settings, addresses[turn % len(addresses)])
        times.append(time.ticks_diff(time.ticks_us(), started))
        results.append(result)
    print(json.dumps({"us": times, "results": sorted(set(results))}))


main(json.loads(SETTINGS))  # noqa: F821 - prepended to this file
