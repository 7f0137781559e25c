"""All settings in one place, a page for each kind; what is chosen holds at once."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QStackedWidget, QWidget

from ui.notifications.settings import NotificationSettings, RingChoice
from ui.peer_bridge import PeerBridge
from ui.settings.audio_page import AudioPage
from ui.settings.files_page import FilesPage
from ui.settings.window_pages import AppearancePage, NotificationsPage
from ui.theme.appearance import Appearance
from ui.theme.choice_box import ChoiceBox
from ui.theme.controls import PushButton, Theme
from ui.theme.dialogs import CardDialog
from ui.theme.tabs import Tabs

_WIDTH = 560
_NARROW_BELOW = 500
_PAGE_HEIGHT = 384


class SettingsDialog(CardDialog):
    """Tabs where they have room, else a box to choose the page in."""

    def __init__(
        self,
        theme: Theme,
        bridge: PeerBridge,
        appearance: Appearance,
        notifications: NotificationSettings,
        ring: RingChoice,
        parent: QWidget,
    ) -> None:
        super().__init__(parent, name="settings", width=_WIDTH)
        narrow = self.minimumWidth() < _NARROW_BELOW
        pages = (
            (self.tr("Appearance"), AppearancePage(theme, appearance, is_narrow=narrow)),
            (self.tr("Notifications"), NotificationsPage(theme, notifications, ring, is_narrow=narrow)),
            (self.tr("Files"), FilesPage(theme, bridge, is_narrow=narrow)),
            (self.tr("Audio"), AudioPage(theme, bridge, is_narrow=narrow)),
        )
        self._pages = QStackedWidget()
        for _, page in pages:
            self._pages.addWidget(_scrolled(page))
        self._pages.setMinimumHeight(min(_PAGE_HEIGHT + (60 if narrow else 0), parent.height() - 260))
        names = [name for name, _ in pages]
        self.begin(self.tr("Settings"))
        self.content.addWidget(self._chooser(theme, names) if narrow else self._tabs(names))
        self.content.addWidget(self._pages, 1)
        close = PushButton(self.tr("Close"), name="settings.close", kind="primary")
        close.clicked.connect(self.accept)
        self.end(close)

    def show_page(self, row: int) -> None:
        """Show one page; the others let go of what they hold."""
        self._pages.setCurrentIndex(row)

    def _tabs(self, names: list[str]) -> QWidget:
        tabs = Tabs((f"settings.tab.{row}", name) for row, name in enumerate(names))
        tabs.chosen.connect(self.show_page)
        return tabs

    def _chooser(self, theme: Theme, names: list[str]) -> QWidget:
        box = ChoiceBox(theme, self.tr("Page"), name="settings.page")
        box.offer(((str(row), name) for row, name in enumerate(names)), "0")
        box.chosen.connect(lambda word: self.show_page(int(word)))
        return box


def _scrolled(page: QWidget) -> QScrollArea:
    """Let a page be looked at in a window that is lower than it."""
    page.setProperty("role", "clear")
    scroll = QScrollArea()
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(page)
    # The dialog says how high the pages are, not the longest of them.
    scroll.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
    return scroll
