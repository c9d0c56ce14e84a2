"""The client's side of a WebSocket over TLS, as far as the benchmarks need one. Used by fairlead.py
and meshcentral.py."""

import base64
import secrets
import select
import socket
import struct

TEXT = 1
BINARY = 2
CLOSE = 8


class WebSocket:
    """Dials localhost at once. What it sends is one short frame; no wait has a deadline but
    `timeout`, in seconds."""

    def __init__(self, port, context, path, headers=(), timeout=60):
        plain = socket.create_connection(("127.0.0.1", port), timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = context.wrap_socket(plain, server_hostname="localhost")
        self.data = b""
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self.tls.sendall("\r\n".join((
            f"GET {path} HTTP/1.1", f"Host: localhost:{port}", "Upgrade: websocket",
            "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
            *headers, "\r\n")).encode())
        while b"\r\n\r\n" not in self.data:
            self.read()
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"{path}: {head.decode('latin-1')}")

    def read(self):
        data = self.tls.recv(65536)
        if not data:
            raise RuntimeError("the WebSocket ended")
        self.data += data

    def take(self, size):
        while len(self.data) < size:
            self.read()
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def receive(self):
        """The next frame: its opcode and its payload."""
        first, second = self.take(2)
        size = second & 127
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.take(8))[0]
        return first & 15, self.take(size)

    def drain(self):
        """Drops the frames that have arrived."""
        while self.data or self.tls.pending() or select.select([self.tls], [], [], 0)[0]:
            self.receive()

    def send(self, opcode, payload):
        size = len(payload)
        length = (struct.pack(">B", 0x80 | size) if size < 126 else
                  struct.pack(">BH", 0x80 | 126, size))
        # The mask is zero, which is as good as any here.
        self.tls.sendall(bytes([0x80 | opcode]) + length + b"\0\0\0\0" + payload)

    def send_text(self, text):
        self.send(TEXT, text.encode())

    def close(self):
        """Closes with 1000 and waits for the peer's end."""
        self.send(CLOSE, struct.pack(">H", 1000))
        while self.tls.recv(65536):
            pass
        self.tls.close()
