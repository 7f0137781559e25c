"""Sources of one file on loopback, which give as a test wants: real connections, certificates and threads."""

import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from peer.transfers.file_connection import FileConnection
from protocol.certificates import Role, create_authority_certificate, issue_certificate, to_pem
from protocol.entries import Attachment
from protocol.file_messages import ALPN, Coming, WantPieces, WantTable
from protocol.identity import ConversationId, EntryId, UserId
from protocol.manifests import FileLine, PieceTable, encode_table, new_hasher, piece_bytes_for, piece_length, root_of
from protocol.signatures import SigningKey

CONVERSATION = ConversationId(bytes(32))
_NOW = datetime(2026, 11, 3, tzinfo=UTC)
_AUTHORITY = SigningKey(b"a" * 32)
_AUTHORITY_DER = create_authority_certificate(_AUTHORITY, _NOW)
_STEP = 16 * 1024


def hash_of(data: bytes) -> bytes:
    hasher = new_hasher()
    hasher.update(data)
    return hasher.digest()


class Offer:
    """A content, and what proves it."""

    def __init__(self, content: bytes) -> None:
        self.content, self.size = content, len(content)
        step = piece_bytes_for(self.size)
        hashes = b"".join(hash_of(content[at : at + step]) for at in range(0, self.size, step))
        self.table = PieceTable(step, hashes, (FileLine("", self.size),))
        self.encoded = encode_table(self.table)
        self.body = Attachment(
            EntryId(b"e" * 16), bytes(16), "file", "x.bin", self.size, 0, root_of(self.encoded), len(self.encoded)
        )

    def piece(self, piece: int) -> bytes:
        start = piece * self.table.piece_bytes
        return self.content[start : start + piece_length(self.size, piece)]


def context(seed: bytes, *, is_server: bool) -> ssl.SSLContext:
    """Return what a device needs for file connections; its user is called like its seed, one letter."""
    key = SigningKey(seed * 32)
    certificate = issue_certificate(_AUTHORITY, _AUTHORITY_DER, key.public, Role.USER, UserId(seed.decode()), _NOW)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=to_pem(_AUTHORITY_DER))
    made.set_alpn_protocols([ALPN])
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder) / "key.pem"
        pem.write_bytes(key.pem(None) + to_pem(certificate).encode())
        made.load_cert_chain(pem)
    return made


Behaviour = Callable[[FileConnection], None]
Spoil = Callable[[int, bytes], bytes]


@dataclass
class Giver:
    """Answers honestly, at a pace; may spoil what it gives."""

    offer: Offer
    bytes_per_second: float = float("inf")
    spoil: Spoil = lambda _, data: data
    given: int = field(default=0, init=False)
    """Bytes of content that went out."""

    def __call__(self, connection: FileConnection) -> None:
        while (request := connection.hear()) is not None:
            if isinstance(request, WantTable):
                connection.say(Coming(len(self.offer.encoded)))
                connection.give(memoryview(self.offer.encoded))
            elif isinstance(request, WantPieces):
                pieces = range(request.first, request.first + request.count)
                connection.say(Coming(sum(piece_length(self.offer.size, piece) for piece in pieces)))
                for piece in pieces:
                    self._give(connection, memoryview(self.spoil(piece, self.offer.piece(piece))))

    def _give(self, connection: FileConnection, data: memoryview) -> None:
        for at in range(0, len(data), _STEP):
            step = data[at : at + _STEP]
            connection.give(step)
            self.given += len(step)
            time.sleep(len(step) / self.bytes_per_second)


class RunningSource:
    """Listens, and answers each connection in a thread of its own."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave
        self._context = context(b"s", is_server=True)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._open: list[FileConnection] = []
        self.connections = 0
        self._threads[0].start()

    def dial(self) -> socket.socket:
        return socket.create_connection(self._server.getsockname(), 5)

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self._threads.append(threading.Thread(target=self._answer, args=(raw,), daemon=True))
            self._threads[-1].start()

    def _answer(self, raw: socket.socket) -> None:
        try:
            connection = FileConnection(raw, self._context, is_server=True)
        except OSError:
            return
        self._open.append(connection)
        try:
            self._behave(connection)
        except OSError:
            pass  # the other side has had enough
        finally:
            connection.close()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._open:
            connection.abort()
        for thread in self._threads:
            thread.join(10)
