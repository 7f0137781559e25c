"""Somebody tries how they sound in a call: they speak, and then hear what others would have heard.

What the microphone hears takes the way of every call (processing, Opus, encryption), waits in memory, and then goes to
the speaker at its pace (decryption, jitter buffer). First one, then the other: a speaker beside the microphone that it
repeats would howl. Nothing of it is kept.
"""

import secrets
import threading
from collections import deque
from collections.abc import Callable

from peer.audio.loudness import level_of
from peer.audio.switches import Switches
from peer.limits import LEVELS_A_SECOND
from peer.voice.engine import VoiceEngine
from peer.voice.limits import VOICE_TRIAL_END_MS, VOICE_TRIAL_PACKETS
from peer.voice.process_messages import Levels, Try
from peer.voice.protection import KEY_BYTES, Keys
from peer.voice.sound import Microphone, Speaker
from peer.voice.time_scaling import Samples
from protocol.voice_packets import FIRST_NUMBER_BITS


class Trial:
    """A call of one person with themselves, later."""

    def __init__(
        self,
        wanted: Try,
        clock: Callable[[], float],
        on_levels: Callable[[Levels], None],
        on_sound: Callable[[], None],
        on_over: Callable[[], None],
    ) -> None:
        """`clock` is in ms. The others are called on threads of this trial; `on_over` once, when all was heard."""
        self._clock, self._on_levels, self._on_over = clock, on_levels, on_over
        switches = Switches(wanted.echo, wanted.noise, wanted.gain)
        self.engine = VoiceEngine(self._keep, switches, secrets.randbits(32))
        key, ssrc = secrets.token_bytes(KEY_BYTES), secrets.randbits(32)
        self.engine.add(Keys(key, key, ssrc, ssrc), secrets.randbits(FIRST_NUMBER_BITS))
        self._packets: deque[tuple[float, bytes]] = deque(maxlen=VOICE_TRIAL_PACKETS)
        """What was said last, with when it was said."""
        self._late: float | None = None
        """How much later it is heard; known once the speaker asks for sound."""
        self.microphone = Microphone(wanted.microphone, lambda sound: self.engine.heard(sound, clock()), on_sound)
        self.speaker = Speaker(wanted.speaker, self._play, on_sound)
        self._is_hearing = False
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="trial", daemon=True)

    def start(self) -> None:
        """Listen to the microphone."""
        self.microphone.start()
        self._thread.start()

    def hear(self) -> None:
        """Let go of the microphone, and play what it heard."""
        if self._is_hearing:
            return
        self.microphone.close()
        self._is_hearing = True
        self.speaker.start()

    def end(self) -> None:
        """Give everything back."""
        self._is_over.set()
        self._thread.join()
        if self._is_hearing:
            self.speaker.close()
        else:
            self.microphone.close()

    @property
    def reason(self) -> str:
        """A sentence, while something is not as it was wanted."""
        device = self.speaker if self._is_hearing else self.microphone
        return " ".join(filter(None, (device.reason, self.engine.missing)))

    def _keep(self, _leg: int, data: bytes) -> None:
        self._packets.append((self._clock(), data))

    def _play(self) -> Samples:
        now = self._clock()
        if self._late is None and self._packets:
            self._late = now - self._packets[0][0]
        while self._late is not None and self._packets and self._packets[0][0] + self._late <= now:
            said, data = self._packets.popleft()
            self.engine.received(data, said + self._late)
        return self.engine.play(now)

    def _look_after(self) -> None:
        silent_since = None
        while not self._is_over.wait(1 / LEVELS_A_SECOND):
            now = self._clock()
            if not self._is_hearing:
                self._on_levels(Levels(level_of(self.engine.level), self.engine.spoke_at > now - 300, ()))
            elif self._packets:
                silent_since = None
            elif silent_since is None:
                silent_since = now
            elif now - silent_since >= VOICE_TRIAL_END_MS:
                self._on_over()
                return
