"""The menu behind one's own picture: what concerns oneself and this device, not a conversation."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from peer.views import SessionView
from ui.theme.controls import Theme

_ICON = 16


class AccountMenu(QMenu):
    """Copy what friends need, open the settings, change the password, leave."""

    copied = Signal(str)
    """A sentence that says what was copied."""
    settings_wanted = Signal()
    change_password = Signal()
    log_out = Signal()
    quit = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("account")
        self._theme = theme
        self._session: SessionView | None = None
        self._add("copy", self.tr("Copy my ID"), self.copy_id)
        self._add("link", self.tr("Copy the locator's link"), self._copy_link)
        self.addSeparator()
        # The key is only shown here: it works where the menu is not open.
        key = QKeySequence("Ctrl+,").toString(QKeySequence.SequenceFormat.NativeText)
        self._add("settings", f"{self.tr('Settings…')}\t{key}", self.settings_wanted.emit)
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
