"""With whom of a group's members one keeps a link: up to six at random, changed slowly; in a small group everybody.

Everybody has a place in a line that is drawn by lot here, and of each group the first six who are there are chosen. So
groups of the same people share their links, and what one member writes reaches all of any group in a few steps: each
draws another line. From time to time one of the chosen goes to its end.
"""

import random
from collections.abc import Callable, Iterable

from peer import limits
from peer.conversation import Conversation
from protocol.identity import ConversationId, UserId


class NeighbourChoice:
    """Who is chosen, group by group."""

    def __init__(self, me: UserId, chance: random.Random, is_there: Callable[[UserId], bool]) -> None:
        """`is_there` tells whether somebody can be linked with now."""
        self._me = me
        self._chance = chance
        self._is_there = is_there
        self._place: dict[UserId, float] = {}
        self._back = 1.0
        self._chosen: dict[ConversationId, frozenset[UserId]] = {}

    def choose(self, groups: Iterable[Conversation]) -> None:
        """Choose anew, by who is there and who belongs to which group now."""
        self._chosen = {group.id: self._first_of(group) for group in groups if group.group is not None}

    def change_one(self) -> None:
        """Let one of the chosen go to the end of the line; `choose` must follow."""
        if everybody := sorted(self.everybody()):
            self.move([self._chance.choice(everybody)])

    def move(self, users: Iterable[UserId]) -> None:
        """Let some who cannot be reached go to the end of the line; `choose` must follow."""
        for user in sorted(users):
            self._back += 1
            self._place[user] = self._back

    def everybody(self) -> frozenset[UserId]:
        """Return all who were chosen, for whichever group."""
        return frozenset().union(*self._chosen.values())

    def is_neighbour(self, conversation: Conversation, user: UserId) -> bool:
        """Tell whether new entries go to somebody at once; of two people, always."""
        return conversation.group is None or user in self._chosen.get(conversation.id, ())

    def _first_of(self, group: Conversation) -> frozenset[UserId]:
        there = [user for user in group.members if user != self._me and self._is_there(user)]
        if len(there) > limits.NEIGHBOURS_PER_GROUP:
            there = sorted(there, key=self._place_of)[: limits.NEIGHBOURS_PER_GROUP]
        return frozenset(there)

    def _place_of(self, user: UserId) -> float:
        if user not in self._place:
            self._place[user] = self._chance.uniform(0, self._back)
        return self._place[user]
