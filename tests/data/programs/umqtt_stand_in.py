"""A stand-in with the public signature of umqtt.simple.MQTTClient: quality of service 0 only. The tests choose a generation below."""

import socket

TAKES_PARAMS = True
TAKES_CONTEXT = True


class MQTTException(Exception):
    """The broker refused something."""


class _Client:
    def __init__(self, client_id, server, port, user, password, keepalive, ssl, ssl_params):
        self.client_id = client_id
        self.server = server
        self.port = port or (8883 if ssl else 1883)
        self.keepalive = keepalive
        self.ssl = ssl
        self.ssl_params = ssl_params
        self.sock = None
        self.cb = None

    def set_callback(self, function):
        self.cb = function

    def _wrapped(self, sock):
        if not self.ssl:
            return sock
        if TAKES_CONTEXT and self.ssl is not True:
            return self.ssl.wrap_socket(sock, server_hostname=self.server)
        import ssl

        return ssl.wrap_socket(sock, **self.ssl_params)

    def _packet(self, kind, body):
        size, field = len(body), b""
        while True:
            low = size & 127
            size >>= 7
            field += bytes([low | (128 if size else 0)])
            if not size:
                break
        self.sock.write(bytes([kind]) + field + body)

    def _text(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        return len(data).to_bytes(2, "big") + data

    def connect(self, clean_session=True):
        address = socket.getaddrinfo(self.server, self.port)[0][-1]
        sock = socket.socket()
        sock.connect(address)
        self.sock = self._wrapped(sock)
        flags = b"\x02" if clean_session else b"\x00"
        head = self._text(b"MQTT") + b"\x04" + flags + self.keepalive.to_bytes(2, "big")
        self._packet(0x10, head + self._text(self.client_id))
        answer = self.sock.read(4)
        if answer[3]:
            raise MQTTException(answer[3])
        return answer[2] & 1

    def subscribe(self, topic, qos=0):
        self._packet(0x82, b"\x00\x01" + self._text(topic) + bytes([qos]))
        answer = self.sock.read(5)
        if answer[4] == 0x80:
            raise MQTTException(answer[4])

    def publish(self, topic, msg, retain=False, qos=0):
        self._packet(0x31 if retain else 0x30, self._text(topic) + msg)

    def wait_msg(self):
        kind = self.sock.read(1)
        if kind == b"":
            raise OSError(-1)
        size = shift = 0
        while True:
            byte = self.sock.read(1)[0]
            size |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                break
        length = int.from_bytes(self.sock.read(2), "big")
        topic = self.sock.read(length)
        self.cb(topic, self.sock.read(size - 2 - length))

    def disconnect(self):
        self.sock.write(b"\xe0\x00")
        self.sock.close()


if TAKES_PARAMS:

    class MQTTClient(_Client):
        """Up to 1.3, and since 1.5."""

        def __init__(self, client_id, server, port=0, user=None, password=None, keepalive=0, ssl=None, ssl_params=None):
            super().__init__(client_id, server, port, user, password, keepalive, ssl, ssl_params or {})

else:

    class MQTTClient(_Client):
        """1.4."""

        def __init__(self, client_id, server, port=0, user=None, password=None, keepalive=0, ssl=None):
            super().__init__(client_id, server, port, user, password, keepalive, ssl, {})
