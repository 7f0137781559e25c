"""The small bar beside the message under the mouse: react, reply, and everything else."""

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from peer.views import EntryId, MessageView
from ui.conversation.message_acts import MessageAct, Standing, possible
from ui.theme.controls import IconButton, Theme

_AREA = 30
_ICON = 17
_BESIDE = 6
_OVERLAP = 10


class HoverBar(QFrame):
    """Lies over the list of messages; the keyboard has the menu for the same."""

    wanted = Signal(object, object)
    """A message and a `MessageAct`."""
    menu_wanted = Signal()
    """All that can be done with the message."""

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self.setObjectName("message.bar")
        self.setProperty("role", "bar")
        self._message: MessageView | None = None
        self._react = self._button(theme, "smile-plus", self.tr("React"), "message.bar.react", MessageAct.REACT)
        self._reply = self._button(theme, "reply", self.tr("Reply"), "message.bar.reply", MessageAct.REPLY)
        more = IconButton(theme, "ellipsis-vertical", self.tr("More"), name="message.bar.more", size=_ICON, area=_AREA)
        more.clicked.connect(self.menu_wanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(0)
        for button in (self._react, self._reply, more):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            layout.addWidget(button)
        self.hide()

    def _button(self, theme: Theme, icon: str, label: str, name: str, act: MessageAct) -> IconButton:
        button = IconButton(theme, icon, label, name=name, size=_ICON, area=_AREA)
        button.clicked.connect(lambda: self.wanted.emit(self._message, act))
        return button

    @property
    def entry(self) -> EntryId | None:
        """The message it stands beside; None while it is hidden."""
        return None if self._message is None or self.isHidden() else self._message.entry

    def show_beside(self, message: MessageView, bubble: QRect, standing: Standing) -> None:
        """Offer what can be done with a message whose bubble is there."""
        acts = possible(message, standing)
        if not acts:
            self.leave()
            return
        self._message = message
        self._react.setVisible(MessageAct.REACT in acts)
        self._reply.setVisible(MessageAct.REPLY in acts)
        self.adjustSize()
        room = self._over.rect()
        beside = bubble.left() - _BESIDE - self.width() if message.mine else bubble.right() + _BESIDE
        fits = beside >= room.left() and beside + self.width() <= room.right()
        if fits:
            left, top = beside, bubble.top()
        else:
            # Over the inner corner of the bubble, where least of its text is.
            left = bubble.left() if message.mine else bubble.right() - self.width()
            top = bubble.top() - self.height() + _OVERLAP
        left = max(room.left() + 2, min(left, room.right() - self.width() - 2))
        top = max(room.top() + 2, min(top, room.bottom() - self.height() - 2))
        self.move(left, top)
        self.show()
        self.raise_()

    def leave(self) -> None:
        """Offer nothing any more."""
        self._message = None
        self.hide()
