"""Gives content to whoever may have it: one thread a connection, each request judged anew by the loop."""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, Protocol, TypeVar

from peer import limits as node_limits
from peer.errors import RefusalCode
from peer.links.link_book import Caller
from peer.transfers.content import Content, Part
from peer.transfers.file_connection import FileConnection
from peer.transfers.threads import TransferThreads
from protocol import limits
from protocol.errors import RemoteProtocolError
from protocol.file_messages import Coming, NotServed, WantPieces, WantTable
from protocol.identity import ConversationId, DeviceId, EntryId, UserId
from protocol.manifests import PieceTable, new_hasher, piece_length
from protocol.piece_sets import PieceSet
from protocol.registry import Message

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Served(NamedTuple):
    """What somebody may have, at this moment."""

    parts: tuple[Part, ...]
    pieces: PieceSet
    encoded: bytes
    table: PieceTable
    mark: int
    """When the one file was last changed (ns); 0: not known."""


class Judge(Protocol):
    """Decides on the loop who may have what."""

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        """Return who it is; raise RemoteProtocolError for anybody who gets no files here."""

    async def served(self, caller: Caller, conversation: ConversationId, entry: EntryId) -> Served | RefusalCode:
        """Return what the caller may have of an attachment, or why it gets nothing."""

    def content_changed(self, entry: EntryId, served: Served) -> None:
        """What is on the disk is not what was sent."""


class FileServer:
    """Takes connections that said `HF1`; used on the loop only, but for what its threads run."""

    def __init__(self, judge: Judge, context: ssl.SSLContext) -> None:
        self._judge = judge
        self._context = context
        self._threads = TransferThreads(node_limits.SERVING_THREADS)
        self._open: set[_Serving] = set()
        self._places = Places()
        self._is_closed = False

    def take(self, raw: socket.socket) -> None:
        """Serve a connection, or hang up where too many are served."""
        serving = _Serving(raw, self._context, self._judge, self._places, asyncio.get_running_loop())
        if self._is_closed or not self._threads.start(lambda: self._run(serving)):
            raw.close()

    def _run(self, serving: "_Serving") -> None:
        self._open.add(serving)
        try:
            serving.run()
        finally:
            self._open.discard(serving)

    def hang_up(self) -> None:
        """End every connection, now."""
        for serving in tuple(self._open):
            serving.abort()

    def close(self) -> None:
        """End every connection, and take no more."""
        self._is_closed = True
        self.hang_up()


