"""Naming people with an @: found in a text, completed while it is written, sent, and shown to who is named."""

import time

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QApplication

from peer import events
from peer.views import MENTIONS, MentionView, UserId
from tests.ui.scripted_node import (
    ScriptedNode,
    entry_id,
    make_conversation,
    make_group,
    make_member,
    make_message,
    make_session,
)
from ui.conversation.mention_text import NameTable, query_before
from ui.main_window.window import MainWindow

LI_NA, NA, XIAOYU = make_member("li.na", name="Li Na"), make_member("na", name="Na"), make_member("xiaoyu", name="小雨")
OTHERS = (LI_NA, NA, XIAOYU, make_member("bob"), make_member("bob2", name="Bob"))
VIEW, GROUP = make_group("Lab 3", *OTHERS)
LAB = VIEW.conversation


def named(text: str, *members) -> list[tuple[str, str]]:
    found = NameTable(members or OTHERS).find(text)
    return [(each.user, text[each.start : each.start + each.length]) for each in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@Li Na, please", [("li.na", "@Li Na")]),
        ("@li na and @NA", [("li.na", "@li na"), ("na", "@NA")]),
        ("ask @小雨吧", [("xiaoyu", "@小雨")]),
        ("问@小雨,@na", [("xiaoyu", "@小雨"), ("na", "@na")]),
        ("😀@xiaoyu", [("xiaoyu", "@xiaoyu")]),
        ("@Nathan", []),
        ("mail me: me@na", []),
        ("@ na", []),
        ("@@na", [("na", "@na")]),
        ("@bob and @bob2", [("bob", "@bob"), ("bob2", "@bob2")]),
        ("no one", []),
    ],
)
def test_who_is_named_in_a_text(text: str, found: list[tuple[str, str]]) -> None:
    assert named(text) == found


def test_where_two_have_one_name_the_id_names_one() -> None:
    table = NameTable(OTHERS)
    assert [table.handle(UserId(user)) for user in ("bob", "bob2", "li.na")] == ["bob", "bob2", "Li Na"]


def test_a_name_that_has_changed_still_names_whom_an_edited_message_named() -> None:
    mention = MentionView(UserId("na"), 0, 6)
    table = NameTable(OTHERS, make_message(1, "@Nanna hello", mentions=(mention,)))
    assert table.find("@Nanna hello you") == (mention,)
    assert NameTable(OTHERS).find("@Nanna hello you") == ()


def test_many_signs_and_many_members_take_no_time() -> None:
    table = NameTable([make_member(f"user{number}", name=f"User {number} of many") for number in range(200)])
    began = time.thread_time()
    assert len(table.find("@user1 " * 9_000)) == MENTIONS
    assert table.find("@" * 60_000) == ()
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [("@", ""), ("hi @a", "a"), ("hi @li n", "li n"), ("你好@小", "小"), ("a@b", None), ("@ ", None), ("@a\nb", None)],
)
def test_what_is_looked_for_before_the_cursor(text: str, words: str | None) -> None:
    query = query_before(text, len(text))
    assert (None if query is None else query.words) == words


def test_who_may_be_meant() -> None:
    table = NameTable(OTHERS)
    assert [each.user for each in table.matching("")] == [each.user for each in OTHERS]
    assert [each.user for each in table.matching("na")] == ["na", "li.na"]
    assert [each.user for each in table.matching("xiao")] == ["xiaoyu"]
    assert [each.user for each in table.matching("雨")] == ["xiaoyu"]
    assert table.matching("zzz") == []


# --- in the window -----------------------------------------------------------------------------


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    node.history[LAB] = [make_message(1, user="bob", conversation=LAB)]
    node.keep_group(msgspec.structs.replace(VIEW, last_entry=node.history[LAB][0]), GROUP)
    node.talks.append(make_conversation("alice"))
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    window.activateWindow()
    window.chat.open(window._state.conversations.conversation(LAB))
    qtbot.waitUntil(lambda: len(window.chat.pane.composer.names.members) == len(OTHERS))
    qtbot.waitUntil(lambda: QApplication.focusWidget() is window.chat.pane.composer.input)
    return window


def offered(window: MainWindow) -> list[str]:
    popup = window.chat.pane._mentions
    rows = range(popup.model().rowCount())
    return [popup.model().index(row, 0).data() for row in rows] if popup.isVisible() else []


