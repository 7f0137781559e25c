"""A person in a call made with aiortc, the well-kept WebRTC of Python, as its users write one.

Its microphone and speaker are as ours (`voice_ends`). What it receives has no clock of its own, so a player stands
behind it that is as kind as one can be: it begins with the first frame, and keeps the time that the frames tell.
"""

import asyncio
import fractions
import time
from collections import deque
from importlib.metadata import version
from multiprocessing.connection import Connection
from typing import Any
from unittest.mock import patch

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioFrame

from peer.audio.opus_codec import FRAME, RATE
from peer.voice.jitter_buffer import PULL
from peer.voice.time_scaling import Samples
from tests.bench.voice_ends import Heard, Meter, Plan, piece
from tests.voice.relay import HOST

NAME = f"aiortc {version('aiortc')}"
_PIECES = FRAME // PULL


class _Microphone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, says: Samples) -> None:
        super().__init__()
        self._says = says
        self._frame: int | None = None
        self.plan: asyncio.Future[Plan] = asyncio.get_running_loop().create_future()

    async def recv(self) -> AudioFrame:
        """Return the next 20 ms as soon as they have been said."""
        plan = await self.plan
        if self._frame is None:
            self._frame = plan.steps().start // _PIECES
        await asyncio.sleep(plan.due((self._frame + 1) * _PIECES) - time.monotonic())
        samples = piece(self._says, self._frame * _PIECES, _PIECES)
        self._frame += 1
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, self._frame * FRAME
        frame.time_base = fractions.Fraction(1, RATE)
        return frame


class _Player:
    """Plays frames at the times that they tell, later by what had to be waited for."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, Samples]] = deque()
        self._sound = np.zeros(0, np.int16)
        self._next: int | None = None
        """The time of the sample behind `_sound`."""
        self._waited = 0
        """Samples of silence played since, in the hope for the next frame."""
        self.frames = 0

    async def listen(self, track: MediaStreamTrack) -> None:
        """Take frames from the other side."""
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            assert frame.pts is not None
            self.frames += 1
            self._frames.append((frame.pts, frame.to_ndarray()[0, ::2]))

    def catch_up(self) -> None:
        """Leave out what waited because the computer was busy when the call began."""
        self._frames.clear()
        self._next = None

    def pull(self) -> Samples:
        """Return the next 10 ms."""
        while len(self._sound) < PULL:
            self._sound = np.concatenate((self._sound, self._more()))
        sound, self._sound = self._sound[:PULL], self._sound[PULL:]
        return sound

    def _more(self) -> Samples:
        if not self._frames:
            self._waited += PULL
            return np.zeros(PULL, np.int16)
        begins, sound = self._frames.popleft()
        gap = begins - self._next - self._waited if self._next is not None else 0
        self._next, self._waited = begins + len(sound), 0
        return np.concatenate((np.zeros(max(0, gap), np.int16), sound))


def aiortc_end(pipe: "Connection[Any, Any]", says: Samples, is_first: bool) -> None:
    """Be one end: exchange descriptions, follow the plan."""
    with patch("aioice.ice.get_host_addresses", lambda *_, **__: [HOST]):  # the computer itself is never offered
        asyncio.run(_call(pipe, says, is_first))


async def _call(pipe: "Connection[Any, Any]", says: Samples, is_first: bool) -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    microphone, player = _Microphone(says), _Player()
    connection.addTrack(microphone)
    listening: list[asyncio.Task[None]] = []
    connection.on("track", lambda track: listening.append(asyncio.create_task(player.listen(track))))
    if is_first:
        await connection.setLocalDescription(await connection.createOffer())
        pipe.send(connection.localDescription.sdp)
        await connection.setRemoteDescription(RTCSessionDescription(await _told(pipe), "answer"))
    else:
        await connection.setRemoteDescription(RTCSessionDescription(await _told(pipe), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        pipe.send(connection.localDescription.sdp)
    plan: Plan = await _told(pipe)
    microphone.plan.set_result(plan)
    heard, meter, before = [], Meter(), 0
    for step in plan.steps():
        await asyncio.sleep(max(0.0, plan.due(step) - time.monotonic()))
        if step == 0:
            assert player.frames, "they do not hear each other"
            player.catch_up()
        if plan.is_judged_at(step):
            meter, before = Meter(), player.frames
        heard.append(player.pull())
    sound = np.concatenate(heard[-plan.steps().stop :])
    pipe.send(Heard(sound, player.frames - before, meter.share()))
    await connection.close()
    for task in listening:
        task.cancel()


async def _told(pipe: "Connection[Any, Any]") -> Any:
    return await asyncio.to_thread(pipe.recv)
