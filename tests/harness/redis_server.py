"""A real `redis-server` in a folder of its own, on a free port, that a test can stop, kill and suspend."""

import ipaddress
import shutil
import signal
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PATIENCE = 10.0
HOST = "127.0.0.1"


class RedisServer:
    """Keeps what it holds in an append-only file; with TLS it shows a certificate of a throw-away authority."""

    def __init__(self, folder: Path, *, password: str = "", with_tls: bool = False, append_only: bool = True) -> None:
        server = shutil.which("redis-server")
        assert server is not None, "redis-server is missing: `make setup` installs it"
        folder.mkdir(parents=True)
        with socket.create_server((HOST, 0)) as probe:
            self.port = probe.getsockname()[1]
        self.password = password
        scheme, options = ("rediss", f"?ssl_ca_certs={folder / 'ca.pem'}") if with_tls else ("redis", "")
        self.url = f"{scheme}://{f':{password}@' if password else ''}{HOST}:{self.port}/0{options}"
        words = ["--port", str(0 if with_tls else self.port), "--bind", HOST, "--save", "", "--dir", str(folder)]
        words += ["--appendonly", "yes" if append_only else "no"]
        if password:
            words += ["--requirepass", password]
        if with_tls:
            _write_certificates(folder)
            words += ["--tls-port", str(self.port), "--tls-auth-clients", "no"]
            words += ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-ca-cert-file", "ca.pem"]
        self._command = [server, *words]
        self.folder = folder
        self.process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        """Start it (again), and wait until it answers."""
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(self._command, cwd=self.folder, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with self.client() as client:
                    client.ping()
                    return
            except redis.RedisError:
                assert time.monotonic() < deadline, (self.folder / "redis.log").read_text()
                time.sleep(0.05)

    def client(self) -> redis.Redis:
        """Return a client of the tests' own."""
        return redis.Redis.from_url(self.url)

    def suspend(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.resume()
            self.process.terminate()
            self.process.wait(PATIENCE)


def _write_certificates(folder: Path) -> None:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away")])
    now = datetime.now(UTC)

    def begin(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
        )

    authority = begin(ca_name, ca_key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    own_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
    place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
    own = begin(own_name, key.public_key()).add_extension(place, critical=False)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "ca.pem").write_bytes(authority.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    (folder / "cert.pem").write_bytes(own.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
