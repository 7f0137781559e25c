"""The conversations of one account: writes entries, takes entries in, and tells the screen what came of it.

The database is the truth; what is kept in memory beside it (how far each feed is held, here and elsewhere) is
brought up to date after each commit, so vectors and events never promise what a crash could take back.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from peer import limits
from peer.entries import intake
from peer.entries.attachment_view import attachment_view
from peer.entries.conversation import Conversation, load_conversations
from peer.entries.happened import Author, Happened, incarnation
from peer.entries.intake import MakeBody
from peer.entries.message_views import message_view, on_screen, place_as_kept
from peer.entries.receipts import Receipts
from peer.entries.recent_entries import RecentEntries
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import (
    ConversationChanged,
    Event,
    MessageArrived,
    MessageChanged,
    MessageHidden,
    MessageWritten,
)
from peer.storage import feeds, messages
from peer.storage.attachments import AttachmentRow
from peer.storage.burying import hide
from peer.storage.database import Connection, Database
from peer.storage.feeds import ConversationRow, FeedRow
from peer.storage.messages import MessageRow
from peer.storage.pages import read_page
from peer.views import (
    AttachmentView,
    ConversationView,
    MemberHasView,
    MessagePage,
    MessageView,
    PageAt,
    WhoHasView,
)
from protocol.consent import Consent, Standing, fold_consent
from protocol.entries import WireEntry
from protocol.identity import ConversationId, EntryHash, EntryId, FeedId, UserId
from protocol.link_messages import SignedHeader
from protocol.membership import Membership

log = logging.getLogger(__name__)
Remembered = Callable[[Conversation, Happened], None]
"""Called when a commit is known in memory, too."""


class Conversations:
    """Every conversation of the account."""

    def __init__(
        self,
        database: Database,
        author: Author,
        events: EventStream,
        clock: Callable[[], datetime],
        name_of: Callable[[UserId], str],
        is_online: Callable[[UserId], bool],
    ) -> None:
        self._database = database
        self._author = author
        self._events = events
        self._clock = clock
        self._name_of = name_of
        self._is_online = is_online
        self._all: dict[ConversationId, Conversation] = {}
        self._rows_to_tell: list[Conversation] = []
        self._recent = RecentEntries()
        self.on_growth: Callable[[Conversation], None] = lambda _: None
        """Called when entries were committed that neighbours may lack."""
        self.fellow_members: frozenset[UserId] = frozenset()
        """Everybody with whom we are in a group."""
        self.on_group: Callable[[Conversation, Membership], None] = lambda *_: None
        """Called with (the group, who belonged to it before) when entries about membership were committed."""
        self.on_consent: Callable[[UserId, Standing, dict[UserId, str]], None] = lambda *_: None
        """Called with (the other person, how we stood before, names told) when consent entries were committed."""
        self.on_attachment: Callable[[Conversation, MessageRow], None] = lambda *_: None
        """Called when a message with an attachment was committed, before it is told."""
        self.unwritten: Callable[[Conversation], list[MessageView]] = lambda _: []
        """Returns what stands in a conversation of ours and has no entry yet, oldest first."""
        self.on_changed: Callable[[MessageRow], None] = lambda _: None
        """Called with a message that is not as it was, before that is told."""
        self.on_hidden: Callable[[MessageRow], object] = lambda _: None
        """Called with a message that is shown no more."""
        self.on_said: Callable[[Conversation, Iterable[UserId]], None] = lambda *_: None
        """Called with who wrote or changed a message, before that is told."""
        self.on_erased: Callable[[], object] = lambda: None
        """Called when bodies were erased, because what they said was deleted."""
        self.show_attachment: Callable[[Conversation, AttachmentRow], AttachmentView] = lambda _, row: attachment_view(
            row
        )
        """Makes an attachment ready for the screen."""
        self.receipts = Receipts(database, events, author.user, self.message_view, self.tell_row_soon)

    async def load(self) -> None:
        """Read everything small into memory: all but the entries and messages themselves."""
        me = self._author.user
        self._all = {each.id: each for each in await self._database.read(lambda c: load_conversations(c, me))}
        self._count_fellows()

    def all(self) -> list[Conversation]:
        """Return every conversation."""
        return list(self._all.values())

    def ours(self) -> list[Conversation]:
        """Return every conversation of two, and every group that we are in."""
        return [conversation for conversation in self._all.values() if self.is_ours(conversation)]

    def get(self, conversation: ConversationId) -> Conversation | None:
        """Return a conversation, if it is known."""
        return self._all.get(conversation)

    def id_with(self, user: UserId) -> ConversationId:
        """Return the name of the conversation with another person, known or not."""
        return ConversationId.of_two(self._author.realm, self._author.user, user)

    def standing_with(self, user: UserId) -> Standing:
        """Return how we stand with another person."""
        known = self._all.get(self.id_with(user))
        return known.standing if known else Standing(Consent.STRANGERS, 0)

    async def with_user(self, user: UserId) -> Conversation:
        """Return the conversation with another person; make it if need be."""
        name = self.id_with(user)
        if name not in self._all:
            fresh = incarnation()
            await self._database.write(lambda c: feeds.ensure_conversation(c, name, user, fresh), self._begin, own=True)
        return self._all[name]

    async def create_group(self, make: MakeBody) -> Conversation:
        """Sign and store a group's first entry, by which it is named."""
        now_ms = self._now_ms()
        happened = await self._database.write(
            lambda c: intake.create_group(c, self._author, make, now_ms), self._announce, own=True
        )
        return self._all[happened.conversation.conversation]

    def is_ours(self, conversation: Conversation) -> bool:
        """Tell whether we are in a group, or in a conversation of two."""
        return conversation.group is None or self._author.user in conversation.group.members

    def _count_fellows(self) -> None:
        ours = [each.group for each in self._all.values() if each.group is not None and self.is_ours(each)]
        self.fellow_members = frozenset(user for group in ours for user in group.members) - {self._author.user}

    # --- writing -----------------------------------------------------------------------------

    async def write(
        self,
        conversation: Conversation,
        make: MakeBody,
        *,
        ends_draft: bool = False,
        beside: Callable[[Connection], None] = lambda _: None,
    ) -> Happened:
        """Sign, store, announce. When this returns, a power cut cannot undo it.

        The draft may end with it; `beside` keeps what belongs to the entry in the same commit, just before it.
        """
        now_ms, last_ms = self._now_ms(), conversation.last.stamp if conversation.last else 0

        def job(connection: Connection) -> Happened:
            beside(connection)
            happened = intake.write_body(connection, self._author, conversation.kept, make, now_ms, last_ms)
            if ends_draft:
                # In the same commit: what was sent must not stand in the composer again after a crash.
                feeds.put_draft(connection, conversation.kept.row, "")
            return happened

        def announce(happened: Happened) -> None:
            if ends_draft:
                conversation.draft = ""
            self._announce(happened)

        return await self._database.write(job, announce, own=True)

    async def keep_draft(self, conversation: Conversation, draft: str) -> None:
        """Keep what is being written, so that it is there after a crash; raise Refusal if it is far too long."""
        if len(draft.encode("utf-8", "replace")) > limits.DRAFT_BYTES:
            raise Refusal(RefusalCode.TOO_LARGE, "This draft is too long to be kept. Send it as a file.")
        # Half a character, as a paste may leave it, cannot be stored.
        draft = draft.encode("utf-8", "replace").decode()

        def remember(_: None) -> None:
            conversation.draft = draft
            self.tell_row_soon(conversation)

        row = conversation.kept.row
        await self._database.write(lambda c: feeds.put_draft(c, row, draft), remember, own=True)

    def tell_row_soon(self, conversation: Conversation) -> None:
        """Tell of the changed row of the conversation list: once, however much changes at this moment."""
        if conversation not in self._rows_to_tell:
            self._rows_to_tell.append(conversation)
        if len(self._rows_to_tell) == 1:
            asyncio.get_running_loop().call_soon(self._tell_rows)

    def _tell_rows(self) -> None:
        rows, self._rows_to_tell = self._rows_to_tell, []
        for conversation in rows:
            self._events.tell(ConversationChanged(self.view(conversation)))

    async def hide(self, conversation: Conversation, row: MessageRow) -> None:
        """Show a message no more on this device."""

        def job(connection: Connection) -> tuple[messages.Newest, list[MessageRow]]:
            hide(connection, row.entry)
            replies = messages.replies_to(connection, row.conversation, row.entry)
            found = (messages.find_message(connection, reply) for reply in replies)
            newest = messages.newest_in(connection, row.conversation, self._author.user)
            return newest, [each for each in found if each is not None]

        def announce(done: tuple[messages.Newest, list[MessageRow]]) -> None:
            newest, replies = done
            conversation.take_newest(newest)
            self.on_hidden(row)
            self._events.tell(MessageHidden(self.message_view(conversation, row)))
            for reply in replies:
                self._events.tell(MessageChanged(self.message_view(conversation, reply)))
            self.tell_row_soon(conversation)

        await self._database.write(job, announce, own=True)

    # --- taking in ---------------------------------------------------------------------------

    async def take_in(
        self, name: ConversationId, user: UserId | None, wires: tuple[WireEntry, ...], before_growth: Remembered
    ) -> Happened:
        """Store what can be taken of a batch of `user`; raise Refusal if a conversation would begin with nothing.

        `before_growth` is called after the commit, before neighbours are offered what is new.
        """
        known = self._all.get(name)
        other = user if user is not None and name == self.id_with(user) else None
        row = known.kept if known else ConversationRow(0, name, other, incarnation())
        now_ms, group = self._now_ms(), known.group if known else None
        news, named = self._recent.sift(name, wires)
        if known is not None and not news:
            happened = Happened(known.kept, named=named)
            before_growth(known, happened)
            return happened

        def announce(happened: Happened) -> None:
            for feed, number in named.items():
                happened.named[feed] = max(happened.named.get(feed, 0), number)
            self._announce(happened, before_growth)

        happened = await self._database.write(
            lambda c: intake.take_entries(c, self._author, row, news, now_ms, user, group), announce
        )
        for reason in set(happened.refused):
            log.warning("an entry in the conversation with %s was refused: %s", user, reason)
        return happened

    async def take_proof(
        self, conversation: Conversation, user: UserId | None, first: SignedHeader, second: SignedHeader
    ) -> Happened:
        """End a feed of which two versions exist, as `user` proves."""
        now_ms = self._now_ms()

        def job(connection: Connection) -> Happened:
            taker = intake.EntryTaker(connection, self._author, conversation.kept, now_ms, user)
            return taker.take_proof(first, second)

        return await self._database.write(job, self._announce)

    def _begin(self, row: ConversationRow) -> Conversation:
        """Return the conversation as known in memory, known from now on."""
        return self._all.setdefault(row.conversation, Conversation(row, self._author.user))

    def _announce(self, happened: Happened, before_growth: Remembered = lambda *_: None) -> None:
        """Bring memory up to date with a commit, then tell the screen and the neighbours."""
        conversation = self._begin(happened.conversation)
        conversation.kept = happened.conversation
        self._remember(conversation, happened)
        if happened.group is not None:
            was = conversation.group or Membership()
            conversation.take_group(happened.group)
            self._count_fellows()
            self.on_group(conversation, was)
        if happened.said is not None:
            before, conversation.said = conversation.standing, happened.said
            conversation.standing = fold_consent(row.said for row in conversation.said)
            if conversation.kept.user is not None:
                self.on_consent(conversation.kept.user, before, happened.names)
        before_growth(conversation, happened)
        if happened.feeds:
            # First, because it only wakes those who send: they go on while the screen is being told.
            self.on_growth(conversation)
        self.on_said(conversation, happened.writers)
        for row in happened.hidden:
            self.on_hidden(row)
            self._events.tell(MessageHidden(self.message_view(conversation, row)))
        for row in happened.messages:
            if row.attachment is not None:
                self.on_attachment(conversation, row)
            self._events.tell(_event_for(row)(self.message_view(conversation, row)))
        for row in happened.changed:
            conversation.note_change(row)
            self.on_changed(row)
            self._events.tell(MessageChanged(self.message_view(conversation, row)))
        if happened.messages or happened.changed or happened.hidden:
            self.tell_row_soon(conversation)

    def _remember(self, conversation: Conversation, happened: Happened) -> None:
        conversation.take_feeds(happened.feeds)
        for row in happened.messages:
            conversation.note_message(row)
        if happened.newest is not None:
            conversation.take_newest(happened.newest)
        self._recent.take(happened)
        if happened.erased:
            self._database.wipe_soon()
            self.on_erased()

    # --- what goes to neighbours -------------------------------------------------------------

    def own_feed(self, conversation: Conversation) -> FeedId:
        """Return the feed that this device writes in a conversation now."""
        return FeedId.of(self._author.key.device, conversation.kept.incarnation)

    async def entries(self, feed: FeedRow, first: int, last: int, limit: int) -> list[WireEntry]:
        """Return entries as they go over the wire."""
        last = min(last, first + limit - 1)
        recent = self._recent.between(feed.row, first, last)
        if recent is not None:
            return recent
        return await self._database.read(lambda c: feeds.entries_between(c, feed, first, last, limit))

    async def orphans(self, feed: FeedRow, limit: int) -> list[WireEntry]:
        """Return what fell out of a closed feed, for its author."""
        return await self._database.read(lambda c: feeds.orphans_of(c, feed, limit))

    async def hashes(self, feed: FeedRow, numbers: Iterable[int]) -> dict[int, EntryHash]:
        """Return the hashes we hold at some numbers of a feed."""
        wanted = list(numbers)

        def job(connection: Connection) -> dict[int, EntryHash]:
            found = {number: feeds.hash_at(connection, feed.row, number) for number in wanted}
            return {number: held for number, held in found.items() if held is not None}

        return await self._database.read(job)

    async def proof(self, feed: FeedRow) -> tuple[SignedHeader, SignedHeader] | None:
        """Return why a feed is closed."""
        return await self._database.read(lambda c: feeds.proof_of(c, feed.row))

    # --- what is shown -----------------------------------------------------------------------

    async def page(self, conversation: Conversation, where: PageAt, limit: int) -> MessagePage:
        """Return messages oldest first; raise Refusal if there is no message that the page should begin or end at."""
        count = max(1, min(limit, limits.MESSAGES_PER_PAGE))
        unwritten = {view.entry: view for view in self.unwritten(conversation)}
        places = {entry: place_as_kept(view.place) for entry, view in unwritten.items()}
        found = await self._database.read(lambda c: read_page(c, conversation.kept.row, where, count, places))
        shown = [self.message_view(conversation, row) for row in found.rows]
        shown += [view for entry, view in unwritten.items() if found.first <= places[entry] <= found.last]
        return MessagePage(sorted(shown, key=lambda view: view.place), found.has_older, found.has_newer)

    async def arrived_after(self, conversation: Conversation, arrival: int, limit: int) -> list[MessageView]:
        """Return messages in the order in which they came to be known here, after a place."""
        count = max(1, min(limit, limits.MESSAGES_PER_PAGE))
        rows = await self._database.read(
            lambda c: messages.messages_after_arrival(c, conversation.kept.row, arrival, count)
        )
        return [self.message_view(conversation, row) for row in rows]

    def view(self, conversation: Conversation) -> ConversationView:
        """Return the row of the conversation list."""
        user, group = conversation.kept.user, conversation.group
        return ConversationView(
            conversation=conversation.id,
            title=self.title_of(conversation),
            user=user,
            members=(self._author.user, user) if user is not None else tuple(group.members if group else ()),
            unread=conversation.unseen,
            first_unread=None if conversation.first_unseen is None else on_screen(*conversation.first_unseen),
            names_me=conversation.first_naming_us is not None,
            last_entry=None if conversation.last is None else self.message_view(conversation, conversation.last),
            online=any(map(self._is_online, conversation.members - {self._author.user})),
            can_write=self.may_write(conversation),
            draft=conversation.draft,
        )

    def title_of(self, conversation: Conversation) -> str:
        """Return what a screen calls it: the other's name, or the group's."""
        user, group = conversation.kept.user, conversation.group
        return self._name_of(user) if user is not None else group.name if group is not None else ""

    def name_in(self, conversation: Conversation, user: UserId) -> str:
        """Return what somebody is called in a conversation: members of a group need not be contacts of ours."""
        name = self._name_of(user)
        if name != user or conversation.group is None:
            return name
        return conversation.group.names.get(user, name)

    def may_write(self, conversation: Conversation) -> bool:
        """Tell whether we are friends, or a member of the group."""
        if conversation.group is not None:
            return self.is_ours(conversation)
        return conversation.standing.state is Consent.FRIENDS

    def message_view(self, conversation: Conversation, row: MessageRow) -> MessageView:
        """Return a message ready for the screen."""
        names = partial(self.name_in, conversation)
        return message_view(conversation, row, names, partial(self.show_attachment, conversation), self._now_ms())

    async def find_message(self, entry: EntryId) -> tuple[Conversation, MessageRow]:
        """Return a message and where it was said; raise Refusal if there is none of this name."""
        row = await self._database.read(lambda c: messages.find_message(c, entry))
        if row is None:
            raise Refusal(RefusalCode.UNKNOWN_ENTRY, "There is no such message.")
        return next(each for each in self._all.values() if each.kept.row == row.conversation), row

    async def who_has(self, entry: EntryId) -> WhoHasView:
        """Return who has a message and who has read it; raise Refusal if there is none of this name."""
        conversation, row = await self.find_message(entry)
        me, wanted = self._author.user, conversation.is_for(row)
        readers = conversation.readers_of(row.feed, row.number) | ({me} if row.seen else set())
        holders = conversation.holders_of(row.feed, row.number) | readers | {me}
        order = sorted(wanted) if conversation.group is None else [u for u in conversation.group.members if u in wanted]
        return WhoHasView(
            entry,
            conversation.id,
            tuple(
                MemberHasView(user, self.name_in(conversation, user), has=user in holders, read=user in readers)
                for user in order
            ),
        )

    def _now_ms(self) -> int:
        return int(self._clock().timestamp() * 1000)


def _event_for(row: MessageRow) -> Callable[[MessageView], Event]:
    if row.kind == messages.DELETED:
        return MessageChanged  # it was deleted before it came: no news for anybody
    return MessageWritten if row.mine else MessageArrived


def check_sendable(conversation: Conversation, me: UserId, text: str) -> None:
    """Raise Refusal where nothing may be sent, or not this text."""
    if any(0xD800 <= ord(sign) <= 0xDFFF for sign in text):
        raise Refusal(RefusalCode.BAD_REQUEST, "This text holds half a character and cannot be sent.")
    if conversation.group is not None:
        if me not in conversation.group.members:
            raise Refusal(RefusalCode.NOT_A_MEMBER, "You are not in this group any more.")
    elif conversation.standing.state is not Consent.FRIENDS:
        raise Refusal(RefusalCode.NOT_A_FRIEND, "You can write to each other once both have said yes.")
