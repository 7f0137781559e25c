"""What lies over a conversation while files are dragged above it: they may be let go here."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.theme import fonts
from ui.theme.controls import Theme
from ui.transfers.offered_files import OfferedFiles

_MARGIN = 16
_RADIUS = 16
_ICON = 40
_COVER = 0.92


class DropOverlay(QWidget):
    """Hidden unless something is dragged; the mouse goes through it."""

    dropped = Signal(object)
    """Mime data with something that can be sent as a file."""

    def __init__(self, theme: Theme, over: QWidget, words: Callable[[], str]) -> None:
        """`words` returns what letting go would do now; empty when nothing can be taken."""
        super().__init__(over)
        over.setAcceptDrops(True)
        self._words_now = words
        self.setObjectName("conversation.drop")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._theme = theme
        self._over = over
        self._words = ""
        over.installEventFilter(self)
        self.hide()

    def _offer(self, event: QDragEnterEvent) -> None:
        """Show what letting go would do, if it would do anything."""
        words = self._words_now() if OfferedFiles.has_any(event.mimeData()) else ""
        if not words:
            event.ignore()
            return
        event.acceptProposedAction()
        self._words = words
        self.setAccessibleName(words)
        self.setGeometry(self._over.rect())
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Be as large as what it lies over, and take what is dropped there."""
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._over.rect())
        elif isinstance(event, QDragEnterEvent):
            self._offer(event)
            return True
        elif event.type() == QEvent.Type.DragLeave:
            self.hide()
        elif isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self.hide()
            self.dropped.emit(event.mimeData())
            event.acceptProposedAction()
            return True
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
