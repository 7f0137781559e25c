"""What a person says in a conversation, and about what was said there: texts, edits, deletions, reactions."""

import asyncio
from collections.abc import Sequence

from peer import limits
from peer.entries.conversation import Conversation
from peer.entries.happened import Happened
from peer.entries.intake import Ground
from peer.errors import Refusal, RefusalCode
from peer.pace import Pace
from peer.services.conversations import Conversations, check_sendable
from peer.storage.messages import MessageRow
from peer.views import MentionView, MessageKind, MessageView
from protocol.act_bodies import EDITED, REACTED, Deleted, Edited, Reacted
from protocol.acts import fitting, is_one_emoji
from protocol.entries import Mention, Text
from protocol.identity import EntryId, UserId
from protocol.limits import CAPTION_LENGTH, DELETED_EDITS, MENTIONS, TEXT_BYTES


class Messages:
    """Writes what a person says. Everything is durable when it returns; a Refusal means that nothing was written."""

    def __init__(self, conversations: Conversations, me: UserId) -> None:
        self._conversations = conversations
        self._me = me
        self._pace = Pace(limits.ACTS_AT_ONCE, limits.ACTS_A_SECOND)

    async def send_text(
        self, conversation: Conversation, text: str, reply_to: EntryId | None, mentions: Sequence[MentionView]
    ) -> MessageView:
        """Write a text message."""
        _check_text(text)
        check_sendable(conversation, self._me, text)
        named = self._checked(conversation, text, mentions)

        def make(ground: Ground, entry: EntryId, salt: bytes) -> Text:
            if reply_to is not None:
                _find(ground, reply_to)
            return Text(entry, salt, text, reply_to, named)

        happened = await self._conversations.write(
            conversation, make, ends_draft=bool(conversation.draft) and conversation.draft.strip() == text.strip()
        )
        return self._conversations.message_view(conversation, happened.messages[0])

    async def edit(self, entry: EntryId, text: str, mentions: Sequence[MentionView]) -> MessageView:
        """Let a text or caption of ours read otherwise."""
        conversation, row = await self._conversations.find_message(entry)
        self._check_mine(row)
        if row.attachment is None:
            _check_text(text)
        elif len(text) > CAPTION_LENGTH:
            raise Refusal(RefusalCode.TOO_LARGE, f"Keep what you say beside a file to {CAPTION_LENGTH} characters.")
        check_sendable(conversation, self._me, text)
        named = self._checked(conversation, text, mentions)
        if (row.text, row.mentions) == (text, named):
            return self._conversations.message_view(conversation, row)
        self._keep_pace()

        def make(ground: Ground, name: EntryId, salt: bytes) -> Edited:
            self._check_mine(_find(ground, entry))
            return Edited(name, salt, entry, ground.last_revision(entry, EDITED) + 1, text, named)

        return self._changed(conversation, entry, await self._conversations.write(conversation, make))

    async def react(self, entry: EntryId, emoji: str) -> MessageView:
        """Say what we feel about a message, in the place of what we said before; no text: nothing any more."""
        if emoji and not is_one_emoji(emoji):
            raise Refusal(RefusalCode.BAD_REQUEST, "A reaction is one emoji.")
        conversation, row = await self._conversations.find_message(entry)
        _check_is_message(row)
        check_sendable(conversation, self._me, emoji)
        chosen = next((shown.emoji for shown in row.reactions if self._me in shown.users), "")
        if chosen == emoji:
            return self._conversations.message_view(conversation, row)
        self._keep_pace()

        def make(ground: Ground, name: EntryId, salt: bytes) -> Reacted:
            _check_is_message(_find(ground, entry))
            return Reacted(name, salt, entry, ground.last_revision(entry, REACTED) + 1, emoji)

        return self._changed(conversation, entry, await self._conversations.write(conversation, make))

    async def delete(self, entry: EntryId, *, for_all: bool) -> MessageView:
        """Take a message back for everybody, or see it no more on this device only."""
        conversation, row = await self._conversations.find_message(entry)
        if not for_all:
            await self._conversations.hide(conversation, row)
            return self._conversations.message_view(conversation, row)
        if row.kind == MessageKind.DELETED:
            return self._conversations.message_view(conversation, row)
        _check_is_message(row)
        check_sendable(conversation, self._me, "")

        def make(ground: Ground, name: EntryId, salt: bytes) -> Deleted:
            now = _find(ground, entry)
            if not now.mine and (conversation.group is None or self._me not in ground.membership().managers):
                raise Refusal(
                    RefusalCode.NOT_YOURS, "Only who wrote a message, or a manager of the group, can delete it for all."
                )
            return Deleted(name, salt, entry, ground.place_of(now), ground.edits_of(now)[:DELETED_EDITS])

        return self._changed(conversation, entry, await self._conversations.write(conversation, make))

    # --- inside ------------------------------------------------------------------------------

    def _changed(self, conversation: Conversation, entry: EntryId, happened: Happened) -> MessageView:
        (row,) = (row for row in happened.changed if row.entry == entry)
        return self._conversations.message_view(conversation, row)

    def _keep_pace(self) -> None:
        wait = self._pace.take(asyncio.get_running_loop().time())
        if wait:
            raise Refusal(RefusalCode.RATE_LIMITED, "That was very fast. Try again in a moment.", retry_after=wait)

    def _check_mine(self, row: MessageRow) -> None:
        _check_is_message(row)
        if not row.mine:
            raise Refusal(RefusalCode.NOT_YOURS, "Only who wrote a message can edit it.")

    def _checked(self, conversation: Conversation, text: str, mentions: Sequence[MentionView]) -> tuple[Mention, ...]:
        """Return mentions as they travel; raise Refusal for one outside the text or of somebody who is not here."""
        if len(mentions) > MENTIONS:
            raise Refusal(RefusalCode.TOO_MANY, f"One message mentions at most {MENTIONS} people.")
        named = sorted((Mention(each.user, each.start, each.length) for each in mentions), key=lambda each: each.start)
        if any(each.start < 0 or each.length < 1 for each in named) or len(fitting(named, text)) != len(named):
            raise Refusal(RefusalCode.BAD_REQUEST, "A mention lies outside the text, or two lie in the same place.")
        for each in named:
            if each.user not in conversation.members and each.user != self._me:
                raise Refusal(RefusalCode.NOT_A_MEMBER, f"{each.user} is not in this conversation.")
        return tuple(named)


def _check_text(text: str) -> None:
    if not text.strip():
        raise Refusal(RefusalCode.EMPTY_MESSAGE, "There is nothing to send: write something first.")
    if len(text.encode("utf-8", "replace")) > TEXT_BYTES:
        raise Refusal(RefusalCode.TOO_LARGE, "This text is too long for one message. Send it as a file.")


def _check_is_message(row: MessageRow) -> None:
    if row.is_event:
        raise Refusal(RefusalCode.BAD_REQUEST, "That is what happened here, no message of somebody.")
    if row.kind == MessageKind.DELETED:
        raise Refusal(RefusalCode.BAD_REQUEST, "This message was deleted.")


def _find(ground: Ground, entry: EntryId) -> MessageRow:
    row = ground.message(entry)
    if row is None:
        raise Refusal(RefusalCode.UNKNOWN_ENTRY, "There is no such message in this conversation.")
    return row
