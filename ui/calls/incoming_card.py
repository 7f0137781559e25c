"""Who is calling, with the two answers: at the top of the window, or of the screen when the window is not in front."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from peer.call_views import CallView
from ui.calls.round_button import MIDDLE, RoundButton
from ui.theme import fonts
from ui.theme.controls import Avatar, ElidedText, Theme
from ui.translations import calls

_AVATAR = 44
_WIDTH, _FROM_TOP = 400, 24
ANSWER_KEYS, DECLINE_KEYS = "Ctrl+Shift+A", "Ctrl+Shift+D"


class IncomingCard(QWidget):
    """A strip; it never takes the focus from what somebody is doing."""

    answered = Signal()
    declined = Signal()

    def __init__(self, theme: Theme, *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", "incoming")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._avatar = Avatar(theme, _AVATAR, "card")
        self._name = ElidedText(face=fonts.bold(fonts.TITLE))
        self._name.setObjectName(f"{name}.name")
        self._words = ElidedText(role="secondary", face=fonts.font(fonts.CAPTION))
        self._words.setObjectName(f"{name}.words")
        decline = RoundButton(
            theme,
            "phone-off",
            self.tr("Decline (%1)").replace("%1", DECLINE_KEYS),
            name=f"{name}.decline",
            kind="hang_up",
            area=MIDDLE,
        )
        answer = RoundButton(
            theme,
            "phone",
            self.tr("Answer (%1)").replace("%1", ANSWER_KEYS),
            name=f"{name}.answer",
            kind="answer",
            area=MIDDLE,
        )
        decline.clicked.connect(self.declined)
        answer.clicked.connect(self.answered)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch()
        words.addWidget(self._name)
        words.addWidget(self._words)
        words.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 10, 16, 10)
        layout.setSpacing(12)
        layout.addWidget(self._avatar)
        layout.addLayout(words, 1)
        layout.addWidget(answer)
        layout.addWidget(decline)

    def show_call(self, call: CallView) -> None:
        """Show who calls, and have it read aloud."""
        title = calls.title(call)
        person = call.conversation.hex() if call.is_group else str(call.with_ or "")
        self._avatar.show_person(person, title, is_group=call.is_group)
        self._name.set_whole(title)
        self._words.set_whole(calls.who_calls(call))
        self.setAccessibleName(f"{title}: {calls.who_calls(call)}")
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))


class IncomingWindow(QWidget):
    """The card as a little window of its own, on top of all others, and dark like that of a call."""

    answered = Signal()
    declined = Signal()

    def __init__(self, theme: Theme) -> None:
        flags = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        super().__init__(None, flags)
        self.setObjectName("incoming_window")
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_MacAlwaysShowToolWindow)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, on=False)
        self.setWindowTitle(self.tr("Incoming call"))
        self.card = IncomingCard(theme, name="incoming")
        self.card.setProperty("role", "popup")
        self.card.answered.connect(self.answered)
        self.card.declined.connect(self.declined)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.card)
        for keys, signal in ((ANSWER_KEYS, self.answered), (DECLINE_KEYS, self.declined)):
            QShortcut(QKeySequence(keys), self, signal.emit)

    def show_call(self, call: CallView) -> None:
        """Appear at the top of the screen."""
        if self.isVisible():
            return
        screen = self.screen().availableGeometry()
        width = min(_WIDTH, screen.width())
        self.setGeometry(
            screen.center().x() - width // 2, screen.top() + _FROM_TOP, width, self.card.sizeHint().height()
        )
        self.card.show_call(call)
        self.show()

    def withdraw(self) -> None:
        """There is nothing to answer any more."""
        self.hide()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Who closes it does not want the call."""
        super().closeEvent(event)
        self.declined.emit()
