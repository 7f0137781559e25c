"""The panel from which an emoji is chosen: search, groups, recent ones, skin tones."""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFontMetricsF, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ui.conversation.emoji.grid import CELL, EmojiGrid
from ui.conversation.emoji.memory import EmojiMemory
from ui.conversation.emoji.rows import EmojiRows, Section, Shown
from ui.conversation.emoji.table import TONES, Emoji, Group, read_table, search
from ui.theme import fonts
from ui.theme.controls import ElidedText, IconButton, Text, Theme

_COLUMNS = 8
_WIDTH = _COLUMNS * CELL + 14 + 22
"""The emoji, their scroll bar, the margins."""
_HEIGHT = 440
_LOWEST = 220
_MARGIN = 8
_EVERYWHERE = 13.0
"""Emoji up to this version are drawn by every system Hail runs on; newer ones are tried out first."""
_HAND = "👋"
"""Shows the skin tone that is chosen."""
_ICONS = {
    Group.SMILEYS: "smile",
    Group.PEOPLE: "users",
    Group.NATURE: "paw-print",
    Group.FOOD: "utensils",
    Group.TRAVEL: "car",
    Group.ACTIVITIES: "trophy",
    Group.OBJECTS: "lightbulb",
    Group.SYMBOLS: "heart",
    Group.FLAGS: "flag",
}


