"""What lies over a conversation while files are dragged above it: they may be let go here."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.theme import fonts
from ui.theme.controls import Theme

_MARGIN = 16
_RADIUS = 16
_ICON = 40
_COVER = 0.92


class DropOverlay(QWidget):
    """Hidden unless something is dragged; the mouse goes through it."""

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("conversation.drop")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._theme = theme
        self._over = over
        self._words = ""
        over.installEventFilter(self)
        self.hide()

    def offer(self, words: str) -> None:
        """Show what letting go would do."""
        self._words = words
        self.setAccessibleName(words)
        self.setGeometry(self._over.rect())
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Be as large as what it lies over."""
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._over.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw a frame, an icon and the words."""
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(tokens.selected)
        ground.setAlphaF(_COVER)
        painter.setBrush(ground)
        painter.setPen(QPen(QColor(tokens.accent), 2, Qt.PenStyle.DashLine))
        place = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        painter.drawRoundedRect(place, _RADIUS, _RADIUS)
        icon = self._theme.icons.pixmap("upload", tokens.accent, _ICON, self.devicePixelRatioF(), 1.5)
        middle = place.center()
        painter.drawPixmap(round(middle.x() - _ICON / 2), round(middle.y() - _ICON - 4), icon)
        painter.setPen(QColor(tokens.text))
        painter.setFont(fonts.bold(fonts.TITLE))
        words = QRectF(place.left() + 16, middle.y() + 12, place.width() - 32, place.bottom() - middle.y() - 12)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(words, int(flags), self._words)
        painter.end()
