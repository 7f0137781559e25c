"""Fetches pieces from one source, on a thread of its own: connect, ask, verify, write."""

import logging
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from enum import Enum, auto
from typing import Protocol

from peer import limits as node_limits
from peer.errors import Refusal
from peer.transfers.content import Content
from peer.transfers.download import Download
from peer.transfers.file_connection import FileConnection
from protocol import limits
from protocol.entries import Attachment
from protocol.errors import RefusalCode, RemoteProtocolError
from protocol.file_messages import Coming, NotServed, WantPieces, WantTable
from protocol.identity import ConversationId
from protocol.manifests import PieceTable, new_hasher, piece_length, read_table
from protocol.registry import Message

log = logging.getLogger(__name__)


class PullEnd(Enum):
    """Why a source is not asked any more."""

    DONE = auto()
    """Nothing more to ask it for."""
    LOST = auto()
    """No connection, or it ended."""
    BUSY = auto()
    """It has nothing for us now."""
    SLOW = auto()
    LIED = auto()
    """What it sent is not what was signed, or it broke the rules."""
    DISK = auto()
    """Our own disk did not take it."""
    STOPPED = auto()
    """We ended it."""


class Manager(Protocol):
    """What a pulling thread needs of the loop; each call waits for its answer."""

    def check(self, certificate: bytes) -> None:
        """Raise RemoteProtocolError unless the other side is who it should be."""

    def download_for(self, table: PieceTable, encoded: bytes) -> Download:
        """Return where the pieces of a table that was just fetched go; raise OSError where they cannot go anywhere."""


