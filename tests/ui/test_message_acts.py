"""Answering, editing, reacting and deleting in the real window, by mouse and by keyboard."""

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
)

from peer import events
from peer.errors import RefusalCode
from peer.views import MemberHasView, MembershipAct, MessageKind, MessageState, TransferState, UserId, WhoHasView
from tests.ui.scripted_node import (
    ME,
    ScriptedNode,
    entry_id,
    make_conversation,
    make_file,
    make_group,
    make_membership,
    make_message,
    make_reaction,
    make_session,
    refuse,
)
from ui.conversation.message_acts import MessageAct, Standing, possible, possible_with_all
from ui.conversation.quick_reactions import QUICK, QuickReactions
from ui.main_window.window import MainWindow
from ui.models.message_list import MessageListModel
from ui.translations import message_words

VIEW, GROUP = make_group("Lab 3", "alice", "bob")
LAB = VIEW.conversation
LEFT = Qt.MouseButton.LeftButton


def said(number: int, text: str | None = None, user: str = "alice", **changes):
    return make_message(number, text, user=user, conversation=LAB, **changes)


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    """With the group open, which we manage: Alice wrote, then we, then Bob."""
    node.history[LAB] = [
        said(1, "shall we meet?"),
        said(2, "yes", mine=True, state=MessageState.DELIVERED),
        said(3, "where?", "bob"),
    ]
    node.keep_group(msgspec.structs.replace(VIEW, last_entry=node.history[LAB][2]), GROUP)
    node.talks.append(make_conversation("alice"))
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    window.chat.open(window._state.conversations.conversation(LAB))
    qtbot.waitUntil(lambda: rows(window) == 3 and window.chat.pane.view.standing.manages)
    window.activateWindow()
    window.chat.pane.composer.take_focus()
    return window


def model(window: MainWindow) -> MessageListModel:
    return window.chat.pane.view.model()


def rows(window: MainWindow) -> int:
    return 0 if model(window) is None else model(window).rowCount()


def texts(window: MainWindow) -> list[str]:
    return [model(window).message(row).text for row in range(rows(window))]


def message_of(window: MainWindow, number: int):
    return model(window).latest(entry_id(number))


