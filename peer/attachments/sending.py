"""What is sent from here: kept at once, read and hashed, then written as an entry, in the order in which it was chosen.

From the moment it is kept it stands in its conversation, and a restart goes on with it. Small things are copied as soon
as they are chosen, also while a large one before them is being read; only the entries wait for each other.
"""

import asyncio
import logging
import os
import secrets
import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path

from peer import limits
from peer.attachments.outgoing import Outgoing, Sending, extent_of
from peer.attachments.records import Tasks, path_as_text
from peer.entries.conversation import Conversation
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import SendingWithdrawn, TransferFailed, TransferProgressed
from peer.pictures.picture_service import Pictures
from peer.pictures.tasks import PreparedPicture
from peer.services.conversations import Conversations, check_sendable
from peer.storage import attachments, sendings
from peer.storage.database import Connection, Database
from peer.transfers.preparing import Prepared, keep_copy, prepare
from peer.views import EntryId, MessageKind, MessageView
from protocol.identity import UserId
from protocol.limits import CAPTION_LENGTH

log = logging.getLogger(__name__)


class Sendings:
    """Everything of ours that has no entry yet."""

    def __init__(
        self,
        database: Database,
        conversations: Conversations,
        events: EventStream,
        tasks: Tasks,
        *,
        clock: Callable[[], datetime],
        worker: Callable[[str], Executor],
        me: UserId,
        name_of: Callable[[UserId], str],
        copies: Path,
        pictures: Pictures,
    ) -> None:
        """`copies` is the folder for what is copied when it is sent."""
        self._database = database
        self._conversations = conversations
        self._events = events
        self._tasks = tasks
        self._clock = clock
        self._small, self._large = worker("files"), worker("large files")
        self._me = me
        self._name_of = name_of
        self._copies = copies
        self._pictures = pictures
        self._all: dict[EntryId, Sending] = {}
        """In the order in which they were chosen."""
        self._last_place = 0
        self._is_closing = False

    async def start(self) -> None:
        """Go on with what was not written when the program ended."""
        known = {conversation.kept.row: conversation for conversation in self._conversations.all()}
        for row in await self._database.read(sendings.all_sendings):
            sending = Sending.from_row(row, known[row.conversation], self._folder_of(row.entry))
            self._all[row.entry] = sending
            self._last_place = max(self._last_place, row.written_at)
            if sending.refusal is None:
                self._tasks.keep(self._run(sending))

    def close(self) -> None:
        """Stop reading; what is not written is gone on with at the next start."""
        self._is_closing = True
        for sending in self._all.values():
            sending.is_cancelled = True
            sending.refuse(
                Refusal(RefusalCode.NOT_SIGNED_IN, "It was not sent yet: that goes on when you sign in again.")
            )
        self._small.shutdown(wait=False)
        self._large.shutdown(wait=False)

    # --- what a person asks for ------------------------------------------------------------------

    async def send(self, conversation: Conversation, outgoing: Outgoing) -> MessageView:
        """Read and hash, then write the entry; raise Refusal, and nothing was sent.

        Whoever stops waiting does not stop the sending.
        """
        if len(outgoing.caption) > CAPTION_LENGTH:
            raise Refusal(RefusalCode.TOO_LARGE, f"Keep what you say beside a file to {CAPTION_LENGTH} characters.")
        check_sendable(conversation, self._me, outgoing.caption)
        if "\0" in str(outgoing.path):
            raise Refusal(RefusalCode.NO_SUCH_FILE, "No file can have this name. Choose it again.")
        if len(self._all) >= limits.SENDINGS_WAITING:
            raise Refusal(RefusalCode.RATE_LIMITED, "Too many files wait to be sent. Send this one when some are.")
        answer: asyncio.Future[MessageView] = asyncio.get_running_loop().create_future()
        sending = Sending(
            EntryId(secrets.token_bytes(16)), conversation, outgoing, self._next_place(conversation), answer
        )
        row = sending.to_row()

        def begin(_: None) -> None:
            self._all[sending.entry] = sending
            self._tasks.keep(self._run(sending))

        try:
            await self._database.write(lambda c: sendings.add_sending(c, row), begin, own=True)
            return await answer
        finally:
            answer.cancel()

    async def cancel(self, entry: EntryId) -> MessageView | None:
        """Do not send it; None for what has its entry already, or was never known."""
        sending = self._all.get(entry)
        if sending is None:
            return None
        sending.is_cancelled = True
        sending.turn.set()
        await self._withdraw(sending, Refusal(RefusalCode.CANCELLED, "You took it back before it was sent."))
        return self._view(sending)

    async def retry(self, entry: EntryId) -> MessageView | None:
        """Try again to send what could not be sent; None as for `cancel`."""
        sending = self._all.get(entry)
        if sending is not None and sending.refusal is not None:
            await self._database.write(lambda c: sendings.put_refusal(c, entry, "", ""), own=True)
            sending.refusal, sending.done, sending.is_resumed = None, 0, True
            self._tasks.keep(self._run(sending))
            self._events.tell(TransferProgressed(self._view(sending)))
        return None if sending is None else self._view(sending)

    def views_in(self, conversation: Conversation) -> list[MessageView]:
        """Return what stands in a conversation without being written, oldest first."""
        return [self._view(sending) for sending in self._all.values() if sending.conversation is conversation]

    # --- one after the other ---------------------------------------------------------------------

    async def _run(self, sending: Sending) -> None:
        path = sending.copy or sending.outgoing.path
        sending.extent = await asyncio.get_running_loop().run_in_executor(self._small, extent_of, path)
        telling = self._tasks.keep(self._tell_how_far(sending))
        try:
            picture = await self._picture_of(sending)
            prepared = await self._prepare(sending, picture)
            if self._first_in(sending.conversation) is not sending:
                await self._secure(sending, prepared)
                await sending.turn.wait()
            message = await self._write(sending, prepared, picture)
        except Refusal as refusal:
            await self._failed(sending, refusal)
        except Exception:
            log.exception("a file could not be sent")
            await self._failed(sending, Refusal(RefusalCode.REFUSED, "It cannot be sent, for a reason in the log."))
        else:
            if sending.answer is not None and not sending.answer.done():
                sending.answer.set_result(message)
        finally:
            telling.cancel()
            self._give_turn(sending.conversation)

    async def _picture_of(self, sending: Sending) -> PreparedPicture | None:
        """Return what to send of a picture; None for what is sent as a file, such as a picture that none can show."""
        if not sending.outgoing.looks_like_picture:
            return None
        try:
            return await self._pictures.prepare(sending.copy or sending.outgoing.path)
        except Refusal:
            if sending.outgoing.kind is MessageKind.PICTURE:
                raise
            return None

    async def _prepare(self, sending: Sending, picture: PreparedPicture | None) -> Prepared:
        loop = asyncio.get_running_loop()
        folder, path, largest_copy = self._folder_of(sending.entry), sending.outgoing.path, limits.COPIED_BYTES
        if sending.copy is not None:
            path, largest_copy = sending.copy, 0
        else:
            if sending.is_resumed:
                await loop.run_in_executor(self._small, _remove, folder)
            if picture is not None:
                # What is sent is not what lies there, but the same pixels without the rest.
                path = await loop.run_in_executor(self._small, keep_copy, folder, path, picture.content)
                largest_copy = 0

        def progress(done: int) -> None:
            sending.done = done

        is_large = sending.extent.size > limits.COPIED_BYTES
        if is_large:
            path_as_text(path)  # it stays where it is, and that is kept
        thread = self._large if is_large else self._small
        return await loop.run_in_executor(
            thread, prepare, path, folder, lambda: sending.is_cancelled, progress, largest_copy
        )

    async def _secure(self, sending: Sending, prepared: Prepared) -> None:
        """Before it waits for others: from now on a restart needs the copy only, not what was chosen."""
        if prepared.path.parent == self._folder_of(sending.entry) and not prepared.files and sending.copy is None:
            path = os.fsencode(prepared.path)
            await self._database.write(lambda c: sendings.put_path(c, sending.entry, path), own=True)
            sending.copy = prepared.path

    async def _write(self, sending: Sending, prepared: Prepared, picture: PreparedPicture | None) -> MessageView:
        if sending.is_cancelled:
            raise Refusal(RefusalCode.CANCELLED, "You took it back before it was sent.")
        conversation = sending.conversation
        check_sendable(conversation, self._me, sending.outgoing.caption)  # it may have changed while this was read
        body = sending.body(prepared, picture)

        def beside(connection: Connection) -> None:
            sendings.remove_sending(connection, sending.entry)
            attachments.add_own(
                connection, conversation.kept.row, body, prepared.table, str(prepared.path), prepared.mark
            )

        # Nobody may see it twice: from here on the entry stands for it.
        del self._all[sending.entry]
        try:
            happened = await self._conversations.write(conversation, lambda *_: body, beside=beside)
        except BaseException:
            self._all[sending.entry] = sending
            raise
        return self._conversations.message_view(conversation, happened.messages[0])

    def _first_in(self, conversation: Conversation) -> Sending | None:
        mine = (each for each in self._all.values() if each.conversation is conversation and each.refusal is None)
        return next(mine, None)

    def _give_turn(self, conversation: Conversation) -> None:
        first = self._first_in(conversation)
        if first is not None:
            first.turn.set()

    # --- what cannot be sent ---------------------------------------------------------------------

    async def _failed(self, sending: Sending, refusal: Refusal) -> None:
        """Tell whoever waits; where nobody does, let it stand in its conversation with the reason."""
        if self._is_closing or sending.entry not in self._all:
            return
        if sending.is_cancelled or sending.has_caller:
            await self._withdraw(sending, refusal)
            return
        sending.refusal = refusal
        code, reason = refusal.code.value, refusal.message
        await self._database.write(lambda c: sendings.put_refusal(c, sending.entry, code, reason), own=True)
        self._events.tell(TransferFailed(self._view(sending)))

    async def _withdraw(self, sending: Sending, refusal: Refusal) -> None:
        """Let it stand in its conversation no more."""
        if self._all.pop(sending.entry, None) is None:
            return
        sending.refusal = refusal
        await self._database.write(lambda c: sendings.remove_sending(c, sending.entry), own=True)
        self._events.tell(SendingWithdrawn(self._view(sending)))
        sending.refuse(refusal)
        self._give_turn(sending.conversation)
        await asyncio.get_running_loop().run_in_executor(self._small, _remove, self._folder_of(sending.entry))

    # --- inside ----------------------------------------------------------------------------------

    async def _tell_how_far(self, sending: Sending) -> None:
        """Show what takes its time or waits; a small file is written before anybody needs to see that it is read."""
        if sending.extent.size <= limits.COPIED_BYTES and self._first_in(sending.conversation) is sending:
            await asyncio.sleep(limits.TRANSFER_TELL_SECONDS)
        told: MessageView | None = None
        while True:
            sending.meter.note(asyncio.get_running_loop().time(), sending.done)
            view = self._view(sending)
            if view != told and sending.entry in self._all:
                told = view
                self._events.tell(TransferProgressed(view))
            await asyncio.sleep(limits.TRANSFER_TELL_SECONDS)

    def _next_place(self, conversation: Conversation) -> int:
        """Return where the next one stands in its conversation: below all that is there now."""
        last = conversation.last.stamp if conversation.last is not None else 0
        now = int(self._clock().timestamp() * 1000)
        self._last_place = max(now, last + 1, self._last_place + 1)
        return self._last_place

    def _view(self, sending: Sending) -> MessageView:
        return sending.view(self._me, self._name_of(self._me))

    def _folder_of(self, entry: EntryId) -> Path:
        return self._copies / entry.hex()


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
