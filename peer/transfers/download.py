"""One attachment that is being fetched: what has come, where it is written, and who is asked for what next.

Shared by the threads that pull and the loop that watches; a lock is held for moments only.
"""

import random
import threading
import time
from collections.abc import Hashable, Sequence
from pathlib import Path

from peer import limits
from peer.transfers.content import Part
from peer.transfers.schedule import Schedule
from protocol.manifests import PieceTable, piece_length
from protocol.piece_sets import PieceSet


class Download:
    """Pieces on their way into the files at `parts`."""

    def __init__(
        self, table: PieceTable, parts: Sequence[Part], part: Path, have: PieceSet, chance: random.Random
    ) -> None:
        """`part` is the file or folder that will get its name once everything is there."""
        self.table = table
        self.parts = tuple(parts)
        self.part = part
        self.size = table.size
        self._have = have
        self._lock = threading.Lock()
        self._schedule = Schedule(have, chance)
        self._news = threading.Condition(self._lock)
        self._is_stopped = False

    def stop(self) -> None:
        """Let no thread take anything more."""
        with self._lock:
            self._is_stopped = True
            self._news.notify_all()

    def set_source(self, source: Hashable, pieces: PieceSet) -> None:
        """Somebody has these pieces now."""
        with self._lock:
            self._schedule.set_source(source, pieces)
            self._news.notify_all()

    def drop_source(self, source: Hashable) -> None:
        """Somebody is gone; the thread that asked for something there says when it has ended."""
        with self._lock:
            self._schedule.drop_source(source)

    def release(self, source: Hashable) -> None:
        """What somebody was asked for will not come from there."""
        with self._lock:
            self._schedule.release(source)
            self._news.notify_all()

    def take(self, source: Hashable, wait: float = 0.0) -> range:
        """Return what to ask a source for; wait so long (s) for something if there is nothing at this moment."""
        until = time.monotonic() + wait
        with self._lock:
            while not self._is_stopped and not self._have.is_complete:
                now = time.monotonic()
                run = self._schedule.take(source, now)
                if run or now >= until:
                    return run
                self._news.wait(min(until - now, limits.LATE_PIECE_SECONDS))
            return range(0)

    def has_something_for(self, source: Hashable) -> bool:
        """Whether a source could be asked for something at this moment."""
        with self._lock:
            return self._schedule.has_something_for(source, time.monotonic())

    def bytes_asked_of(self, source: Hashable) -> int:
        """Return how much is still to come from a source, as whole pieces."""
        with self._lock:
            return sum(piece_length(self.size, piece) for piece in self._schedule.asked_of(source))

    def is_needed(self, source: Hashable) -> bool:
        """Whether a source was asked for something that nobody else has."""
        with self._lock:
            return self._schedule.is_needed(source)

    def can_step_in(self, source: Hashable, slow: Hashable) -> bool:
        """Whether a source waits for pieces that only a slow one was asked for."""
        with self._lock:
            return self._schedule.can_step_in(source, self._schedule.asked_of(slow))

    def passed_by(self, source: Hashable, piece: int) -> None:
        """A piece came and was not written."""
        with self._lock:
            self._schedule.passed_by(source, piece)
            self._news.notify_all()

    def came(self, piece: int) -> bool:
        """A piece is written and verified; return whether everything is here by it."""
        with self._lock:
            is_news = self._schedule.came(piece)
            if self._have.is_complete:
                self._news.notify_all()
            return is_news and self._have.is_complete

    def may_write(self, source: Hashable, piece: int) -> bool:
        """A piece begins to come from a source; tell whether it is to be written, and does not come from another."""
        with self._lock:
            return self._schedule.may_write(source, piece)

    def is_here(self, piece: int) -> bool:
        """Whether a piece has come already, from somebody else perhaps."""
        with self._lock:
            return piece in self._have

    def held(self) -> PieceSet:
        """Return what is here, as a copy."""
        with self._lock:
            return PieceSet(self.size, self._have.to_bytes())

    @property
    def bytes_held(self) -> int:
        """How much is here."""
        return self._have.bytes_held

    @property
    def is_complete(self) -> bool:
        """Whether everything is here."""
        return self._have.is_complete
