"""A stand-in with the public signature of async_websocket_client.AsyncWebsocketClient: one text frame each way."""

import binascii
import os
import socket
import ssl


class AsyncWebsocketClient:
    """A WebSocket over TLS."""

    def __init__(self, ms_delay_for_read=5):
        self.sock = None

    async def handshake(self, uri, headers=(), keyfile=None, certfile=None, cafile=None, cert_reqs=0):
        host, port = uri.split("/")[2].split(":")
        cadata = None
        if cafile is not None:
            with open(cafile, "rb") as file:
                cadata = file.read()
        sock = socket.socket()
        sock.connect(socket.getaddrinfo(host, int(port))[0][-1])
        self.sock = ssl.wrap_socket(
            sock, key=keyfile, cert=certfile, cert_reqs=cert_reqs, cadata=cadata, server_hostname=host
        )
        key = binascii.b2a_base64(os.urandom(16)).strip()
        self.sock.write(b"GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" % host.encode())
        self.sock.write(b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n")
        line = self.sock.readline()
        if not line.startswith(b"HTTP/1.1 101 "):
            raise OSError(line)
        while line.strip():
            line = self.sock.readline()

    async def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        self.sock.write(bytes([0x81, 0x80 | len(data)]) + mask)
        self.sock.write(bytes([byte ^ mask[index % 4] for index, byte in enumerate(data)]))

    async def recv(self):
        head = self.sock.read(2)
        if len(head) < 2:
            return None
        size = head[1] if head[1] < 126 else int.from_bytes(self.sock.read(2), "big")
        return self.sock.read(size).decode()

    async def close(self):
        self.sock.close()
