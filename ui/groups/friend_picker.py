"""Choosing friends: a search, those chosen so far, and the list to tick them in."""

from collections.abc import Collection

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from peer.views import ContactView, UserId
from ui.groups.friends_list import ROW, FriendsList
from ui.groups.friends_model import FriendsModel
from ui.models.contact_book import ContactBook
from ui.models.roles import Role
from ui.theme import fonts
from ui.theme.controls import Text, Theme
from ui.theme.empty_state import EmptyState
from ui.theme.search_field import SearchField
from ui.translations import people

_FEWEST_ROWS = 2
"""The list gives way so far in a small window."""
_CHIPS_HEIGHT = 34
_LONGEST_IN_CHIP = 24


class FriendPicker(QWidget):
    """In the search, Enter ticks the first that was found, Down goes to the list, Backspace takes the last one back."""

    changed = Signal()

    def __init__(
        self, theme: Theme, contacts: ContactBook, *, name: str, most: int, without: Collection[str] = ()
    ) -> None:
        """At most `most` can be chosen; those `without` are not offered."""
        super().__init__()
        self._most = most
        self._model = FriendsModel(contacts, without, self)
        self.search = SearchField(theme, self.tr("Search contacts"), name=f"{name}.search")
        self.search.installEventFilter(self)
        self.search.textChanged.connect(self._search)
        self._count = Text(role="secondary", face=fonts.bold(fonts.CAPTION))
        self._count.setObjectName(f"{name}.count")
        self._chips = _Chips()
        self._chips.setObjectName(f"{name}.chips")
        self._chips.removed.connect(self._take_back)
        self._error = Text(role="error", face=fonts.font(fonts.CAPTION), wrap=True)
        self._error.setObjectName(f"{name}.error")
        self.list = FriendsList(theme, name=f"{name}.list")
        self.list.setModel(self._model)
        self.list.toggled.connect(self._toggle)
        self.list.left_above.connect(lambda: self.search.setFocus(Qt.FocusReason.OtherFocusReason))
        nobody = EmptyState(
            theme,
            "users",
            self.tr("Nobody to choose"),
            self.tr("Only contacts can be put into a group. Add them first; they come here when they accept."),
            name=f"{name}.nobody",
        )
        not_found = EmptyState(
            theme, "search", self.tr("Nobody found"), self.tr("No contact has this name or ID."), name=f"{name}.none"
        )
        self._pages = QStackedWidget()
        self._pages.setMinimumHeight(_FEWEST_ROWS * ROW)
        for page in (self.list, nobody, not_found):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for widget in (self.search, self._chips, self._count, self._error):
            layout.addWidget(widget)
        layout.addWidget(self._pages, 1)
        self._error.hide()
        # The dialog says how wide it is: what an empty list says would ask for more.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self._model.modelReset.connect(self._choose_page)
        self._model.chosen_changed.connect(self._chosen_changed)
        self._choose_page()
        self._chosen_changed()

    def chosen(self) -> list[UserId]:
        """Return who was chosen."""
        return [friend.user for friend in self._model.chosen()]

    def leave_out(self, users: Collection[str]) -> None:
        """Offer these no more: they are in the group."""
        self._model.leave_out(users)

    def show_error(self, sentence: str) -> None:
        """Say what is wrong with the choice."""
        self._error.setText(sentence)
        self._error.show()

    def clear_error(self) -> None:
        """Take it back."""
        self._error.hide()

    def error(self) -> str:
        """Return the sentence that is shown; empty for none."""
        return "" if self._error.isHidden() else self._error.text()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the keys of the search reach the list and the chosen ones."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                self._tick_first()
                return True
            if event.key() == Qt.Key.Key_Down and self._model.rowCount():
                self.list.setCurrentIndex(self._model.index(0))
                self.list.setFocus(Qt.FocusReason.TabFocusReason)
                return True
            if event.key() == Qt.Key.Key_Backspace and not self.search.text() and self._model.chosen():
                self._take_back(self._model.chosen()[-1].user)
                return True
        return super().eventFilter(watched, event)

    def _tick_first(self) -> None:
        """Tick who was searched for; without a search nobody in particular was meant."""
        if self.search.text().strip() and self._model.rowCount():
            self._toggle(self._model.index(0).data(Role.VIEW))
            self.search.clear()

    def _search(self, text: str) -> None:
        self._model.search(text)

    def _toggle(self, friend: ContactView) -> None:
        is_chosen = friend.user in self.chosen()
        if not is_chosen and len(self.chosen()) >= self._most:
            self.show_error(self.tr("There is no room for more."))
            return
        self._model.toggle(friend.user)

    def _take_back(self, user: UserId) -> None:
        self._model.toggle(user)
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def _chosen_changed(self) -> None:
        chosen = self._model.chosen()
        self.clear_error()
        self._chips.show_people(chosen)
        count = self.tr("%1 of %2").replace("%1", str(len(chosen))).replace("%2", str(self._most))
        self._count.setText(count)
        self.changed.emit()

    def _choose_page(self) -> None:
        if self._model.rowCount():
            self._pages.setCurrentIndex(0)
        else:
            self._pages.setCurrentIndex(2 if self._model.has_anybody else 1)


class _Chips(QScrollArea):
    """Who is chosen, in one line; a click takes one back."""

    removed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(_CHIPS_HEIGHT)
        inside = QWidget()
        inside.setProperty("role", "clear")
        self._row = QHBoxLayout(inside)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        self._row.addStretch()
        self.setWidget(inside)
        self._chips: dict[UserId, QPushButton] = {}

    def show_people(self, chosen: list[ContactView]) -> None:
        """Have a chip for each of these."""
        users = {friend.user for friend in chosen}
        for user in [user for user in self._chips if user not in users]:
            chip = self._chips.pop(user)
            chip.hide()
            chip.deleteLater()
        for friend in chosen:
            if friend.user not in self._chips:
                self._add(friend)
        self.setVisible(bool(chosen))

    def _add(self, friend: ContactView) -> None:
        name = people.short_name(friend.name)
        shown = name if len(name) <= _LONGEST_IN_CHIP else f"{name[:_LONGEST_IN_CHIP]}…"
        chip = QPushButton(shown.replace("&", "&&") + "  ✕")
        chip.setObjectName(f"chip.{friend.user}")
        chip.setProperty("kind", "chip")
        chip.setAutoDefault(False)
        chip.setFont(fonts.font(fonts.CAPTION))
        chip.setCursor(Qt.CursorShape.PointingHandCursor)
        label = self.tr("Take %1 back").replace("%1", name)
        chip.setToolTip(label)
        chip.setAccessibleName(label)
        user = friend.user
        chip.clicked.connect(lambda: self.removed.emit(user))
        self._chips[user] = chip
        self._row.insertWidget(self._row.count() - 1, chip)
        # Its place is known after the layout.
        QTimer.singleShot(0, chip, lambda: self.ensureWidgetVisible(chip))
