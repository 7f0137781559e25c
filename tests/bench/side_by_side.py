"""Calls of ours and calls made with aiortc: the same speech, losses and delays, at the same time, two people each."""

import multiprocessing
import re
import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from peer.audio.opus_codec import FRAME, RATE
from peer.voice.protection import KEY_BYTES, Keys
from peer.voice.time_scaling import Samples
from tests.bench import aiortc_reference
from tests.bench.report import Row
from tests.bench.speech import delay, quality
from tests.bench.voice_ends import Heard, Plan, own_end
from tests.voice.relay import Relay
from tests.voice.virtual_call import Path, by_chance

LEARNING = 4
"""Seconds before what is judged."""
SECONDS = 8
ROUNDS = 3
"""At most; each takes about 70 s, and tells of both directions."""
_PATIENCE = 30.0
_SETTLING = 2.0
"""Seconds for both to find each other."""
_LONGEST_MS = 1_500
"""Later than this nobody is looked for in what was heard."""
_PORT = re.compile(r"(?<=127\.0\.0\.1 )\d+(?= typ host)")
_CONDITIONS = (("no loss", 0.0, 0.0), ("5 % lost", 0.05, 0.0), ("20 % lost", 0.2, 0.0), ("5 % and 0-60 ms", 0.05, 60.0))


@dataclass(frozen=True, slots=True)
class _Found:
    """One direction of one call."""

    late: float
    quality: float
    delivered: float
    busy: float


def side_by_side(said: Samples, rounds: int) -> Iterator[Row]:
    """Measure ours beside theirs, on each network."""
    for what, loss, jitter in _CONDITIONS:
        ours: list[_Found] = []
        theirs: list[_Found] = []
        for seed in range(1, min(rounds, ROUNDS) + 1):
            both = _round(said, loss, jitter, seed)
            ours += both[0]
            theirs += both[1]
        yield from _rows(what, ours, theirs)


def _rows(what: str, ours: list[_Found], theirs: list[_Found]) -> Iterator[Row]:
    for name, unit, of, factor in (
        ("mouth to ear", "ms", "late", 1),
        ("PESQ", "", "quality", 1),
        ("frames that came in time", "%", "delivered", 100),
        ("processor time of one end, of one core", "%", "busy", 100),
    ):
        mine, other = ([factor * getattr(one, of) for one in found] for found in (ours, theirs))
        middle = statistics.median(mine), statistics.median(other)
        ratios = sorted(a / b for a, b in zip(mine, other, strict=True))
        whole = f"{what}, in real time: {name}"
        spread, reference = (ratios[0], ratios[-1]), aiortc_reference.NAME
        yield Row("-", whole, middle[0], unit, middle[1], reference, middle[0] / middle[1], "", "-", None, spread)
        print(f"{whole}: {middle[0]:.3g} {unit}, {reference} {middle[1]:.3g}", file=sys.stderr)


def _round(said: Samples, loss: float, jitter: float, seed: int) -> tuple[list[_Found], list[_Found]]:
    """Have one call each of ours and of theirs, at the same time."""
    whole = [np.roll(said, place * RATE)[: (LEARNING + SECONDS) * RATE] for place in (seed, -4 * seed)]
    calls = [_Call(whole, seed, own=own) for own in (True, False)]
    try:
        begin = time.monotonic() + _SETTLING
        plan = Plan(begin, begin + LEARNING, begin + LEARNING + SECONDS + _LONGEST_MS / 1000)
        for call in calls:
            call.tell(plan)
        time.sleep(max(0.0, begin - time.monotonic()))
        for call in calls:
            call.relay.set(*(Path(by_chance(loss, 2 * seed + side), jitter=jitter) for side in (0, 1)))
        ours, theirs = (call.heard() for call in calls)
    finally:
        for call in calls:
            call.close()
    judged = [sound[LEARNING * RATE :] for sound in whole]
    return _judged(judged, ours), _judged(judged, theirs)


def _judged(said: list[Samples], heard: list[Heard]) -> list[_Found]:
    found = []
    for spoken, end in zip(said, heard[::-1], strict=True):
        ear = end.sound[LEARNING * RATE :]
        delivered = min(1.0, end.frames * FRAME / (len(ear)))
        found.append(_Found(delay(spoken, ear), quality(spoken, ear), delivered, end.busy))
    return found


class _Call:
    """Two processes, and the network between them."""

    def __init__(self, says: list[Samples], seed: int, *, own: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.relay = Relay(seed)
        self._pipes: list[Connection[Any, Any]] = []
        self._processes = []
        keys, ssrcs = [secrets.token_bytes(KEY_BYTES) for _ in says], [secrets.randbits(32) for _ in says]
        for side, sound in enumerate(says):
            here, there = context.Pipe()
            self._pipes.append(here)
            if own:
                pair = Keys(keys[side], keys[1 - side], ssrcs[side], ssrcs[1 - side])
                process = context.Process(target=own_end, args=(there, sound, pair), daemon=True)
            else:
                words = (there, sound, side == 0)
                process = context.Process(target=aiortc_reference.aiortc_end, args=words, daemon=True)
            process.start()
            self._processes.append(process)
        if own:
            self._introduce_ours()
        else:
            self._introduce_theirs()

    def tell(self, plan: Plan) -> None:
        """Let both follow a plan."""
        for pipe in self._pipes:
            pipe.send(plan)

    def heard(self) -> list[Heard]:
        """Wait for the end, and return what both heard."""
        return [self._told(side) for side in (0, 1)]

    def close(self) -> None:
        """End it."""
        for process in self._processes:
            process.kill()
            process.join()
        self.relay.close()

    def _introduce_ours(self) -> None:
        for side in (0, 1):
            self.relay.put(side, self._told(side))
        for side, pipe in enumerate(self._pipes):
            pipe.send(self.relay.port(side))

    def _introduce_theirs(self) -> None:
        """Hand on offer and answer, with the port of the relay in the place of the sender's."""
        for side in (0, 1):
            description: str = self._told(side)
            ports = set(_PORT.findall(description))
            assert len(ports) == 1, description
            self.relay.put(side, int(ports.pop()))
            self._pipes[1 - side].send(_PORT.sub(str(self.relay.port(1 - side)), description))

    def _told(self, side: int) -> Any:
        assert self._pipes[side].poll(_PATIENCE + LEARNING + SECONDS), "one end of a call says nothing"
        return self._pipes[side].recv()
