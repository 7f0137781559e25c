"""The people of a call: one large picture, or a tile for each in a group."""

from PySide6.QtCore import QPoint, QRect, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from peer.call_views import CallLevelsView, CallPersonView, CallState, CallView
from ui.calls.person_tile import LARGEST, LARGEST_TILE, PersonTile, best_columns
from ui.calls.volume_popup import VolumePopup
from ui.theme.controls import Theme
from ui.translations import calls, people

_WISHED_TILE = QSize(168, 196)
_ME = ""
QWIDGETSIZE_MAX = (1 << 24) - 1
"""Qt's word for no maximum."""


class Stage(QWidget):
    """Lays tiles out so that they are as large as there is room for."""

    volume_wanted = Signal(str, float)
    """Somebody, and how loud they are to be."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._tiles: dict[str, PersonTile] = {}
        """By user; our own under an empty name."""
        self._people: dict[str, CallPersonView] = {}
        self._me = ("", "")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(LARGEST // 2)

    def introduce(self, user: str, name: str) -> None:
        """Know who we are."""
        self._me = (user, name)

    def show_call(self, call: CallView) -> None:
        """Show who is in it."""
        those = {str(person.user): person for person in call.people}
        if call.is_group:
            shown = {user: person for user, person in those.items() if person.state is not CallState.ENDED}
            wanted = [*shown, _ME]
        else:
            wanted = [*list(those)[:1]] or [_ME]
        for user in [user for user in self._tiles if user not in wanted]:
            self._tiles.pop(user).deleteLater()
        self._people = those
        for user in wanted:
            tile = self._tiles.get(user) or self._make(user, has_name=call.is_group)
            if user in those:
                self._show_person(tile, those[user], call)
            else:
                self._show_me(tile, call)
        # In the call's order, for the tabulator and for the eye.
        self._tiles = {user: self._tiles[user] for user in wanted}
        self.setMaximumHeight(QWIDGETSIZE_MAX if call.is_group else LARGEST_TILE)
        self._place()

    def show_levels(self, levels: CallLevelsView) -> None:
        """Ring who speaks."""
        for each in levels.people:
            tile = self._tiles.get(each.user)
            if tile is not None:
                tile.show_level(each.level, speaks=each.speaks)
        if _ME in self._tiles:
            self._tiles[_ME].show_level(levels.level, speaks=levels.speaks)

    def tiles(self) -> dict[str, PersonTile]:
        """Return the tiles by user; our own under an empty name."""
        return dict(self._tiles)

    def sizeHint(self) -> QSize:
        """Wish for a large picture."""
        return QSize(320, 240)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fill the new room."""
        super().resizeEvent(event)
        self._place()

    # --- inside --------------------------------------------------------------------------------

    def _make(self, user: str, *, has_name: bool) -> PersonTile:
        tile = PersonTile(self._theme, name=f"call.person.{user or 'me'}", has_name=has_name)
        tile.setParent(self)
        tile.menu_wanted.connect(lambda: self._open_volume(user))
        tile.may_be_clicked(allowed=user != _ME)
        tile.show()
        self._tiles[user] = tile
        return tile

    def _show_person(self, tile: PersonTile, person: CallPersonView, call: CallView) -> None:
        words = calls.person_state(person)
        is_on = person.state is CallState.ACTIVE
        marks = {person.is_muted: "mic-off", not person.has_microphone: "mic-off"}
        mark = marks.get(True, "") if is_on else ""
        name = people.short_name(person.name)
        faded = not is_on and call.is_group
        tile.show_person(person.user, name, words, mark=mark, is_faded=faded)
        known = is_on and person.quality
        tile.show_quality(person.quality if known else 0, calls.figures(person) if known else "")
        tile.may_be_clicked(allowed=is_on)

    def _show_me(self, tile: PersonTile, call: CallView) -> None:
        if not call.is_group:
            # Nobody of the other side is known (any more): the conversation stands for them.
            tile.show_person(call.conversation.hex(), calls.title(call), "")
            return
        words, mark = "", ""
        if not call.has_microphone:
            words, mark = self.tr("no microphone"), "mic-off"
        elif call.is_muted:
            words, mark = self.tr("muted"), "mic-off"
        tile.show_person(*self._me, words, called=self.tr("You"), mark=mark)

    def _open_volume(self, user: str) -> None:
        person, tile = self._people.get(user), self._tiles.get(user)
        if person is None or tile is None:
            return
        popup = VolumePopup(self._theme, self.window(), people.short_name(person.name), person.volume)
        popup.chosen.connect(lambda volume: self.volume_wanted.emit(user, volume))
        popup.open_at(tile.mapToGlobal(QPoint(tile.width() // 2, tile.height() * 2 // 3)))

    def _place(self) -> None:
        count = len(self._tiles)
        if not count:
            return
        columns = 1 if count == 1 else best_columns(count, self.size(), _WISHED_TILE)
        rows = -(-count // columns)
        wide = self.width() // columns
        high = self.height() // rows
        if count > 1:
            high = min(high, _WISHED_TILE.height())
            wide = min(wide, _WISHED_TILE.width() * 3 // 2)
        top = (self.height() - rows * high) // 2
        before = None
        for number, tile in enumerate(self._tiles.values()):
            row, column = divmod(number, columns)
            in_row = min(columns, count - row * columns)
            left = (self.width() - in_row * wide) // 2
            tile.setGeometry(QRect(left + column * wide, top + row * high, wide, high))
            if before is not None:
                QWidget.setTabOrder(before, tile)
            before = tile
