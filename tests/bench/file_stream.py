"""Our own stream, without the programs around it: the server's threads in one process, a pulling thread here.

Everything that is done to bytes is done (read, hashed and checked, sealed, opened, hashed and checked), but what comes
is dropped, as the plain sockets beside it drop it.
"""

import asyncio
import random
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

from peer.errors import RefusalCode
from peer.links.link_book import Caller
from peer.transfers.download import Download
from peer.transfers.preparing import prepare
from peer.transfers.pulling import Pull, PullEnd
from peer.transfers.serving import FileServer, Served
from protocol.entries import Attachment
from protocol.file_messages import ALPN
from protocol.identity import ConversationId, DeviceId, EntryId, UserId
from protocol.manifests import PieceTable, read_table
from protocol.piece_sets import PieceSet
from tests.bench.server_certificate import write_certificate

_CONVERSATION = ConversationId(bytes(32))
_SINK = Path("/dev/null")


class FileStream:
    """A process that serves one file by `hail-file/1`; the receiver is here, and keeps nothing."""

    def __init__(self, folder: Path, file: Path) -> None:
        folder.mkdir(parents=True)
        write_certificate(folder)
        self._folder = folder
        self._body, self._table = _described(file)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.file_stream", str(folder), str(file)], stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def bytes_per_second(self) -> float:
        """Take everything once, from the connection's begin to the last verified byte."""
        size = self._body.size
        download = Download(self._table, [(_SINK, size)], _SINK, PieceSet(size), random.Random(1))
        download.set_source("server", PieceSet.complete(size))
        began = time.perf_counter()
        pull = Pull(
            _CONVERSATION,
            self._body,
            "server",
            lambda: socket.create_connection(("127.0.0.1", self._port), 10),
            _context(self._folder, is_server=False),
            _Trusting(),
            download,
            lambda _: None,
        )
        end = pull.run()
        taken = time.perf_counter() - began
        if end is not PullEnd.DONE or not download.is_complete:
            raise AssertionError(f"the stream ended as {end}")
        return size / taken

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


def _described(file: Path) -> tuple[Attachment, PieceTable]:
    found = prepare(file, file.with_name("copies"), lambda: False, lambda _: None, -1)
    body = Attachment(EntryId(bytes(16)), bytes(16), "file", "x", found.size, 0, found.root, len(found.table))
    return body, read_table(body, found.table)


class _Trusting:
    def check(self, certificate: bytes) -> None:
        assert certificate

    def download_for(self, table: PieceTable, encoded: bytes) -> Download:
        raise AssertionError("the table is here already")


class _Generous:
    """Lets everybody have the file."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        assert certificate or expected
        return Caller(UserId("bench"), DeviceId(bytes(32)))

    async def served(self, caller: Caller, conversation: ConversationId, entry: EntryId) -> Served | RefusalCode:
        assert (caller.user, conversation, len(entry)) == ("bench", _CONVERSATION, 16)
        return self._served

    def content_changed(self, entry: EntryId, served: Served) -> None:
        raise AssertionError(f"{served.parts} of {entry!r} changed")


def _context(folder: Path, *, is_server: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname, context.verify_mode = False, ssl.CERT_REQUIRED
    context.load_verify_locations(folder / "ca.pem")
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    context.set_alpn_protocols([ALPN])
    return context


async def _serve(folder: Path, file: Path) -> None:
    body, table = _described(file)
    judge = _Generous(Served(((file, body.size),), PieceSet.complete(body.size), b"", table, file.stat().st_mtime_ns))
    server = FileServer(judge, _context(folder, is_server=True))
    port = socket.create_server(("127.0.0.1", 0))
    port.setblocking(False)
    print(port.getsockname()[1], flush=True)
    while True:
        connection, _ = await asyncio.get_running_loop().sock_accept(port)
        server.take(connection)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2])))
