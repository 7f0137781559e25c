"""Somebody else in a call: how far it is with them, what both told about their voices, and how it gets through."""

from dataclasses import dataclass, field

import msgspec

from peer.call_views import CallPersonView
from peer.calls.quality import bars
from peer.calls.standing import Standing
from peer.voice.process_messages import LegHeard, Place
from protocol.call_messages import CallLeg, CallStatus
from protocol.call_states import CallEnd, CallState
from protocol.identity import DeviceId, UserId

IN_IT = frozenset({CallState.CONNECTING, CallState.ACTIVE})


@dataclass(eq=False)
class Person(Standing):
    """One other person; with one device, once there was an answer."""

    user: UserId
    since: float
    """When they came to be as they are now, by the loop's clock."""
    is_rung: bool = False
    """Whether we ring them; else they rang us, or are in the call already."""
    offers: bool = True
    """Whether it is ours to offer; else they do."""
    state: CallState = CallState.CALLING
    end: CallEnd | None = None
    device: DeviceId | None = None
    ours: dict[DeviceId, CallLeg] = field(default_factory=dict)
    """What we told their devices of how we send."""
    refused: set[DeviceId] = field(default_factory=set)
    """Which of those said no; another one may still answer."""
    theirs: CallLeg | None = None
    """What `device` told."""
    link_address: str = ""
    """Where their link came from."""
    status: CallStatus | None = None
    volume: float = 1.0
    figures: LegHeard | None = None
    bars: int = 0

    @property
    def is_in(self) -> bool:
        """Whether keys were exchanged, and it did not end."""
        return self.state in IN_IT

    @property
    def is_awaited(self) -> bool:
        """Whether they may still come in."""
        return self.state in (CallState.CALLING, CallState.RINGING)

    def places(self) -> tuple[Place, ...]:
        """Return where their voice may be reached: where their link comes from, then their interfaces."""
        told = self.status or self.theirs
        assert told is not None
        hosts = dict.fromkeys((self.link_address, *told.addresses))
        return tuple(Place(host, told.port) for host in hosts if host)

    def take_figures(self, figures: LegHeard) -> None:
        """Take in how their voice came during the last second."""
        self.figures = figures
        self.bars = bars(figures.loss, figures.unrepaired, figures.delay_ms) if is_heard(figures) else self.bars

    def view(self, name: str) -> CallPersonView:
        """Return them as a screen shows them."""
        status, figures = self.status, self.figures
        shown = CallPersonView(
            user=self.user,
            name=name,
            state=self.state,
            is_muted=status is not None and status.is_muted,
            has_microphone=status is None or status.has_microphone,
            has_speaker=status is None or status.has_speaker,
            volume=self.volume,
        )
        if figures is None or self.state is not CallState.ACTIVE:
            return shown
        return msgspec.structs.replace(
            shown,
            path=figures.path,
            delay_ms=figures.delay_ms,
            loss=figures.loss,
            jitter_ms=figures.jitter_ms,
            redundancy=figures.redundancy,
            quality=self.bars,
            round_trip_ms=figures.round_trip_ms,
        )


def is_heard(figures: LegHeard) -> bool:
    """Tell whether voice has come: by UDP it did if there is a path, by TCP if they heard us, too."""
    return figures.path == "udp" or figures.is_heard
