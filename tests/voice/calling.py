"""Two voice processes on two sound cards that talk with each other, without nodes."""

import asyncio
import os
import secrets
import socket
from unittest.mock import patch

from peer.audio.audio_process import AudioProcess
from peer.voice import process_messages as pipe
from peer.voice.handing_over import hand_over, inherited
from peer.voice.protection import KEY_BYTES

HOST = "127.0.0.1"


def voice_port() -> tuple[socket.socket, socket.socket]:
    """Bind a UDP and a TCP socket with the same number."""
    while True:
        udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
        udp.bind((HOST, 0))
        try:
            tcp.bind((HOST, udp.getsockname()[1]))
        except OSError:  # somebody has this number for TCP
            udp.close()
            tcp.close()
        else:
            return udp, tcp


class VoiceEnd:
    """A person's voice process, its sockets, and what it told."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.notes: list[pipe.Note] = []
        self.has_ended = asyncio.Event()
        self.udp, self.tcp = voice_port()
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


async def connect(ana: VoiceEnd, bo: VoiceEnd) -> None:
    """Let both talk with each other."""
    keys = [secrets.token_bytes(KEY_BYTES) for _ in range(2)]
    ssrcs = [secrets.randbits(32) for _ in range(2)]
    for me, you, out in ((ana, bo, 0), (bo, ana, 1)):
        await me.process.ask(
            pipe.AddLeg(
                leg=ssrcs[1 - out],
                ssrc=ssrcs[out],
                outgoing=keys[out],
                incoming=keys[1 - out],
                places=(pipe.Place(HOST, you.udp.getsockname()[1]),),
                dials=me is ana,
            )
        )