class DiskError(Exception):
    """Our own disk did not take what came."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class Pull:
    """One source of one attachment."""

    def __init__(
        self,
        conversation: ConversationId,
        body: Attachment,
        source: Hashable,
        dial: Callable[[], socket.socket],
        context: ssl.SSLContext,
        manager: Manager,
        download: Download | None,
        on_complete: Callable[[Download], None],
    ) -> None:
        """`dial` gives a connected socket whose other side waits for the handshake, or raises OSError."""
        self._conversation = conversation
        self._body = body
        self._source = source
        self._dial = dial
        self._context = context
        self._manager = manager
        self._download = download
        self._on_complete = on_complete
        self._connection: FileConnection | None = None
        self._stopping = threading.Event()
        self.error: OSError | Refusal | None = None
        self.refusal: RefusalCode | None = None
        """Why the source did not give what it was asked for last."""
        self.got = 0
        """Bytes that came from this source."""
        self.got_of_piece = 0
        """Bytes of them that belong to a piece that is not complete."""
        self._began_at = time.monotonic()
        self._is_connected = False
        self._is_slow = False

    def stop(self, *, is_slow: bool = False) -> None:
        """End it, from the loop."""
        self._is_slow = is_slow
        self._stopping.set()
        if self._connection is not None:
            self._connection.abort()

    @property
    def is_connected(self) -> bool:
        """Whether the other side has proven who it is."""
        return self._is_connected

    @property
    def age(self) -> float:
        """Seconds since it was connected."""
        return time.monotonic() - self._began_at

    def run(self) -> PullEnd:
        """Fetch what there is; return why it ended."""
        try:
            end = self._run()
        except DiskError as error:
            self.error = error.error
            end = PullEnd.DISK
        except Refusal as refusal:
            self.error = refusal
            end = PullEnd.DISK
        except RemoteProtocolError as error:
            log.warning("a source of files is given up: %s", error)
            end = PullEnd.LIED
        except (OSError, TimeoutError, RuntimeError) as error:
            log.info("a source of files was lost: %s", str(error) or type(error).__name__)
            end = PullEnd.LOST
        finally:
            if self._download is not None:
                self._download.release(self._source)
            if self._connection is not None:
                self._connection.close()
        if self._stopping.is_set() and end is not PullEnd.DISK:
            return PullEnd.SLOW if self._is_slow else PullEnd.STOPPED
        return end

    def _run(self) -> PullEnd:
        raw = self._dial()
        if self._stopping.is_set():
            raw.close()
            return PullEnd.STOPPED
        self._connection = connection = FileConnection(raw, self._context, is_server=False)
        self._manager.check(connection.certificate)
        self._is_connected, self._began_at = True, time.monotonic()
        if self._stopping.is_set():
            return PullEnd.STOPPED
        connection.wait_at_most(limits.FILE_STALL_SECONDS)
        if self._download is None:
            encoded = self._fetch_table(connection)
            if encoded is None:
                return PullEnd.BUSY
            table = read_table(self._body, encoded)
            try:
                self._download = self._manager.download_for(table, encoded)
            except OSError as error:
                raise DiskError(error) from error
        with Content(self._download.parts, writing=True) as content:
            return self._fetch_pieces(connection, self._download, content)

    def _fetch_table(self, connection: FileConnection) -> bytes | None:
        connection.say(WantTable(self._conversation, self._body.entry_id))
        size = self._size_of_answer(connection.hear())
        if size is None:
            return None
        if size != self._body.table_bytes:
            raise RemoteProtocolError("a piece table of another length than was signed")
        encoded = bytearray(size)
        connection.take_into(memoryview(encoded))
        return bytes(encoded)

    def _fetch_pieces(self, connection: FileConnection, download: Download, content: Content) -> PullEnd:
        asked: deque[range] = deque()
        pieces = _PieceReader(connection, download, content, self, self._source)
        while not self._stopping.is_set():
            while len(asked) < node_limits.REQUESTS_AHEAD:
                run = download.take(self._source, wait=0.0 if asked else node_limits.NOTHING_TO_ASK_SECONDS)
                if not run:
                    break
                connection.say(WantPieces(self._conversation, self._body.entry_id, run[0], len(run)))
                asked.append(run)
            if not asked:
                return PullEnd.DONE
            run = asked.popleft()
            size = self._size_of_answer(connection.hear())
            if size is None:
                return PullEnd.BUSY
            if size != sum(piece_length(download.size, piece) for piece in run):
                raise RemoteProtocolError("another number of bytes than was asked for")
            for piece in run:
                if pieces.read(piece):
                    self._on_complete(download)
        return PullEnd.STOPPED

    def _size_of_answer(self, answer: Message | None) -> int | None:
        """Return how many bytes follow; None where none do."""
        match answer:
            case Coming():
                return answer.size
            case NotServed():
                self.refusal = RefusalCode.from_wire(answer.code)
                log.info("a source does not give: %s", self.refusal)
                return None
            case None:
                raise ConnectionResetError("the other side hung up")
            case _:
                raise RemoteProtocolError(f"{type(answer).__name__} of somebody who answers")


class _PieceReader:
    """Reads one piece after the other, and believes none that does not prove itself."""

    def __init__(
        self, connection: FileConnection, download: Download, content: Content, pull: Pull, source: Hashable
    ) -> None:
        self._connection = connection
        self._source = source
        self._download = download
        self._content = content
        self._pull = pull
        size = min(download.table.piece_bytes, node_limits.WHOLE_PIECE_BYTES)
        self._buffer = memoryview(bytearray(size))

    def read(self, piece: int) -> bool:
        """Take a piece; return whether everything is here by it. Raises RemoteProtocolError for a wrong one."""
        download, table = self._download, self._download.table
        length, start = piece_length(download.size, piece), piece * table.piece_bytes
        hasher = new_hasher()
        is_whole = length <= len(self._buffer)
        is_wanted = download.may_write(self._source, piece)
        done = 0
        while done < length:
            chunk = self._buffer[: min(length - done, len(self._buffer))]
            self._take(chunk, hasher.update)
            if not is_whole and is_wanted:
                self._write(start + done, chunk)
            done += len(chunk)
            self._pull.got_of_piece = done
        self._pull.got_of_piece = 0
        if hasher.digest() != table.hash_of(piece):
            raise RemoteProtocolError(f"piece {piece} is not what was signed")
        if is_whole and not download.is_here(piece):
            self._write(start, self._buffer[:length])
        if not is_whole and not is_wanted:
            download.passed_by(self._source, piece)
            return False
        return download.came(piece)

    def _take(self, chunk: memoryview, hash_them: Callable[[memoryview], object]) -> None:
        """Receive and hash in steps, so that the processor's cache still holds what is hashed."""
        for at in range(0, len(chunk), node_limits.FILE_BUFFER_BYTES):
            step = chunk[at : at + node_limits.FILE_BUFFER_BYTES]
            self._connection.take_into(step)
            hash_them(step)
            self._pull.got += len(step)

    def _write(self, start: int, data: memoryview) -> None:
        try:
            self._content.write_at(start, data)
        except OSError as error:
            raise DiskError(error) from error


def dial_any(addresses: Sequence[str], port: int, dial: Callable[[str, int], socket.socket]) -> socket.socket:
    """Return a socket connected to the first of several addresses that answers; raise OSError if none does."""
    failure = OSError("it is not known where they are")
    for address in addresses:
        try:
            return dial(address, port)
        except OSError as error:
            failure = error
    raise failure
