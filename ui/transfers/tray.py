"""What is about to be sent: files, folders and pasted pictures wait above the input until Enter, or Esc."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.theme import fonts
from ui.theme.controls import ElidedText, IconButton, Text, Theme
from ui.translations import attachments

_TILE = QSize(208, 60)
_PREVIEW = 44
_RADIUS = 8
_SPACING = 8
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp"})
MOST_ITEMS = 100
"""Who drops more at once means a folder."""


@dataclass(frozen=True, slots=True)
class TrayItem:
    """One thing to send."""

    path: Path
    is_picture: bool = False
    """Whether it looks like a picture; what it is, its bytes say when it is sent."""

    @classmethod
    def of(cls, path: Path) -> "TrayItem":
        """Return an item for a file or a folder."""
        return cls(path, path.suffix.lower() in _PICTURES)


class AttachmentTray(QScrollArea):
    """A row of tiles; hidden while there is nothing in it."""

    changed = Signal()
    preview_wanted = Signal(object)
    """A `TrayItem` that looks like a picture."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("conversation.tray")
        self.setAccessibleName(self.tr("To be sent"))
        self._theme = theme
        self._tiles: list[_Tile] = []
        inside = QWidget()
        inside.setProperty("role", "clear")
        self._row = QHBoxLayout(inside)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(_SPACING)
        self._row.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._row.addStretch()
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFixedHeight(_TILE.height() + 12)
        self.hide()

    @property
    def items(self) -> list[TrayItem]:
        """What is in it, in order."""
        return [tile.item for tile in self._tiles]

    def add(self, items: Iterable[TrayItem]) -> int:
        """Put in what is not there yet; return how many did not fit."""
        here = {tile.item.path for tile in self._tiles}
        fresh = [item for item in items if item.path not in here]
        room = MOST_ITEMS - len(self._tiles)
        for item in fresh[:room]:
            tile = _Tile(self._theme, item)
            tile.removed.connect(self._remove)
            self._tiles.append(tile)
            self._row.insertWidget(self._row.count() - 1, tile)
            if item.is_picture:
                self.preview_wanted.emit(item)
        self._changed()
        return max(0, len(fresh) - room)

    def take(self) -> list[TrayItem]:
        """Empty it, and return what was in it."""
        items = self.items
        for tile in self._tiles:
            tile.deleteLater()
        self._tiles.clear()
        self._changed()
        return items

    def show_preview(self, item: TrayItem, picture: QImage) -> None:
        """Show what a picture looks like, if it still waits here."""
        for tile in self._tiles:
            if tile.item == item:
                tile.preview.show_picture(picture)

    def show_refusal(self, item: TrayItem, sentence: str) -> None:
        """Say that what looked like a picture goes as a file, and why."""
        for tile in self._tiles:
            if tile.item == item:
                tile.show_refusal(sentence)

    def _remove(self, tile: "_Tile") -> None:
        self._tiles.remove(tile)
        tile.hide()
        tile.deleteLater()
        self._changed()

    def _changed(self) -> None:
        self.setVisible(bool(self._tiles))
        self.changed.emit()


class _Tile(QFrame):
    """One item: preview or icon, name, size, and the way out."""

    removed = Signal(object)

    def __init__(self, theme: Theme, item: TrayItem) -> None:
        super().__init__()
        self.setProperty("role", "inset")
        self.setObjectName("conversation.tray.item")
        self.setAccessibleName(item.path.name)
        self.setFixedSize(_TILE)
        self.item = item
        is_folder = item.path.is_dir()
        self.preview = _Preview(theme, "folder" if is_folder else "image" if item.is_picture else "file")
        name = ElidedText(item.path.name, face=fonts.bold(fonts.CAPTION), mode=Qt.TextElideMode.ElideMiddle)
        self._about = Text(_about(item.path, is_folder=is_folder), role="secondary", face=fonts.font(fonts.SMALL))
        remove = IconButton(theme, "x", self.tr("Remove"), name="conversation.tray.remove", size=16, area=28)
        remove.setAccessibleName(self.tr("Remove %1").replace("%1", item.path.name))
        remove.clicked.connect(lambda: self.removed.emit(self))
        names = QVBoxLayout()
        names.setSpacing(2)
        names.addStretch()
        names.addWidget(name)
        names.addWidget(self._about)
        names.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 8, 6, 8)
        layout.setSpacing(10)
        layout.addWidget(self.preview)
        layout.addLayout(names, 1)
        layout.addWidget(remove, 0, Qt.AlignmentFlag.AlignTop)

    def show_refusal(self, sentence: str) -> None:
        """Be a file, and say why."""
        self.preview.show_icon("image-off")
        self._about.setText(" · ".join(filter(None, [self._about.text(), self.tr("as a file")])))
        self.setToolTip(sentence)
        self.setAccessibleDescription(sentence)


class _Preview(QWidget):
    """A small picture with round corners; an icon until there is one."""

    def __init__(self, theme: Theme, icon: str) -> None:
        super().__init__()
        self._theme = theme
        self._icon = icon
        self._picture = QImage()
        self.setFixedSize(_PREVIEW, _PREVIEW)

    def show_picture(self, picture: QImage) -> None:
        """Show the middle of this."""
        self._picture = picture
        self.update()

    def show_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw it."""
        tokens = self._theme.tokens
        place = QRectF(self.rect())
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        clip = QPainterPath()
        clip.addRoundedRect(place, _RADIUS, _RADIUS)
        painter.fillPath(clip, QColor(tokens.selected))
        if self._picture.isNull():
            icon = self._theme.icons.pixmap(self._icon, tokens.accent, 22, self.devicePixelRatioF())
            painter.drawPixmap(11, 11, icon)
        else:
            painter.setClipPath(clip)
            side = min(self._picture.width(), self._picture.height())
            middle = QRectF((self._picture.width() - side) / 2, (self._picture.height() - side) / 2, side, side)
            painter.drawImage(place, self._picture, middle)
        painter.end()


def _about(path: Path, *, is_folder: bool) -> str:
    if is_folder:
        return attachments.folder()
    try:
        return attachments.size(path.stat().st_size)
    except OSError:
        return ""