class EmojiPicker(QWidget):
    """Lies over the whole of its parent, so that a click beside the panel closes it; the panel stands on `above`."""

    picked = Signal(str)
    closed = Signal()
    """It was closed by who used it, who wants to go on writing now."""

    def __init__(self, theme: Theme, memory: EmojiMemory, parent: QWidget, above: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("emoji")
        self._theme = theme
        self._memory = memory
        self._over = parent
        self._above = above
        self._table = _drawn_here(read_table())
        self._by_text = {text: each for each in self._table for text in (each.text, *each.tones)}
        self._rows = EmojiRows()
        self._grid = EmojiGrid(theme, self._rows)
        self._search = QLineEdit()
        self._tabs = QButtonGroup(self)
        self._tab_row = QWidget()
        self._middle = QStackedWidget()
        self._preview = QLabel()
        self._name = ElidedText(role="secondary", face=fonts.font(fonts.CAPTION))
        self._tone = QToolButton()
        self._panel = QFrame(self)
        self._build()
        self._connect()
        self.hide()
        parent.installEventFilter(self)

    def open(self) -> None:
        """Show the panel, ready to type a word."""
        self._search.clear()
        self._show_found()
        self._place()
        self.show()
        self.raise_()
        self._search.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_panel(self) -> None:
        """Hide the panel."""
        if self.isVisible():
            self.hide()
            self.closed.emit()

    # --- how it is built ---------------------------------------------------------------------------

    def _build(self) -> None:
        self._panel.setProperty("role", "card")
        self._panel.setAccessibleName(self.tr("Emoji"))
        self._search.setObjectName("emoji.search")
        self._search.setFont(fonts.font())
        self._search.setAccessibleName(self.tr("Search emoji"))
        self._search.setPlaceholderText(self.tr("Search emoji / 搜索表情"))
        glass = QAction(self._search)
        self._theme.put_icon(glass, "search", 18)
        self._search.addAction(glass, QLineEdit.ActionPosition.LeadingPosition)
        nothing = Text(
            self.tr("No emoji is called that. Try another word, in English or Chinese."), role="secondary", wrap=True
        )
        nothing.setObjectName("emoji.nothing")
        nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._middle.addWidget(self._grid)
        self._middle.addWidget(nothing)
        layout = QVBoxLayout(self._panel)
        layout.setContentsMargins(11, 11, 11, 8)
        layout.setSpacing(6)
        layout.addWidget(self._search)
        layout.addWidget(self._built_tabs())
        layout.addWidget(self._middle, 1)
        layout.addLayout(self._built_footer())

    def _built_tabs(self) -> QWidget:
        row = QHBoxLayout(self._tab_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        icons = {-1: "clock", **{int(group): icon for group, icon in _ICONS.items()}}
        for number, icon in icons.items():
            button = IconButton(self._theme, icon, self._title(number), name=f"emoji.group.{icon}", size=18, area=34)
            button.setProperty("kind", "group")
            button.setCheckable(True)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self._tabs.addButton(button, number)
            row.addWidget(button)
        return self._tab_row

    def _built_footer(self) -> QHBoxLayout:
        self._preview.setFont(fonts.emoji(22))
        self._preview.setFixedSize(32, 32)
        self._preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._tone.setObjectName("emoji.tone")
        self._tone.setFont(fonts.emoji(20))
        self._tone.setFixedSize(36, 36)
        self._tone.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._tone.setCursor(Qt.CursorShape.PointingHandCursor)
        footer = QHBoxLayout()
        footer.setSpacing(6)
        footer.addWidget(self._preview)
        footer.addWidget(self._name, 1)
        footer.addWidget(self._tone)
        return footer

    def _connect(self) -> None:
        self._search.textChanged.connect(self._show_found)
        self._search.installEventFilter(self)
        self._grid.picked.connect(self._pick_row)
        self._grid.pointed_at.connect(self._describe)
        self._grid.tones_wanted.connect(self._offer_tones)
        self._grid.left_at_top.connect(self._search.setFocus)
        self._grid.typed.connect(self._search_on)
        self._grid.section_changed.connect(self._mark_tab)
        self._tabs.idClicked.connect(self._go_to_group)
        self._tone.clicked.connect(self._choose_tone)

    # --- what is shown -------------------------------------------------------------------------------

    def _show_found(self) -> None:
        query, tone = self._search.text(), self._memory.tone()
        if query.strip():
            found = [Shown(each.in_tone(tone), each) for each in search(self._table, query)]
            self._rows.show([Section("", found)])
        else:
            self._rows.show([self._recent(), *self._groups(tone)])
        has_any = self._rows.rowCount() > 0
        self._middle.setCurrentIndex(0 if has_any else 1)
        self._tab_row.setVisible(not query.strip())
        self._grid.setCurrentIndex(self._rows.index(0, 0))
        if not has_any:
            self._describe(-1)
        self._mark_tab(0)
        self._tone.setText(self._by_text[_HAND].in_tone(tone))
        self._tone.setToolTip(self.tr("Skin tone"))
        self._tone.setAccessibleName(self.tr("Skin tone: %1").replace("%1", self._tone_names()[tone]))

    def _recent(self) -> Section:
        known = (text for text in self._memory.recent() if text in self._by_text)
        return Section(self._title(-1), [Shown(text, self._by_text[text]) for text in known])

    def _groups(self, tone: int) -> Iterable[Section]:
        for group in Group:
            emoji = [Shown(each.in_tone(tone), each) for each in self._table if each.group is group]
            yield Section(self._title(group), emoji)

    def _title(self, number: int) -> str:
        return {
            -1: self.tr("Recent"),
            Group.SMILEYS: self.tr("Smileys"),
            Group.PEOPLE: self.tr("People"),
            Group.NATURE: self.tr("Animals and nature"),
            Group.FOOD: self.tr("Food and drink"),
            Group.TRAVEL: self.tr("Travel and places"),
            Group.ACTIVITIES: self.tr("Activities"),
            Group.OBJECTS: self.tr("Objects"),
            Group.SYMBOLS: self.tr("Symbols"),
            Group.FLAGS: self.tr("Flags"),
        }[number]

    def _describe(self, row: int) -> None:
        shown = self._rows.shown(row) if 0 <= row < self._rows.rowCount() else None
        self._preview.setText("" if shown is None else shown.text)
        self._name.set_whole("" if shown is None else shown.name)

    def _mark_tab(self, section: int) -> None:
        if section < len(self._rows.sections):
            title = self._rows.sections[section].title
            button = next((each for each in self._tabs.buttons() if each.toolTip() == title), None)
            if button is not None:
                button.setChecked(True)

    def _go_to_group(self, number: int) -> None:
        titles = [section.title for section in self._rows.sections]
        section = titles.index(self._title(number))
        self._grid.go_to_section(section)
        self._mark_tab(section)

    # --- skin tones ------------------------------------------------------------------------------------

    def _tone_names(self) -> list[str]:
        return [
            self.tr("Without"),
            self.tr("Light"),
            self.tr("Medium-light"),
            self.tr("Medium"),
            self.tr("Medium-dark"),
            self.tr("Dark"),
        ]

    def _choose_tone(self) -> None:
        menu = self._tone_menu(self._by_text[_HAND])
        menu.triggered.connect(lambda action: self._take_tone(int(action.data())))
        menu.setActiveAction(menu.actions()[self._memory.tone()])
        menu.popup(
            self._tone.mapToGlobal(QPoint(self._tone.width() - menu.sizeHint().width(), -menu.sizeHint().height()))
        )

    def _take_tone(self, tone: int) -> None:
        self._memory.choose_tone(tone)
        self._show_found()

    def _offer_tones(self, row: int, place: QPoint) -> None:
        """Let one emoji be picked in another tone, just this once."""
        emoji = self._rows.shown(row).emoji
        if emoji.tones:
            menu = self._tone_menu(emoji)
            menu.triggered.connect(lambda action: self._pick(emoji.in_tone(int(action.data())), more=False))
            menu.popup(place)

    def _tone_menu(self, emoji: Emoji) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setFont(fonts.font())
        for tone in range(TONES + 1):
            action = menu.addAction(f"{emoji.in_tone(tone)}  {self._tone_names()[tone]}")
            action.setData(tone)
        return menu

    # --- picking ---------------------------------------------------------------------------------------

    def _pick_row(self, row: int, more: bool) -> None:
        self._pick(self._rows.shown(row).text, more=more)

    def _pick(self, text: str, *, more: bool) -> None:
        self._memory.use(text)
        self.picked.emit(text)
        if not more:
            self.close_panel()

    def _search_on(self, letters: str) -> None:
        self._search.setFocus(Qt.FocusReason.OtherFocusReason)
        self._search.insert(letters)

    # --- keys, clicks, place -----------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """From the search the arrows lead down and Enter picks; the parent's size is ours."""
        if watched is self._search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key_in_search(event)
        if watched is self._over and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _key_in_search(self, event: QKeyEvent) -> bool:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if self._rows.rowCount():
                self._pick_row(
                    self._grid.currentIndex().row(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
                )
            return True
        if event.key() in {Qt.Key.Key_Down, Qt.Key.Key_PageDown} and self._rows.rowCount():
            self._grid.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes; nothing that is typed here reaches the window below."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_panel()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the panel closes it."""
        if not self._panel.geometry().contains(event.position().toPoint()):
            self.close_panel()

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002 - Qt's name
        """Tab goes round within the panel."""
        stops: list[QWidget] = [self._search]
        checked = self._tabs.checkedButton()
        if checked is not None and checked.isVisible():
            stops.append(checked)
        if self._rows.rowCount():
            stops.append(self._grid)
        stops.append(self._tone)
        focus = QApplication.focusWidget()
        here = stops.index(focus) if focus in stops else -1
        stops[(here + (1 if next else -1)) % len(stops)].setFocus(
            Qt.FocusReason.TabFocusReason if next else Qt.FocusReason.BacktabFocusReason
        )
        return True

    def showEvent(self, event: object) -> None:
        """Close when the focus goes elsewhere, such as to another conversation."""
        del event
        QApplication.instance().focusChanged.connect(self._focus_changed)  # type: ignore[union-attr]

    def hideEvent(self, event: object) -> None:
        """Watch the focus no more."""
        del event
        QApplication.instance().focusChanged.disconnect(self._focus_changed)  # type: ignore[union-attr]

    def _focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        if new is not None and not self.isAncestorOf(new) and new.window() is self.window():
            self.hide()

    def _place(self) -> None:
        room = self._over.rect()
        self.setGeometry(room)
        bottom = self._above.mapTo(self._over, QPoint(0, 0)).y() - _MARGIN
        width = min(_WIDTH, room.width() - 2 * _MARGIN)
        height = max(min(_HEIGHT, bottom - _MARGIN), _LOWEST)
        self._panel.setGeometry(room.width() - width - _MARGIN, bottom - height, width, height)

    def sizeHint(self) -> QSize:
        """Be as large as the parent."""
        return self._over.size()


def _drawn_here(table: list[Emoji]) -> list[Emoji]:
    """Return what this system's face has: the newest would be an empty box, or fall into parts."""
    metrics = QFontMetricsF(fonts.emoji(24))
    widest = 1.5 * metrics.horizontalAdvance("😀")
    return [
        each
        for each in table
        if each.version <= _EVERYWHERE
        or (metrics.inFontUcs4(ord(each.text[0])) and metrics.horizontalAdvance(each.text) < widest)
    ]
