"""With whom of a group's members one keeps a link: up to six, most by lot, changed slowly; in a small group everybody.

Those who are there stand in a circle, the same for all, and everybody chooses the two beside them: so nobody is chosen
by none, and what one writes reaches all; by lot alone, one of fourteen was left out now and then. The other four make
it few steps: everybody has a place in a line that is drawn by lot here, and the first who are there are chosen. From
time to time one of these goes to its end. Groups of the same people share their links.
"""

import hashlib
import random
from collections.abc import Callable, Iterable

from peer import limits
from peer.entries.conversation import Conversation
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
        self._not_reached: set[UserId] = set()
        """Who was chosen lately and could not be linked with: the circle closes without them."""
        self._chosen: dict[ConversationId, frozenset[UserId]] = {}

    def choose(self, groups: Iterable[Conversation]) -> None:
        """Choose anew, by who is there and who belongs to which group now."""
        self._chosen = {group.id: self._first_of(group) for group in groups if group.group is not None}

    def change_one(self) -> None:
        """Let one of the chosen go to the end of the line, and try all in the circle again; `choose` must follow."""
        self._not_reached.clear()
        if everybody := sorted(self.everybody()):
            self._move(self._chance.choice(everybody))

    def give_up(self, users: Iterable[UserId]) -> None:
        """Let some who cannot be reached give way to others for a while; `choose` must follow."""
        for user in sorted(users):
            self._not_reached.add(user)
            self._move(user)

    def try_again(self, user: UserId) -> None:
        """Somebody moved, or called us: they may be reached now; `choose` must follow."""
        self._not_reached.discard(user)

    def everybody(self) -> frozenset[UserId]:
        """Return all who were chosen, for whichever group."""
        return frozenset().union(*self._chosen.values())

    def is_neighbour(self, conversation: Conversation, user: UserId) -> bool:
        """Tell whether new entries go to somebody at once; of two people, always."""
        return conversation.group is None or user in self._chosen.get(conversation.id, ())

    def _first_of(self, group: Conversation) -> frozenset[UserId]:
        there = [user for user in group.members if user != self._me and self._is_there(user)]
        if len(there) <= limits.NEIGHBOURS_PER_GROUP:
            return frozenset(there)
        chosen = self._beside_me(there)
        others = sorted((user for user in there if user not in chosen), key=self._place_of)
        return chosen | frozenset(others[: limits.NEIGHBOURS_PER_GROUP - len(chosen)])

    def _beside_me(self, there: Iterable[UserId]) -> frozenset[UserId]:
        circle = sorted({self._me, *there} - self._not_reached, key=_place_in_circle)
        mine = circle.index(self._me)
        return frozenset({circle[mine - 1], circle[(mine + 1) % len(circle)]}) - {self._me}

    def _move(self, user: UserId) -> None:
        self._back += 1
        self._place[user] = self._back

    def _place_of(self, user: UserId) -> float:
        if user not in self._place:
            self._place[user] = self._chance.uniform(0, self._back)
        return self._place[user]


def _place_in_circle(user: UserId) -> bytes:
    """Return a place that all work out alike; similar names, who may be out of reach together, lie apart."""
    return hashlib.sha256(user.encode()).digest()
