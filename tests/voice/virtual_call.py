"""Calls in virtual time: real engines, codec and encryption, on a network that loses and delays as it is told.

A minute of call takes about a second, and each run is the same.
"""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from peer.audio.switches import Switches
from peer.voice.engine import VoiceEngine
from peer.voice.jitter_buffer import PULL
from peer.voice.leg import Leg
from peer.voice.protection import KEY_BYTES, Keys
from peer.voice.time_scaling import Samples
from protocol.voice_packets import FIRST_NUMBER_BITS, is_report

PLAIN = Switches(echo=False, noise=False, gain=False)
TICK_MS = 10.0
_AROUND = 12 + 16
"""Bytes around the voice in a packet: its header, and what SRTP adds."""
_KERNEL_KEEPS = 250
"""Packets that wait for a program that does not read them; what comes then is lost."""
Lose = Callable[[float], bool]
"""Whether a packet that is sent at this time (ms) is lost."""


def never(_now: float) -> bool:
    """A good network."""
    return False


def by_chance(share: float, seed: int) -> Lose:
    """Each packet on its own."""
    chance = random.Random(seed)
    return lambda _now: chance.random() < share


def in_bursts(share: float, length: float, seed: int) -> Lose:
    """Several in a row, `length` on average (the model of Gilbert)."""
    chance = random.Random(seed)
    ends, begins = 1 / length, share / length / (1 - share)
    is_losing = False

    def lose(_now: float) -> bool:
        nonlocal is_losing
        is_losing = chance.random() >= ends if is_losing else chance.random() < begins
        return is_losing

    return lose


@dataclass(slots=True)
class Path:
    """One direction between two people."""

    lose: Lose = never
    delay: float = 5.0
    """In ms, of each packet."""
    jitter: float = 0.0
    """Up to so much more, in ms; packets overtake each other."""


@dataclass(slots=True)
class Person:
    """Somebody in the call, what they say and what they hear."""

    says: Samples
    engine: VoiceEngine
    legs: dict[int, Leg] = field(default_factory=dict)
    """By the number of the other person."""
    heard: list[Samples] = field(default_factory=list)
    is_asleep: bool = False
    """Nothing runs on this computer."""
    unread: list[bytes] = field(default_factory=list)
    """What came while it was asleep."""


class VirtualCall:
    """People who talk with each other, everybody with everybody."""

    def __init__(self, *says: Samples, path: Path | None = None, seed: int = 1, switches: Switches = PLAIN) -> None:
        """What each person says, as long as it is; `path` is between any two of them."""
        self.now = 1_000.0
        self.voice_bytes = 0
        """Of voice that was sent, without headers."""
        self._chance = random.Random(seed)
        self._path = path or Path()
        self._wire: list[tuple[float, int, int, bytes]] = []
        self._order = itertools.count()
        self._to: dict[tuple[int, int], int] = {}
        self.people = [
            Person(what, VoiceEngine(self._sender(number), switches, self._chance.getrandbits(32)))
            for number, what in enumerate(says)
        ]
        for one, other in itertools.combinations(range(len(says)), 2):
            self._connect(one, other)
        self._ticks = 0

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds * 1000 / TICK_MS)):
            self._deliver()
            for number, person in enumerate(self.people):
                if person.is_asleep:
                    continue
                person.heard.append(person.engine.play(self.now))
                said = person.says[self._ticks * PULL : (self._ticks + 1) * PULL]
                person.engine.heard(np.pad(said, (0, PULL - len(said))), self.now)
                person.engine.report(self.now + number, person.engine._speakers)
            self.now += TICK_MS
            self._ticks += 1

    def sleep(self, number: int, seconds: float) -> None:
        """Let time pass for all but one, who then finds what a computer keeps for a program that slept."""
        person = self.people[number]
        person.is_asleep = True
        self.run(seconds)
        person.is_asleep = False
        for data in person.unread:
            person.engine.received(data, self.now)
        person.unread.clear()

    def heard(self, number: int) -> Samples:
        """Return all that somebody has heard until now."""
        return np.concatenate(self.people[number].heard)

    def leg(self, of: int, to: int) -> Leg:
        """Return what one person has of another."""
        return self.people[of].legs[to]

    def inject(self, number: int, data: bytes) -> int | None:
        """Let somebody receive what a stranger sends."""
        return self.people[number].engine.received(data, self.now)

    def _connect(self, one: int, other: int) -> None:
        keys = [self._chance.randbytes(KEY_BYTES) for _ in range(2)]
        ssrcs = [self._chance.getrandbits(32) for _ in range(2)]
        ends = Keys(*keys, *ssrcs), Keys(*keys[::-1], *ssrcs[::-1])
        for me, you, mine in ((one, other, ends[0]), (other, one, ends[1])):
            self._to[(me, mine.incoming_ssrc)] = you
            self.people[me].legs[you] = self.people[me].engine.add(mine, self._chance.getrandbits(FIRST_NUMBER_BITS))

    def _sender(self, number: int) -> Callable[[int, bytes], None]:
        def send(ssrc: int, data: bytes) -> None:
            self.voice_bytes += max(0, len(data) - _AROUND) if not is_report(data) else 0
            if not self._path.lose(self.now):
                arrival = self.now + self._path.delay + self._chance.uniform(0, self._path.jitter)
                heapq.heappush(self._wire, (arrival, next(self._order), self._to[(number, ssrc)], data))

        return send

    def _deliver(self) -> None:
        while self._wire and self._wire[0][0] <= self.now:
            arrival, _, number, data = heapq.heappop(self._wire)
            person = self.people[number]
            if not person.is_asleep:
                person.engine.received(data, arrival)
            elif len(person.unread) < _KERNEL_KEEPS:
                person.unread.append(data)
