"""Who has how much of which attachment: asked and told on links, remembered for the board that the sender sees."""

import logging
from collections.abc import Callable
from typing import Protocol

from peer.entries.conversation import Conversation
from peer.links.link import Link
from peer.services.conversations import Conversations
from peer.storage import attachments, messages
from peer.storage.attachments import HolderRow
from peer.storage.database import Connection, Database
from peer.storage.messages import BEHIND_ALL, MessageRow
from peer.views import HolderView
from protocol.identity import DeviceId, EntryId, UserId
from protocol.limits import ENTRIES_ASKED_ABOUT
from protocol.link_messages import Pieces, WhatPieces
from protocol.piece_sets import PieceSet

log = logging.getLogger(__name__)


class Owner(Protocol):
    """Knows what is on this device, and hears what others have."""

    def pieces_here(self, message: MessageRow) -> bytes | None:
        """Return what we would give of an attachment; None for nothing, not even its table."""

    def wanted_in(self, conversation: Conversation) -> list[EntryId]:
        """Return what is wanted here and not complete."""

    def holder_told(self, link: Link, message: MessageRow, pieces: PieceSet | None, *, is_news: bool) -> None:
        """Somebody has these pieces (None: nothing) of an attachment; `is_news` if the board changed by it."""


class Holdings:
    """What we tell of ourselves, and what others told."""

    def __init__(
        self,
        database: Database,
        conversations: Conversations,
        may_share: Callable[[Link, Conversation], bool],
        owner: Owner,
    ) -> None:
        """`may_share` decides whether a link may see a conversation and its files."""
        self._database = database
        self._conversations = conversations
        self._may_share = may_share
        self._owner = owner
        self._links: set[Link] = set()
        self._holders: dict[EntryId, dict[DeviceId, HolderRow]] = {}

    async def load(self) -> None:
        """Read what others told into memory."""
        self._holders = await self._database.read(attachments.all_piece_holders)

    # --- links -----------------------------------------------------------------------------------

    async def link_came_up(self, link: Link) -> None:
        """Ask for what is wanted here, and for what became of what was sent from here; tell what there is of that."""
        self._links.add(link)
        for conversation in self._conversations.all():
            if self._may_share(link, conversation):
                wanted = self._owner.wanted_in(conversation)
                unfinished = await self._unfinished(conversation, link)
                for row in unfinished:
                    link.send(Pieces(conversation.id, row.entry, self._owner.pieces_here(row)))
                both = tuple(dict.fromkeys((*wanted, *(row.entry for row in unfinished))))
                for start in range(0, len(both), ENTRIES_ASKED_ABOUT):
                    link.send(WhatPieces(conversation.id, both[start : start + ENTRIES_ASKED_ABOUT]))

    def link_went_down(self, link: Link) -> None:
        """It has nothing for us any more, at the moment."""
        self._links.discard(link)

    async def handle(self, link: Link, message: WhatPieces | Pieces) -> None:
        """Take what a link says; raise RemoteProtocolError for pieces that do not exist."""
        conversation = self._conversations.get(message.conversation)
        if conversation is None or not self._may_share(link, conversation):
            return
        if isinstance(message, WhatPieces):
            assert link.user is not None
            for row in await self._find(conversation, message.entries):
                if conversation.group and not conversation.group.may_have(link.user, row.feed, row.number):
                    continue
                link.send(Pieces(conversation.id, row.entry, self._owner.pieces_here(row)))
            return
        for row in await self._find(conversation, (message.entry,)):
            assert row.attachment is not None
            size = row.attachment.body.size
            pieces = None if message.pieces is None else PieceSet.from_wire(size, message.pieces)
            is_news = await self._note(link, row, pieces)
            self._owner.holder_told(link, row, pieces, is_news=is_news)

    def ask(self, conversation: Conversation, entry: EntryId) -> None:
        """Ask everybody who is there what they have of an attachment."""
        for link in self._links:
            if self._may_share(link, conversation):
                link.send(WhatPieces(conversation.id, (entry,)))

    def tell(self, conversation: Conversation, entry: EntryId, pieces: bytes | None) -> None:
        """Tell everybody who is there what we have."""
        for link in self._links:
            if self._may_share(link, conversation):
                link.send(Pieces(conversation.id, entry, pieces))

    def forget(self, entry: EntryId) -> None:
        """Remember nobody who had any of it."""
        self._holders.pop(entry, None)

    # --- the board -------------------------------------------------------------------------------

    def board(self, conversation: Conversation, entry: EntryId) -> tuple[HolderView, ...]:
        """Return who has how much, by the device of each that has most."""
        best: dict[UserId, int] = {}
        for holder in self._holders.get(entry, {}).values():
            best[holder.user] = max(best.get(holder.user, 0), holder.done)
        name_in = self._conversations.name_in
        return tuple(HolderView(user, name_in(conversation, user), done) for user, done in sorted(best.items()))

    def given(self, entry: EntryId) -> int:
        """Return how much all others together have."""
        return sum(holder.done for holder in self._holders.get(entry, {}).values())

    def somebody_has_all(self, entry: EntryId, size: int) -> bool:
        """Whether anybody ever told to have all of it, and did not take that back."""
        return any(holder.done == size for holder in self._holders.get(entry, {}).values())

    async def _note(self, link: Link, row: MessageRow, pieces: PieceSet | None) -> bool:
        assert link.user is not None
        assert link.device is not None
        assert row.attachment is not None
        known = self._holders.setdefault(row.entry, {}).get(link.device)
        holder = HolderRow(link.user, pieces.bytes_held if pieces else 0)
        if known == holder:
            return False
        self._holders[row.entry][link.device] = holder
        if pieces is None or pieces.is_complete:
            # What lies between is told again at the next link-up.
            device = link.device
            await self._database.write(lambda c: attachments.put_piece_holder(c, row.entry, device, holder))
        return True

    async def _unfinished(self, conversation: Conversation, link: Link) -> list[MessageRow]:
        """Return what was sent from here of late and the other side is not known to have."""
        number = conversation.kept.row
        rows = await self._database.read(
            lambda c: messages.attachments_beside(c, number, BEHIND_ALL, ENTRIES_ASKED_ABOUT)
        )
        return [row for row in rows if row.mine and not self._has_all(row, link)]

    def _has_all(self, row: MessageRow, link: Link) -> bool:
        assert row.attachment is not None
        holder = self._holders.get(row.entry, {}).get(link.device) if link.device is not None else None
        return holder is not None and holder.done == row.attachment.body.size

    async def _find(self, conversation: Conversation, entries: tuple[EntryId, ...]) -> list[MessageRow]:
        number = conversation.kept.row

        def job(connection: Connection) -> list[MessageRow]:
            found = (messages.find_message(connection, entry) for entry in entries)
            return [row for row in found if row is not None and row.conversation == number and row.attachment]

        return await self._database.read(job)
