"""What must hold at the end of a run: all honest members agree, and nothing that counts is lost or doubled."""

from collections import Counter

import msgspec

from peer.entries.conversation import Conversation
from peer.storage.feeds import FeedRow
from peer.storage.messages import MessageRow
from peer.views import ConversationId, MessageKind
from protocol.identity import EntryId, FeedId, UserId
from protocol.link_messages import VectorLine
from protocol.membership import Membership
from protocol.replication import subtract
from tests.simulate.ledger import Ledger
from tests.simulate.machine import Machine


def final_members(honest: list[Machine], group: ConversationId) -> list[Machine]:
    """Return the honest members; the first one, in whose eyes they are, leads."""
    for machine in honest:
        membership = _membership(machine.conversation(group))
        if membership is not None and machine.name in membership.members:
            return [machine, *(each for each in honest if each.name in membership.members and each is not machine)]
    return []


async def differences(members: list[Machine], group: ConversationId) -> list[str]:
    """Return how members differ from the first: in who is in the group, what is held, what is shown."""
    if not members:
        return []
    first, *others = members
    mine = first.conversation(group)
    assert mine is not None
    shown_here = await first.rows(group)
    told: list[str] = []
    for other in others:
        theirs = other.conversation(group)
        if theirs is None:
            told.append(f"{other.name} does not know the group")
            continue
        told += _how_they_differ(first.name, mine, other.name, theirs)
        shown_there = await other.rows(group)
        # What is withheld from one of the two from its joining on is no difference.
        but = _withheld(mine, first, shown_there) | _withheld(mine, other, shown_here)
        is_withheld = bool(but) or bool(mine.group and {first.name, other.name} & mine.group.withheld.keys())
        here, there = (
            Counter(_as_seen(row, is_withheld=is_withheld) for row in rows if row.entry not in but)
            for rows in (shown_here, shown_there)
        )
        told += [f"{other.name} shows, and {first.name} does not: {' '.join(each)}" for each in there - here]
        told += [f"{first.name} shows, and {other.name} does not: {' '.join(each)}" for each in here - there]
    return told


def _withheld(conversation: Conversation, machine: Machine, rows: list[MessageRow]) -> set[EntryId]:
    group = conversation.group
    assert group is not None
    user = UserId(machine.name)
    return {row.entry for row in rows if row.number <= group.withheld_from(user, row.feed)}


async def _of_another_branch(
    author: Machine, member: Machine, group: ConversationId, own: list[MessageRow]
) -> set[EntryId]:
    """Return what somebody who is here no more wrote with numbers that the members hold something else at.

    Their disk was set back and they wrote these numbers again; nobody asks them any more what they mean.
    """
    numbers: dict[FeedId, list[int]] = {}
    for row in own:
        if row.mine:
            numbers.setdefault(row.feed, []).append(row.number)
    there = {feed: await member.hashes(group, feed, wanted) for feed, wanted in numbers.items()}
    here = {feed: await author.hashes(group, feed, wanted) for feed, wanted in numbers.items()}
    return {
        row.entry
        for row in own
        if row.mine and row.number in there[row.feed] and there[row.feed][row.number] != here[row.feed].get(row.number)
    }


def _ended(conversation: Conversation) -> list[FeedRow]:
    """Return the feeds that count up to a number only: their authors went, and may have come again."""
    group = conversation.group
    assert group is not None
    return [feed for name, feed in conversation.feeds.items() if name in group.ended]


def _as_seen(row: MessageRow, *, is_withheld: bool) -> tuple[str, ...]:
    """Return what all must see alike; edits and reactions may have been withheld from one of the two, too."""
    always = (row.entry.hex()[:8], row.author, row.kind, f"deleted by {row.deleted_by}", f"answers {row.reply_to}")
    if is_withheld:
        return always
    return (
        *always,
        f"«{row.text}»",
        str(row.edited),
        *(f"{each.emoji} {' '.join(each.users)}" for each in row.reactions),
    )


