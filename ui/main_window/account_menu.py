"""The menu behind one's own picture: what concerns oneself and this device, not a conversation."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup, QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from peer.views import SessionView
from ui.notifications.settings import Loudness, NotificationSettings
from ui.theme.appearance import Appearance, Choice
from ui.theme.controls import Theme

_ICON = 16
_Choice = TypeVar("_Choice", bound=StrEnum)


class AccountMenu(QMenu):
    """Copy what friends need, change how it looks and sounds, change the password, leave."""

    copied = Signal(str)
    """A sentence that says what was copied."""
    change_password = Signal()
    log_out = Signal()
    quit = Signal()

    def __init__(
        self, theme: Theme, appearance: Appearance, notifications: NotificationSettings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("account")
        self._theme = theme
        self._session: SessionView | None = None
        self._add("copy", self.tr("Copy my ID"), self.copy_id)
        self._add("link", self.tr("Copy the locator's link"), self._copy_link)
        self.addSeparator()
        self._add_choices(
            "sun-moon",
            self.tr("Appearance"),
            {
                Choice.SYSTEM: self.tr("Like the system"),
                Choice.LIGHT: self.tr("Light"),
                Choice.DARK: self.tr("Dark"),
            },
            appearance.choice,
            appearance.choose,
        )
        self._add_choices(
            "bell",
            self.tr("Notifications"),
            {
                Loudness.FULL: self.tr("With name and text"),
                Loudness.PRIVATE: self.tr("Without name and text"),
                Loudness.OFF: self.tr("None"),
            },
            notifications.loudness,
            notifications.choose,
        )
        self._add("key-round", self.tr("Change password…"), self.change_password.emit)
        self.addSeparator()
        self._add("log-out", self.tr("Log out"), self.log_out.emit)
        self._add("power", self.tr("Quit"), self.quit.emit)

    def show_session(self, session: SessionView | None) -> None:
        """Know whose menu it is."""
        self._session = session

    def _add(self, icon: str, words: str, act: Callable[[], object]) -> None:
        action = self.addAction(words)
        action.triggered.connect(act)
        self._theme.put_icon(action, icon, _ICON)

    def _add_choices(
        self,
        icon: str,
        words: str,
        choices: dict[_Choice, str],
        chosen: _Choice,
        choose: Callable[[_Choice], None],
    ) -> None:
        menu = self.addMenu(words)
        self._theme.put_icon(menu.menuAction(), icon, _ICON)
        group = QActionGroup(menu)
        for choice, name in choices.items():
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(choice is chosen)
            action.triggered.connect(lambda _checked, choice=choice: choose(choice))
            group.addAction(action)

    def copy_id(self) -> None:
        """Put the own ID on the clipboard, to be given to friends."""
        if self._session is not None:
            sentence = self.tr("Copied: %1. Give it to your friends.").replace("%1", self._session.user)
            self._copy(self._session.user, sentence)

    def _copy_link(self) -> None:
        if self._session is not None:
            self._copy(self._session.locator, self.tr("Copied: the link with which others sign in at this locator."))

    def _copy(self, text: str, sentence: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copied.emit(sentence)
