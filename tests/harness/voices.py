"""Voices of calls in virtual time: what a voice process tells, if keys, SSRCs and places of both ends fit together."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from peer.audio.switches import Switches
from peer.calls.voice_port import VoicePort
from peer.errors import Refusal, RefusalCode
from peer.views import AudioChoice
from peer.voice.process_messages import LegHeard, LegLevel, Levels, Place, SoundChanged

FIGURES_SECONDS = 1.0


@dataclass
class Leg:
    """What a node told its voice process about another device."""

    ssrc: int
    outgoing: bytes
    incoming: bytes
    places: tuple[Place, ...]
    dials: bool
    since: float
    volume: float = 1.0
    heard_at: float | None = None


@dataclass
class VoiceNetwork:
    """All voice processes of a test."""

    voices: "list[StandInVoice]" = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    """Addresses whose voice reaches nobody."""
    fails: set[str] = field(default_factory=set)
    """Addresses where no voice process can be started."""
    keys: list[bytes] = field(default_factory=list)
    """Every key under which something was ever sent."""

    def maker(self, host: str) -> "Callable[..., StandInVoice]":
        """Return what makes the voice processes of a host."""
        return lambda port, **told: StandInVoice(self, host, port, **told)

    def of(self, host: str) -> "StandInVoice":
        """Return the one voice that is on at a host."""
        (voice,) = (voice for voice in self.voices if voice.host == host)
        return voice


class StandInVoice:
    """See `peer.calls.call_voice.CallVoice`."""

    def __init__(
        self,
        network: VoiceNetwork,
        host: str,
        port: VoicePort,
        *,
        on_levels: Callable[[Levels], None],
        on_figures: Callable[[LegHeard], None],
        on_sound: Callable[[SoundChanged], None],
        on_crash: Callable[[Refusal], None],
    ) -> None:
        self.network, self.host, self.port = network, host, port
        self.on_levels, self.on_figures, self.on_sound, self.on_crash = on_levels, on_figures, on_sound, on_crash
        self.legs: dict[int, Leg] = {}
        self.is_muted = False
        self.choice, self.switches = AudioChoice(), Switches()
        self._timer: asyncio.TimerHandle | None = None

    async def begin(self, choice: AudioChoice, switches: Switches) -> None:
        await self.port.lend()
        if self.host in self.network.fails:
            self.port.take_back()
            raise Refusal(RefusalCode.VOICE_FAILED, "The voice of this call cannot begin.")
        self.choice, self.switches = choice, switches
        self.network.voices.append(self)
        self._timer = asyncio.get_running_loop().call_later(FIGURES_SECONDS, self._tell)
        self.on_sound(SoundChanged(True, True, ""))

    async def add_leg(
        self, leg: int, ssrc: int, outgoing: bytes, incoming: bytes, places: tuple[Place, ...], dials: bool
    ) -> None:
        assert leg not in self.legs
        assert outgoing not in self.network.keys, "a key must never be used twice"
        self.network.keys.append(outgoing)
        self.legs[leg] = Leg(ssrc, outgoing, incoming, places, dials, asyncio.get_running_loop().time())

    async def move_leg(self, leg: int, places: tuple[Place, ...]) -> None:
        self.legs[leg].places = places

    async def remove_leg(self, leg: int) -> None:
        self.legs.pop(leg, None)

    async def set_muted(self, muted: bool) -> None:
        self.is_muted = muted

    async def set_volume(self, leg: int, volume: float) -> None:
        self.legs[leg].volume = volume

    async def set_devices(self, choice: AudioChoice) -> None:
        self.choice = choice

    async def set_processing(self, switches: Switches) -> None:
        self.switches = switches

    async def end(self) -> None:
        if self in self.network.voices:
            self.stop()

    def crash(self) -> None:
        """Die, as a process may."""
        self.stop()
        self.on_crash(Refusal(RefusalCode.VOICE_FAILED, "The voice of this call broke down."))

    def hears(self, leg: int) -> bool:
        """Tell whether somebody sends under this SSRC, with our key, to where we are, and we to them."""
        ours = self.legs[leg]
        for other in self.network.voices:
            theirs = other.legs.get(ours.ssrc)
            if theirs is None or theirs.ssrc != leg:
                continue
            keys_fit = (theirs.outgoing, theirs.incoming) == (ours.incoming, ours.outgoing)
            finds = Place(self.host, self.port.number) in theirs.places
            gets_through = not {self.host, other.host} & self.network.silent
            return keys_fit and finds and gets_through and theirs.dials != ours.dials
        return False

    def _tell(self) -> None:
        now = asyncio.get_running_loop().time()
        self._timer = asyncio.get_running_loop().call_later(FIGURES_SECONDS, self._tell)
        levels = tuple(LegLevel(ssrc, 100, speaks=self.hears(ssrc)) for ssrc in self.legs)
        self.on_levels(Levels(0 if self.is_muted else 100, not self.is_muted, levels))
        for ssrc, leg in list(self.legs.items()):
            hears = self.hears(ssrc)
            if hears:
                leg.heard_at = now
            silent = now - (leg.since if leg.heard_at is None else leg.heard_at)
            path = "udp" if leg.heard_at is not None and silent < 2 else ""
            self.on_figures(LegHeard(ssrc, path, leg.heard_at is not None, 1000 * silent, 60, 2, 0, 0, 20, "none"))

    def stop(self) -> None:
        """Be gone, and say nothing."""
        self.network.voices.remove(self)
        assert self._timer is not None
        self._timer.cancel()
        self.port.take_back()
