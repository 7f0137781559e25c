"""A Redis server on loopback, plain and over TLS: the round trips that ours are compared with."""

import socket
import ssl
import time
from pathlib import Path

from tests.bench.reference_server import Place, ReferenceServer, free_place
from tests.bench.server_certificate import write_certificate

MOST_CLIENTS = 10_100


class RedisServer(ReferenceServer):
    """One process that listens on two ports."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        write_certificate(folder)
        self.plain: Place = free_place()
        self.tls: Place = free_place()
        ports = ["--bind", "127.0.0.1", "--port", str(self.plain[1]), "--tls-port", str(self.tls[1])]
        files = ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-ca-cert-file", "ca.pem"]
        # Its protection takes nothing but 127.0.0.1 for this machine.
        kept = ["--save", "", "--maxclients", str(MOST_CLIENTS), "--protected-mode", "no"]
        super().__init__(folder, ["redis-server", *ports, *files, "--tls-auth-clients", "no", *kept], self.tls)


class RoundTrips:
    """One connection over TLS to a Redis server, asked one question after the other."""

    def __init__(self, server: RedisServer) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection(server.tls, timeout=5)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = context.wrap_socket(plain)

    def measure(self, count: int) -> list[float]:
        """Return the seconds of each of `count` GETs of a value of 200 bytes."""
        value = b"x" * 200
        self._connection.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$200\r\n" + value + b"\r\n")
        self._connection.recv(1024)
        taken = []
        for _ in range(count):
            start = time.perf_counter()
            self._connection.sendall(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")
            got = b""
            while not got.endswith(value + b"\r\n"):
                got += self._connection.recv(4096)
            taken.append(time.perf_counter() - start)
        return taken

    def close(self) -> None:
        self._connection.close()
