"""The bar at the top of the main window that stands for the call one is in."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from peer.call_views import CallView
from ui.calls.round_button import LITTLE
from ui.theme import fonts
from ui.theme.controls import ElidedText, IconButton, PushButton, Text, Theme
from ui.translations import calls

_HIGH = 44
_NARROW_BELOW = 560


class CallBar(QWidget):
    """Says with whom and for how long; leads back to the call, mutes, hangs up."""

    back_wanted = Signal()
    mute_wanted = Signal(bool)
    hang_up_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._is_muted = False
        self._long = self._short = ""
        """What it says, where there is room, and where there is little."""
        self.setObjectName("call_bar")
        self.setProperty("role", "call")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(_HIGH)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        sign = QLabel()
        theme.put_picture(sign, "phone", 18, "on_call")
        self._words = ElidedText(face=fonts.bold())
        self._words.setObjectName("call_bar.words")
        self._time = Text(face=fonts.bold())
        self._time.setObjectName("call_bar.time")
        self._mute = self._icon_button("mic", self.tr("Mute (Ctrl+M)"), "mute")
        self._back = PushButton(self.tr("Back to call"), name="call_bar.back", kind="on_call")
        self._back_sign = self._icon_button("maximize-2", self.tr("Back to call"), "back_sign")
        hang_up = self._icon_button("phone-off", self.tr("Hang up (Ctrl+Shift+H)"), "hang_up")
        hang_up.setProperty("kind", "hang_up")
        hang_up.setProperty("round", str(LITTLE))
        self._mute.clicked.connect(lambda: self.mute_wanted.emit(not self._is_muted))
        for button in (self._back, self._back_sign):
            button.clicked.connect(self.back_wanted)
        hang_up.clicked.connect(self.hang_up_wanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 0, 12, 0)
        layout.setSpacing(10)
        layout.addWidget(sign)
        layout.addWidget(self._words, 1)
        layout.addWidget(self._time)
        for button in (self._mute, self._back, self._back_sign, hang_up):
            layout.addWidget(button)
        self.hide()

    def show_call(self, call: CallView | None) -> None:
        """Stand for this call; go, if there is none."""
        if call is None:
            self.hide()
            return
        words = self.tr("In a call in %1") if call.is_group else self.tr("In a call with %1")
        self._long, self._short = words.replace("%1", calls.title(call)), calls.title(call)
        self._fit()
        progress = calls.progress(call)
        if progress:
            self._time.setText(progress)
        if call.is_muted != self._is_muted:
            self._is_muted = call.is_muted
            self._theme.put_icon(self._mute, "mic-off" if call.is_muted else "mic", 18, "on_call")
            self._mute.set_label(self.tr("Unmute (Ctrl+M)") if call.is_muted else self.tr("Mute (Ctrl+M)"))
        self._mute.setVisible(call.has_microphone)
        self.show()

    def show_time(self, words: str) -> None:
        """Show how long it lasts."""
        self._time.setText(words)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """All of it leads back."""
        if self.rect().contains(event.position().toPoint()):
            self.back_wanted.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window a sign stands for the words."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        is_narrow = self.width() < _NARROW_BELOW
        self._words.set_whole(self._short if is_narrow else self._long)
        self._back.setVisible(not is_narrow)
        self._back_sign.setVisible(is_narrow)

    def _icon_button(self, icon: str, label: str, name: str) -> IconButton:
        button = IconButton(self._theme, icon, label, name=f"call_bar.{name}", size=18, area=LITTLE)
        self._theme.put_icon(button, icon, 18, "on_call")
        button.setProperty("kind", "on_call")
        return button
