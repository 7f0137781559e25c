"""Has one attachment come: keeps its sources busy, gives up bad ones, and waits while there are none.

On the loop. What it finds out goes to its `Office`; bytes are moved by `Pull`, on threads.
"""

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar

from peer import limits
from peer.errors import Refusal, RefusalCode
from peer.links.link_book import Caller
from peer.storage.messages import MessageRow
from peer.transfers.disk_errors import refusal_for_writing
from peer.transfers.download import Download
from peer.transfers.pulling import Pull, PullEnd
from peer.transfers.sources import Source, can_give, ready_ones, slow_ones
from peer.transfers.speed import SpeedMeter
from peer.transfers.threads import TransferThreads
from protocol.entries import Attachment
from protocol.identity import ConversationId, DeviceId, UserId
from protocol.manifests import PieceTable
from protocol.piece_sets import PieceSet

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Office(Protocol):
    """What a fetch needs of the account."""

    def dial_for_files(self, user: UserId) -> Callable[[], socket.socket]:
        """Return how to connect to somebody's port, on a thread."""

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        """Raise RemoteProtocolError unless the other side is the one that was called."""

    async def make_download(self, fetch: "Fetch", table: PieceTable, encoded: bytes) -> Download:
        """Keep a table, and return where the pieces go, with those that are there; raise OSError."""

    async def all_came(self, fetch: "Fetch") -> None:
        """Let it appear under its name; raise OSError."""

    async def keep_pieces(self, fetch: "Fetch") -> None:
        """Keep which pieces are there."""

    def progressed(self, fetch: "Fetch") -> None:
        """It came further, or waits."""

    def failed(self, fetch: "Fetch", refusal: Refusal) -> None:
        """It cannot go on by itself."""


