"""A server on a real socket that answers every request with the same bytes and hangs up."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Server:
    """Server that answers one connection after the other, in a thread of its own."""

    def __init__(self) -> None:
        self._answer = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def serve(self, answer: bytes) -> str:
        """Set the bytes of all following answers; return the address."""
        self._answer = answer
        return f"http://127.0.0.1:{self.port}/v1"

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection, suppress(OSError):
                # A client that waits for a longer body would hold up the next input.
                connection.settimeout(2)
                _read_request(connection)
                connection.sendall(self._answer)
                # Only this side is closed: closing both with bytes unread would reset the client's connection.
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass


def _read_request(connection: socket.socket) -> None:
    """Read a request to its end, so that hanging up is no reset."""
    data = b""
    while b"\r\n\r\n" not in data and (part := connection.recv(65536)):
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    missing = int(fields.get(b"Content-Length", b"0")) - len(body)
    while missing > 0 and (part := connection.recv(65536)):
        missing -= len(part)
