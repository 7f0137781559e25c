"""Two voice processes on two sound cards that talk with each other, without nodes."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from unittest.mock import patch

import numpy as np

from peer.audio.audio_process import AudioProcess
from peer.voice import process_messages as pipe
from peer.voice.handing_over import hand_over, inherited
from peer.voice.protection import KEY_BYTES
from tests.harness.sound_card import SoundCard
from tests.voice.relay import HOST, Relay
from tests.voice.voices import likeness, voice

PATIENCE = 20.0
NO_SOUND = {"PULSE_SERVER": "unix:/nowhere", "JACK_NO_START_SERVER": "1"}
"""In the environment of somebody without any sound device."""
HEARD = 0.4
"""Likeness of a voice that came through, on a computer that is very busy; of two different voices it is below 0.2."""
_PITCH = {"ana": 110.0, "bo": 220.0}
_NOT_YET = pipe.LegHeard(0, "", False, 0.0, 0.0, None, 0.0, 0.0, 0.0, "")


def voice_port(host: str = HOST) -> tuple[socket.socket, socket.socket]:
    """Bind a UDP and a TCP socket with the same number."""
    while True:
        udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
        udp.bind((host, 0))
        try:
            tcp.bind((host, udp.getsockname()[1]))
        except OSError:  # somebody has this number for TCP
            udp.close()
            tcp.close()
        else:
            return udp, tcp


class VoiceEnd:
    """A person's voice process, its sockets, and what it told."""

    def __init__(self, environment: dict[str, str], host: str = HOST) -> None:
        self.environment = environment
        self.notes: list[pipe.Note] = []
        self.has_ended = asyncio.Event()
        self.udp, self.tcp = voice_port(host)
        self.process: AudioProcess[pipe.Command, pipe.Answer, pipe.Note] = AudioProcess(
            "peer.voice", pipe.Answer, pipe.Note, self.notes.append, self.has_ended.set
        )
        self.process.hand_over(*inherited(self.udp, self.tcp))

    async def begin(self, microphone: str = "", speaker: str = "") -> pipe.Begun:
        """Start the process, and a call in it, without echo cancelling."""
        with patch.dict(os.environ, self.environment):
            process = self.process.start()
        udp, tcp = (hand_over(some, process) for some in (self.udp, self.tcp))
        answer = await self.process.ask(pipe.Begin(udp, tcp, microphone, speaker, echo=False, noise=False, gain=False))
        assert isinstance(answer, pipe.Begun)
        return answer

    @property
    def port(self) -> int:
        """The number of its voice port."""
        found: int = self.udp.getsockname()[1]
        return found

    @property
    def pid(self) -> int:
        """Of its voice process."""
        child = self.process._child
        assert child is not None
        return child.pid

    @property
    def figures(self) -> pipe.LegHeard:
        """What was told last of the other one."""
        return next(reversed(self.heard()), _NOT_YET)

    def heard(self) -> list[pipe.LegHeard]:
        """Return what was told of legs."""
        return [note for note in self.notes if isinstance(note, pipe.LegHeard)]

    def sounds(self) -> list[pipe.SoundChanged]:
        """Return what was told of devices."""
        return [note for note in self.notes if isinstance(note, pipe.SoundChanged)]

    async def close(self) -> None:
        """Leave nothing behind."""
        await self.process.close()
        self.udp.close()
        self.tcp.close()


async def connect(
    ana: VoiceEnd, bo: VoiceEnd, at_ana: pipe.Place | None = None, at_bo: pipe.Place | None = None
) -> None:
    """Let both talk with each other; each is looked for where it is, or at another place."""
    keys = [secrets.token_bytes(KEY_BYTES) for _ in range(2)]
    ssrcs = [secrets.randbits(32) for _ in range(2)]
    for me, you, out, place in ((ana, bo, 0, at_bo), (bo, ana, 1, at_ana)):
        await me.process.ask(
            pipe.AddLeg(
                leg=ssrcs[1 - out],
                ssrc=ssrcs[out],
                outgoing=keys[out],
                incoming=keys[1 - out],
                places=(place or pipe.Place(HOST, you.port),),
                dials=me is ana,
            )
        )


@asynccontextmanager
async def through_relay() -> AsyncIterator[tuple[VoiceEnd, VoiceEnd, Relay]]:
    """Let two without any sound device talk over a relay, until each tells that the other hears it."""
    ana, bo, relay = VoiceEnd(NO_SOUND), VoiceEnd(NO_SOUND), Relay(1)
    try:
        await asyncio.gather(ana.begin(), bo.begin())
        relay.put(0, ana.port)
        relay.put(1, bo.port)
        await connect(ana, bo, pipe.Place(HOST, relay.port(1)), pipe.Place(HOST, relay.port(0)))
        await until(lambda: all(end.figures.is_heard for end in (ana, bo)))
        yield ana, bo, relay
    finally:
        await asyncio.gather(ana.close(), bo.close())
        relay.close()


async def until(told: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(patience):
        while not told():  # noqa: ASYNC110 - the processes tell by notes
            await asyncio.sleep(0.02)


async def hears(card: SoundCard, who: str, says: str) -> bool:
    """Let one of them speak until the other has heard it, as one says "can you hear me?" again and again."""
    said = voice(3, _PITCH[says])
    for _ in range(5):
        ear = card.listen(who, 10)
        card.speak(says, said.tolist())
        heard = np.array(await asyncio.to_thread(ear.heard_until_silence, 0.8), np.int16)
        if len(heard) > len(said) and likeness(said, heard) > HEARD:
            return True
    return False
