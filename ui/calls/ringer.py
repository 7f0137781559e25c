"""Lets it ring: for a call that comes in, and softer while it rings at the other side."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from peer.call_views import CallState
from peer.errors import RefusalCode
from peer.views import Tone
from ui.models.call_book import CallBook
from ui.notifications.settings import RingChoice
from ui.peer_bridge import PeerBridge


class Ringer(QObject):
    """Asks the node to play a tone as long as there is a reason. Without a speaker it is silent."""

    def __init__(
        self,
        bridge: PeerBridge,
        book: CallBook,
        rings: RingChoice,
        is_recording: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        """`is_recording` tells whether a voice message is being recorded."""
        super().__init__(parent)
        self._bridge = bridge
        self._book = book
        self._rings, self._is_recording = rings, is_recording
        self._tone: Tone | None = None
        book.changed.connect(self._look)
        book.forgotten.connect(self._look)

    def _look(self) -> None:
        wanted = self._wanted()
        if wanted is self._tone:
            return
        self._tone = wanted
        if wanted is None:
            self._bridge.ask(self, lambda node: node.voice.stop_tone(), None, _no_matter)
        else:
            self._bridge.ask(self, lambda node: node.voice.play_tone(wanted), None, _no_matter)

    def _wanted(self) -> Tone | None:
        current = self._book.current
        if current is not None:
            # It never rings over a voice.
            return Tone.RING_BACK if current.state is CallState.RINGING and current.started_at is None else None
        is_wanted = self._book.incoming is not None and self._rings.rings
        return Tone.RING if is_wanted and (self._tone is Tone.RING or not self._is_recording()) else None


def _no_matter(_code: RefusalCode, _message: str) -> None:
    """Who has no speaker sees the call all the same."""
