"""Files, folders, pictures and voice messages of one account: the front of this folder, and what joins its parts."""

import random
import ssl
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from peer import limits
from peer.attachments.door import FileDoor, Readers
from peer.attachments.file_settings import FileSettings
from peer.attachments.forgetting import Forgetting
from peer.attachments.given import Given
from peer.attachments.here import Here
from peer.attachments.holdings import Holdings
from peer.attachments.outgoing import Outgoing
from peer.attachments.records import Records, Tasks
from peer.attachments.sending import Sendings
from peer.attachments.shared import find_shared, has_words
from peer.attachments.unasked import Unasked
from peer.attachments.wanted import Wanted
from peer.entries.attachment_view import attachment_view
from peer.entries.conversation import Conversation
from peer.entries.message_views import place_as_kept
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.links.link import Link
from peer.pictures.picture_service import Pictures
from peer.services.conversations import Conversations
from peer.storage.attachments import AttachmentRow
from peer.storage.database import Database
from peer.storage.messages import MessageRow
from peer.views import AttachmentView, EntryId, MessageView, SharedAt
from protocol.identity import UserId
from protocol.piece_sets import PieceSet
from protocol.transfer_states import TransferState


class Attachments:
    """What every attachment of the account is doing."""

    def __init__(
        self,
        database: Database,
        conversations: Conversations,
        events: EventStream,
        *,
        clock: Callable[[], datetime],
        worker: Callable[[str], Executor],
        me: UserId,
        name_of: Callable[[UserId], str],
        copies: Path,
        downloads: Path,
        account_folder: str,
        pictures: Pictures,
        chance: random.Random,
        door: FileDoor,
    ) -> None:
        """`copies` is the profile's folder for what is sent from here, `account_folder` what is in `downloads`."""
        self._database = database
        self._conversations = conversations
        self._landing = worker("landing")
        self._tasks = Tasks()
        readers = Readers(conversations, door)
        records = Records(database, conversations, events, self._landing)
        self._records = records
        self.settings = FileSettings(database, downloads, account_folder)
        self.holdings = Holdings(database, conversations, readers.may_hear, self)
        self._here = Here(records, self.holdings, worker)
        self.sendings = Sendings(
            database,
            conversations,
            events,
            self._tasks,
            clock=clock,
            worker=worker,
            me=me,
            name_of=name_of,
            copies=copies,
            pictures=pictures,
        )
        self.wanted = Wanted(
            records,
            conversations,
            self.holdings,
            self._here,
            self.settings,
            self._tasks,
            chance=chance,
            door=door,
        )
        self.given = Given(
            records, conversations, self.holdings, self._here, self.wanted, self._tasks, door=door, readers=readers
        )
        self._forgetting = Forgetting(records, self.wanted, self.given, self._here, self.holdings, pictures, copies)
        conversations.on_changed = self.wanted.message_changed
        conversations.on_erased = lambda: self._tasks.keep(self._forgetting.forget_deleted())
        conversations.on_hidden = lambda message: self._tasks.keep(self.wanted.drop(message.entry))
        conversations.on_attachment = Unasked(self.wanted, conversations, self.settings, self._tasks).attachment_came
        conversations.show_attachment = self._show
        conversations.unwritten = self.sendings.views_in

    async def load(self) -> None:
        """Read what is kept into memory."""
        await self.holdings.load()
        await self.settings.load()

    async def start(self, context: ssl.SSLContext) -> None:
        """Go on with what was under way; `context` is for connections to those who have it."""
        await self.wanted.start(context)
        await self.sendings.start()
        self._tasks.keep(self._here.look_for_vanished())
        self._tasks.keep(self._forgetting.forget_deleted())

    async def close(self) -> None:
        """Stop everything; what has come is kept."""
        await self.wanted.close()
        self.sendings.close()
        self._here.close()
        await self._tasks.close()
        self._landing.shutdown(wait=False)

    async def send(self, conversation: Conversation, outgoing: Outgoing) -> MessageView:
        """See `Sendings.send`."""
        return await self.sendings.send(conversation, outgoing)

    async def fetch(self, entry: EntryId, path: Path | None = None) -> MessageView:
        """Have something here, see `Wanted.fetch`; or try again to send what could not be sent."""
        return await self.sendings.retry(entry) or await self.wanted.fetch(entry, path)

    async def resume(self, entry: EntryId) -> MessageView:
        """Go on, from where it stood; or try again to send what could not be sent."""
        return await self.sendings.retry(entry) or await self.wanted.resume(entry)

    async def cancel(self, entry: EntryId) -> MessageView:
        """Forget what has come; or do not send what is still being read."""
        return await self.sendings.cancel(entry) or await self.wanted.cancel(entry)

    async def files(self, conversation: Conversation, where: SharedAt, limit: int) -> list[MessageView]:
        """Return what was ever shared here, and what is about to be, the newest first; `limit` is of what was."""
        count = max(1, min(limit, limits.MESSAGES_PER_PAGE))
        unwritten = {view.entry: view for view in self.sendings.views_in(conversation)}
        places = {entry: place_as_kept(view.place) for entry, view in unwritten.items()}
        authors = {feed.author for feed in conversation.feeds.values()}
        names = {user: self._conversations.name_in(conversation, user) for user in authors}

        number = conversation.kept.row
        rows, low, high = await find_shared(self._database, number, where, count, places.get, names)
        shown = [self._conversations.message_view(conversation, row) for row in rows]
        for entry, view in unwritten.items():
            name = view.attachment.name if view.attachment is not None else ""
            is_wanted = not where.kinds or view.kind in where.kinds
            if low <= places[entry] < high and is_wanted and has_words(where.words, name, view.text, view.author_name):
                shown.append(view)
        return sorted(shown, key=lambda view: view.place, reverse=True)

    async def place_of(self, entry: EntryId) -> Path:
        """Return where something lies that is here; raise Refusal for anything else."""
        row = (await self._records.find(entry)).attachment
        if row is None or row.state is not TransferState.HERE:
            raise Refusal(RefusalCode.REFUSED, "This file is not here. Download it first.")
        return Path(row.path)

    # --- what links tell ---------------------------------------------------------------------

    def link_came_up(self, link: Link) -> None:
        """A neighbour is there: ask what it has."""
        self._tasks.keep(self.holdings.link_came_up(link))

    def link_went_down(self, link: Link) -> None:
        """A neighbour went."""
        self.holdings.link_went_down(link)
        self.wanted.link_went_down(link)

    def pieces_here(self, message: MessageRow) -> bytes | None:
        """See `Owner.pieces_here`."""
        return self.given.pieces_of(message)

    def wanted_in(self, conversation: Conversation) -> list[EntryId]:
        """See `Owner.wanted_in`."""
        return self.wanted.entries_in(conversation)

    def holder_told(self, link: Link, message: MessageRow, pieces: PieceSet | None, *, is_news: bool) -> None:
        """See `Owner.holder_told`."""
        assert link.user is not None
        assert link.device is not None
        fetch = self.wanted.fetch_of(message.entry)
        if fetch is not None:
            self.wanted.holder_told(fetch, link.user, link.device, pieces)
        elif is_news:
            self.given.note_given(message)

    # --- what the screen sees --------------------------------------------------------------------

    def _show(self, conversation: Conversation, row: AttachmentRow) -> AttachmentView:
        fetch = self.wanted.fetch_of(row.entry)
        board = self.holdings.board(conversation, row.entry)
        if fetch is None:
            left = sum(row.body.size - holder.done for holder in board)
            speed, saving = self.given.speed_of(row.entry) if left else 0.0, self._here.saved_of(row.entry)
            return attachment_view(row, board, speed=speed, left=left, saving=saving)
        state = TransferState.LOADING if fetch.is_loading else TransferState.WAITING
        return attachment_view(
            replace(row, state=state),
            board,
            done=fetch.done if fetch.download is not None else None,
            files_done=self.wanted.files_done(fetch) if fetch.download is not None else None,
            speed=fetch.meter.bytes_per_second,
            reason=fetch.waiting_for if state is TransferState.WAITING else self.wanted.warning_about(fetch),
        )
