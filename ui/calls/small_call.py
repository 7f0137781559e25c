"""The call as a little window on top of all others, for who looks at something else meanwhile."""

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QMouseEvent, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from peer.call_views import CallLevelsView, CallState, CallView
from ui.calls.person_tile import PersonTile
from ui.calls.round_button import LITTLE, RoundButton
from ui.theme import fonts
from ui.theme.controls import ElidedText, Text, Theme
from ui.translations import calls

_WIDTH, _HIGH, _PICTURE, _FROM_EDGE = 300, 76, 66, 24


class SmallCall(QFrame):
    """Who speaks, how long it lasts; mute, back, hang up. It is drawn wherever one wants it."""

    back_wanted = Signal()
    mute_wanted = Signal(bool)
    hang_up_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        """`theme` has the dark tokens."""
        flags = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        super().__init__(None, flags)
        self._theme = theme
        self._shown: CallView | None = None
        self._grip: QPoint | None = None
        self._is_placed = False
        self.setObjectName("small_call")
        self.setProperty("role", "small_call")
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_MacAlwaysShowToolWindow)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, on=False)
        self.setFixedSize(_WIDTH, _HIGH)
        self._picture = PersonTile(theme, name="small_call.person", has_name=False)
        self._picture.setFixedSize(_PICTURE, _PICTURE)
        self._picture.may_be_clicked(allowed=False)
        self._name = ElidedText(face=fonts.bold())
        self._name.setObjectName("small_call.name")
        self._time = Text(role="secondary", face=fonts.font(fonts.CAPTION))
        self._time.setObjectName("small_call.time")
        self._mute = self._button("mic", "", "mute", "call")
        self._back = self._button("maximize-2", self.tr("Back to call"), "back", "call")
        self._hang_up = self._button("phone-off", self.tr("Hang up (Ctrl+Shift+H)"), "hang_up", "hang_up")
        self._mute.clicked.connect(self._toggle_mute)
        self._back.clicked.connect(self.back_wanted)
        self._hang_up.clicked.connect(self.hang_up_wanted)
        for keys, button in (("M", self._mute), ("Ctrl+M", self._mute), ("Ctrl+Shift+H", self._hang_up)):
            QShortcut(QKeySequence(keys), self, button.click)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch()
        words.addWidget(self._name)
        words.addWidget(self._time)
        words.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 4, 10, 4)
        layout.setSpacing(6)
        layout.addWidget(self._picture)
        layout.addLayout(words, 1)
        for button in (self._mute, self._back, self._hang_up):
            layout.addWidget(button)

    def show_call(self, call: CallView) -> None:
        """Show how it stands."""
        self._shown = call
        title = calls.title(call)
        self.setWindowTitle(self.tr("Call with %1").replace("%1", title))
        person = str(call.people[0].user) if call.people and not call.is_group else call.conversation.hex()
        self._picture.show_person(
            person, title, "", is_group=call.is_group, is_faded=call.state is not CallState.ACTIVE
        )
        self._name.set_whole(title)
        progress = calls.progress(call)
        if progress:
            self._time.setText(progress)
        tokens = self._theme.tokens
        icon = "mic-off" if call.is_muted or not call.has_microphone else "mic"
        self._mute.setIcon(self._theme.icons.icon(icon, tokens.text, self._mute.iconSize().width()))
        self._mute.set_label(self.tr("Unmute (M)") if call.is_muted else self.tr("Mute (M)"))
        self._mute.setEnabled(call.has_microphone)

    def show_levels(self, levels: CallLevelsView) -> None:
        """Ring the picture while anybody else speaks."""
        if self._shown is not None and levels.call == self._shown.call and self.isVisible():
            loudest = max((each.level for each in levels.people if each.speaks), default=0)
            self._picture.show_level(loudest, speaks=any(each.speaks for each in levels.people))

    def show_time(self, words: str) -> None:
        """Show how long it lasts."""
        self._time.setText(words)

    def appear(self) -> None:
        """Be there: where it was drawn to, at first at the upper right."""
        if not self._is_placed:
            screen = self.screen().availableGeometry()
            self.move(screen.right() - self.width() - _FROM_EDGE, screen.top() + _FROM_EDGE)
            self._is_placed = True
        self.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Who closes it wants the large one; hanging up is another button."""
        super().closeEvent(event)
        self.back_wanted.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of it."""
        self._grip = event.globalPosition().toPoint() - self.pos()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw it."""
        if self._grip is not None:
            self.move(event.globalPosition().toPoint() - self._grip)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        del event
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Be large again."""
        del event
        self.back_wanted.emit()

    def _toggle_mute(self) -> None:
        if self._shown is not None:
            self.mute_wanted.emit(not self._shown.is_muted)

    def _button(self, icon: str, label: str, name: str, kind: str) -> RoundButton:
        return RoundButton(self._theme, icon, label, name=f"small_call.{name}", kind=kind, area=LITTLE)
