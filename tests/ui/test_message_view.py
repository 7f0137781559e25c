import asyncio
import itertools
import time
from datetime import timedelta

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QHelpEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from peer.views import MessagePage, MessageState
from tests.ui.scripted_node import START, ScriptedNode, conversation_id, make_message
from ui.conversation.emoji_only import is_emoji_only
from ui.conversation.marked_text import MarkedText
from ui.conversation.message_view import MessageView
from ui.conversation.text_layouts import TextLayouts
from ui.models.message_list import MessageListModel
from ui.peer_bridge import PeerBridge
from ui.theme.controls import Theme

ALICE = conversation_id("alice")


@pytest.fixture
def view(qtbot, theme: Theme) -> MessageView:
    view = MessageView(theme)
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.show()
    qtbot.waitExposed(view)
    return view


@pytest.fixture
def model(bridge: PeerBridge, node: ScriptedNode, view: MessageView, qtbot) -> MessageListModel:
    """600 messages, the newest 256 of them loaded and shown."""
    node.history[ALICE] = [
        make_message(number, f"message {number} " * (1 + number % 9), mine=number % 3 == 0, state=MessageState.SEEN)
        for number in range(1, 601)
    ]
    model = MessageListModel(bridge, ALICE)
    view.show_messages(model)
    with qtbot.waitSignal(model.loaded):
        model.load()
    return model


