"""Plays voice messages, one at a time, and remembers where each was left."""

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from peer.errors import RefusalCode
from peer.events import Event, PlaybackChanged
from peer.views import PlaybackView
from ui.peer_bridge import PeerBridge
from ui.translations.refusals import refusal_text

SPEEDS = (1.0, 1.5, 2.0)
_SKIP_SECONDS = 5.0
_MOST_REMEMBERED = 256
_NEAR_END = 0.15
"""Who stops so many seconds before the end has heard it all."""


@dataclass(frozen=True, slots=True)
class Playing:
    """How it stands with one voice message."""

    at: float = 0.0
    """Seconds from its beginning."""
    is_playing: bool = False


_UNTOUCHED = Playing()


class VoicePlayback(QObject):
    """Asks the node to play files, and follows what it tells."""

    changed = Signal(str)
    """The path of a file with which it stands otherwise now."""
    said = Signal(str)
    """A sentence to show for a moment."""

    def __init__(self, bridge: PeerBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._left: dict[str, Playing] = {}
        self._asked = 0
        """Grows with each question: the answer to an earlier one says nothing any more."""
        self.speed = SPEEDS[0]
        bridge.events_arrived.connect(self._take)

    def of(self, path: str) -> Playing:
        """Return how it stands with a file."""
        return self._left.get(path, _UNTOUCHED)

    @property
    def current(self) -> str:
        """The path of what is being played; empty for nothing."""
        return next((path for path, playing in self._left.items() if playing.is_playing), "")

    def toggle(self, path: str) -> None:
        """Play it from where it was left, or pause it."""
        if self.of(path).is_playing:
            self.pause()
        else:
            self._play(path, self.of(path).at)

    def pause(self) -> None:
        """Stop what is being played; it goes on from there."""
        path = self.current
        if path:
            self._asked += 1
            self._put(path, replace(self.of(path), is_playing=False))
            self._bridge.ask(self, lambda node: node.voice.stop_playing(), None, self._refused)

    def seek(self, path: str, at: float) -> None:
        """Play on from so many seconds."""
        self._play(path, max(0.0, at))

    def skip(self, path: str, duration: float, *, forward: bool) -> None:
        """Go on a little later, or earlier."""
        at = self.of(path).at + (_SKIP_SECONDS if forward else -_SKIP_SECONDS)
        self.seek(path, min(max(0.0, at), max(0.0, duration - _NEAR_END)))

    def next_speed(self) -> None:
        """Play faster, and after the fastest as it was spoken again."""
        self.speed = SPEEDS[(SPEEDS.index(self.speed) + 1) % len(SPEEDS)]
        path = self.current
        if path:
            self._play(path, self.of(path).at)
        # The figure stands on every message.
        for other in [*self._left, ""]:
            self.changed.emit(other)

    def forget(self) -> None:
        """Somebody else signs in."""
        self.pause()
        self._left.clear()

    def _play(self, path: str, at: float) -> None:
        before = self.current
        if before and before != path:
            self._put(before, replace(self.of(before), is_playing=False))
        self._asked += 1
        asked, speed = self._asked, self.speed
        self._put(path, Playing(at, is_playing=True))

        def refused(code: RefusalCode, message: str) -> None:
            if asked == self._asked:
                self._put(path, Playing(at))
            self._refused(code, message)

        self._bridge.ask(self, lambda node: node.voice.play(path, at, speed), None, refused)

    def _refused(self, code: RefusalCode, message: str) -> None:
        self.said.emit(refusal_text(code, message))

    def _take(self, batch: list[Event]) -> None:
        for event in batch:
            if isinstance(event, PlaybackChanged):
                self._follow(event.playback)

    def _follow(self, view: PlaybackView) -> None:
        # What was paused here, or made way for another one, is over for the node and still where it was left.
        if not self.of(view.path).is_playing:
            return
        if view.is_over:
            heard_all = not view.reason and view.at >= view.duration - _NEAR_END
            self._put(view.path, Playing(0.0 if heard_all else view.at))
            if view.reason:
                self.said.emit(view.reason)
        else:
            self._put(view.path, Playing(view.at, is_playing=True))

    def _put(self, path: str, playing: Playing) -> None:
        self._left.pop(path, None)
        self._left[path] = playing
        while len(self._left) > _MOST_REMEMBERED:
            del self._left[next(iter(self._left))]
        self.changed.emit(path)
