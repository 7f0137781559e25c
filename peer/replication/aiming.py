"""Who is dialled, and who no longer: friends always, of a group's other members the few that were chosen."""

import asyncio
import random
from collections.abc import Callable, Collection

from peer import limits
from peer.entries.conversation import Conversation
from peer.links.dialing import Dialer, Place
from peer.links.link import LinkEnd
from peer.links.link_book import LinkBook
from peer.replication.neighbour_choice import NeighbourChoice
from peer.services.contacts import Contacts
from peer.services.conversations import Conversations
from protocol.identity import ConversationId, UserId


class Aim:
    """Keeps the dialler in step with who is there, who is a friend, and who is in our groups."""

    def __init__(
        self,
        contacts: Contacts,
        conversations: Conversations,
        dialer: Dialer,
        book: LinkBook,
        chance: random.Random,
        me: UserId,
    ) -> None:
        self._contacts = contacts
        self._conversations = conversations
        self._dialer = dialer
        self._book = book
        self.choice = NeighbourChoice(me, chance, self._is_there)
        self._sought: dict[UserId, float] = {}
        """Who is of use for a while, and until when: for files of theirs."""
        self._is_due = self._is_closed = False
        self._ours: frozenset[ConversationId] = frozenset()
        """The groups that we were in when it was chosen last."""
        self._left: dict[ConversationId, float] = {}
        """Until when those that we are in no more have neighbours."""
        self._changing: asyncio.Task[None] | None = None
        self.on_chosen: Callable[[], None] = lambda: None
        """Called when somebody else was chosen for a group."""

    def start(self) -> None:
        """Begin to change neighbours slowly."""
        self._changing = asyncio.create_task(self._change_slowly(), name="changing neighbours")

    async def close(self) -> None:
        """Stop that; nobody is dialled any more."""
        self._is_closed = True
        if self._changing is not None:
            self._changing.cancel()
            await asyncio.gather(self._changing, return_exceptions=True)

    def at(self, user: UserId) -> None:
        """Dial a user who is there and with whom something may have to be said; stop it otherwise."""
        about = self._contacts.whereabout(user)
        is_wanted = self._is_wanted(user)
        if about and about.online and about.addresses and about.listen_port and is_wanted:
            self._dialer.want(user, Place(about.addresses, about.listen_port))
        elif not is_wanted or (about is not None and not about.online):
            self._dialer.forget(user)

    def seek(self, user: UserId) -> None:
        """Have a link with somebody for a while, chosen or not."""
        self._sought[user] = asyncio.get_running_loop().time() + limits.SOUGHT_SECONDS
        self.at(user)

    def choose_soon(self, moved: UserId | None = None) -> None:
        """Somebody came, went, or is in other groups: choose anew, once for all that happens at this moment."""
        if moved is not None:
            self.choice.try_again(moved)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._choose)

    def _choose(self) -> None:
        self._is_due = False
        if self._is_closed:
            return
        before = self.choice.everybody()
        self.choice.choose(self._groups())
        now = self.choice.everybody()
        for user in sorted(before ^ now):
            self.at(user)
        self._let_go(before - now)
        self.on_chosen()

    def _groups(self) -> list[Conversation]:
        """Return the groups that we are in, and those that we left a moment ago: our word of it must go out first."""
        loop = asyncio.get_running_loop()
        ours = frozenset(each.id for each in self._conversations.ours())
        for left in self._ours - ours:
            self._left[left] = loop.time() + limits.SETTLING_SECONDS
            loop.call_later(limits.SETTLING_SECONDS, self.choose_soon)
        self._ours = ours
        self._left = {each: until for each, until in self._left.items() if until > loop.time()}
        return [each for each in self._conversations.all() if each.id in ours or each.id in self._left]

    def _let_go(self, users: Collection[UserId]) -> None:
        """Close links that we asked for and need no more; who called us wants theirs."""
        for link in self._book.links:
            assert link.user is not None
            if link.is_ours and link.user in users and not self._is_wanted(link.user):
                link.close(LinkEnd.LEAVING)

    async def _change_slowly(self) -> None:
        kept = 0.0
        while True:
            await asyncio.sleep(limits.NEIGHBOURS_TRIED_SECONDS)
            kept += limits.NEIGHBOURS_TRIED_SECONDS
            linked = {link.user for link in self._book.links}
            self.choice.give_up(self.choice.everybody() - linked)
            self._forget_sought()
            if kept >= limits.NEIGHBOURS_KEPT_SECONDS:
                kept = 0.0
                self.choice.change_one()
            self.choose_soon()

    def _forget_sought(self) -> None:
        now = asyncio.get_running_loop().time()
        over = sorted(user for user, until in self._sought.items() if until <= now)
        for user in over:
            del self._sought[user]
            self.at(user)
        self._let_go(over)

    def _is_wanted(self, user: UserId) -> bool:
        return self._contacts.wants_link_for_two(user) or (
            (user in self.choice.everybody() or user in self._sought) and not self._contacts.is_blocked(user)
        )

    def _is_there(self, user: UserId) -> bool:
        """Tell whether somebody can be linked with, also while the locator, out of reach, does not say."""
        if self._contacts.is_blocked(user):
            return False
        is_sought = self._contacts.whereabout(user) is None and self._dialer.is_wanted(user)
        return self._contacts.is_online(user) or is_sought
