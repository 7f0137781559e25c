"""A group as it stands in the list and on the right: its name, who is there, and who wrote what."""

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from peer import events
from peer.views import MessageKind
from tests.ui.scripted_node import (
    ME,
    ScriptedNode,
    make_contact,
    make_conversation,
    make_file,
    make_group,
    make_message,
    make_session,
)
from ui.conversation.bubble_delegate import BubbleDelegate
from ui.conversation.bubble_parts import NAME_LINE
from ui.main_window.window import MainWindow
from ui.models.message_list import MessageListModel
from ui.models.roles import Role

VIEW, GROUP = make_group("Lab 3", "alice", "bob", "chen")
LAB = VIEW.conversation


def said(number: int, user: str, **changes):
    return make_message(number, user=user, conversation=LAB, **changes)


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    """With the group open: Alice wrote twice, then Bob, then we."""
    node.people = [make_contact("alice"), make_contact("bob", online=False, linked=False)]
    node.history[LAB] = [said(1, "alice"), said(2, "alice"), said(3, "bob"), said(4, "alice", mine=True)]
    node.keep_group(msgspec.structs.replace(VIEW, last_entry=node.history[LAB][2]), GROUP)
    node.talks.append(make_conversation("alice"))
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    window.chat.open(window._state.conversations.conversation(LAB))
    qtbot.waitUntil(lambda: window.chat.pane.view.model().rowCount() == 4)
    return window


def presence(window: MainWindow) -> str:
    return window.chat.pane.header._presence.whole()


def test_the_header_counts_who_is_there_as_they_come_and_go(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    qtbot.waitUntil(lambda: presence(talking) == "4 members, 2 online")
    node.tell(events.PresenceChanged(make_contact("bob")))
    qtbot.waitUntil(lambda: presence(talking) == "4 members, 3 online")
    for user in ("alice", "bob"):
        node.tell(events.PresenceChanged(make_contact(user, online=False, linked=False)))
    qtbot.waitUntil(lambda: presence(talking) == "4 members, 1 online")


def test_being_added_to_a_group_is_said_once(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    view, group = make_group("Chess", "alice")
    of_alice = msgspec.structs.replace(group, creator=group.members[1].user)
    said: list[str] = []
    talking._state.warned.connect(said.append)
    node.tell(events.GroupChanged(of_alice), events.ConversationChanged(view))
    qtbot.waitUntil(lambda: talking._state.conversations.rowCount() == 3)
    node.tell(events.GroupChanged(msgspec.structs.replace(of_alice, name="Go")), events.GroupChanged(GROUP))
    qtbot.waitUntil(lambda: talking._state.groups.group(view.conversation).name == "Go")
    assert said == ["You were added to the group Chess."]


def test_a_new_name_and_a_new_member_are_shown(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    view, group = make_group("Lab 4", "alice", "bob", "chen", "dan", conversation=LAB)
    node.tell(events.GroupChanged(msgspec.structs.replace(group, conversation=LAB)), events.ConversationChanged(view))
    qtbot.waitUntil(lambda: presence(talking) == "5 members, 2 online")
    assert talking.findChild(QLabel, "conversation.name").whole() == "Lab 4"


def test_the_row_says_who_wrote_last_and_a_new_group_how_many_are_in_it(qtbot, talking: MainWindow) -> None:
    rows = talking._state.conversations
    assert rows.index(rows.row_of(LAB)).data(Role.PREVIEW) == "Bob: message 3"
    assert rows.index(rows.row_of(LAB)).data(Qt.ItemDataRole.AccessibleTextRole) == "Lab 3, group, Bob: message 3"
    assert rows.preview(VIEW) == "4 members"


def test_the_name_stands_above_the_first_of_a_run_of_somebody_else(qtbot, talking: MainWindow) -> None:
    model = talking.chat.pane.view.model()
    assert isinstance(model, MessageListModel)
    assert [model.placement(row).names_author for row in range(4)] == [True, False, True, False]


def test_in_a_conversation_of_two_no_name_stands_there(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    view = talking._state.conversations.with_user("alice")
    node.history[view.conversation] = [make_message(1)]
    talking.chat.open(view)
    qtbot.waitUntil(lambda: talking.chat.pane.view.model().rowCount() == 1)
    assert not talking.chat.pane.view.model().placement(0).names_author


@pytest.mark.parametrize("kind", [MessageKind.TEXT, MessageKind.FILE])
def test_the_name_makes_room_for_itself_whatever_it_stands_above(qtbot, bridge, node, theme, kind) -> None:
    node.history[LAB] = [said(1, "alice") if kind is MessageKind.TEXT else make_file(1, conversation=LAB)]
    delegate = BubbleDelegate(theme, {})
    heights = []
    for is_group in (False, True):
        model = MessageListModel(bridge, LAB, is_group=is_group)
        with qtbot.waitSignal(model.loaded):
            model.load()
        heights.append(delegate.height(model.index(0), 600))
    assert heights[1] == heights[0] + NAME_LINE


def test_who_belongs_to_it_no_more_can_read_and_not_write(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    without_me = tuple(user for user in VIEW.members if user != ME)
    gone = msgspec.structs.replace(VIEW, can_write=False, members=without_me, last_entry=node.history[LAB][3])
    node.tell(events.ConversationChanged(gone))
    qtbot.waitUntil(lambda: not talking.chat.pane.composer.isVisible())
    notice = talking.findChild(QLabel, "conversation.notice.text")
    assert notice.isVisible()
    assert notice.text().startswith("You are not in this group any more.")
    for name in ("conversation.ask", "conversation.unblock"):
        assert not talking.findChild(QWidget, name).isVisible()
    assert talking.chat.pane.view.isVisible()
    assert talking.chat.pane.view.model().rowCount() == 4
    assert presence(talking) == "3 members"
