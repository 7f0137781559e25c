"""What the node and the audio process say to each other: one JSON object a line, on the process's pipes.

Each command has one answer, in order. Notes come when they come.
"""

import msgspec

from peer.views import AudioDevices, Tone
from protocol.errors import RefusalCode


class Said(msgspec.Struct, frozen=True, tag=True):
    """Any line."""


# --- commands -------------------------------------------------------------------------------------


class ListDevices(Said, frozen=True):
    """Answered with `Devices`."""


class Record(Said, frozen=True):
    """Begin to record; answered with `RecordingNow`."""

    part: str
    """Where it is written to, until it is complete."""
    final: str
    microphone: str


class FinishRecording(Said, frozen=True):
    """Answered with `Recorded`."""


class CancelRecording(Said, frozen=True):
    """Answered with `Done`."""


class Rescue(Said, frozen=True):
    """Make a complete file of what a process that died left of a recording; answered with `Recorded`."""

    part: str
    final: str


class Play(Said, frozen=True):
    """Play a file instead of what is played now; answered with `PlayingNow`."""

    number: int
    """Told with every note about this playback."""
    path: str
    at: float
    speed: float
    speaker: str


class PlayTone(Said, frozen=True):
    """Play a tone instead of what is played now; answered with `PlayingNow`."""

    number: int
    speaker: str
    tone: Tone


class StopPlaying(Said, frozen=True):
    """Answered with `Done`."""


Command = ListDevices | Record | FinishRecording | CancelRecording | Rescue | Play | PlayTone | StopPlaying


# --- answers --------------------------------------------------------------------------------------


class Measured(msgspec.Struct, frozen=True):
    """What a finished recording is."""

    seconds: float
    waveform: bytes
    size: int


class Failed(Said, frozen=True):
    """What was asked was not done, or ended by itself, for this reason."""

    code: RefusalCode
    message: str


class Done(Said, frozen=True):
    """It was done."""


class Devices(Said, frozen=True):
    """What there is now."""

    devices: AudioDevices


class Recorded(Said, frozen=True):
    """The recording is complete; without `measured` nothing was heard, and there is no file."""

    measured: Measured | None
    failed: Failed | None
    """Why it ended, unless because it was asked to."""


class RecordingNow(Said, frozen=True):
    """It began."""

    stands_in: bool
    """Whether this is the system's choice because what was asked for is not here."""


class PlayingNow(Said, frozen=True):
    """It began."""

    seconds: float
    stands_in: bool
    """As above."""


Answer = Failed | Done | Devices | Recorded | RecordingNow | PlayingNow


# --- notes ----------------------------------------------------------------------------------------


class RecordedSoFar(Said, frozen=True):
    """The recording grows."""

    seconds: float
    level: int


class RecordingOver(Said, frozen=True):
    """It ended by itself."""

    recorded: Recorded


class PlayedSoFar(Said, frozen=True):
    """What is heard now."""

    number: int
    at: float


class PlayingOver(Said, frozen=True):
    """It came to its end, or broke off."""

    number: int
    failed: Failed | None


Note = RecordedSoFar | RecordingOver | PlayedSoFar | PlayingOver
