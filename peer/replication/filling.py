"""From whom a conversation is filled: what lacks much is taken from one neighbour at a time.

Every neighbour sends all that we lack as soon as it is told how far we are. So while one of them has much for us, the
others are told later: when that one is through, when it falls silent, or when its turn has taken too long. Nothing
comes from everybody at once, and nothing depends on any of them being honest or quick.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from peer import limits
from peer.links.link import Link
from protocol.identity import ConversationId


@dataclass(slots=True)
class _Turn:
    """Whom a conversation is taken from now, and who waits for that."""

    link: Link
    began: float
    heard: float
    """When they last said or brought anything (loop time, s)."""
    batches_in_hand: int = 0
    """Batches of theirs that are being stored: that this takes a while is not their fault."""
    has_told: bool = False
    waiting: dict[Link, None] = field(default_factory=dict)


class Filling:
    """Whose turn it is, conversation by conversation."""

    def __init__(
        self, compare: Callable[[Link, ConversationId], bool], lacking: Callable[[Link, ConversationId], int]
    ) -> None:
        """`compare` begins a comparison with somebody, or returns False where there is nothing to compare any more.

        `lacking` returns how many entries somebody told to hold that we lack.
        """
        self._compare = compare
        self._lacking = lacking
        self._turns: dict[ConversationId, _Turn] = {}
        self._let_down: set[tuple[Link, ConversationId]] = set()
        """Who had a turn and did not use it: they are told everything at once, and nobody waits for them again."""
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def may_tell(self, link: Link, name: ConversationId) -> bool:
        """Tell whether a neighbour may be told now how far we are; if not, it is compared with when its turn comes."""
        turn = self._turns.get(name)
        if turn is None and (link, name) not in self._let_down:
            self._begin(name, link, {})
        elif turn is not None and turn.link is not link and (link, name) not in self._let_down:
            turn.waiting[link] = None
            return False
        return True

    def has_much(self, link: Link, name: ConversationId) -> bool:
        """Tell whether a neighbour told to hold much that we lack."""
        return self._lacking(link, name) > limits.FILLING_ENTRIES

    def told(self, link: Link, name: ConversationId) -> None:
        """A neighbour told how far it is."""
        turn = self._turns.get(name)
        if turn is not None and turn.link is link:
            turn.has_told, turn.heard = True, self._loop.time()
            if not self.has_much(link, name):
                self._pass_on(name, turn)

    def began_taking(self, link: Link, name: ConversationId) -> None:
        """A batch of a neighbour's entries came."""
        turn = self._turns.get(name)
        if turn is not None and turn.link is link:
            turn.batches_in_hand += 1

    def has_taken(self, link: Link, name: ConversationId) -> None:
        """That batch is stored, or was refused."""
        turn = self._turns.get(name)
        if turn is not None and turn.link is link:
            turn.batches_in_hand = max(0, turn.batches_in_hand - 1)
            turn.heard = self._loop.time()

    def gone(self, link: Link) -> None:
        """A link went down."""
        self._let_down = {each for each in self._let_down if each[0] is not link}
        for name, turn in tuple(self._turns.items()):
            turn.waiting.pop(link, None)
            if turn.link is link:
                self._pass_on(name, turn)

    def close(self) -> None:
        """Look after nothing any more."""
        self._turns.clear()
        if self._timer is not None:
            self._timer.cancel()

    # --- inside ------------------------------------------------------------------------------

    def _begin(self, name: ConversationId, link: Link, waiting: dict[Link, None]) -> None:
        now = self._loop.time()
        self._turns[name] = _Turn(link, now, now, waiting=waiting)
        if self._timer is None:
            self._timer = self._loop.call_later(limits.FILLING_LOOK_SECONDS, self._look)

    def _pass_on(self, name: ConversationId, turn: _Turn) -> None:
        """Let the next one have its turn."""
        del self._turns[name]
        waiting = turn.waiting
        while waiting:
            link = next(iter(waiting))
            del waiting[link]
            if self._compare(link, name):
                self._begin(name, link, waiting)
                return

    def _look(self) -> None:
        """End the turns of those who have brought everything, or bring nothing more."""
        self._timer = None
        now = self._loop.time()
        for name, turn in tuple(self._turns.items()):
            silence = 0.0 if turn.batches_in_hand else now - turn.heard
            left = self._lacking(turn.link, name) if turn.has_told else None
            if silence >= limits.FILLING_SILENT_SECONDS or now >= turn.began + limits.FILLING_TURN_SECONDS:
                self._let_down.add((turn.link, name))
                self._pass_on(name, turn)
            elif left == 0 or (
                left is not None and left <= limits.FILLING_ENTRIES and silence >= limits.FILLING_LOOK_SECONDS
            ):
                self._pass_on(name, turn)
        if self._turns and self._timer is None:
            self._timer = self._loop.call_later(limits.FILLING_LOOK_SECONDS, self._look)
