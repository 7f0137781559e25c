"""One of two people in a call in real time, in a process of its own, with microphone and speaker in memory.

Sound is handed over when it has been said whole, and asked for at the very moment at which it would be played, so what
is heard can be laid beside what was said by their places alone.
"""

import secrets
import socket
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from peer.audio.opus_codec import RATE
from peer.voice.engine import VoiceEngine
from peer.voice.jitter_buffer import PULL
from peer.voice.process_messages import Place
from peer.voice.protection import Keys
from peer.voice.routes import Routes
from peer.voice.time_scaling import Samples
from protocol.voice_packets import FIRST_NUMBER_BITS
from tests.voice.relay import HOST
from tests.voice.virtual_call import PLAIN

PIECE = PULL / RATE
"""Seconds of sound that are said and heard at a time."""
_REPORT_EVERY = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """When a call is what: times of `time.monotonic`, which all processes of a computer share."""

    begin: float
    judged: float
    """From then on it counts."""
    end: float

    def steps(self) -> range:
        """Return the pieces of sound from now to the end; those before it begins are below 0."""
        return range(self._step(time.monotonic()), self._step(self.end))

    def due(self, step: int) -> float:
        """Return when a piece begins."""
        return self.begin + step * PIECE

    def is_judged_at(self, step: int) -> bool:
        """Tell whether it counts from this piece on."""
        return step == self._step(self.judged)

    def _step(self, when: float) -> int:
        return round((when - self.begin) / PIECE)


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a call at one end."""

    sound: Samples
    """From begin to end."""
    frames: int
    """Of 20 ms that came in time, since it counted."""
    busy: float
    """Processor time since then, as a share of one core."""


class Meter:
    """Processor time of this process."""

    def __init__(self) -> None:
        self._busy, self._time = time.process_time(), time.monotonic()

    def share(self) -> float:
        """Return the share of one core since it was made."""
        return (time.process_time() - self._busy) / (time.monotonic() - self._time)


def own_end(pipe: "Connection[Any, Any]", says: Samples, keys: Keys) -> None:
    """Be one end of a call of ours: tell the port, be told the other's, follow the plan."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((HOST, 0))
    pipe.send(udp.getsockname()[1])
    leg = keys.incoming_ssrc

    def send(ssrc: int, data: bytes) -> None:
        routes.send(ssrc, data)

    engine = VoiceEngine(send, PLAIN, secrets.randbits(32))
    routes = Routes(udp, None, engine.received, engine.probe, _now)
    routes.add(leg, (Place(HOST, pipe.recv()),), dials=False)
    ours = engine.add(keys, secrets.randbits(FIRST_NUMBER_BITS))
    plan: Plan = pipe.recv()
    heard, meter, before = [], Meter(), 0
    for step in plan.steps():
        time.sleep(max(0.0, plan.due(step) - time.monotonic()))
        played = ours._jitter_buffer.played
        assert step != 0 or ours.is_heard, "they do not hear each other"
        if plan.is_judged_at(step):
            meter, before = Meter(), played.decoded + played.recovered
        heard.append(engine.play(_now()))
        engine.heard(piece(says, step - 1), _now())
        if step % _REPORT_EVERY == 0:
            engine.report(_now(), routes.heard_by_udp())
    sound = np.concatenate(heard[-plan.steps().stop :])
    pipe.send(Heard(sound, played.decoded + played.recovered - before, meter.share()))
    routes.close()
    udp.close()


def piece(sound: Samples, number: int, pieces: int = 1) -> Samples:
    """Return so many pieces of a sound, silence before it begins and where it is over."""
    if number < 0:
        return np.zeros(pieces * PULL, np.int16)
    found = sound[number * PULL : (number + pieces) * PULL]
    return np.pad(found, (0, pieces * PULL - len(found)))


def _now() -> float:
    return 1000 * time.monotonic()
