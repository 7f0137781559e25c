"""What can be done with a message: the menu of the right button, Shift+F10 and the menu key."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from peer.views import MessageView
from ui.conversation.links import Link, open_link
from ui.conversation.message_dialogs import MessageDetails, WholeMessage
from ui.transfers.acts import acts, label

_MOST_LINKS = 10
_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class Pointed:
    """What the menu is about."""

    message: MessageView
    links: tuple[Link, ...]
    """The one under the pointer, or all of the message when there is no pointer."""
    selected: str
    is_cut: bool
    """Whether the bubble shows only the beginning."""


class MessageMenu(QMenu):
    """Offers only what works; deletes itself when it is closed."""

    act_wanted = Signal(object)
    """An `Act` on the message's attachment."""

    def __init__(self, pointed: Pointed, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("message.menu")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        message = pointed.message
        for act in acts(message):
            self._add(self, label(act), f"message.{act.name.lower()}", partial(self.act_wanted.emit, act))
        if self.actions():
            self.addSeparator()
        if pointed.selected:
            self._add(self, self.tr("Copy selection"), "message.copy_selection", partial(copy, pointed.selected))
        if message.text or message.attachment is None:
            self._add(self, self.tr("Copy message"), "message.copy", partial(copy, message.text))
        self._add_links([link for link in pointed.links if link.opens], self.tr("Open link"), "message.open_link", show)
        self._add_links(pointed.links, self.tr("Copy link"), "message.copy_link", copy)
        if pointed.selected or message.text or message.attachment is None:
            self.addSeparator()
        window = parent.window()
        if pointed.is_cut:
            self._add(self, self.tr("Show all"), "message.show_all", lambda: WholeMessage(message, window).open())
        details = self.tr("Message details")
        self._add(self, details, "message.details", lambda: MessageDetails(message, window).open())

    def _add_links(
        self, links: "list[Link] | tuple[Link, ...]", label: str, name: str, act: Callable[[str], None]
    ) -> None:
        """One link is an entry, several are a menu of their own."""
        if len(links) == 1:
            self._add(self, label, name, partial(act, links[0].url))
        elif links:
            menu = self.addMenu(label)
            menu.setObjectName(name)
            for link in links[:_MOST_LINKS]:
                self._add(menu, _in_a_menu(link.url), name, partial(act, link.url))

    def _add(self, menu: QMenu, label: str, name: str, act: Callable[[], object]) -> None:
        action = QAction(label, menu)
        action.setObjectName(name)
        # Whatever Qt hands over with the signal, the act takes nothing.
        action.triggered.connect(lambda _checked: act())
        menu.addAction(action)


def copy(text: str) -> None:
    """Put a text into the clipboard."""
    QGuiApplication.clipboard().setText(text)


def show(url: str) -> None:
    """Open a link; what no browser takes is not opened."""
    open_link(url)


def _in_a_menu(url: str) -> str:
    short = url if len(url) <= _LONGEST_LABEL else f"{url[:_LONGEST_LABEL]}…"
    return short.replace("&", "&&")
