"""A message, as kept, made ready for the screen."""

from collections.abc import Callable
from datetime import UTC, datetime

from peer.entries.call_lines import call_entry_view
from peer.entries.call_lines import sentence as call_sentence
from peer.entries.conversation import Conversation
from peer.entries.membership_views import membership_view, sentence
from peer.storage.attachments import AttachmentRow
from peer.storage.messages import MessageRow, Place
from peer.views import (
    AttachmentView,
    MentionView,
    MessageKind,
    MessagePlace,
    MessageView,
    QuoteView,
    ReactionView,
)
from protocol.identity import UserId

NameOf = Callable[[UserId], str]


def message_view(
    conversation: Conversation,
    row: MessageRow,
    name_of: NameOf,
    show_attachment: Callable[[AttachmentRow], AttachmentView],
    now_ms: int,
) -> MessageView:
    """Return the view. `name_of` says what people are called in this conversation."""
    author_name, me = name_of(row.author), conversation.me
    membership, call, text = None, None, row.text
    if row.call is not None:
        call = call_entry_view(row.call, me, name_of)
        callee = conversation.kept.user
        text = call_sentence(author_name, call, mine=row.mine, callee=name_of(callee) if callee else "")
    if row.act is not None and conversation.group is not None:
        membership = membership_view(row.act, row.author, conversation.group, name_of)
        text = sentence(author_name, membership)
    mentions = _mentions(conversation, row, me)
    return MessageView(
        entry=row.entry,
        conversation=conversation.id,
        author=row.author,
        author_name=author_name,
        mine=row.mine,
        kind=MessageKind(row.kind),
        text=text,
        written_at=_moment(row.stamp),
        state=conversation.state_of(row),
        arrival=row.arrival,
        reply_to=row.reply_to,
        attachment=None if row.attachment is None else show_attachment(row.attachment),
        membership=membership,
        call=call,
        # A clock that is ahead must not put it into the future.
        edited_at=None if row.edited is None else _moment(min(row.edited, now_ms)),
        deleted_by=row.deleted_by,
        quoted=_quote(row, name_of),
        reactions=tuple(
            ReactionView(shown.emoji, shown.users, tuple(map(name_of, shown.users)), me in shown.users)
            for shown in row.reactions
        ),
        mentions=mentions,
        mentions_me=not row.mine and any(mention.user == me for mention in mentions),
    )


def on_screen(stamp: int, arrival: int) -> MessagePlace:
    """Return a place as the screen knows it."""
    return (_moment(stamp), arrival)


def place_as_kept(place: MessagePlace) -> Place:
    """Return a place on the screen as the database knows it."""
    return (round(place[0].timestamp() * 1000), place[1])


def _mentions(conversation: Conversation, row: MessageRow, me: UserId) -> tuple[MentionView, ...]:
    """Return who is mentioned; somebody who never was a member is no more than the letters of a name."""
    known = {*conversation.members, me}
    if conversation.group is not None:
        known |= conversation.group.former.keys()
    return tuple(MentionView(each.user, each.start, each.length) for each in row.mentions if each.user in known)


def _quote(row: MessageRow, name_of: NameOf) -> QuoteView | None:
    if row.reply_to is None:
        return None
    quoted = row.quoted
    if quoted is None:
        return QuoteView(row.reply_to)
    return QuoteView(row.reply_to, MessageKind(quoted.kind), quoted.author, name_of(quoted.author), quoted.text)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
