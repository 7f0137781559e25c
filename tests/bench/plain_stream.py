"""The references of the file benchmark: the same bytes over plain sockets, raw or TLS, from one process to another."""

import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.server_certificate import write_certificate

BUFFER_BYTES = 256 * 1024
_CONNECT_SECONDS = 10


class PlainStream:
    """A process that sends memory to whoever connects; the receiver is here, and keeps nothing."""

    def __init__(self, folder: Path, size: int, *, is_secured: bool) -> None:
        self._size = size
        self._is_secured = is_secured
        if is_secured:
            folder.mkdir(parents=True)
            write_certificate(folder)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.plain_stream", str(size), str(folder) if is_secured else ""],
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def bytes_per_second(self) -> float:
        """Take everything once, from the connection's begin to the last byte."""
        buffer = memoryview(bytearray(BUFFER_BYTES))
        began = time.perf_counter()
        connection = socket.create_connection(("127.0.0.1", self._port), _CONNECT_SECONDS)
        if self._is_secured:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = context.wrap_socket(connection)
        with connection:
            left = self._size
            while left:
                left -= connection.recv_into(buffer)
        return self._size / (time.perf_counter() - began)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


def _serve(size: int, folder: str) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    data = memoryview(bytes(BUFFER_BYTES))
    context = None
    if folder:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(Path(folder) / "cert.pem", Path(folder) / "key.pem")
    while True:
        connection, _ = server.accept()
        if context is not None:
            connection = context.wrap_socket(connection, server_side=True)
        with connection:
            for _ in range(size // BUFFER_BYTES):
                connection.sendall(data)
            connection.sendall(data[: size % BUFFER_BYTES])


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2])
