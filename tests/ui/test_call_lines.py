"""How a call ended, as it is seen: in its conversation, in the list, in a notification."""

import pytest
from PySide6.QtCore import QPoint, Qt

from peer.views import CallOutcome, MessageState, MessageView
from tests.ui.scripted_node import (
    ME,
    ScriptedNode,
    conversation_id,
    make_call,
    make_contact,
    make_conversation,
    make_group,
    make_message,
    make_session,
)
from ui.conversation.message_acts import MessageAct, Standing, possible
from ui.main_window.window import MainWindow
from ui.transfers.acts import Act, acts
from ui.translations import call_lines, message_words

ALICE = conversation_id("alice")
TALK = make_call(2, CallOutcome.ANSWERED, ME, seconds=192)
MISSED = make_call(3, CallOutcome.NO_ANSWER, is_missed=True, state=MessageState.ARRIVED)


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    node.people = [make_contact("alice")]
    node.talks = [make_conversation("alice", last_entry=MISSED)]
    node.history[ALICE] = [make_message(1), TALK, MISSED]
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 1)
    window.chat.open(window._state.conversations.conversation(ALICE))
    qtbot.waitUntil(lambda: window.chat.pane.view.model().rowCount() == 3)
    return window


def spots(window: MainWindow, row: int) -> list[QPoint]:
    """Return the middle of what can be clicked on a call."""
    view = window.chat.pane.view
    place = view.visualRect(view.model().index(row, 0))
    message, _, parts = view._bubbles._look(view.model().index(row, 0), place.width())
    found = view._bubbles._blocks[message.kind].spots(message, parts.block)
    assert all(not spot.place.intersects(parts.meta) and parts.bubble.contains(spot.place) for spot in found)
    return [place.topLeft() + spot.place.center().toPoint() for spot in found]


@pytest.mark.parametrize(
    ("line", "title", "details"),
    [
        (TALK, "Incoming call", "3:12"),
        (make_call(1, CallOutcome.ANSWERED, "alice", user=ME, seconds=3_725), "Outgoing call", "1:02:05"),
        (make_call(1, CallOutcome.NO_ANSWER, user=ME), "Outgoing call", "No answer"),
        (make_call(1, CallOutcome.UNREACHABLE, user=ME), "Outgoing call", "Not online"),
        (make_call(1, CallOutcome.BUSY, user=ME), "Outgoing call", "In another call"),
        (make_call(1, CallOutcome.WITHDRAWN, user=ME), "Outgoing call", "Cancelled"),
        (make_call(1, CallOutcome.DECLINED), "Incoming call", "You declined"),
        (make_call(1, CallOutcome.FAILED), "Incoming call", "The connection failed"),
        (MISSED, "Missed call", "Not answered"),
        (make_call(1, CallOutcome.BUSY, is_missed=True), "Missed call", "You were in another call"),
        (make_call(1, CallOutcome.UNREACHABLE, is_missed=True), "Missed call", "You were not online"),
        (make_call(1, CallOutcome.WITHDRAWN, is_missed=True), "Missed call", "They hung up"),
        (make_call(1, CallOutcome.ANSWERED, "bob", is_missed=True), "Missed call", "You did not join"),
        (
            make_call(1, CallOutcome.ANSWERED, "alice", "bob", "cy", "di", user=ME, seconds=5),
            "Outgoing call",
            "0:05 · Alice, Bob, Cy and 1 more",
        ),
    ],
)
def test_it_says_what_it_was_and_how_long(line: MessageView, title: str, details: str) -> None:
    assert (call_lines.title(line), call_lines.details(line)) == (title, details)
    assert message_words.spoken(line).split(": ", 1)[1].startswith(f"{title}, {details}")


def test_a_click_on_either_part_or_a_key_calls_again(qtbot, talking: MainWindow) -> None:
    wanted: list[object] = []
    talking.chat.pane.call_wanted.connect(wanted.append)
    view = talking.chat.pane.view
    for row in (1, 2):
        places = spots(talking, row)
        assert len(places) == 2
        for place in places:
            qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    view.setCurrentIndex(view.model().index(2, 0))
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert wanted == [ALICE] * 5
    assert acts(MISSED) == (Act.CALL,)


def test_the_window_makes_the_call(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    qtbot.mouseClick(talking.chat.pane.view.viewport(), Qt.MouseButton.LeftButton, pos=spots(talking, 2)[1])
    qtbot.waitUntil(lambda: node.asked("start") == [(ALICE,)])


def test_nothing_can_be_done_with_it_but_to_see_it_no_more() -> None:
    everything = Standing(can_write=True, manages=True, is_group=True)
    assert possible(TALK, everything) == {MessageAct.DELETE_HERE}


def test_the_list_of_conversations_says_it_in_one_line(window: MainWindow) -> None:
    preview = window._state.conversations.preview
    ours = make_call(1, CallOutcome.NO_ANSWER, user=ME)
    assert preview(make_conversation("alice", last_entry=MISSED)) == "📞 Missed call · Not answered"
    assert preview(make_conversation("alice", last_entry=ours)) == "📞 Outgoing call · No answer"
    group, _ = make_group("Lab 3", "alice", last_entry=MISSED)
    assert preview(group) == "Alice: 📞 Missed call · Not answered"
    group, _ = make_group("Lab 3", "alice", last_entry=ours)
    assert preview(group) == "📞 Outgoing call · No answer"


def test_only_a_call_that_was_missed_is_told(window: MainWindow) -> None:
    notifier = window._notifier
    notifier._is_in_sight = lambda _: False
    notifier.messages_arrived([TALK])
    assert not notifier._waiting
    notifier.messages_arrived([MISSED])
    assert notifier._waiting == {ALICE: [MISSED]}
    assert notifier._text_of([MISSED], is_full=True, in_group=False) == "📞 Missed call · Not answered"
    notifier._waiting.clear()