def menu_of(qtbot, window: MainWindow, row: int) -> QMenu:
    """Open the menu of a message by the keyboard."""
    view = window.chat.pane.view
    view.setFocus()
    view.setCurrentIndex(model(window).index(row))
    qtbot.keyClick(view, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def choose(qtbot, window: MainWindow, row: int, name: str) -> None:
    menu = menu_of(qtbot, window, row)
    action = menu.findChild(QAction, name)
    assert action is not None, [each.objectName() for each in menu.actions()]
    action.trigger()
    menu.close()


def bar(window: MainWindow) -> QWidget:
    return window.findChild(QWidget, "conversation.bar")


def input_of(window: MainWindow):
    return window.chat.pane.composer.input


# --- answering ---------------------------------------------------------------------------------


def test_what_is_written_next_answers_the_message(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    choose(qtbot, talking, 0, "message.reply")
    assert bar(talking).accessibleName() == "Reply to Alice: shall we meet?"
    assert input_of(talking).hasFocus()
    qtbot.keyClicks(input_of(talking), "at ten")
    qtbot.keyClick(input_of(talking), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(node.asked("send_text")))
    assert node.asked("send_text") == [(LAB, "at ten", entry_id(1), ())]
    assert not bar(talking).isVisible()
    qtbot.keyClicks(input_of(talking), "or eleven")
    qtbot.keyClick(input_of(talking), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(node.asked("send_text")) == 2)
    assert node.asked("send_text")[1] == (LAB, "or eleven")


def test_escape_first_answers_nothing_and_keeps_what_was_written(qtbot, talking: MainWindow) -> None:
    qtbot.keyClicks(input_of(talking), "half a")
    choose(qtbot, talking, 0, "message.reply")
    qtbot.keyClick(input_of(talking), Qt.Key.Key_Escape)
    assert not bar(talking).isVisible()
    assert input_of(talking).toPlainText() == "half a"


def test_an_answer_waits_in_its_conversation(qtbot, talking: MainWindow) -> None:
    choose(qtbot, talking, 0, "message.reply")
    conversations = talking._state.conversations
    talking.chat.open(conversations.with_user("alice"))
    assert not bar(talking).isVisible()
    talking.chat.open(conversations.conversation(LAB))
    assert bar(talking).isVisible()


def test_an_answer_that_is_refused_stands_there_again_as_one(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["send_text"] = refuse(RefusalCode.DISK_FULL, "The disk is full.")
    choose(qtbot, talking, 0, "message.reply")
    qtbot.keyClicks(input_of(talking), "at ten")
    qtbot.keyClick(input_of(talking), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: input_of(talking).toPlainText() == "at ten")
    assert bar(talking).isVisible()


def test_a_click_on_the_bar_shows_the_message(qtbot, talking: MainWindow) -> None:
    choose(qtbot, talking, 0, "message.reply")
    qtbot.mouseClick(bar(talking), LEFT, pos=QPoint(40, 10))
    assert talking.chat.pane.view._bubbles.flashing == entry_id(1)


# --- editing -----------------------------------------------------------------------------------


def test_the_up_arrow_edits_the_last_own_message(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    qtbot.keyClick(input_of(talking), Qt.Key.Key_Up)
    assert bar(talking).accessibleName() == "Edit message: yes"
    assert input_of(talking).toPlainText() == "yes"
    qtbot.keyClicks(input_of(talking), "terday")
    qtbot.keyClick(input_of(talking), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: texts(talking)[1] == "yesterday")
    assert node.asked("edit_message") == [(entry_id(2), "yesterday")]
    assert node.asked("send_text") == []
    assert message_of(talking, 2).edited_at is not None
    assert input_of(talking).toPlainText() == ""
    assert not bar(talking).isVisible()


def test_the_up_arrow_moves_the_cursor_where_something_is_written(qtbot, talking: MainWindow) -> None:
    qtbot.keyClicks(input_of(talking), "x")
    qtbot.keyClick(input_of(talking), Qt.Key.Key_Up)
    assert not bar(talking).isVisible()


def test_the_draft_comes_back_after_an_edit_and_was_kept_all_the_time(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    qtbot.keyClicks(input_of(talking), "a thought")
    choose(qtbot, talking, 1, "message.edit")
    assert input_of(talking).toPlainText() == "yes"
    qtbot.keyClicks(input_of(talking), "!")
    talking.chat.pane.leave_tidy()
    qtbot.waitUntil(lambda: node.asked("keep_draft") == [(LAB, "a thought")])
    qtbot.keyClick(input_of(talking), Qt.Key.Key_Escape)
    assert input_of(talking).toPlainText() == "a thought"
    assert node.asked("edit_message") == []


def test_an_edit_waits_in_its_conversation_as_far_as_it_had_come(qtbot, talking: MainWindow) -> None:
    qtbot.keyClicks(input_of(talking), "a thought")
    choose(qtbot, talking, 1, "message.edit")
    qtbot.keyClicks(input_of(talking), "!")
    conversations = talking._state.conversations
    talking.chat.open(conversations.with_user("alice"))
    assert input_of(talking).toPlainText() == ""
    talking.chat.open(conversations.conversation(LAB))
    assert input_of(talking).toPlainText() == "yes!"
    qtbot.keyClick(input_of(talking), Qt.Key.Key_Escape)
    assert input_of(talking).toPlainText() == "a thought"


def test_an_edit_that_changes_nothing_is_none(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    choose(qtbot, talking, 1, "message.edit")
    qtbot.keyClick(input_of(talking), Qt.Key.Key_Return)
    assert not bar(talking).isVisible()
    assert node.asked("edit_message") == []


def test_an_edit_that_is_refused_is_not_lost(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["edit_message"] = refuse(RefusalCode.DISK_FULL, "The disk is full.")
    choose(qtbot, talking, 1, "message.edit")
    qtbot.keyClicks(input_of(talking), " please")
    qtbot.mouseClick(talking.findChild(QToolButton, "conversation.save"), LEFT)
    qtbot.waitUntil(lambda: input_of(talking).toPlainText() == "yes please")
    assert talking.toast.text() == "The disk is full."


# --- reacting ----------------------------------------------------------------------------------


def test_a_reaction_is_chosen_in_the_menu_and_taken_back_by_its_chip(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    choose(qtbot, talking, 2, "message.react.👍")
    qtbot.waitUntil(lambda: message_of(talking, 3).reactions == (make_reaction("👍", ME),))
    view = talking.chat.pane.view
    view.grab()
    index = model(talking).index(2)
    (chip,) = view._bubbles._look(index, view.visualRect(index).width())[2].chips
    point = view.visualRect(index).topLeft() + chip.place.center().toPoint()
    QTest.mouseClick(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, point)
    qtbot.waitUntil(lambda: message_of(talking, 3).reactions == ())
    assert node.asked("react") == [(entry_id(3), "👍"), (entry_id(3), "")]


def quick_row(window: MainWindow) -> QuickReactions:
    (row,) = [each for each in window.findChildren(QuickReactions) if each.isVisible()]
    return row


def test_the_bar_under_the_mouse_opens_six_emoji(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    view = talking.chat.pane.view
    view.grab()
    place = view.visualRect(model(talking).index(0))
    qtbot.mouseMove(view.viewport(), place.center())
    button = talking.findChild(QToolButton, "message.bar.react")
    qtbot.waitUntil(button.isVisible)
    qtbot.mouseClick(button, LEFT)
    row = quick_row(talking)
    qtbot.keyClick(row, Qt.Key.Key_Right)
    qtbot.keyClick(row, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: node.asked("react") == [(entry_id(1), QUICK[1])])


def test_a_digit_chooses_and_escape_does_not(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    for key, chosen in ((Qt.Key.Key_Escape, []), (Qt.Key.Key_3, [(entry_id(1), QUICK[2])])):
        talking.chat.pane.view.wanted.emit(MessageAct.REACT, [message_of(talking, 1)])
        row = quick_row(talking)
        qtbot.keyClick(row, key)
        qtbot.waitUntil(lambda row=row: not any(each.isVisible() for each in talking.findChildren(QuickReactions)))
        qtbot.waitUntil(lambda chosen=chosen: node.asked("react") == chosen)


def test_any_other_emoji_comes_from_the_picker_and_not_into_the_text(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    choose(qtbot, talking, 0, "message.react.others")
    qtbot.mouseClick(quick_row(talking).findChild(QToolButton, "reactions.others"), LEFT)
    picker = talking.chat.pane.emoji._picker
    qtbot.waitUntil(picker.isVisible)
    qtbot.keyClicks(picker._search, "rocket")
    qtbot.keyClick(picker._search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: node.asked("react") == [(entry_id(1), "🚀")])
    assert not picker.isVisible()
    assert input_of(talking).toPlainText() == ""


# --- deleting ----------------------------------------------------------------------------------


def test_nothing_is_deleted_before_the_time_to_undo_is_over(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    deletions = talking.chat.pane.messages.deletions
    deletions._timer.setInterval(30)
    choose(qtbot, talking, 1, "message.delete_here")
    assert talking.toast.text() == "Message deleted"
    assert texts(talking) == ["shall we meet?", "where?"]
    assert node.asked("delete_message") == []
    qtbot.waitUntil(lambda: node.asked("delete_message") == [(entry_id(2), False)])
    qtbot.waitUntil(lambda: talking.toast.text() == "")
    assert texts(talking) == ["shall we meet?", "where?"]


def test_undo_brings_it_back_where_it_was(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    choose(qtbot, talking, 1, "message.delete_for_all")
    assert message_of(talking, 2).kind is MessageKind.DELETED
    changed = msgspec.structs.replace(node.history[LAB][1], state=MessageState.READ)
    node.tell(events.MessageRead(changed))
    qtbot.wait(20)
    assert message_of(talking, 2).kind is MessageKind.DELETED
    qtbot.mouseClick(talking.findChild(QPushButton, "toast.act"), LEFT)
    assert message_of(talking, 2) == changed
    assert talking.toast.text() == ""
    talking.chat.pane.leave_tidy()
    qtbot.wait(20)
    assert node.asked("delete_message") == []


def test_what_was_deleted_for_everybody_leaves_its_place(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    talking.chat.pane.messages.deletions._timer.setInterval(10)
    choose(qtbot, talking, 2, "message.delete_for_all")
    qtbot.waitUntil(lambda: node.asked("delete_message") == [(entry_id(3), True)])
    qtbot.waitUntil(lambda: message_of(talking, 3).deleted_by == ME)
    assert model(talking)._shown_instead == {}


def test_a_deletion_that_is_refused_is_taken_back(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["delete_message"] = refuse(RefusalCode.DISK_FULL, "The disk is full.")
    choose(qtbot, talking, 1, "message.delete_here")
    talking.chat.pane.messages.deletions.carry_out()
    qtbot.waitUntil(lambda: texts(talking) == ["shall we meet?", "yes", "where?"])
    assert talking.toast.text() == "The disk is full."


@pytest.mark.parametrize("how", ["quit", "another", "sign out"])
def test_what_was_to_be_deleted_is(qtbot, talking: MainWindow, node: ScriptedNode, how: str) -> None:
    choose(qtbot, talking, 1, "message.delete_here")
    match how:
        case "quit":
            talking.quit()
        case "sign out":
            talking._log_out()
        case "another":
            choose(qtbot, talking, 0, "message.delete_here")
    qtbot.waitUntil(lambda: node.asked("delete_message")[:1] == [(entry_id(2), False)])
    names = [call[0] for call in node.questions]
    assert "log_out" not in names or names.index("delete_message") < names.index("log_out")


def test_several_are_deleted_at_once_and_brought_back_by_keyboard(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    view = talking.chat.pane.view
    view.setFocus()
    view.setCurrentIndex(model(talking).index(0))
    for _ in range(2):
        qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    menu = QApplication.activePopupWidget()
    assert [action.text() for action in menu.actions()] == [
        "Delete 3 messages for me",
        "Delete 3 messages for everyone",
    ]
    menu.actions()[0].trigger()
    menu.close()
    assert rows(talking) == 0
    assert talking.toast.text() == "3 messages deleted"
    qtbot.keyClick(view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert texts(talking) == ["shall we meet?", "yes", "where?"]
    assert node.asked("delete_message") == []


def test_an_answer_to_what_is_deleted_is_an_answer_no_more(qtbot, talking: MainWindow) -> None:
    choose(qtbot, talking, 0, "message.reply")
    choose(qtbot, talking, 0, "message.delete_for_all")
    assert not bar(talking).isVisible()


def test_escape_in_the_list_first_ends_the_answer_then_leads_to_the_input(qtbot, talking: MainWindow) -> None:
    choose(qtbot, talking, 0, "message.reply")
    view = talking.chat.pane.view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert not bar(talking).isVisible()
    assert view.hasFocus()
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert input_of(talking).hasFocus()


def deleted(message):
    return msgspec.structs.replace(message, kind=MessageKind.DELETED, text="", deleted_by=message.author)


def test_what_somebody_else_deletes_is_answered_no_more(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    choose(qtbot, talking, 0, "message.reply")
    qtbot.keyClicks(input_of(talking), "half a")
    node.tell(events.MessageChanged(deleted(node.history[LAB][0])))
    qtbot.waitUntil(lambda: not bar(talking).isVisible())
    assert input_of(talking).toPlainText() == "half a"


@pytest.mark.parametrize("is_open", [True, False])
def test_an_edit_of_what_a_manager_deletes_is_not_lost(
    qtbot, talking: MainWindow, node: ScriptedNode, is_open: bool
) -> None:
    qtbot.keyClicks(input_of(talking), "a draft")
    choose(qtbot, talking, 1, "message.edit")
    qtbot.keyClicks(input_of(talking), " indeed")
    conversations = talking._state.conversations
    if not is_open:
        talking.chat.open(conversations.with_user("alice"))
    node.tell(events.MessageChanged(deleted(node.history[LAB][1])))
    qtbot.waitUntil(lambda: message_of_lab(talking).kind is MessageKind.DELETED)
    talking.chat.open(conversations.conversation(LAB))
    assert not bar(talking).isVisible()
    assert input_of(talking).toPlainText() == "yes indeed\na draft"


def message_of_lab(window: MainWindow):
    return window._state.loaded_messages(LAB).latest(entry_id(2))


# --- what may be done --------------------------------------------------------------------------


def test_who_may_do_what() -> None:
    acts = MessageAct
    reader, writer, manager = Standing(), Standing(can_write=True), Standing(can_write=True, manages=True)
    theirs, mine = make_message(1), make_message(2, mine=True)
    assert possible(theirs, reader) == {acts.FORWARD, acts.DELETE_HERE}
    assert possible(theirs, writer) == {acts.REPLY, acts.REACT, acts.FORWARD, acts.DELETE_HERE}
    assert acts.DELETE_FOR_ALL in possible(theirs, manager)
    assert {acts.EDIT, acts.DELETE_FOR_ALL} <= possible(mine, writer)
    assert acts.EDIT not in possible(mine, reader)
    assert possible(make_message(3, kind=MessageKind.DELETED), manager) == {acts.DELETE_HERE}
    assert possible(make_membership(4, MembershipAct.LEFT, "bob"), manager) == frozenset()
    assert possible(make_file(5, mine=True, arrival=0), writer) == frozenset()
    assert acts.FORWARD not in possible(make_file(6), writer)
    assert possible_with_all([mine, theirs], writer) == {acts.FORWARD, acts.DELETE_HERE}
    assert possible_with_all([], writer) == frozenset()
    assert possible_with_all([mine] * 200, writer)
    assert possible_with_all([mine] * 201, writer) == frozenset()


def test_a_line_about_the_group_has_no_menu(qtbot, talking: MainWindow) -> None:
    line = msgspec.structs.replace(make_membership(9, MembershipAct.LEFT, "bob"), conversation=LAB)
    model(talking).take([line])
    view = talking.chat.pane.view
    view.setFocus()
    view.setCurrentIndex(model(talking).index(3))
    qtbot.keyClick(view, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    assert QApplication.activePopupWidget() is None


def test_the_toast_has_no_button_when_there_is_nothing_to_do(qtbot, talking: MainWindow) -> None:
    talking.toast.offer("Gone", "Undo", lambda: None, 1000)
    assert talking.findChild(QPushButton, "toast.act").isVisible()
    talking.toast.say("Something else")
    assert not talking.findChild(QPushButton, "toast.act").isVisible()
    talking.toast.withdraw()
    assert talking.findChild(QLabel, "toast.text").isVisible()


# --- who has it, and forwarding ----------------------------------------------------------------


def has(user: str, *, has: bool = True, read: bool = False) -> MemberHasView:
    return MemberHasView(UserId(user), user.title(), has, read)


def test_a_click_on_the_ticks_says_who_has_it_and_goes_on_saying(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    node.holders[entry_id(2)] = (has("alice", read=True), has("bob", has=False))
    view = talking.chat.pane.view
    view.grab()
    index = model(talking).index(1)
    meta = view._bubbles._look(index, view.visualRect(index).width())[2].meta
    point = view.visualRect(index).topLeft() + meta.center().toPoint()
    QTest.mouseClick(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, point)
    count = talking.findChild(QLabel, "who_has.count")
    qtbot.waitUntil(lambda: count.text() == "1 of 2 have it, 1 read it")
    assert talking.findChild(QWidget, "who_has.bob").accessibleName() == "Not yet with Bob"
    node.holders[entry_id(2)] = (has("alice", read=True), has("bob", read=True))
    node.tell(events.MessageRead(node.history[LAB][1]))
    qtbot.waitUntil(lambda: count.text() == "Everyone has read it")
    talking.findChild(QDialog, "who_has").accept()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ((), "It is for nobody else"),
        ((has("a"), has("b", has=False)), "1 of 2 have it, nobody has read it yet"),
        ((has("a"), has("b", read=True)), "Everyone has it, 1 read it"),
        ((has("a", read=True),), "Everyone has read it"),
    ],
)
def test_how_many_have_it_is_a_sentence(members, words: str) -> None:
    assert message_words.who_has(WhoHasView(entry_id(1), LAB, members)) == words


def test_in_a_conversation_of_two_the_ticks_are_no_button(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    assert MessageAct.WHO_HAS not in possible(make_message(1, mine=True), Standing(can_write=True))
    assert MessageAct.WHO_HAS in possible(make_message(1, mine=True), Standing(is_group=True))


def forward(qtbot, window: MainWindow, *numbers: int) -> QDialog:
    messages = [message_of(window, number) for number in numbers]
    window.chat.pane.view.wanted.emit(MessageAct.FORWARD, messages)
    return window.findChild(QDialog, "forward")


def test_messages_are_forwarded_in_their_order(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    dialog = forward(qtbot, talking, 1, 3)
    search = dialog.findChild(QLineEdit, "forward.search")
    qtbot.keyClicks(search, "ali")
    qtbot.keyClick(search, Qt.Key.Key_Return)
    alice = make_conversation("alice").conversation
    qtbot.waitUntil(lambda: talking.toast.text() == "Forwarded to Alice.")
    assert node.asked("send_text") == [(alice, "shall we meet?"), (alice, "where?")]


def test_a_file_and_a_voice_message_are_forwarded_as_what_they_are(
    qtbot, talking: MainWindow, node: ScriptedNode, tmp_path
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")
    here = {"state": TransferState.HERE, "path": str(path)}
    voice = {**here, "duration": 3.0, "waveform": b"12"}
    model(talking).take([make_file(10, about=here, conversation=LAB, text="look")])
    model(talking).take([make_file(11, about=voice, conversation=LAB, kind=MessageKind.VOICE)])
    dialog = forward(qtbot, talking, 10, 11)
    qtbot.keyClicks(dialog.findChild(QLineEdit, "forward.search"), "lab")
    qtbot.keyClick(dialog.findChild(QLineEdit, "forward.search"), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: talking.toast.text() == "Forwarded to Lab 3.")
    assert node.asked("send_file") == [(LAB, path, "look")]
    assert node.asked("send_voice") == [(LAB, path, 3.0, b"12")]


def test_what_cannot_be_written_to_is_not_offered_and_a_refusal_is_said(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    talking._state.conversations.take(make_conversation("dave", can_write=False, last_entry=make_message(1)))
    node.refusals["send_text"] = refuse(RefusalCode.DISK_FULL, "The disk is full.")
    dialog = forward(qtbot, talking, 1)
    offered = dialog.findChild(QListView, "forward.list")
    assert [offered.model().index(row, 0).data() for row in range(offered.model().rowCount())] == ["Lab 3", "Alice"]
    qtbot.keyClick(dialog.findChild(QLineEdit, "forward.search"), Qt.Key.Key_Down)
    qtbot.keyClick(offered, Qt.Key.Key_Down)
    qtbot.keyClick(offered, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: talking.toast.text() == "The disk is full.")
    assert not any(each.isVisible() for each in talking.findChildren(QDialog, "forward"))
