"""All the voice of one call: a microphone, a speaker, and a leg to each other device in it.

Pure but for keys and codec: sound, packets and time come from outside. Called from three threads (the microphone's, the
speaker's, the network's), so one lock is held, never for longer than it takes to work on 20 ms of sound.
"""

import threading
from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass, field

import numpy as np

from peer.audio.opus_codec import FRAME, Encoder
from peer.audio.switches import Switches
from peer.voice.jitter_buffer import PULL
from peer.voice.leg import Leg
from peer.voice.limits import VOICE_LEGS
from peer.voice.processing import Processing
from peer.voice.protection import Keys
from peer.voice.redundancy import Redundancy
from peer.voice.time_scaling import Samples
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.voice_packets import VOICE_FRAMES_BACK, VoiceFrame, ssrc_of

REPORT_MS = 1_000.0
_SILENCE = np.zeros(PULL, np.int16)
_SPEAKING = 10 ** (-45 / 20) * 32_768
"""RMS of speech that counts as such: -45 dB of full scale."""
_SPEAKS_ON_MS = 300.0
"""Pauses so short are none."""


@dataclass(slots=True)
class _Speaker:
    """Another device, as it is mixed."""

    leg: Leg
    volume: float = 1.0
    level: float = 0.0
    """RMS of the last 10 ms."""
    spoke_at: float = -_SPEAKS_ON_MS
    reported_at: float = field(default=-REPORT_MS)
    by_udp: bool = False
    """What the last report told of how its packets come."""


class VoiceEngine:
    """Mixes what comes, and sends what is said to everybody."""

    def __init__(self, send: Callable[[int, bytes], None], switches: Switches, first_timestamp: int) -> None:
        """`send(ssrc, data)` takes what goes to the leg that is heard under this SSRC, on the caller's thread."""
        self._send = send
        self._lock = threading.Lock()
        self._speakers: dict[int, _Speaker] = {}
        self._processing = Processing(switches)
        self._encoder = Encoder(Redundancy.NONE.value.bitrate, variable=False)
        self._encoded_for = Redundancy.NONE
        self._rest: list[Samples] = []
        self._frames: deque[VoiceFrame] = deque(maxlen=VOICE_FRAMES_BACK + 1)
        self._timestamp = first_timestamp
        self.is_muted = False
        self.level = 0.0
        """RMS of the last 10 ms that the microphone heard, muted or not."""
        self.spoke_at = -_SPEAKS_ON_MS

    def add(self, keys: Keys, first_number: int) -> Leg:
        """Begin to talk with one more device."""
        with self._lock:
            if len(self._speakers) >= VOICE_LEGS or keys.incoming_ssrc in self._speakers:
                raise LocalProtocolError("too many legs, or one twice")
            leg = Leg(keys, first_number)
            self._speakers[keys.incoming_ssrc] = _Speaker(leg)
            return leg

    def remove(self, ssrc: int) -> None:
        """End the talk with a device."""
        with self._lock:
            self._speakers.pop(ssrc, None)

    def set_volume(self, ssrc: int, volume: float) -> None:
        """Make somebody louder or quieter, 1 being as they are."""
        with self._lock:
            if ssrc in self._speakers:
                self._speakers[ssrc].volume = volume

    def process(self, switches: Switches) -> None:
        """Change what is done to the microphone's sound."""
        processing = Processing(switches)
        with self._lock:
            self._processing = processing

    @property
    def missing(self) -> str:
        """A sentence, where what is to be done to the microphone's sound cannot be done."""
        return self._processing.missing

    def received(self, data: bytes, now: float) -> int | None:
        """Take what came over the network; return whose it is, None if it is nobody's or not accepted."""
        ssrc = ssrc_of(data)
        with self._lock:
            speaker = self._speakers.get(ssrc) if ssrc is not None else None
            if speaker is None:
                return None
            try:
                speaker.leg.take(data, now)
            except RemoteProtocolError:
                return None
            return ssrc

    def heard(self, sound: Samples, now: float) -> None:
        """Take 10 ms from the microphone; each second piece becomes a packet for everybody."""
        level = _rms(sound)
        self.level = level
        if level > _SPEAKING and not self.is_muted:
            self.spoke_at = now
        processed = self._processing.heard(sound)
        self._rest.append(_SILENCE if self.is_muted else processed)
        if len(self._rest) * PULL < FRAME:
            return
        frame = np.concatenate(self._rest).tobytes()
        self._rest.clear()
        with self._lock:
            self._prepare_encoder()
            self._frames.append(VoiceFrame(self._timestamp, self._encoder.encode(frame)))
            self._timestamp = self._timestamp + FRAME & 0xFFFF_FFFF
            frames = tuple(self._frames)
            packets = [(ssrc, speaker.leg.packet(frames)) for ssrc, speaker in self._speakers.items()]
        for ssrc, packet in packets:
            self._send(ssrc, packet)

    def play(self, now: float) -> Samples:
        """Return the next 10 ms for the speaker."""
        with self._lock:
            total = np.zeros(PULL, np.float32)
            for speaker in self._speakers.values():
                sound = speaker.leg.pull(now)
                speaker.level = _rms(sound)
                if speaker.level > _SPEAKING:
                    speaker.spoke_at = now
                total += sound * np.float32(speaker.volume)
        mixed = np.clip(total, -32_768, 32_767).astype(np.int16)
        self._processing.played(mixed)
        return mixed

    def report(self, now: float, by_udp: Container[int]) -> None:
        """Send the reports that are due; to be called a few times a second.

        `by_udp` are the SSRCs of those whose packets come that way; they are told at once when that changes.
        """
        with self._lock:
            due = []
            for ssrc, speaker in self._speakers.items():
                if now - speaker.reported_at >= REPORT_MS or speaker.by_udp is not (ssrc in by_udp):
                    speaker.reported_at, speaker.by_udp = now, ssrc in by_udp
                    due.append((ssrc, speaker.leg.report(now, by_udp=speaker.by_udp)))
        for ssrc, report in due:
            self._send(ssrc, report)

    def probe(self, ssrc: int, now: float) -> bytes:
        """Return what shows a device whether a way to it works; nothing if there is no such device."""
        with self._lock:
            speaker = self._speakers.get(ssrc)
            return speaker.leg.probe(now) if speaker is not None else b""

    def leg(self, ssrc: int) -> Leg | None:
        """Return what there is of a device."""
        with self._lock:
            speaker = self._speakers.get(ssrc)
            return speaker.leg if speaker is not None else None

    def levels(self, now: float) -> list[tuple[int, float, bool]]:
        """Return of each device its SSRC, the RMS of its last 10 ms, and whether somebody is talking there."""
        with self._lock:
            return [
                (ssrc, speaker.level, now - speaker.spoke_at < _SPEAKS_ON_MS)
                for ssrc, speaker in self._speakers.items()
            ]

    def _prepare_encoder(self) -> None:
        """One encoding serves everybody: that of who needs most."""
        needed = max(
            (speaker.leg.redundancy for speaker in self._speakers.values()),
            key=lambda step: (-step.value.bitrate, step.value.expected_loss),
            default=Redundancy.NONE,
        )
        if needed is not self._encoded_for:
            self._encoder.set_bitrate(needed.value.bitrate)
            self._encoder.protect_against_loss(needed.value.expected_loss)
            self._encoder.limit_band(is_wide_only=needed.value.is_wide_band_only)
            self._encoded_for = needed


def _rms(sound: Samples) -> float:
    wave = sound.astype(np.float32)
    return float(np.sqrt(wave @ wave / len(wave)))
