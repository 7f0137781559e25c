"""The pictures of a conversation around the one that is looked at, fetched as somebody goes on."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from peer.events import Event, MessageHidden, SendingWithdrawn
from peer.views import MessageKind, MessageView, SharedAt
from ui.peer_bridge import PeerBridge

PAGE_PICTURES = 32
_NEAR_END = 8
"""So many pictures before the end of what is here the next ones are asked for."""
_PICTURES = frozenset({MessageKind.PICTURE})


class PictureReel(QObject):
    """Knows the picture that is looked at, and whether there are others on either side."""

    changed = Signal()
    """Another picture is looked at, or it stands otherwise with this one."""

    def __init__(self, bridge: PeerBridge, message: MessageView, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._pictures = [message]
        """Oldest first."""
        self._at = 0
        self._ended = {-1: False, 1: False}
        """Whether there are no more, on the earlier and the later side."""
        self._asked: set[int] = set()
        """The sides of which a page is on its way."""
        self._waits_for = 0
        """The side to which somebody wanted to go before the page was here."""
        bridge.events_arrived.connect(self._take)
        self._look_ahead()

    @property
    def current(self) -> MessageView:
        """The picture that is looked at."""
        return self._pictures[self._at]

    def has(self, step: int) -> bool:
        """Tell whether there is a picture on that side (-1: earlier, 1: later), as far as is known."""
        return 0 <= self._at + step < len(self._pictures) or not self._ended[step]

    def go(self, step: int) -> None:
        """Look at the next one on that side; if it is not here yet, as soon as it is."""
        at = self._at + step
        self._waits_for = 0
        if 0 <= at < len(self._pictures):
            self._at = at
            self._look_ahead()
            self.changed.emit()
        elif not self._ended[step]:
            self._waits_for = step
            self._ask(step)

    def _look_ahead(self) -> None:
        if self._at < _NEAR_END:
            self._ask(-1)
        if len(self._pictures) - self._at <= _NEAR_END:
            self._ask(1)

    def _ask(self, side: int) -> None:
        if self._ended[side] or side in self._asked:
            return
        self._asked.add(side)
        conversation = self.current.conversation
        if side < 0:
            where = SharedAt(before=self._pictures[0].entry, kinds=_PICTURES)
        else:
            where = SharedAt(after=self._pictures[-1].entry, kinds=_PICTURES)
        self._bridge.ask(
            self,
            lambda node: node.files(conversation, where, PAGE_PICTURES),
            partial(self._came, side),
            lambda *_: self._came(side, []),
        )

    def _came(self, side: int, page: list[MessageView]) -> None:
        self._asked.discard(side)
        self._ended[side] = len(page) < PAGE_PICTURES
        known = {each.entry for each in self._pictures}
        fresh = [each for each in reversed(page) if each.entry not in known]
        if side < 0:
            self._pictures[:0] = fresh
            self._at += len(fresh)
        else:
            self._pictures += fresh
        if self._waits_for == side:
            self.go(side)
        self.changed.emit()

    def _take(self, batch: list[Event]) -> None:
        conversation = self.current.conversation
        for event in batch:
            message = getattr(event, "message", None)
            if isinstance(message, MessageView) and message.conversation == conversation:
                is_gone = isinstance(event, SendingWithdrawn | MessageHidden) or message.attachment is None
                self._put(message, is_gone=is_gone)

    def _put(self, message: MessageView, *, is_gone: bool) -> None:
        at = next((at for at, each in enumerate(self._pictures) if each.entry == message.entry), None)
        if at is None and is_gone:
            return
        if at is None:
            # What is new stands behind all; between two that are here nothing comes while somebody looks.
            is_last = message.place > self._pictures[-1].place
            if message.kind is MessageKind.PICTURE and self._ended[1] and is_last:
                self._pictures.append(message)
                self.changed.emit()
        elif not is_gone:
            self._pictures[at] = message
            if at == self._at:
                self.changed.emit()
        elif at != self._at:
            # It was deleted. The one that is looked at stays: it is not pulled away under somebody's eyes.
            del self._pictures[at]
            self._at -= at < self._at
            self.changed.emit()
