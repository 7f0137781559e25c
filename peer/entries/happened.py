"""Who writes here, and what one write changed: what the storage thread hands to the loop."""

import secrets
from dataclasses import dataclass, field

from peer.storage.feeds import ConversationRow, FeedRow
from peer.storage.messages import MessageRow, Newest, SaidRow
from protocol.entries import Entry
from protocol.identity import EntryId, FeedId, Realm, UserId
from protocol.membership import Membership
from protocol.signatures import SigningKey


def incarnation() -> bytes:
    """Return a fresh name for a feed of ours."""
    return secrets.token_bytes(16)


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes here: one account on one device."""

    realm: Realm
    user: UserId
    key: SigningKey
    certificate: bytes
    authority: bytes


@dataclass(slots=True)
class Happened:
    """What one write changed."""

    conversation: ConversationRow
    feeds: dict[FeedId, FeedRow] = field(default_factory=dict)
    """Feeds that are new, moved or closed, as they are now."""
    messages: list[MessageRow] = field(default_factory=list)
    writers: set[UserId] = field(default_factory=set)
    """Who else wrote or changed a message."""
    said: list[SaidRow] | None = None
    """All consent entries of the conversation, when there are new ones."""
    hidden: list[MessageRow] = field(default_factory=list)
    """Messages that were shown and are not any more: their authors had gone by then."""
    fallen: dict[EntryId, MessageRow] = field(default_factory=dict)
    """Messages that were shown and fell out of a feed that was closed, and did not come again yet."""
    is_reordered: bool = False
    """Whether messages went or came otherwise than by growing; then `newest` says what they end with."""
    newest: Newest | None = None
    group: Membership | None = None
    """Who belongs to the group, when there are new entries about that."""
    known_group: Membership | None = None
    """The same once it was asked for, changed or not."""
    erased: list[tuple[int, int]] = field(default_factory=list)
    """Places (feed row, number) of bodies that are gone, because what they said was deleted."""
    has_deletions: bool | None = None
    """Whether anything was ever deleted in this conversation, once that was asked for."""
    group_before: Membership | None = None
    """Who belonged to the group until then, where that was known."""
    must_judge_again: bool = False
    """Whether what counted may count no more, because a feed was closed."""
    names: dict[UserId, str] = field(default_factory=dict)
    parted: set[FeedId] = field(default_factory=set)
    """Feeds of which the other side holds another version: where they part is not known yet."""
    named: dict[FeedId, int] = field(default_factory=dict)
    """Feeds of which well-formed entries came, whether or not they were news, with the highest number."""
    refused: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    """What was stored, in order, for neighbours who wait for just that, or bring it once more."""
    acted_upon: dict[EntryId, None] = field(default_factory=dict)
    """Messages that are not as they were, in the order in which it happened."""
    changed: list[MessageRow] = field(default_factory=list)
    """The same as they are in the end, but for those that are new."""