class Places:
    """Who is being given what: of one attachment only a few at once, so that the others take it from these."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[EntryId, set[object]] = {}

    def take(self, asker: object, entry: EntryId) -> bool:
        """Have a place until `leave`; return False where there is none now."""
        with self._lock:
            askers = self._taken.setdefault(entry, set())
            if asker not in askers and len(askers) >= node_limits.SERVED_AT_ONCE:
                return False
            askers.add(asker)
            return True

    def leave(self, asker: object) -> None:
        """Make room for others."""
        with self._lock:
            for entry, askers in list(self._taken.items()):
                askers.discard(asker)
                if not askers:
                    del self._taken[entry]


class _Serving:
    """One connection, from its handshake to its end, on a thread of its own."""

    def __init__(
        self,
        raw: socket.socket,
        context: ssl.SSLContext,
        judge: Judge,
        places: Places,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._places = places
        self._raw = raw
        self._context = context
        self._judge = judge
        self._loop = loop
        self._connection: FileConnection | None = None
        self._is_aborted = False
        self._buffer = memoryview(bytearray(node_limits.FILE_BUFFER_BYTES))

    def abort(self) -> None:
        """End it from another thread."""
        self._is_aborted = True
        if self._connection is not None:
            self._connection.abort()

    def run(self) -> None:
        try:
            self._connection = FileConnection(self._raw, self._context, is_server=True)
        except (OSError, RemoteProtocolError) as error:
            log.info("a file connection came to nothing: %s", error)
            return
        try:
            self._serve(self._connection)
        except RemoteProtocolError as error:
            log.warning("a file connection was refused: %s", error)
        except (OSError, TimeoutError, asyncio.CancelledError, RuntimeError) as error:
            # A RuntimeError is a loop that was closed meanwhile.
            log.debug("a file connection ended: %s", error)
        finally:
            self._places.leave(self)
            self._connection.close()

    def _serve(self, connection: FileConnection) -> None:
        certificate = connection.certificate
        caller = self._on_loop(_call(lambda: self._judge.admit_for_files(certificate, None)))
        while not self._is_aborted:
            connection.wait_at_most(limits.FILE_IDLE_SECONDS)
            request = connection.hear()
            if request is None:
                return
            connection.wait_at_most(limits.FILE_STALL_SECONDS)
            self._answer(connection, caller, request)

    def _answer(self, connection: FileConnection, caller: Caller, request: Message) -> None:
        if not isinstance(request, WantTable | WantPieces):
            raise RemoteProtocolError(f"{type(request).__name__} of somebody who asks")
        served = self._on_loop(self._judge.served(caller, request.conversation, request.entry))
        if isinstance(served, RefusalCode):
            connection.say(NotServed(served.value))
        elif isinstance(request, WantTable):
            connection.say(Coming(len(served.encoded)))
            connection.give(memoryview(served.encoded))
        elif not self._places.take(self, request.entry):
            connection.say(NotServed(RefusalCode.RATE_LIMITED.value))
        else:
            self._give_pieces(connection, request, served)

    def _give_pieces(self, connection: FileConnection, request: WantPieces, served: Served) -> None:
        wanted = range(request.first, request.first + request.count)
        if wanted[-1] >= served.pieces.pieces:
            connection.say(NotServed(RefusalCode.BAD_REQUEST.value))
            return
        if not all(piece in served.pieces for piece in wanted):
            connection.say(NotServed(RefusalCode.NOBODY_HAS_IT.value))
            return
        size = served.table.size
        try:
            with Content(served.parts) as content:
                _check_mark(content, served, wanted[0])
                connection.say(Coming(sum(piece_length(size, piece) for piece in wanted)))
                for piece in wanted:
                    self._give_piece(connection, content, served.table, piece, piece_length(size, piece))
        except _ChangedError as error:
            self._loop.call_soon_threadsafe(self._judge.content_changed, request.entry, served)
            if not error.is_under_way:
                connection.say(NotServed(RefusalCode.FILE_CHANGED.value))
                return
            raise ConnectionAbortedError("a file changed while it was being given") from error

    def _give_piece(
        self, connection: FileConnection, content: Content, table: PieceTable, piece: int, length: int
    ) -> None:
        """Give one piece; of a small one no byte goes out that was not checked."""
        start, hasher, left = piece * table.piece_bytes, new_hasher(), length
        while left:
            chunk = self._buffer[: min(left, len(self._buffer))]
            _read(content, start, chunk)
            hasher.update(chunk)
            left -= len(chunk)
            start += len(chunk)
            if not left and hasher.digest() != table.hash_of(piece):
                raise _ChangedError(is_under_way=True)
            connection.give(chunk)

    def _on_loop(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(node_limits.LOOP_ANSWER_SECONDS)


class _ChangedError(Exception):
    def __init__(self, *, is_under_way: bool = False) -> None:
        super().__init__()
        self.is_under_way = is_under_way


def _read(content: Content, start: int, chunk: memoryview) -> None:
    try:
        content.read_into(start, chunk)
    except (OSError, EOFError) as error:
        raise _ChangedError(is_under_way=True) from error


def _check_mark(content: Content, served: Served, piece: int) -> None:
    try:
        if served.mark and content.mark(piece * served.table.piece_bytes, 1) != served.mark:
            raise _ChangedError
    except OSError as error:
        raise _ChangedError from error


async def _call(work: Callable[[], Result]) -> Result:
    return work()
