"""Attachments as kept and as told: what all parts of this folder ask of the database, the screen and the disk."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from peer.entries.conversation import Conversation
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import Event
from peer.services.conversations import Conversations
from peer.storage import attachments, messages
from peer.storage.attachments import AttachmentRow
from peer.storage.database import Connection, Database
from peer.storage.messages import MessageRow
from peer.views import EntryId, MessageView

P = ParamSpec("P")
Result = TypeVar("Result")


class Records:
    """Finds and keeps attachments, and tells of them."""

    def __init__(
        self, database: Database, conversations: Conversations, events: EventStream, landing: Executor
    ) -> None:
        """`landing` is the thread on which files are looked at, moved and removed; whoever made it closes it."""
        self.database = database
        self.landing = landing
        self._conversations = conversations
        self._events = events

    async def find(self, entry: EntryId) -> MessageRow:
        """Return the message of an attachment; raise Refusal if there is none of this name."""
        message = await self.database.read(lambda c: messages.find_message(c, entry))
        if message is None or message.attachment is None:
            raise _gone()
        return message

    async def save(self, message: MessageRow, row: AttachmentRow) -> MessageRow:
        """Keep how an attachment stands now; return its message with that, as it is by now.

        Raises Refusal if the message was deleted meanwhile, or is shown no more; it was kept all the same.
        """

        def job(connection: Connection) -> MessageRow | None:
            attachments.save(connection, row)
            return messages.find_message(connection, message.entry)

        def remember(now: MessageRow | None) -> None:
            if now is not None:
                self.conversation_of(now).note_change(now)

        now = await self.database.write(job, remember, own=True)
        if now is None or now.attachment is None:
            raise _gone()
        return now

    def conversation_of(self, message: MessageRow) -> Conversation:
        """Return where a message stands."""
        return next(c for c in self._conversations.all() if c.kept.row == message.conversation)

    def view(self, message: MessageRow) -> MessageView:
        """Return a message ready for the screen."""
        return self._conversations.message_view(self.conversation_of(message), message)

    def tell(self, event: Callable[[MessageView], Event], message: MessageRow) -> None:
        """Tell that something happened to an attachment."""
        self._events.tell(event(self.view(message)))

    async def on_disk(self, work: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        """Do something that asks the disk, on the thread for it."""
        return await asyncio.get_running_loop().run_in_executor(self.landing, partial(work, *args, **kwargs))


def _gone() -> Refusal:
    return Refusal(RefusalCode.UNKNOWN_ENTRY, "There is no such file.")


def path_as_text(path: Path) -> str:
    """Return a path as it is kept; raise Refusal for one that is no text, as file systems here and there allow."""
    text = str(path)
    if "\0" in text or text.encode(errors="replace").decode() != text:
        raise Refusal(
            RefusalCode.BAD_NAME, "There is a name in this path that is no text. Choose another one, or rename it."
        )
    return text


class Tasks:
    """Keeps what goes on by itself, so that it is ended at the end."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def keep(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """Begin it. It ends quietly if the message that it is about is deleted meanwhile."""
        task = asyncio.create_task(_unless_deleted(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def close(self) -> None:
        """End everything that is left."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


async def _unless_deleted(work: Coroutine[None, None, None]) -> None:
    try:
        await work
    except Refusal as refusal:
        if refusal.code is not RefusalCode.UNKNOWN_ENTRY:
            raise
