"""A Redis server over TLS on loopback: the round trip that ours is compared with."""

import shutil
import socket
import ssl
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

from protocol.certificates import Role, create_authority_certificate, issue_certificate, to_pem
from protocol.signatures import SigningKey


class RedisOverTls:
    """Started in a folder of its own; ends with `close`."""

    def __init__(self, folder: Path) -> None:
        server = shutil.which("redis-server")
        if server is None:
            raise SystemExit("redis-server is missing: run `make bench`, which installs it.")
        folder.mkdir(parents=True)
        authority, key = SigningKey(b"a" * 32), SigningKey(b"k" * 32)
        now = datetime.now(UTC)
        authority_der = create_authority_certificate(authority, now)
        certificate = issue_certificate(authority, authority_der, key.public, Role.LOCATOR, None, now)
        (folder / "key.pem").write_bytes(key.pem(None))
        (folder / "cert.pem").write_text(to_pem(certificate))
        (folder / "ca.pem").write_text(to_pem(authority_der))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        settings = [
            "--port",
            "0",
            "--tls-port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(folder),
        ]
        files = ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-ca-cert-file", "ca.pem"]
        self._process = subprocess.Popen(
            [server, *settings, *files, "--tls-auth-clients", "no"], cwd=folder, stdout=subprocess.DEVNULL
        )
        self._connection = self._connect()

    def _connect(self) -> ssl.SSLSocket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        deadline = time.monotonic() + 10
        while True:
            try:
                plain = socket.create_connection(("127.0.0.1", self.port), timeout=5)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return context.wrap_socket(plain)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def round_trips(self, count: int) -> list[float]:
        """Return the seconds of each of `count` GETs of a value of 200 bytes, one after the other."""
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
        self._process.terminate()
        self._process.wait(10)
