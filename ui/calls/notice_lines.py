"""What somebody in a call should know, as long as it is so: the network is poor, a microphone is missing."""

from typing import NamedTuple

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from peer.call_views import CallPersonView, CallState, CallView
from ui.models.call_book import is_over
from ui.theme import fonts
from ui.theme.controls import Text, Theme
from ui.translations import people

_POOR = 1
"""So many bars or fewer."""
POOR_MS = 6_000
"""How long a poor network is told of after it was so last: it comes and goes."""
_MOST = 3


class _Notice(NamedTuple):
    """One of them."""

    icon: str
    sentence: str


class NoticeLines(QWidget):
    """Shows the most important ones."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._call: CallView | None = None
        self._theme = theme
        self._lines: list[tuple[QFrame, QLabel, Text]] = []
        self._poor = QTimer(self, singleShot=True, interval=POOR_MS)
        self._poor.timeout.connect(self._show)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for number in range(_MOST):
            parts = self._line(number)
            layout.addWidget(parts[0])
            self._lines.append(parts)
            parts[0].hide()

    def begin(self) -> None:
        """Another call: nothing is known of its network."""
        self._poor.stop()

    def show_call(self, call: CallView) -> None:
        """Show what is to be said of it."""
        self._call = call
        heard = [person for person in call.people if person.state is CallState.ACTIVE and person.quality]
        if call.state is CallState.ACTIVE and any(person.quality <= _POOR for person in heard):
            self._poor.start()
        elif call.state is not CallState.ACTIVE:
            self._poor.stop()
        self._show()

    def sentences(self) -> list[str]:
        """Return what is shown."""
        return [words.text() for line, _icon, words in self._lines if not line.isHidden()]

    def _show(self) -> None:
        wanted = [] if self._call is None or is_over(self._call) else self._wanted(self._call)
        scale = self.devicePixelRatioF()
        for (line, icon, words), notice in zip(self._lines, [*wanted, *[None] * _MOST], strict=False):
            line.setVisible(notice is not None)
            if notice is not None:
                icon.setPixmap(self._theme.icons.pixmap(notice.icon, self._theme.tokens.warning, 16, scale))
                words.setText(notice.sentence)
        self._grow()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window a sentence takes more lines."""
        super().resizeEvent(event)
        self._grow()

    def _grow(self) -> None:
        """Have room for all lines; a layout with little room would cut them."""
        for line, _icon, _words in self._lines:
            layout = line.layout()
            assert layout is not None
            line.setMinimumHeight(max(0, layout.totalHeightForWidth(self.width())))

    def _wanted(self, call: CallView) -> list[_Notice]:
        """Return what is to be said, the most important first."""
        notices = self._of_our_devices(call)
        heard = [person for person in call.people if person.state is CallState.ACTIVE]
        if self._poor.isActive():
            notices.append(_Notice("triangle-alert", self.tr("The connection is poor: words may get lost.")))
        if any(person.path == "tcp" for person in heard):
            sentence = self.tr("Over TCP: the network does not let voice packets through, so there is more delay.")
            notices.append(_Notice("triangle-alert", sentence))
        if not call.is_group:
            notices += [notice for person in heard for notice in self._of_the_other(person)]
        if call.message:
            notices.append(_Notice("triangle-alert", call.message))
        return notices[:_MOST]

    def _of_our_devices(self, call: CallView) -> list[_Notice]:
        if call.sound_notice:
            return [_Notice("triangle-alert", call.sound_notice)]
        if not call.has_microphone and not call.has_speaker:
            return [_Notice("headphones", self.tr("No microphone and no speaker are here: plug in a headset."))]
        if not call.has_microphone:
            return [_Notice("mic-off", self.tr("No microphone is here: you can only listen."))]
        if not call.has_speaker:
            return [_Notice("volume-x", self.tr("No speaker is here: you can speak, but hear nothing."))]
        return []

    def _of_the_other(self, person: CallPersonView) -> list[_Notice]:
        name, notices = people.short_name(person.name), []
        if not person.has_microphone:
            notices.append(_Notice("mic-off", self.tr("%1 has no microphone, but hears you.").replace("%1", name)))
        elif person.is_muted:
            notices.append(_Notice("mic-off", self.tr("%1 is muted.").replace("%1", name)))
        if not person.has_speaker:
            sentence = self.tr("%1 has no speaker and does not hear you.")
            notices.append(_Notice("volume-x", sentence.replace("%1", name)))
        return notices

    def _line(self, number: int) -> tuple[QFrame, QLabel, Text]:
        line = QFrame()
        line.setProperty("role", "banner")
        line.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        icon = QLabel()
        words = Text(face=fonts.font(fonts.CAPTION), wrap=True)
        words.setObjectName(f"call.notice.{number}")
        row = QHBoxLayout(line)
        row.setContentsMargins(12, 7, 12, 7)
        row.setSpacing(10)
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(words, 1)
        return line, icon, words
