"""Takes echo and noise out of what the microphone hears, and evens its loudness: WebRTC's audio processing module.

It comes with the package `livekit`, of which nothing else is used: no server and no network. Where it cannot be loaded,
a call goes on without, and `Processing.missing` says so.
"""

import logging
from typing import Any

import numpy as np

from peer.audio.opus_codec import RATE
from peer.audio.switches import Switches
from peer.voice.time_scaling import Samples

log = logging.getLogger(__name__)


class Processing:
    """Works on 10 ms at a time, of both what is heard and what is played."""

    def __init__(self, switches: Switches) -> None:
        self._module: Any = None
        self._frame: Any = None
        self.missing = ""
        """A sentence, where it was wanted and cannot be had."""
        if not switches.any:
            return
        try:
            from livekit.rtc import AudioFrame, AudioProcessingModule

            self._module = AudioProcessingModule(
                echo_cancellation=switches.echo,
                noise_suppression=switches.noise,
                auto_gain_control=switches.gain,
                high_pass_filter=True,
            )
            self._frame = AudioFrame
        except Exception as error:  # noqa: BLE001 - a foreign library that fails to load must not end a call
            log.warning("no audio processing: %s", error)
            self.missing = (
                "Echo and noise cannot be removed on this computer (the package livekit does not load). "
                "Headphones keep the others from hearing themselves."
            )
        self._echo = switches.echo

    def played(self, sound: Samples) -> None:
        """Take note of 10 ms that go to the speaker."""
        if self._module is not None and self._echo:
            self._module.process_reverse_stream(self._frame(bytearray(sound.tobytes()), RATE, 1, len(sound)))

    def heard(self, sound: Samples) -> Samples:
        """Return 10 ms of the microphone as they are to be sent."""
        if self._module is None:
            return sound
        frame = self._frame(bytearray(sound.tobytes()), RATE, 1, len(sound))
        self._module.process_stream(frame)
        return np.frombuffer(frame.data, np.int16)
