"""Who of a group has a message, who has read it, and who is still missing."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from peer import events
from peer.errors import RefusalCode
from peer.views import MemberHasView, MessageView, UserId, WhoHasView
from ui.peer_bridge import PeerBridge
from ui.theme import fonts
from ui.theme.controls import Avatar, ElidedText, PushButton, Text, Theme
from ui.theme.dialogs import CardDialog
from ui.translations import message_words, people
from ui.translations.refusals import refusal_text

_ROWS_HEIGHT = 320
_ROW_AVATAR = 30
_ASKED_AGAIN_MS = 300
"""A class reads a message within a second: that is shown a few times, not at each."""


class WhoHasDialog(CardDialog):
    """Keeps itself up to date while it is open."""

    def __init__(self, theme: Theme, bridge: PeerBridge, message: MessageView, parent: QWidget) -> None:
        super().__init__(parent, name="who_has")
        self._theme = theme
        self._bridge = bridge
        self._message = message
        self._shown: WhoHasView | None = None
        self.begin(self.tr("Who has it"))
        self.content.addWidget(ElidedText(message_words.summary(message), role="secondary"))
        self._count = Text(face=fonts.bold(fonts.CAPTION), wrap=True)
        self._count.setObjectName("who_has.count")
        self.content.addWidget(self._count)
        self._page = QWidget()
        self._page.setProperty("role", "clear")
        self._rows = QVBoxLayout(self._page)
        self._rows.setContentsMargins(0, 0, 8, 0)
        self._rows.setSpacing(2)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._page)
        self.content.addWidget(scroll, 1)
        close = PushButton(self.tr("Close"), name="who_has.close", kind="primary")
        close.clicked.connect(self.accept)
        self.end(close)
        self.resize(self.minimumWidth(), min(_ROWS_HEIGHT + 180, max(240, parent.height() - 48)))
        close.setFocus()
        self._again = QTimer(self, singleShot=True, interval=_ASKED_AGAIN_MS)
        self._again.timeout.connect(self._ask)
        bridge.events_arrived.connect(self._look)
        self._ask()

    def _look(self, batch: list[events.Event]) -> None:
        """Ask again when more has become known of this message."""
        told = events.MessageDelivered | events.MessageRead | events.MessageChanged
        news = any(isinstance(event, told) and event.message.entry == self._message.entry for event in batch)
        if news and not self._again.isActive():
            self._again.start()

    def _ask(self) -> None:
        self._bridge.ask(self, lambda node: node.who_has(self._message.entry), self._show, self._refused)

    def _refused(self, code: RefusalCode, message: str) -> None:
        self._count.setText(refusal_text(code, message))

    def _show(self, view: WhoHasView) -> None:
        if view == self._shown:
            return
        self._shown = view
        self._count.setText(message_words.who_has(view))
        while (item := self._rows.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                row.deleteLater()
        missing = [each for each in view.members if not each.has]
        has = [each for each in view.members if each.has and not each.read]
        read = [each for each in view.members if each.read]
        self._add(self.tr("Not yet with"), missing, "clock")
        self._add(self.tr("With"), has, "check")
        self._add(self.tr("Read by"), read, "check-check")
        self._rows.addStretch()

    def _add(self, title: str, members: list[MemberHasView], icon: str) -> None:
        if not members:
            return
        heading = Text(f"{title} ({len(members)})", role="secondary", face=fonts.bold(fonts.CAPTION))
        heading.setContentsMargins(0, 6, 0, 2)
        self._rows.addWidget(heading)
        for member in members:
            self._rows.addWidget(self._row(member.user, people.short_name(member.name), title, icon))

    def _row(self, user: UserId, name: str, title: str, icon: str) -> QWidget:
        row = QWidget()
        row.setObjectName(f"who_has.{user}")
        row.setAccessibleName(f"{title} {name}")
        avatar = Avatar(self._theme, _ROW_AVATAR, "card")
        avatar.show_person(user, name)
        mark = QLabel()
        self._theme.put_picture(mark, icon, 16, "accent" if icon == "check-check" else "secondary")
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 3, 0, 3)
        layout.setSpacing(10)
        layout.addWidget(avatar)
        layout.addWidget(ElidedText(name), 1)
        layout.addWidget(mark)
        return row
