"""Above a group's messages while a call goes on in it without us."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from peer.call_views import CallView
from ui.theme import fonts
from ui.theme.controls import ElidedText, PushButton, Theme
from ui.translations import calls


class JoinStrip(QWidget):
    """Says who is in it; a click joins."""

    join_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("conversation.call_strip")
        self.setProperty("role", "call")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        sign = QLabel()
        theme.put_picture(sign, "phone", 18, "on_call")
        self._words = ElidedText(face=fonts.bold(fonts.CAPTION))
        self._words.setObjectName("conversation.call_strip.words")
        self._join = PushButton(self.tr("Join"), name="conversation.join_call", kind="on_call")
        self._join.clicked.connect(self.join_wanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 6, 16, 6)
        layout.setSpacing(10)
        layout.addWidget(sign)
        layout.addWidget(self._words, 1)
        layout.addWidget(self._join)
        self.hide()

    def show_call(self, call: CallView | None, why_not: str) -> None:
        """Offer to join this call, or go; `why_not` says why it cannot be joined now."""
        self.setVisible(call is not None)
        if call is not None:
            names = calls.names(call)
            words = self.tr("A call is going on: %1").replace("%1", names) if names else self.tr("A call is going on")
            self._words.set_whole(words)
            self._join.setEnabled(not why_not)
            self._join.setToolTip(why_not)
