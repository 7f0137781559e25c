"""The icon in the tray, where the desktop has one: a way back to the window, and a second way to notify."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from ui.theme.controls import Theme


class Tray(QObject):
    """Stands for the program while its window is hidden."""

    opened = Signal()
    quit = Signal()
    message_clicked = Signal()

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._icon: QSystemTrayIcon | None = None
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return
        self._menu = QMenu()
        self._menu.addAction(self.tr("Open Hail"), self.opened.emit)
        self._menu.addSeparator()
        self._menu.addAction(self.tr("Quit"), self.quit.emit)
        icon = self._icon = QSystemTrayIcon(self)
        icon.setContextMenu(self._menu)
        icon.activated.connect(self._activated)
        icon.messageClicked.connect(self.message_clicked)
        theme.dress(icon, lambda tray: tray.setIcon(theme.icons.icon("message-circle", theme.tokens.accent, 22)))
        self.show_unread(0)
        icon.show()

    @property
    def exists(self) -> bool:
        """Whether this desktop has a tray."""
        return self._icon is not None

    def show_unread(self, unread: int) -> None:
        """Say how much waits."""
        if self._icon is not None:
            self._icon.setToolTip(self.tr("Hail: %n unread", "", unread) if unread else "Hail")

    def say(self, title: str, text: str) -> None:
        """Show a message from the tray, where there is one."""
        if self._icon is not None and QSystemTrayIcon.supportsMessages():
            self._icon.showMessage(without_markup(title), without_markup(text), self._icon.icon())

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is not QSystemTrayIcon.ActivationReason.Context:
            self.opened.emit()


def without_markup(words: str) -> str:
    """Return words that look the same whether the desktop reads markup or not, which a tray cannot find out."""
    return words.replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}").replace("&", "&\N{WORD JOINER}")
