"""Syncthing's discovery server on loopback: it answers the same question, over HTTPS."""

import base64
import hashlib
import http.client
import json
import ssl
from pathlib import Path

from tests.bench.reference_server import Place, ReferenceServer, free_place
from tests.bench.server_certificate import write_certificate

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ADDRESSES = ["tcp://192.0.2.7:22000"]


class SyncthingDiscovery(ReferenceServer):
    """The server, and the one device that is announced to it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        write_certificate(folder)
        self.place: Place = free_place()
        where = ["-listen", f"{self.place[0]}:{self.place[1]}", "-replication-listen", "127.0.0.1:0"]
        super().__init__(folder, ["stdiscosrv", *where, "-cert", "cert.pem", "-key", "key.pem"], self.place)
        # It knows a device by its certificate, and any will do.
        self.device = device_id(ssl.PEM_cert_to_DER_cert((folder / "cert.pem").read_text()))
        self._announce(folder)

    def _announce(self, folder: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        connection = http.client.HTTPSConnection(*self.place, context=context, timeout=10)
        content = json.dumps({"addresses": ADDRESSES})
        connection.request("POST", "/v2/", content, {"Content-Type": "application/json"})
        status = connection.getresponse().status
        connection.close()
        if status != http.client.NO_CONTENT:
            self.close()
            raise SystemExit(f"stdiscosrv does not take an announcement: status {status}")


def device_id(certificate: bytes) -> str:
    """Return how Syncthing writes SHA-256 of a certificate: base32 in four groups, each with a check character."""
    text = base64.b32encode(hashlib.sha256(certificate).digest()).decode().rstrip("=")
    groups = [text[at : at + 13] for at in range(0, len(text), 13)]
    checked = "".join(group + _check_character(group) for group in groups)
    return "-".join(checked[at : at + 7] for at in range(0, len(checked), 7))


def _check_character(group: str) -> str:
    total = 0
    for place, character in enumerate(group):
        doubled = _ALPHABET.index(character) * (1 + place % 2)
        total += doubled // 32 + doubled % 32
    return _ALPHABET[-total % 32]
