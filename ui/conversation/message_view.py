"""What keys and mouse do in the list of messages: select, copy, open links, and the menu of a message."""

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QApplication, QMenu

from peer.views import MessageKind
from peer.views import MessageView as MessageData
from ui.conversation.hits import Hit, Part, Under
from ui.conversation.hover_bar import HoverBar
from ui.conversation.links import open_link
from ui.conversation.message_acts import MessageAct, Standing, label, possible, possible_with_all
from ui.conversation.message_dialogs import MessageDetails, WholeMessage
from ui.conversation.message_menu import MessageMenu, Pointed, copy
from ui.conversation.message_rows import MessageRows
from ui.conversation.selection_gestures import SelectionGestures
from ui.conversation.text_selection import Span
from ui.models.message_list import MessageListModel
from ui.theme.controls import Theme
from ui.transfers.acts import acts
from ui.transfers.blocks import Block

_MOVES = frozenset(
    {
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
    }
)
"""Keys after which a frame shows which message has the focus."""


class MessageView(MessageRows):
    """The list of messages, complete."""

    typed = Signal(str)
    """Somebody types although the list has the focus: it is meant for the composer."""
    skipped = Signal(object, bool)
    """A message in which somebody wants to go on, or back."""
    act_wanted = Signal(object, object, float)
    """A message, an `Act` on its attachment, and how far from its left end that was clicked."""
    wanted = Signal(object, list)
    """A `MessageAct`, and the messages it is about."""
    reacted = Signal(object, str)
    """A message, and the emoji that was clicked."""
    undo_wanted = Signal()

    def __init__(self, theme: Theme, blocks: Mapping[MessageKind, Block] | None = None) -> None:
        super().__init__(theme, blocks)
        room = self.viewport().height
        self._gestures = SelectionGestures(self._selection, self.hit, self.scroll_by, room, self)
        self._gestures.changed.connect(self.viewport().update)
        self._gestures.clicked.connect(self._click)
        self.standing = Standing()
        """What may be done here."""
        self._bar = HoverBar(theme, self.viewport())
        self._bar.wanted.connect(lambda message, act: self.wanted.emit(act, [message]))
        self._bar.menu_wanted.connect(self._open_menu_of_bar)
        self.rows_shown.connect(self._bar.leave)
        self.viewport().setMouseTracking(True)

    def show_messages(self, messages: MessageListModel | None) -> None:
        """Show another conversation, in which nothing is selected."""
        self._gestures.stop()
        self._bar.leave()
        super().show_messages(messages)

    # --- keys ------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by the arrows, select and copy; give typed letters to the composer."""
        text = event.text()
        plain = not event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
        if self._selects(event):
            event.accept()
        elif text and text.isprintable() and plain:
            self.typed.emit(text)
        elif event.key() == Qt.Key.Key_F10 and event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            # Qt itself knows the menu key only, on some platforms.
            self._open_menu(self.currentIndex(), None)
        elif event.key() in {Qt.Key.Key_Left, Qt.Key.Key_Right} and self.currentIndex().isValid() and self._messages:
            self.skipped.emit(self._messages.message(self.currentIndex().row()), event.key() == Qt.Key.Key_Right)
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._do_first(self.currentIndex())
        elif event.key() == Qt.Key.Key_Escape:
            # Not ours unless something was selected.
            event.setAccepted(self._selection.span is not None)
            self._selection.clear()
        else:
            self._shows_current = self._shows_current or event.key() in _MOVES
            if event.key() == Qt.Key.Key_End:
                self.follow()
            super().keyPressEvent(event)
        self.viewport().update()

    def _selects(self, event: QKeyEvent) -> bool:
        """Handle a key that selects, or does something with what is selected; tell whether it was one."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self._select_all()
        elif event.matches(QKeySequence.StandardKey.Undo):
            self.undo_wanted.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self._offer_deletion()
        elif event.modifiers() == Qt.KeyboardModifier.ShiftModifier and event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self._extend(-1 if event.key() == Qt.Key.Key_Up else 1)
        else:
            return False
        return True

    def _select_all(self) -> None:
        if self._messages is not None and self._messages.rowCount():
            self._selection.begin(Span.whole(self._messages.message(0)))
            self._selection.extend(Span.whole(self._messages.message(self._messages.rowCount() - 1)))

    def select_nothing(self) -> None:
        """Let go what was selected."""
        self._selection.clear()
        self.viewport().update()

    def _extend(self, step: int) -> None:
        """Select one message more, or less, than the current one."""
        messages, current = self._messages, self.currentIndex()
        if messages is None or not current.isValid():
            return
        head = self._selection.head if self._selection.span is not None else None
        if head is None:
            self._selection.begin(Span.whole(messages.message(current.row())))
        row = (current.row() if head is None else messages.row_at(head)) + step
        row = max(0, min(row, messages.rowCount() - 1))
        self._selection.extend(Span.whole(messages.message(row)))
        self._shows_current = True
        self.setCurrentIndex(messages.index(row, 0))

    def _copy(self) -> None:
        """Copy what is selected, else the message that has the focus."""
        words = self._selected_words()
        current = self.currentIndex()
        if not words and current.isValid() and self._messages is not None:
            words = self._messages.message(current.row()).text
        if words:
            copy(words)

    def _offer_deletion(self) -> None:
        """Offer to delete what is selected, else the message that has the focus."""
        current = self.currentIndex()
        messages = self._selected_messages()
        if not messages and current.isValid() and self._messages is not None:
            messages = [self._messages.message(current.row())]
        can = possible_with_all(messages, self.standing)
        menu = QMenu(self)
        menu.setObjectName("message.deletion")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for act in (MessageAct.DELETE_HERE, MessageAct.DELETE_FOR_ALL):
            if act in can:
                action = menu.addAction(label(act, len(messages)))
                action.setObjectName(f"message.{act.name.lower()}")
                action.triggered.connect(partial(self.wanted.emit, act, messages))
        if menu.actions() and current.isValid():
            self.scrollTo(current)
            menu.setActiveAction(menu.actions()[0])
            menu.popup(self.place_of(current).center())
        else:
            menu.deleteLater()

    def _selected_messages(self) -> list[MessageData]:
        span = self._selection.span
        if span is None or self._messages is None:
            return []
        return self._messages.messages_between(span.start.message, span.end.message)

    def place_of(self, index: QModelIndex) -> QRect:
        """Return where the bubble of a message is on the screen, as far as it is in sight."""
        bubble = self._bubbles.bubble_rect(index, self.visualRect(index)).intersected(self.viewport().rect())
        return QRect(self.viewport().mapToGlobal(bubble.topLeft()), bubble.size())

    def index_of(self, message: MessageData) -> QModelIndex:
        """Return where a message is in the list; an invalid index if it is not here."""
        if self._messages is None or self._messages.latest(message.entry) is None:
            return QModelIndex()
        return self._messages.index(self._messages.row_at(message.place), 0)

    def _selected_words(self) -> str:
        span = self._selection.span
        if span is None or self._messages is None:
            return ""
        return self._selection.words(self._messages.messages_between(span.start.message, span.end.message))

    # --- the mouse ---------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to select."""
        self._shows_current = False
        point = event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton:
            extends = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._gestures.press(point, event.timestamp(), extends=extends)
            self._bar.leave()
            self._make_current(point)
        self.viewport().update()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Select a word."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._gestures.double_press(event.position().toPoint(), event.timestamp())
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Select on, or show what a click would do."""
        point = event.position().toPoint()
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._gestures.drag(point)
        else:
            hit = self.hit(point)
            self.viewport().setCursor(self._cursor_over(hit))
            self._point_at(hit)
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse any more."""
        self._point_at(None)
        self._bar.leave()
        super().leaveEvent(event)

    def _point_at(self, hit: Hit | None) -> None:
        """Show what a click would do something to, and what else can be done."""
        if hit is not None and hit.message.entry != self._bar.entry:
            index = self.index_of(hit.message)
            bubble = self._bubbles.bubble_rect(index, self.visualRect(index))
            self._bar.show_beside(hit.message, bubble, self.standing)
        before = (self._bubbles.pointer, self._bubbles.under)
        now = (None, None) if hit is None else (hit.pointer, hit.under)
        if now != before:
            self._bubbles.pointer, self._bubbles.under = now
            concerned = {each.entry for each in (*before, *now) if each is not None}
            self.paint_again(lambda message: message.entry in concerned)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End selecting, or click."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._gestures.release(event.position().toPoint())
        event.accept()

    def _cursor_over(self, hit: Hit | None) -> Qt.CursorShape:
        if hit is None:
            return Qt.CursorShape.ArrowCursor
        is_mark = hit.under is not None and hit.under.part is Part.MARK
        leads = hit.under is not None and (not is_mark or self.standing.is_group)
        if leads or hit.pointer is not None or hit.is_more or (hit.link is not None and hit.link.opens):
            return Qt.CursorShape.PointingHandCursor
        return Qt.CursorShape.IBeamCursor if hit.is_text else Qt.CursorShape.ArrowCursor

    def _click(self, hit: Hit) -> None:
        if hit.pointer is not None:
            self.act_wanted.emit(hit.message, hit.pointer.act, hit.pointer.fraction)
        elif hit.link is not None and hit.link.opens:
            open_link(hit.link.url)
        elif hit.is_more:
            WholeMessage(hit.message, self.window()).open()
        elif hit.under is not None:
            self._click_part(hit.message, hit.under)

    def _click_part(self, message: MessageData, under: Under) -> None:
        """Do what the click on a part of a row is for."""
        match under.part:
            case Part.QUOTE:
                self.show_answered(message)
            case Part.CHIP:
                self.reacted.emit(message, under.emoji)
            case Part.REST_OF_CHIPS:
                MessageDetails(message, self.window()).open()
            case Part.MARK if MessageAct.WHO_HAS in possible(message, self.standing):
                self.wanted.emit(MessageAct.WHO_HAS, [message])

    def show_answered(self, message: MessageData) -> None:
        """Go to the message that this one answers."""
        if self._messages is not None and message.quoted is not None:
            self._messages.look_for(message.quoted.entry)

    def _do_first(self, index: QModelIndex) -> None:
        """Do what is most likely wanted with the attachment that has the focus."""
        if index.isValid() and self._messages is not None:
            message = self._messages.message(index.row())
            for act in acts(message)[:1]:
                self.act_wanted.emit(message, act, 0.0)

    def _make_current(self, point: QPoint) -> None:
        """Go on from here by the keyboard; a click scrolls nothing."""
        index = self.indexAt(point)
        if index.isValid():
            self.setAutoScroll(False)
            self.setCurrentIndex(index)
            self.setAutoScroll(True)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show which message has the focus when it came by the keyboard."""
        by_key = {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason}
        self._shows_current = self._shows_current or event.reason() in by_key
        super().focusInEvent(event)
        self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with a message, by the right button or the menu key."""
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            self._open_menu(self.indexAt(event.pos()), event.pos())
        else:
            self._open_menu(self.currentIndex(), None)

    def _open_menu(self, index: QModelIndex, point: QPoint | None) -> None:
        """Open the menu of a message: at a point, about the link there, or by the keyboard, about all its links."""
        if point is None and not index.isValid() and self.visible_rows():
            index = self.model().index(self.visible_rows()[-1], 0)
        if not index.isValid() or QApplication.activePopupWidget() is not None:
            return
        if point is None:
            self.scrollTo(index)
        row = self.visualRect(index)
        hit = self._bubbles.hit(index, row, point or row.topLeft())
        here = (hit.link,) if hit.link else ()
        links = hit.laid_out.links if point is None else here
        selected = self._selected_messages()
        several = tuple(selected) if any(each.entry == hit.message.entry for each in selected) else ()
        about = Pointed(hit.message, links, self._selected_words(), hit.laid_out.is_cut, self.standing, several)
        menu = MessageMenu(about, self)
        menu.act_wanted.connect(lambda act: self.act_wanted.emit(hit.message, act, 0.0))
        menu.wanted.connect(self.wanted)
        menu.answered_wanted.connect(lambda: self.show_answered(hit.message))
        menu.reacted.connect(lambda emoji: self.reacted.emit(hit.message, emoji))
        if not menu.actions():
            menu.deleteLater()
            return
        if point is None:
            menu.setActiveAction(menu.actions()[0])
        menu.popup(self.viewport().mapToGlobal(point) if point is not None else self.place_of(index).center())

    def _open_menu_of_bar(self) -> None:
        """Offer everything that can be done with the message under the mouse."""
        entry = self._bar.entry
        message = None if self._messages is None or entry is None else self._messages.latest(entry)
        if message is not None:
            self._open_menu(self.index_of(message), self._bar.geometry().bottomLeft())
