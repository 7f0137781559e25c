"""The small parts of which every screen is built, already dressed: texts, icon buttons, push buttons, avatars."""

import weakref
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QAction, QCursor, QFont, QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget
from shiboken6 import isValid

from ui.theme import fonts
from ui.theme.avatars import avatar_pixmap
from ui.theme.icons import Icons
from ui.theme.tokens import LIGHT, Tokens

Dressed = TypeVar("Dressed", bound=QObject)
_DRESSED_UNPRUNED = 256
"""Widgets remembered before the list is looked through for those that are gone."""


class Theme(QObject):
    """What a widget needs to look right; handed to each through its constructor.

    Painters read `tokens` when they paint. What has its colour baked in, a picture or an icon, is made by a call
    that `dress` repeats when the colours change.
    """

    changed = Signal()
    """The colours are others now."""

    def __init__(self, tokens: Tokens = LIGHT) -> None:
        super().__init__()
        self.tokens = tokens
        self.icons = Icons()
        self._dressed: list[Callable[[], bool]] = []
        """Each dresses one widget again, or tells that it is gone. None keeps its widget alive."""
        self._pruned_at = _DRESSED_UNPRUNED

    def use(self, tokens: Tokens) -> None:
        """Show everything in these colours from now on."""
        if tokens == self.tokens:
            return
        self.tokens = tokens
        self._dress_again()
        self.changed.emit()

    def dress(self, owner: Dressed, apply: Callable[[Dressed], None]) -> None:
        """Call `apply(owner)` now, and again at every change of colours as long as `owner` lives."""
        apply(owner)
        known = weakref.ref(owner)

        def again() -> bool:
            here = known()
            if here is None or not isValid(here):
                return False
            apply(here)
            return True

        self._dressed.append(again)
        if len(self._dressed) > self._pruned_at:
            self._dress_again()

    def put_icon(
        self, button: QAbstractButton | QAction, icon: str, size: int, colour: str = "secondary", disabled: str = ""
    ) -> None:
        """Give a button an icon in the colour of these tokens, now and after every change."""

        def apply(to: QAbstractButton | QAction) -> None:
            faded = getattr(self.tokens, disabled) if disabled else None
            to.setIcon(self.icons.icon(icon, getattr(self.tokens, colour), size, faded))

        self.dress(button, apply)

    def put_picture(self, label: QLabel, icon: str, size: int, colour: str = "secondary", stroke: float = 2.0) -> None:
        """Show an icon as a picture, now and after every change."""

        def apply(to: QLabel) -> None:
            scale = to.devicePixelRatioF()
            to.setPixmap(self.icons.pixmap(icon, getattr(self.tokens, colour), size, scale, stroke))

        self.dress(label, apply)

    def _dress_again(self) -> None:
        """Dress everything anew, and forget what is gone."""
        self._dressed = [again for again in self._dressed if again()]
        self._pruned_at = max(_DRESSED_UNPRUNED, 2 * len(self._dressed))


class Text(QLabel):
    """A piece of text with a role: plain, secondary, caption, error."""

    def __init__(self, text: str = "", *, role: str = "", face: QFont | None = None, wrap: bool = False) -> None:
        super().__init__(text)
        # Names and messages of other people are never read as HTML.
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(face or fonts.font())
        self.setWordWrap(wrap)
        if role:
            self.setProperty("role", role)

    def set_role(self, role: str) -> None:
        """Change how it is coloured."""
        if self.property("role") != role:
            self.setProperty("role", role)
            restyle(self)


class ElidedText(Text):
    """One line that gives way: what does not fit ends in an ellipsis, and the whole is in the tooltip."""

    def __init__(
        self,
        text: str = "",
        *,
        role: str = "",
        face: QFont | None = None,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__(role=role, face=face)
        self._whole = ""
        self._mode = mode
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.set_whole(text)

    def set_whole(self, text: str) -> None:
        """Show as much of `text` as there is room for."""
        if text == self._whole:
            return
        self._whole = text
        self.setAccessibleName(text)
        self._fit()

    def whole(self) -> str:
        """Return the text as it was given."""
        return self._whole

    def resizeEvent(self, event: object) -> None:
        """Cut again for the new width."""
        del event
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Ask for one line, and for no width at all."""
        return QSize(0, self.fontMetrics().height())

    def sizeHint(self) -> QSize:
        """Wish for the whole text."""
        return QSize(self.fontMetrics().horizontalAdvance(self._whole) + 2, self.fontMetrics().height())

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, self._mode, max(self.width(), 0))
        self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


class PushButton(QPushButton):
    """A button with words; kinds: primary, plain, danger, quiet."""

    def __init__(self, text: str, *, name: str, kind: str = "plain") -> None:
        super().__init__(text)
        self.setFont(fonts.bold())
        self.setObjectName(name)
        self.setProperty("kind", kind)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)


class MenuButton(QToolButton):
    """A button that may have a menu; once that is closed, it looks pointed at only if it is."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Open the menu, if there is one."""
        super().mousePressEvent(event)
        # The menu had the mouse meanwhile, and Qt does not tell the button where it was let go.
        if isValid(self) and not self.rect().contains(self.mapFromGlobal(QCursor.pos())):
            QCoreApplication.sendEvent(self, QEvent(QEvent.Type.Leave))


class IconButton(MenuButton):
    """A button without words; its name is its tooltip and what a screen reader says."""

    def __init__(self, theme: Theme, icon: str, label: str, *, name: str, size: int = 20, area: int = 36) -> None:
        super().__init__()
        self.setObjectName(name)
        theme.put_icon(self, icon, size)
        self.setIconSize(QSize(size, size))
        self.setFixedSize(area, area)
        # A click leaves the focus where it was: in the composer, as a rule.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_label(label)

    def set_label(self, label: str) -> None:
        """Name what a click does now."""
        self.setToolTip(label)
        self.setAccessibleName(label)


class Avatar(QLabel):
    """The picture of a person or a group, with or without the dot of presence."""

    def __init__(self, theme: Theme, size: int, ground: str) -> None:
        """`ground` is the token of the colour around the dot."""
        super().__init__()
        self._theme = theme
        self._size = size
        self._ground = ground
        self._shown: tuple[str, str, bool | None, bool, float] | None = None
        self.setFixedSize(size, size)
        theme.dress(self, Avatar._draw)

    def show_person(self, user: str, name: str, *, online: bool | None = None, is_group: bool = False) -> None:
        """Draw this person, or group; `online` None leaves the dot out."""
        scale = self.devicePixelRatioF()
        shown = (user, name, online, is_group, scale)
        if shown == self._shown:
            return
        self._shown = shown
        self._draw()
        self.setAccessibleName(name)

    def _draw(self) -> None:
        if self._shown is None:
            return
        user, name, online, is_group, scale = self._shown
        tokens = self._theme.tokens
        ground = getattr(tokens, self._ground)
        picture = avatar_pixmap(user, name, self._size, scale, tokens, ground, online=online, is_group=is_group)
        self.setPixmap(picture)


class Line(QFrame):
    """A hairline between two parts."""

    def __init__(self, *, vertical: bool = False) -> None:
        super().__init__()
        self.setProperty("role", "line")
        if vertical:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)


def restyle(widget: QWidget) -> None:
    """Apply the style sheet again after a property it looks at has changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
