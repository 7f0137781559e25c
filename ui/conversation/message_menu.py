"""What can be done with a message: the menu of the right button, Shift+F10 and the menu key."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from peer.views import MessageKind, MessageView
from ui.conversation.links import Link, open_link
from ui.conversation.message_acts import WITH_SEVERAL, MessageAct, Standing, label, possible, possible_with_all
from ui.conversation.message_dialogs import MessageDetails, WholeMessage
from ui.conversation.quick_reactions import QUICK
from ui.conversation.quote_part import answered
from ui.theme import fonts
from ui.transfers.acts import acts
from ui.transfers.acts import label as attachment_label
from ui.translations import people

_MOST_LINKS = 10
_LONGEST_LABEL = 60
_MOST_REACTIONS = 12
"""Of those below a message, so many are in its menu."""


@dataclass(frozen=True, slots=True)
class Pointed:
    """What the menu is about."""

    message: MessageView
    links: tuple[Link, ...]
    """The one under the pointer, or all of the message when there is no pointer."""
    selected: str
    is_cut: bool
    """Whether the bubble shows only the beginning."""
    standing: Standing = field(default_factory=Standing)
    several: tuple[MessageView, ...] = ()
    """All that are selected, if the message is among several."""


class MessageMenu(QMenu):
    """Offers only what works; deletes itself when it is closed."""

    act_wanted = Signal(object)
    """An `Act` on the message's attachment."""
    wanted = Signal(object, list)
    """A `MessageAct`, and the messages."""
    answered_wanted = Signal()
    """Go to the message that this one answers."""
    reacted = Signal(str)
    """An emoji."""

    def __init__(self, pointed: Pointed, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.setObjectName("message.menu")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if len(pointed.several) > 1:
            self._offer_several(pointed)
        else:
            self._offer_one(pointed)

    def _offer_several(self, pointed: Pointed) -> None:
        """Offer what can be done with all that are selected."""
        if pointed.selected:
            self._add(self, self.tr("Copy selection"), "message.copy_selection", partial(copy, pointed.selected))
        self._add_acts(WITH_SEVERAL, possible_with_all(pointed.several, pointed.standing), pointed.several)

    def _offer_one(self, pointed: Pointed) -> None:
        message = pointed.message
        can = possible(message, pointed.standing)
        one = (message,)
        self._add_acts((MessageAct.REPLY,), can, one)
        if answered(message) is not None:
            self._add(self, self.tr("Show what it answers"), "message.show_answered", self.answered_wanted.emit)
        if MessageAct.REACT in can:
            self._add_reactions(message)
        self._add_acts((MessageAct.EDIT, MessageAct.FORWARD), can, one)
        self._part()
        if message.kind is not MessageKind.DELETED and message.membership is None:
            for act in acts(message):
                self._add(
                    self, attachment_label(act), f"message.{act.name.lower()}", partial(self.act_wanted.emit, act)
                )
            self._part()
            self._add_copies(pointed)
            self._part()
        window = self._parent.window()
        if pointed.is_cut:
            self._add(self, self.tr("Show all"), "message.show_all", lambda: WholeMessage(message, window).open())
        self._add_acts((MessageAct.WHO_HAS,), can, one)
        if message.membership is None:
            details = self.tr("Message details")
            self._add(self, details, "message.details", lambda: MessageDetails(message, window).open())
        self._part()
        self._add_acts((MessageAct.DELETE_HERE, MessageAct.DELETE_FOR_ALL), can, one)

    def _add_copies(self, pointed: Pointed) -> None:
        message = pointed.message
        if pointed.selected:
            self._add(self, self.tr("Copy selection"), "message.copy_selection", partial(copy, pointed.selected))
        if message.text or message.attachment is None:
            self._add(self, self.tr("Copy message"), "message.copy", partial(copy, message.text))
        self._add_links([link for link in pointed.links if link.opens], self.tr("Open link"), "message.open_link", show)
        self._add_links(pointed.links, self.tr("Copy link"), "message.copy_link", copy)

    def _add_acts(
        self, wished: Sequence[MessageAct], can: Collection[MessageAct], messages: Sequence[MessageView]
    ) -> None:
        for act in wished:
            if act in can:
                name = f"message.{act.name.lower()}"
                self._add(self, label(act, len(messages)), name, partial(self.wanted.emit, act, list(messages)))

    def _add_reactions(self, message: MessageView) -> None:
        """Offer the usual emoji, and those that are below the message already."""
        menu = self.addMenu(label(MessageAct.REACT))
        menu.setObjectName("message.react")
        menu.setFont(fonts.font(fonts.TITLE))
        chosen = next((each.emoji for each in message.reactions if each.mine), "")
        others = (people.short_name(each.emoji) for each in message.reactions[:_MOST_REACTIONS])
        for emoji in dict.fromkeys((*QUICK, *others)):
            action = self._add(menu, emoji, f"message.react.{emoji}", partial(self.reacted.emit, emoji))
            action.setCheckable(True)
            action.setChecked(emoji == chosen)
        menu.addSeparator()
        others_wanted = partial(self.wanted.emit, MessageAct.REACT, [message])
        self._add(menu, self.tr("All emoji…"), "message.react.others", others_wanted)

    def _part(self) -> None:
        """Begin another part of the menu, if there is anything in this one."""
        if self.actions() and not self.actions()[-1].isSeparator():
            self.addSeparator()

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

    def _add(self, menu: QMenu, label: str, name: str, act: Callable[[], object]) -> QAction:
        action = QAction(label, menu)
        action.setObjectName(name)
        # Whatever Qt hands over with the signal, the act takes nothing.
        action.triggered.connect(lambda _checked: act())
        menu.addAction(action)
        return action


def copy(text: str) -> None:
    """Put a text into the clipboard."""
    QGuiApplication.clipboard().setText(text)


def show(url: str) -> None:
    """Open a link; what no browser takes is not opened."""
    open_link(url)


def _in_a_menu(url: str) -> str:
    short = url if len(url) <= _LONGEST_LABEL else f"{url[:_LONGEST_LABEL]}…"
    return short.replace("&", "&&")