def test_an_at_sign_offers_everybody_and_letters_fewer(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    field = talking.chat.pane.composer.input
    qtbot.keyClicks(field, "ask @")
    assert offered(talking) == ["Li Na", "Na", "小雨", "Bob", "Bob"]
    qtbot.keyClicks(field, "na")
    assert offered(talking) == ["Na", "Li Na"]
    qtbot.keyClick(field, Qt.Key.Key_Down)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.toPlainText() == "ask @Li Na "
    assert offered(talking) == []
    assert node.asked("send_text") == []
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(node.asked("send_text")))
    assert node.asked("send_text") == [(LAB, "ask @Li Na", None, (MentionView(UserId("li.na"), 4, 6),))]


def test_tab_takes_one_and_where_two_have_one_name_their_id(qtbot, talking: MainWindow) -> None:
    field = talking.chat.pane.composer.input
    field.insertPlainText("😀 @bob")
    qtbot.keyClick(field, Qt.Key.Key_Up)
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert field.toPlainText() == "😀 @bob2 "
    assert field.hasFocus()


def test_a_click_takes_one(qtbot, talking: MainWindow) -> None:
    field, popup = talking.chat.pane.composer.input, talking.chat.pane._mentions
    qtbot.keyClicks(field, "@")
    place = popup.visualRect(popup.model().index(2, 0)).center()
    qtbot.mouseClick(popup.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert field.toPlainText() == "@小雨 "


def test_escape_closes_the_list_first_and_it_stays_closed_here(qtbot, talking: MainWindow) -> None:
    field = talking.chat.pane.composer.input
    talking.chat.pane.writing.answer(talking.chat.pane.view.model().latest(entry_id(1)))
    qtbot.keyClicks(field, "@n")
    assert offered(talking)
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    qtbot.keyClicks(field, "a")
    assert offered(talking) == []
    assert talking.chat.pane.composer.bar.isVisible()
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert not talking.chat.pane.composer.bar.isVisible()
    qtbot.keyClicks(field, " @")
    assert offered(talking)


def test_enter_ends_a_composition_and_takes_nobody(qtbot, talking: MainWindow) -> None:
    field = talking.chat.pane.composer.input
    qtbot.keyClicks(field, "@")
    QApplication.sendEvent(field, QInputMethodEvent("xiao", []))
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.toPlainText() == "@"
    composed = QInputMethodEvent("", [])
    composed.setCommitString("小")
    QApplication.sendEvent(field, composed)
    assert offered(talking) == ["小雨"]


def test_in_a_conversation_of_two_nobody_is_offered(qtbot, talking: MainWindow) -> None:
    talking.chat.open(talking._state.conversations.with_user("alice"))
    qtbot.keyClicks(talking.chat.pane.composer.input, "@")
    assert offered(talking) == []


def test_the_list_closes_with_the_focus_and_fits_into_the_window(qtbot, talking: MainWindow) -> None:
    talking.resize(360, 480)
    field, popup = talking.chat.pane.composer.input, talking.chat.pane._mentions
    qtbot.keyClicks(field, "@")
    assert talking.chat.pane.rect().contains(popup.geometry())
    talking.chat.pane.view.setFocus()
    assert offered(talking) == []


def test_colours_are_no_changes_of_the_draft(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    composer = talking.chat.pane.composer
    qtbot.keyClicks(composer.input, "@na hello")
    talking.chat.pane.leave_tidy()
    qtbot.waitUntil(lambda: len(node.asked("keep_draft")) == 1)
    with qtbot.assertNotEmitted(composer.text_changed, wait=30):
        composer._highlighter.rehighlight()
    talking.chat.pane.leave_tidy()
    assert len(node.asked("keep_draft")) == 1
    formats = composer.input.document().firstBlock().layout().formats()
    assert [(each.start, each.length) for each in formats] == [(0, 3)]


def test_an_edit_names_people_anew(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    mine = make_message(2, "hello", mine=True, conversation=LAB)
    node.history[LAB].append(mine)
    node.tell(events.MessageWritten(mine))
    qtbot.waitUntil(lambda: talking.chat.pane.view.model().rowCount() == 2)
    field = talking.chat.pane.composer.input
    qtbot.keyClick(field, Qt.Key.Key_Up)
    field.insertPlainText(" @小雨")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: talking.chat.pane.view.model().message(1).text == "hello @小雨")
    assert talking.chat.pane.view.model().message(1).mentions == (MentionView(UserId("xiaoyu"), 6, 3),)