class Fetch:
    """One attachment that is wanted here."""

    def __init__(
        self,
        message: MessageRow,
        conversation: ConversationId,
        office: Office,
        threads: TransferThreads,
        context: ssl.SSLContext,
        worker: Executor,
        chance: random.Random,
    ) -> None:
        assert message.attachment is not None
        self.message = message
        self.conversation = conversation
        self.body: Attachment = message.attachment.body
        self.row = message.attachment
        """As it stands now, but for what only matters while it moves."""
        self.download: Download | None = None
        self.has_landed = False
        """Whether everything was found under its name already."""
        self.meter = SpeedMeter()
        self.waiting_for: tuple[RefusalCode, str] | None = None
        """Why nothing moves."""
        self.is_over = False
        self.is_dropped = False
        """Whether its message was deleted: nothing is told any more."""
        self._office = office
        self._threads = threads
        self._context = context
        self._worker = worker
        self._chance = chance
        self.liars: dict[DeviceId, UserId] = {}
        """Who broke the rules or gave something else; nothing is taken from them any more."""
        self._sources: dict[DeviceId, Source] = {}
        self._pulls: set[Pull] = set()
        self._pull_has_ended = asyncio.Event()
        self._making: asyncio.Future[Download] | None = None
        self._is_landing = False
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._landing: asyncio.Task[None] | None = None

    # --- what the account calls ----------------------------------------------------------------

    def start(self, table: PieceTable | None, encoded: bytes) -> None:
        """Begin; with the piece table if it was fetched before."""
        self._task = asyncio.create_task(self._run(table, encoded), name=f"fetching {self.body.entry_id.hex()[:8]}")

    async def stop(self) -> None:
        """End it; what has come is kept."""
        self.is_over = True
        await self._stop_pulls()
        tasks = [
            task for task in (self._task, self._landing) if task is not None and task is not asyncio.current_task()
        ]
        if self._task is not None and self._task in tasks:
            self._task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def heard(self, user: UserId, device: DeviceId, pieces: PieceSet) -> None:
        """A device told what it has."""
        if device in self.liars:
            return
        source = self._sources.get(device)
        if source is None:
            source = self._sources[device] = Source(user, device, pieces)
        source.pieces = pieces
        if source.pull is None and not source.failures:
            source.retry_at = 0.0
        if self.download is not None:
            self.download.set_source(device, pieces)
        self._wake.set()

    def lost(self, device: DeviceId) -> None:
        """A device went, or has nothing any more."""
        source = self._sources.pop(device, None)
        if source is not None:
            if source.pull is not None:
                source.pull.stop()
            if self.download is not None:
                self.download.drop_source(device)
            self._wake.set()

    @property
    def has_sources(self) -> bool:
        """Whether anybody is there to be asked."""
        return bool(self._sources)

    @property
    def is_loading(self) -> bool:
        """Whether pieces are coming."""
        return any(source.pull is not None and source.pull.is_connected for source in self._sources.values())

    @property
    def done(self) -> int:
        """Bytes here, verified."""
        return self.download.bytes_held if self.download is not None else 0

    # --- inside ----------------------------------------------------------------------------------

    async def _run(self, table: PieceTable | None, encoded: bytes) -> None:
        try:
            if table is not None:
                await self._make_download(table, encoded)
            told: tuple[bool, int] | None = None
            kept = self.done
            while not self.is_over and not self._is_landing:
                self._note_speed()
                self._give_up_slow_ones()
                self._fill()
                if told != (self.is_loading, self.done):
                    told = (self.is_loading, self.done)
                    self._office.progressed(self)
                if self.done != kept:
                    kept = self.done
                    await self._office.keep_pieces(self)
                await self._pause()
        except OSError as error:
            self.fail(refusal_for_writing(error))
        except Refusal as refusal:
            self.fail(refusal)

    async def _pause(self) -> None:
        self._wake.clear()
        if not self._sources:
            self.meter = SpeedMeter()
            await self._wake.wait()
            return
        try:
            async with asyncio.timeout(limits.TRANSFER_TELL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return
        # Woken by news of a source: what is told and kept keeps its pace all the same.
        self._fill()
        await asyncio.sleep(limits.TRANSFER_TELL_SECONDS / 5)

    async def _make_download(self, table: PieceTable, encoded: bytes) -> Download:
        """Make it once, whoever comes first with the table."""
        if self._making is None:
            self._making = asyncio.ensure_future(self._office.make_download(self, table, encoded))
            try:
                download = await self._making
            except BaseException:
                self._making = None
                raise
            self.download = download
            for source in self._sources.values():
                download.set_source(source.device, source.pieces)
            if self.is_over:
                download.stop()
            elif download.is_complete:
                self._land()
            self._wake.set()
            return download
        return await asyncio.shield(self._making)

    def _fill(self) -> None:
        """Have every source that can give something be asked, as far as threads reach."""
        if self.is_over or self._is_landing:
            return
        running = len(self._pulls)
        most = limits.SOURCES_PER_TRANSFER if self.download is not None else 1
        for source in ready_ones(self._sources.values(), self.download, self._loop.time(), self._chance):
            if running >= most or not self._start_pull(source):
                break
            running += 1
        self._say_why_it_waits(running)

    def _say_why_it_waits(self, running: int) -> None:
        if running:
            self.waiting_for = None
        elif self.liars and not self.has_sources:
            self.waiting_for = (
                RefusalCode.WRONG_CONTENT,
                "What came is not what was sent and was thrown away. It comes by itself from the next who has it.",
            )
        elif not self.has_sources:
            self.waiting_for = (
                RefusalCode.NOBODY_HAS_IT,
                "Nobody who has this file is there. It comes by itself as soon as somebody is.",
            )
        elif not any(can_give(source, self.download) for source in self._sources.values()):
            self.waiting_for = (
                RefusalCode.NOBODY_HAS_IT,
                "Nobody who is there has the rest of this file. It comes by itself as soon as somebody is.",
            )
        elif not self._threads.has_room:
            self.waiting_for = (RefusalCode.RATE_LIMITED, "Other files come first. This one follows by itself.")
        else:
            self.waiting_for = (
                RefusalCode.OFFLINE,
                "Whoever has this file cannot be reached at the moment. Hail tries again by itself.",
            )

    def _start_pull(self, source: Source) -> bool:
        manager = _ManagerOnLoop(self, source, self._loop)
        pull = Pull(
            self.conversation,
            self.body,
            source.device,
            self._office.dial_for_files(source.user),
            self._context,
            manager,
            self.download,
            lambda _: self._on_loop(self._land),
        )

        def work() -> None:
            end = PullEnd.LOST
            try:
                end = pull.run()
            finally:
                self._on_loop(lambda: self._pull_ended(source, pull, end))

        if not self._threads.start(work):
            return False
        source.pull = pull
        self._pulls.add(pull)
        source.meter = SpeedMeter()
        return True

    def _on_loop(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            log.debug("a transfer ended after its loop")

    def _pull_ended(self, source: Source, pull: Pull, end: PullEnd) -> None:
        source.pull = None
        self._pulls.discard(pull)
        self._pull_has_ended.set()
        if self.is_over or self._is_landing:
            return
        now = self._loop.time()
        source.is_slow = end is PullEnd.SLOW
        if pull.got and not source.is_slow:
            source.failures = 0
        match end:
            case PullEnd.DONE:
                source.retry_at = now
            case PullEnd.BUSY if pull.refusal is RefusalCode.RATE_LIMITED:
                source.retry_at = now + limits.BUSY_SOURCE_SECONDS * self._chance.uniform(0.5, 1.5)
            case PullEnd.LOST | PullEnd.BUSY | PullEnd.STOPPED:
                source.retry_at = now + self._wait_after_failure(source)
            case PullEnd.SLOW:
                source.retry_at = now + limits.SLOW_SOURCE_RESTS_SECONDS
            case PullEnd.LIED:
                self._ban(source)
            case PullEnd.DISK:
                assert pull.error is not None
                self.fail(pull.error if isinstance(pull.error, Refusal) else refusal_for_writing(pull.error))
                return
        self._wake.set()

    def _wait_after_failure(self, source: Source) -> float:
        wait = min(limits.FIRST_SOURCE_RETRY_SECONDS * 2**source.failures, limits.LAST_SOURCE_RETRY_SECONDS)
        source.failures += 1
        return float(wait * self._chance.uniform(0.5, 1.0))

    def _ban(self, source: Source) -> None:
        self.liars[source.device] = source.user
        self._sources.pop(source.device, None)
        if self.download is not None:
            self.download.drop_source(source.device)
        self._say_why_it_waits(len(self._pulls))
        self._office.progressed(self)

    def _note_speed(self) -> None:
        now = self._loop.time()
        self.meter.note(now, self.done)
        for source in self._sources.values():
            if source.pull is not None and (self.download is None or self.download.bytes_asked_of(source.device)):
                source.meter.note(now, source.pull.got)

    def _give_up_slow_ones(self) -> None:
        for source in slow_ones(self._sources.values(), self.download):
            log.info("%s gives only %.0f bytes a second", source.user, source.meter.bytes_per_second)
            assert source.pull is not None
            source.pull.stop(is_slow=True)

    def _land(self) -> None:
        if self._is_landing or self.is_over:
            return
        self._is_landing = True
        self._wake.set()
        self._landing = asyncio.create_task(self._land_now(), name="landing")

    async def _land_now(self) -> None:
        await self._stop_pulls()
        try:
            await self._office.all_came(self)
        except OSError as error:
            self.fail(refusal_for_writing(error))
        except Refusal as refusal:
            self.fail(refusal)

    def fail(self, refusal: Refusal) -> None:
        """End it with a reason; a person may begin it again."""
        if not self.is_over:
            self.is_over = True
            self._wake.set()
            self._halt_pulls()
            self._office.failed(self, refusal)

    def _halt_pulls(self) -> None:
        if self.download is not None:
            self.download.stop()
        for pull in self._pulls:
            pull.stop()

    async def _stop_pulls(self) -> None:
        """End all pulling, and wait until no thread has the files open."""
        self._halt_pulls()
        while any(pull.is_connected for pull in self._pulls):  # the others have no file open, and will open none
            self._pull_has_ended.clear()
            await self._pull_has_ended.wait()


class _ManagerOnLoop:
    """See `Manager`: asks the loop from a thread."""

    def __init__(self, fetch: Fetch, source: Source, loop: asyncio.AbstractEventLoop) -> None:
        self._fetch = fetch
        self._source = source
        self._loop = loop

    def check(self, certificate: bytes) -> None:
        """See `Manager.check`."""
        self._ask(self._check(certificate))

    def download_for(self, table: PieceTable, encoded: bytes) -> Download:
        """See `Manager.download_for`."""
        return self._ask(self._fetch._make_download(table, encoded))  # noqa: SLF001 - its own right hand

    async def _check(self, certificate: bytes) -> None:
        self._fetch._office.admit_for_files(certificate, (self._source.user, self._source.device))  # noqa: SLF001

    def _ask(self, work: Coroutine[Any, Any, Result]) -> Result:
        try:
            asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()  # the loop was closed meanwhile
            raise
        return asked.result(limits.LOOP_ANSWER_SECONDS)