def wheel(view: MessageView, notches: float) -> None:
    place = QPointF(view.viewport().rect().center())
    event = QWheelEvent(
        place,
        view.viewport().mapToGlobal(place),
        QPoint(),
        QPoint(0, round(120 * notches)),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def place_of(view: MessageView, model: MessageListModel, arrival: int) -> int:
    row = next(row for row in range(model.rowCount()) if model.message(row).arrival == arrival)
    return view.visualRect(model.index(row)).bottom()


def test_it_opens_at_the_newest_message(view: MessageView, model: MessageListModel) -> None:
    last = view.visualRect(model.index(model.rowCount() - 1))
    assert last.bottom() == view.viewport().height() - 1
    assert view.follows


def test_it_follows_new_messages_at_the_end(view: MessageView, model: MessageListModel) -> None:
    model.take([make_message(601, "new")])
    assert view.visible_rows()[-1] == model.rowCount() - 1
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


def test_it_never_jumps_while_somebody_reads_further_up(view: MessageView, model: MessageListModel, qtbot) -> None:
    wheel(view, 10)
    assert not view.follows
    watched = model.message(view.visible_rows()[1]).arrival
    before = place_of(view, model, watched)
    model.take([make_message(601, "new"), make_message(700, written_at=START + timedelta(minutes=400.5))])
    assert place_of(view, model, watched) == before
    with qtbot.waitSignal(model.rowsInserted):
        model.load_older()
    assert place_of(view, model, watched) == before


def test_what_came_below_is_counted(view: MessageView, model: MessageListModel, qtbot) -> None:
    counts: list[int] = []
    view.missed_changed.connect(counts.append)
    wheel(view, 10)
    model.take([make_message(601), make_message(602, mine=True), make_message(603)])
    qtbot.waitUntil(lambda: counts[-1:] == [2])
    view.follow()
    qtbot.waitUntil(lambda: counts[-1] == -1)


def test_older_history_loads_by_scrolling_up_to_the_very_first(
    view: MessageView, model: MessageListModel, qtbot
) -> None:
    def scrolled_to_the_first() -> bool:
        wheel(view, 40)
        return model.message(0).arrival == 1 and view.visible_rows()[0] == 0

    qtbot.waitUntil(scrolled_to_the_first)
    assert model.rowCount() == 600


def test_what_is_read_stands_still_while_far_history_is_let_go(
    view: MessageView, model: MessageListModel, node: ScriptedNode, qtbot
) -> None:
    fresh = [make_message(number) for number in range(601, 4001)]
    node.history[ALICE] += fresh
    wheel(view, 30)
    watched = model.message(view.visible_rows()[1]).arrival
    before = place_of(view, model, watched)
    for at in range(0, len(fresh), 64):
        model.take(fresh[at : at + 64])
        view.viewport().repaint()
    qtbot.waitUntil(lambda: model.has_newer)
    assert model.rowCount() < 2_500
    assert place_of(view, model, watched) == before
    assert not view.follows


def test_scrolling_down_goes_on_to_the_newest_message(
    view: MessageView, model: MessageListModel, node: ScriptedNode, qtbot
) -> None:
    node.history[ALICE] += [make_message(number) for number in range(601, 1401)]
    model.take(node.history[ALICE][600:])
    wheel(view, 10)
    model._cut_below(view.visible_rows()[-1] + 30)
    assert not view.follows
    seen = []

    def at_the_end() -> bool:
        wheel(view, -3)
        seen.append(model.message(view.visible_rows()[0]).arrival)
        return view.follows

    qtbot.waitUntil(at_the_end, timeout=10_000)
    assert model.message(model.rowCount() - 1).arrival == 1400
    # A page that arrives below is not run after: each step shows what follows.
    assert max(later - earlier for earlier, later in itertools.pairwise(seen)) < 8


def test_the_jump_button_leads_to_the_newest_message_and_counts_what_is_not_here(
    view: MessageView, model: MessageListModel, node: ScriptedNode, qtbot
) -> None:
    counts: list[int] = []
    view.missed_changed.connect(counts.append)
    wheel(view, 20)
    view.viewport().repaint()
    model._cut_below(view.visible_rows()[-1] + 60)
    fresh = [make_message(601), make_message(602)]
    node.history[ALICE] += fresh
    node.gate = asyncio.Event()
    model.take(fresh)
    qtbot.waitUntil(lambda: counts[-1:] == [2])
    view.follow()
    node.loop.call_soon_threadsafe(node.gate.set)
    qtbot.waitUntil(lambda: counts[-1] == -1)
    assert model.message(view.visible_rows()[-1]).arrival == 602


def test_the_scroll_bar_leads_anywhere(view: MessageView, model: MessageListModel) -> None:
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    assert not view.follows
    assert 60 < view.visible_rows()[0] < 200
    bar.setValue(bar.maximum())
    assert view.follows


def test_a_scrolled_pixel_is_a_pixel(view: MessageView, model: MessageListModel) -> None:
    view.scroll_by(-333)
    row = view.visible_rows()[2]
    before = view.visualRect(model.index(row)).top()
    view.scroll_by(-20)
    assert view.visualRect(model.index(row)).top() == before + 20


def test_another_width_breaks_the_lines_again(view: MessageView, model: MessageListModel, qtbot) -> None:
    heights = [view.visualRect(model.index(row)).height() for row in view.visible_rows()]
    view.resize(360, 480)
    QTest.qWait(20)
    narrow = [view.visualRect(model.index(row)).height() for row in view.visible_rows()]
    assert max(narrow) > max(heights)
    assert view.visualRect(model.index(model.rowCount() - 1)).bottom() == view.viewport().height() - 1


def test_it_opens_at_the_first_unread_message(view: MessageView, bridge: PeerBridge, node: ScriptedNode, qtbot) -> None:
    arrived, seen = MessageState.ARRIVED, MessageState.SEEN
    node.history[ALICE] = [make_message(number, state=arrived if number > 40 else seen) for number in range(1, 101)]
    model = MessageListModel(bridge, ALICE)
    view.show_messages(model)
    with qtbot.waitSignal(model.loaded):
        model.load()
    unread = view.visualRect(model.index(model.first_unread_row()))
    assert 0 < unread.top() < 100
    assert not view.follows


def test_index_at_and_visual_rect_agree(view: MessageView, model: MessageListModel) -> None:
    for row in view.visible_rows():
        middle = view.visualRect(model.index(row)).center()
        if view.viewport().rect().contains(middle):
            assert view.indexAt(middle).row() == row
    assert not view.indexAt(QPoint(10, 10_000)).isValid()


def test_arrow_keys_move_from_message_to_message(view: MessageView, model: MessageListModel, qtbot) -> None:
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.currentIndex().row() == model.rowCount() - 1
    for _ in range(30):
        qtbot.keyClick(view, Qt.Key.Key_Up)
    current = view.currentIndex()
    assert current.row() == model.rowCount() - 31
    assert view.viewport().rect().contains(view.visualRect(current).center())


def test_letters_typed_at_the_list_are_passed_on(view: MessageView, model: MessageListModel, qtbot) -> None:
    with qtbot.waitSignal(view.typed) as typed:
        qtbot.keyClick(view, "h")
    assert typed.args == ["h"]


def test_a_hundred_thousand_messages_open_and_grow_without_a_wait(
    view: MessageView, bridge: PeerBridge, node: ScriptedNode, qtbot
) -> None:
    model = MessageListModel(bridge, ALICE)
    view.show_messages(model)
    node.history[ALICE] = [make_message(number) for number in range(100_000)]
    model._first_page_came(MessagePage(node.history[ALICE], has_older=False, has_newer=False))
    began = time.perf_counter()
    view.grab()
    opened = time.perf_counter() - began
    steps = []
    for number in range(100_000, 100_020):
        began = time.perf_counter()
        model.take([make_message(number)])
        view.viewport().repaint()
        steps.append(time.perf_counter() - began)
    # The goals are 100 ms and 10 ms; a gate on a busy machine fails at three times that.
    assert opened < 0.3
    assert sorted(steps)[len(steps) // 2] < 0.03


@pytest.mark.parametrize("text", ["👍", "😀😀😀", "👨‍👩‍👧‍👦🇨🇳❤️", "1️⃣", "👍🏽 ✅", "🇨🇳🇬🇧🇫🇷"])
def test_up_to_three_emoji_alone_are_large(text: str) -> None:
    assert is_emoji_only(text)


@pytest.mark.parametrize("text", ["", "12", "😀😀😀😀", "ok 👍", "❤", "a" * 1000, "陈", "©"])
def test_anything_else_is_text(text: str) -> None:
    assert not is_emoji_only(text)


def test_a_long_word_is_broken_to_fit(theme: Theme) -> None:
    message = make_message(1)
    laid_out = TextLayouts(theme).lay_out(message.entry, MarkedText("W" * 500), 200)
    assert laid_out.width <= 200
    assert laid_out.layout.lineCount() > 10


def test_chinese_and_emoji_find_their_faces(theme: Theme) -> None:
    laid_out = TextLayouts(theme).lay_out(make_message(1).entry, MarkedText("Hello 陈 😀"), 400)
    faces = {run.rawFont().familyName() for run in laid_out.layout.glyphRuns()}
    glyphs = [glyph for run in laid_out.layout.glyphRuns() for glyph in run.glyphIndexes()]
    assert "Noto Sans CJK SC" in faces
    assert "Noto Color Emoji" in faces
    assert 0 not in glyphs


def test_a_screen_reader_finds_the_messages_where_they_are(view: MessageView, model: MessageListModel) -> None:
    listed = QAccessible.queryAccessibleInterface(view)
    assert listed.text(QAccessible.Text.Name) == "Messages"
    assert listed.role() is QAccessible.Role.List
    assert listed.childCount() == model.rowCount()
    row = view.visible_rows()[2]
    message = listed.child(row)
    assert message.text(QAccessible.Text.Name) == model.index(row).data(Qt.ItemDataRole.AccessibleTextRole)
    seen = view.visualRect(model.index(row))
    assert message.rect() == seen.translated(view.viewport().mapToGlobal(QPoint()))


def test_the_mark_says_what_it_means(view: MessageView, bridge: PeerBridge, node: ScriptedNode, qtbot) -> None:
    node.history[ALICE] = [make_message(1, "hi", mine=True, state=MessageState.DELIVERED)]
    model = MessageListModel(bridge, ALICE)
    view.show_messages(model)
    with qtbot.waitSignal(model.loaded):
        model.load()
    row = view.visualRect(model.index(0))
    place = QPoint(row.right() - 34, row.bottom() - 24)
    QApplication.sendEvent(view.viewport(), QHelpEvent(QEvent.Type.ToolTip, place, view.viewport().mapToGlobal(place)))
    assert QToolTip.text().endswith(" · delivered")
    QToolTip.hideText()
