"""The voice process of one call, asked one thing after the other: whoever signals does not wait for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from peer.audio.switches import Switches
from peer.calls.limits import SOUND_COMMANDS_WAITING
from peer.calls.voice_port import VoicePort
from peer.errors import Refusal, RefusalCode
from peer.views import AudioChoice
from peer.voice.process_messages import LegHeard, Levels, Place, SoundChanged

log = logging.getLogger(__name__)
Command = Callable[[], Awaitable[None]]


class Voice(Protocol):
    """See `peer.calls.call_voice.CallVoice`."""

    async def begin(self, choice: AudioChoice, switches: Switches) -> None:
        """Start to listen and to play; raise Refusal `voice_failed`."""

    async def add_leg(
        self, leg: int, ssrc: int, outgoing: bytes, incoming: bytes, places: tuple[Place, ...], dials: bool
    ) -> None:
        """Talk with one more device."""

    async def move_leg(self, leg: int, places: tuple[Place, ...]) -> None:
        """Look for a device at other places."""

    async def remove_leg(self, leg: int) -> None:
        """Talk with a device no more."""

    async def set_muted(self, muted: bool) -> None:
        """Send silence, or what is said."""

    async def set_volume(self, leg: int, volume: float) -> None:
        """Make somebody louder or quieter."""

    async def set_devices(self, choice: AudioChoice) -> None:
        """Use another microphone and speaker."""

    async def set_processing(self, switches: Switches) -> None:
        """Change what is done to the microphone's sound."""

    async def end(self) -> None:
        """Give everything back."""


class MakeVoice(Protocol):
    """Makes the voice of a call, as `peer.calls.call_voice.CallVoice` is made."""

    def __call__(
        self,
        port: VoicePort,
        *,
        on_levels: Callable[[Levels], None],
        on_figures: Callable[[LegHeard], None],
        on_sound: Callable[[SoundChanged], None],
        on_crash: Callable[[Refusal], None],
    ) -> Voice:
        """Return it; nothing has begun."""


class CallSound:
    """Begun for one call, and ended with it."""

    def __init__(self, voice: Voice, choice: AudioChoice, switches: Switches, on_failed: Callable[[str], None]) -> None:
        """Begin at once. `on_failed` is called, once, with a sentence when there is no voice (any more)."""
        self._voice = voice
        self._on_failed: Callable[[str], None] | None = on_failed
        self._commands: asyncio.Queue[Command] = asyncio.Queue(SOUND_COMMANDS_WAITING)
        self.begun: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
        """Done when the voice is there, with None, or when there is none, with the refusal."""
        self._task = asyncio.create_task(self._work(choice, switches), name="voice of a call")

    def connect(
        self, leg: int, ssrc: int, outgoing: bytes, incoming: bytes, places: tuple[Place, ...], *, dials: bool
    ) -> None:
        """Talk with one more device."""
        self._put(lambda: self._voice.add_leg(leg, ssrc, outgoing, incoming, places, dials))

    def move(self, leg: int, places: tuple[Place, ...]) -> None:
        """Look for a device at other places."""
        self._put(lambda: self._voice.move_leg(leg, places))

    def disconnect(self, leg: int) -> None:
        """Talk with a device no more."""
        self._put(lambda: self._voice.remove_leg(leg))

    def mute(self, *, muted: bool) -> None:
        """Send silence, or what is said."""
        self._put(lambda: self._voice.set_muted(muted))

    def set_volume(self, leg: int, volume: float) -> None:
        """Make somebody louder or quieter."""
        self._put(lambda: self._voice.set_volume(leg, volume))

    def choose(self, choice: AudioChoice) -> None:
        """Use another microphone and speaker."""
        self._put(lambda: self._voice.set_devices(choice))

    def process(self, switches: Switches) -> None:
        """Change what is done to the microphone's sound."""
        self._put(lambda: self._voice.set_processing(switches))

    def end(self) -> "asyncio.Task[None]":
        """Give everything back, in the background; return the task that does it."""
        self._on_failed = None
        self._task.cancel()
        return asyncio.create_task(self._end(), name="end of a call's voice")

    def failed(self, message: str) -> None:
        """There is no voice any more: tell so once."""
        on_failed, self._on_failed = self._on_failed, None
        if on_failed is not None:
            on_failed(message)

    def _put(self, command: Command) -> None:
        try:
            self._commands.put_nowait(command)
        except asyncio.QueueFull:
            self.failed("The voice of this call does not keep up.")

    async def _work(self, choice: AudioChoice, switches: Switches) -> None:
        try:
            await self._voice.begin(choice, switches)
            self.begun.set_result(None)
            while True:
                await self._do(await self._commands.get())
        except Refusal as refusal:
            self._give_up(refusal)
        except Exception:
            log.exception("the voice of a call failed")
            self._give_up(Refusal(RefusalCode.VOICE_FAILED, "The voice of this call failed. Call again."))

    async def _do(self, command: Command) -> None:
        try:
            await command()
        except Refusal as refusal:
            if refusal.code is RefusalCode.VOICE_FAILED:
                raise
            log.warning("the voice of a call does not do what it was asked: %s", refusal)

    def _give_up(self, refusal: Refusal) -> None:
        if not self.begun.done():
            self.begun.set_result(refusal)
        self.failed(refusal.message)

    async def _end(self) -> None:
        await asyncio.gather(self._task, return_exceptions=True)
        if not self.begun.done():
            self.begun.set_result(None)
        await self._voice.end()
