"""What must hold at the end of a run: all honest members agree, and nothing that counts is lost or doubled."""

from collections import Counter

from peer.conversation import Conversation
from peer.views import ConversationId
from protocol.identity import UserId
from protocol.link_messages import VectorLine
from protocol.membership import Membership
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
    texts = sorted(await first.texts(group))
    told: list[str] = []
    for other in others:
        theirs = other.conversation(group)
        if theirs is None:
            told.append(f"{other.name} does not know the group")
            continue
        told += _how_they_differ(first.name, mine, other.name, theirs)
        shown = sorted(await other.texts(group))
        if texts != shown:
            more, less = Counter(shown) - Counter(texts), Counter(texts) - Counter(shown)
            told.append(f"{other.name} shows {sorted(more)} beyond {first.name}, and lacks {sorted(less)}")
    return told


async def losses(members: list[Machine], honest: list[Machine], group: ConversationId, ledger: Ledger) -> list[str]:
    """Return what members who agree do not show, or show twice, of what honest members committed."""
    if not members:
        return []
    shown = [text for _, text in await members[0].texts(group)]
    told = [f"«{text}» is shown twice" for text, count in Counter(shown).items() if count > 1]
    there, names = set(shown), {member.name for member in members}
    agreed = _membership(members[0].conversation(group))
    assert agreed is not None
    for author in honest:
        own = [
            text
            for text, feed, number in await author.own_texts(group)
            if agreed.counts(UserId(author.name), feed, number)
        ]
        if author.name in names:
            # A member's own words are there at least at home, whatever became of feeds and numbers.
            own += [text for text, writer in ledger.written.items() if writer == author.name]
        told += [
            f"«{text}» is not shown, which {author.name} committed"
            for text in own
            if ledger.written.get(text) == author.name and text not in there and not ledger.may_be_lost(text, names)
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
        lines = mine.lines(), theirs.lines()
        for feed in sorted({*lines[0], *lines[1]}):
            here, there = (each.get(feed) for each in lines)
            if here != there:
                row = mine.feeds.get(feed) or theirs.feeds[feed]
                name = f"{row.author}/{feed.hex()[-6:]}"
                told.append(f"{one} and {other} hold {name} differently: {_line(here)} and {_line(there)}")
    return told


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
