"""What the node and the voice process say to each other: one JSON object a line, on the process's pipes.

Each command has one answer, in order. Notes come when they come.
"""

import msgspec

from peer.audio.process_messages import Done, Failed, Said
from peer.voice.handing_over import HandedSocket


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where another device may be reached."""

    host: str
    port: int


# --- commands -------------------------------------------------------------------------------------


class Begin(Said, frozen=True):
    """Begin a call that nobody is in yet; answered with `Begun`."""

    udp: HandedSocket
    """On the voice port."""
    tcp: HandedSocket | None
    """Bound to the TCP port of the same number, if it could be."""
    microphone: str
    speaker: str
    echo: bool = True
    noise: bool = True
    gain: bool = True


class AddLeg(Said, frozen=True):
    """Talk with one more device; answered with `Done`, or `Failed` if there are too many or this one is there."""

    leg: int
    """Told with every note about it: the SSRC under which it sends."""
    ssrc: int
    """Under which we send to it."""
    outgoing: bytes
    incoming: bytes
    places: tuple[Place, ...]
    dials: bool
    """Whether we are the one who connects by TCP where UDP does not get through."""


class MoveLeg(Said, frozen=True):
    """Look for a device at other places too, where nothing comes from it; answered with `Done`."""

    leg: int
    places: tuple[Place, ...]


class RemoveLeg(Said, frozen=True):
    """Answered with `Done`."""

    leg: int


class SetMuted(Said, frozen=True):
    """Answered with `Done`."""

    is_muted: bool


class SetVolume(Said, frozen=True):
    """Answered with `Done`."""

    leg: int
    volume: float
    """1 is as it comes; at most 4."""


class SetDevices(Said, frozen=True):
    """Use other devices from now on; answered with `Done`, and a note each where one is not here."""

    microphone: str
    speaker: str


class SetProcessing(Said, frozen=True):
    """Answered with `Done`."""

    echo: bool
    noise: bool
    gain: bool


class Try(Said, frozen=True):
    """Let somebody try how they sound: listen to the microphone; answered with `Begun`."""

    microphone: str
    speaker: str
    echo: bool
    noise: bool
    gain: bool


class HearTrial(Said, frozen=True):
    """Play what was heard since; answered with `Done`, and with `TrialOver` at its end."""


class EndTrial(Said, frozen=True):
    """Let go of microphone and speaker; answered with `Done`."""


class FindMissing(Said, frozen=True):
    """Find out what cannot be done to a microphone's sound; answered with `Missing`."""


InCall = AddLeg | MoveLeg | RemoveLeg | SetMuted | SetVolume | SetDevices | SetProcessing
"""What makes sense during a call only."""
Command = Begin | InCall | Try | HearTrial | EndTrial | FindMissing


# --- answers --------------------------------------------------------------------------------------


class Begun(Said, frozen=True):
    """The call has begun; a note about the devices follows."""

    has_microphone: bool
    has_speaker: bool


class Missing(Said, frozen=True):
    """A sentence, or nothing where all can be done."""

    reason: str


Answer = Done | Failed | Begun | Missing


# --- notes ----------------------------------------------------------------------------------------


class LegLevel(msgspec.Struct, frozen=True, array_like=True):
    """How loud somebody is."""

    leg: int
    level: int
    """0 for a quiet room, 255 as loud as can be."""
    speaks: bool


class Levels(Said, frozen=True):
    """The meters, several times a second."""

    level: int
    speaks: bool
    legs: tuple[LegLevel, ...]


class LegHeard(Said, frozen=True):
    """How a leg does, once a second."""

    leg: int
    path: str
    """`udp`, `tcp`, or nothing while nothing has come."""
    is_heard: bool
    """Whether the other side told that it hears us."""
    silent_ms: float
    """How long nothing has come; since the leg was added, if nothing ever came."""
    delay_ms: float
    """From their microphone's packet to our speaker, as far as can be known."""
    round_trip_ms: float | None
    loss: float
    unrepaired: float
    jitter_ms: float
    redundancy: str


class SoundChanged(Said, frozen=True):
    """A device came, went, or could not be had; `reason` is a sentence, or nothing when all is well."""

    has_microphone: bool
    has_speaker: bool
    reason: str


class TrialOver(Said, frozen=True):
    """Who tries how they sound has heard all of it."""


Note = Levels | LegHeard | SoundChanged | TrialOver