async def remains(members: list[Machine], group: ConversationId, ledger: Ledger) -> list[str]:
    """Return what is left on members' disks of messages that all see as deleted."""
    if not members:
        return []
    deleted = [row.entry for row in await members[0].rows(group) if row.kind == MessageKind.DELETED]
    wordings = {text.encode() for entry in deleted for text in ledger.wordings.get(entry, ())}
    return [
        f"{member.name} still holds what was deleted: «{text.decode()}»"
        for member in members
        for content in [await member.content()]
        for text in sorted(wordings)
        if any(text in each for each in content)
    ]


async def losses(members: list[Machine], honest: list[Machine], group: ConversationId, ledger: Ledger) -> list[str]:
    """Return what members who agree do not show, or show twice, of what honest members committed."""
    if not members:
        return []
    agreed = members[0].conversation(group)
    assert agreed is not None
    assert agreed.group is not None
    names = {member.name for member in members}
    told, there = [], dict[str, set[EntryId]]()
    for member in members:
        rows = await member.rows(group)
        there[member.name] = {row.entry for row in rows}
        texts = Counter(row.text for row in rows if row.kind == MessageKind.TEXT and row.edited is None)
        told += [f"{member.name} shows twice: {text}" for text, count in texts.items() if count > 1]
    for author in honest:
        own = await author.rows(group)
        due = {row.entry for row in own if row.mine and agreed.group.counts(row.author, row.feed, row.number)}
        if author.name not in names:
            due -= await _of_another_branch(author, members[0], group, own)
        if author.name in names and not any(row.author == author.name for row in _ended(agreed)):
            # Who was here all the time shows at home all that was ever written there.
            due |= {entry for entry, written in ledger.written.items() if written.author == author.name}
        lost: set[EntryId] = set()
        for member in members:
            lost |= due - there[member.name] - _withheld(agreed, member, own)
        told += [
            f"not shown by all, and {author.name} committed it: «{ledger.written[entry].text}»"
            for entry in sorted(lost & ledger.written.keys())
            if not ledger.may_be_lost(entry, names)
        ]
    return told


def _how_they_differ(one: str, mine: Conversation, other: str, theirs: Conversation) -> list[str]:
    told: list[str] = []
    assert mine.group is not None
    if theirs.group is None or (mine.group.members, mine.group.managers, mine.group.name) != (
        theirs.group.members,
        theirs.group.managers,
        theirs.group.name,
    ):
        told.append(f"{one} and {other} disagree on who is in the group: {_members(mine)} and {_members(theirs)}")
    if mine.digest().root != theirs.digest().root:
        lines = mine.told_lines(), theirs.told_lines()
        for feed in sorted({*lines[0], *lines[1]}):
            here, there = (_but_withheld(each.get(feed), mine, one, other) for each in lines)
            if here != there:
                row = mine.feeds.get(feed) or theirs.feeds[feed]
                name = f"{row.author}/{feed.hex()[-6:]}"
                told.append(f"{one} and {other} hold {name} differently: {_line(here)} and {_line(there)}")
    return told


def _but_withheld(line: VectorLine | None, conversation: Conversation, *users: str) -> VectorLine | None:
    """Return a line but for bodies that are withheld from one of two: they do not know whether anybody holds them."""
    if line is None or conversation.group is None:
        return line
    last = max(conversation.group.withheld_from(UserId(user), line.feed) for user in users)
    return msgspec.structs.replace(line, lacking=subtract(line.lacking, ((1, last),)))


def _membership(conversation: Conversation | None) -> Membership | None:
    return None if conversation is None else conversation.group


def _members(conversation: Conversation) -> str:
    group = conversation.group
    return "none" if group is None else f"«{group.name}» {' '.join(group.members)} (managers {sorted(group.managers)})"


def _line(line: VectorLine | None) -> str:
    if line is None:
        return "not at all"
    end = " closed" if line.closed else ""
    return f"up to {line.head} {line.head_hash.hex()[:6]}{end}" + (f" without {line.lacking}" if line.lacking else "")
