"""The members of a group: what is shown, what is offered, and to whom."""

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from peer import events
from peer.errors import RefusalCode
from peer.views import Consent
from tests.ui.scripted_node import (
    ME,
    ScriptedNode,
    make_contact,
    make_conversation,
    make_group,
    make_member,
    make_message,
    make_session,
    refuse,
)
from ui.groups.friend_picker import FriendPicker
from ui.groups.members_dialog import MembersDialog
from ui.main_window.window import MainWindow

VIEW, GROUP = make_group("Lab 3", "alice", make_member("bob", manager=True), "chen")
LAB = VIEW.conversation


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    """With the group open; Chen is a stranger, Dan a friend who is not in it."""
    node.people = [make_contact("alice"), make_contact("bob", online=False, linked=False), make_contact("dan")]
    node.keep_group(msgspec.structs.replace(VIEW, last_entry=make_message(1, conversation=LAB)), GROUP)
    node.talks.append(make_conversation("alice"))
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    qtbot.waitUntil(lambda: window._state.contacts.rowCount() == 3)
    window.chat.open(window._state.conversations.conversation(LAB))
    qtbot.waitUntil(lambda: window._state.groups.group(LAB) is not None)
    return window


def members_of(qtbot, window: MainWindow) -> MembersDialog:
    qtbot.mouseClick(window.findChild(QAbstractButton, "conversation.members"), Qt.MouseButton.LeftButton)
    found = window.findChild(MembersDialog)
    assert found is not None
    return found


def part(window: QWidget, name: str, kind: type = QWidget):
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def click(qtbot, window: QWidget, name: str) -> None:
    qtbot.mouseClick(part(window, name, QAbstractButton), Qt.MouseButton.LeftButton)


def offered(dialog: QWidget, user: str) -> list[str]:
    """Return what can be done about a member."""
    more = dialog.findChild(QAbstractButton, f"members.more.{user}")
    return [] if more is None else [action.objectName().split(".")[1] for action in more.menu().actions()]


def do(dialog: QWidget, act: str, user: str) -> None:
    part(dialog, f"members.{act}.{user}", QAction).trigger()


def demote_me(node: ScriptedNode) -> None:
    mine = make_member(ME, name="Li Wei")
    node.groups[LAB] = msgspec.structs.replace(GROUP, members=(mine, *GROUP.members[1:]))
    node.tell(events.GroupChanged(node.groups[LAB]))


def words(dialog: QWidget, user: str) -> list[str]:
    row = part(dialog, f"members.row.{user}")
    return [label.whole() for label in row.findChildren(QLabel) if hasattr(label, "whole")]


def test_everybody_is_listed_with_what_they_are(qtbot, talking: MainWindow) -> None:
    dialog = members_of(qtbot, talking)
    assert part(dialog, "members.count", QLabel).text() == "4 members, 2 online"
    assert words(dialog, ME) == ["Li Wei (you)", f"Manager · online · {ME}"]
    assert words(dialog, "bob") == ["Bob", "Manager · offline · bob"]
    assert words(dialog, "chen") == ["Chen", "offline · chen"]


def test_presence_follows(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    dialog = members_of(qtbot, talking)
    node.tell(events.PresenceChanged(make_contact("bob")))
    qtbot.waitUntil(lambda: words(dialog, "bob") == ["Bob", "Manager · online · bob"])


def test_a_manager_is_offered_more_than_a_member(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    dialog = members_of(qtbot, talking)
    assert offered(dialog, ME) == []
    assert offered(dialog, "alice") == ["write", "make_manager", "remove"]
    assert offered(dialog, "bob") == ["write", "unmake_manager", "remove"]
    assert offered(dialog, "chen") == ["ask", "make_manager", "remove"]
    demote_me(node)
    qtbot.waitUntil(lambda: offered(dialog, "alice") == ["write"])
    assert offered(dialog, "chen") == ["ask"]
    assert part(dialog, "members.rename").isVisible()


def test_who_left_is_offered_nothing_about_the_group(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    dialog = members_of(qtbot, talking)
    node.tell(events.GroupChanged(msgspec.structs.replace(GROUP, members=GROUP.members[1:])))
    qtbot.waitUntil(lambda: part(dialog, "members.count", QLabel).text() == "3 members")
    for name in ("members.rename", "members.add", "members.leave"):
        assert not part(dialog, name).isVisible()
    assert offered(dialog, "alice") == ["write"]


def test_somebody_unknown_can_be_asked_to_be_a_contact(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    dialog = members_of(qtbot, talking)
    do(dialog, "ask", "chen")
    qtbot.waitUntil(lambda: offered(dialog, "chen") == ["make_manager", "remove"])
    assert node.asked("ask") == [("chen", "")]
    assert talking._state.contacts.contact("chen").state is Consent.ASKED_BY_ME


def test_a_friend_can_be_written_to(qtbot, talking: MainWindow) -> None:
    do(members_of(qtbot, talking), "write", "alice")
    qtbot.waitUntil(lambda: talking.chat.pane.header._name.whole() == "Alice")


def test_managers_are_made_and_unmade(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    dialog = members_of(qtbot, talking)
    do(dialog, "make_manager", "alice")
    qtbot.waitUntil(lambda: "unmake_manager" in offered(dialog, "alice"))
    do(dialog, "unmake_manager", "alice")
    qtbot.waitUntil(lambda: "make_manager" in offered(dialog, "alice"))
    assert node.asked("set_group_manager") == [(LAB, "alice", True), (LAB, "alice", False)]


def test_the_focus_stays_with_whom_something_was_done_about(qtbot, talking: MainWindow) -> None:
    dialog = members_of(qtbot, talking)
    part(dialog, "members.more.alice").setFocus()
    do(dialog, "make_manager", "alice")
    qtbot.waitUntil(lambda: "unmake_manager" in offered(dialog, "alice"))
    assert dialog.focusWidget().objectName() == "members.more.alice"


def test_a_member_is_removed_after_a_second_click(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    dialog = members_of(qtbot, talking)
    do(dialog, "remove", "chen")
    assert node.asked("remove_from_group") == []
    click(qtbot, dialog, "confirm.yes")
    qtbot.waitUntil(lambda: dialog.findChild(QWidget, "members.row.chen") is None)
    assert node.asked("remove_from_group") == [(LAB, "chen")]


def test_a_refusal_is_said_in_the_dialog(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["set_group_manager"] = refuse(RefusalCode.NOT_A_MANAGER, "Only managers of the group can do that.")
    dialog = members_of(qtbot, talking)
    do(dialog, "make_manager", "alice")
    qtbot.waitUntil(lambda: part(dialog, "members.error", QLabel).isVisible())
    assert part(dialog, "members.error", QLabel).text() == "Only managers of the group can do that."


def test_leaving_closes_the_composer_and_keeps_the_history(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    dialog = members_of(qtbot, talking)
    click(qtbot, dialog, "members.leave")
    click(qtbot, dialog, "confirm.yes")
    qtbot.waitUntil(lambda: not talking.chat.pane.composer.isVisible())
    assert node.asked("leave_group") == [(LAB,)]
    assert talking.focusWidget() is talking.chat.pane.view
    assert talking.findChild(QLabel, "conversation.notice.text").isVisible()
    assert talking.findChild(MembersDialog) is None or not dialog.isVisible()


def test_the_group_is_renamed(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    dialog = members_of(qtbot, talking)
    click(qtbot, dialog, "members.rename")
    field = part(dialog, "rename_group.name")
    qtbot.keyClicks(field, "Lab 4")
    node.refusals["rename_group"] = refuse(RefusalCode.BAD_NAME)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: part(dialog, "rename_group.name.error", QLabel).isVisible())
    del node.refusals["rename_group"]
    click(qtbot, dialog, "rename_group.submit")
    qtbot.waitUntil(lambda: part(dialog, "members.title", QLabel).whole() == "Lab 4")
    assert talking.chat.pane.header._name.whole() == "Lab 4"


@pytest.mark.parametrize("from_now_on", [False, True])
def test_a_friend_is_added_with_the_history_or_without(
    qtbot, talking: MainWindow, node: ScriptedNode, from_now_on: bool
) -> None:
    dialog = members_of(qtbot, talking)
    click(qtbot, dialog, "members.add")
    picker = dialog.findChild(FriendPicker)
    assert [picker.list.model().index(row, 0).data() for row in range(picker.list.model().rowCount())] == ["Dan"]
    assert not part(dialog, "add_members.submit").isEnabled()
    qtbot.keyClicks(picker.search, "dan")
    qtbot.keyClick(picker.search, Qt.Key.Key_Return)
    part(dialog, "add_members.from_now_on", QAbstractButton).setChecked(from_now_on)
    explained = part(dialog, "add_members.explained", QLabel).text()
    assert explained.endswith("nothing before.") == from_now_on
    click(qtbot, dialog, "add_members.submit")
    qtbot.waitUntil(lambda: dialog.findChild(QWidget, "members.row.dan") is not None)
    assert node.asked("add_to_group") == [(LAB, "dan", from_now_on)]


def wait_for_device(node: ScriptedNode, user: str, *, mine_to_say: bool) -> None:
    members = tuple(
        msgspec.structs.replace(each, waiting_device=True, new_device=mine_to_say) if each.user == user else each
        for each in node.groups[LAB].members
    )
    node.groups[LAB] = msgspec.structs.replace(node.groups[LAB], members=members)
    node.tell(events.GroupChanged(node.groups[LAB]))


def test_a_members_new_device_is_named_above_the_messages_and_confirmed_by_who_may(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    card = part(talking, "conversation.new_device")
    assert not card.isVisible()
    wait_for_device(node, "chen", mine_to_say=True)
    qtbot.waitUntil(card.isVisible)
    assert any("Chen uses a new device" in label.text() for label in card.findChildren(QLabel))
    assert not part(card, "conversation.compare").isVisible(), "Chen is a stranger, of whom no number was seen"
    click(qtbot, card, "conversation.confirm_device")
    qtbot.waitUntil(lambda: not card.isVisible())
    assert node.asked("confirm_member_device") == [(LAB, "chen")]


def test_who_may_not_confirm_a_device_is_told_who_can_and_may_put_it_off(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    card = part(talking, "conversation.new_device")
    wait_for_device(node, "alice", mine_to_say=False)
    qtbot.waitUntil(card.isVisible)
    assert any("a manager has confirmed" in label.text() for label in card.findChildren(QLabel))
    assert not part(card, "conversation.confirm_device").isVisible()
    click(qtbot, card, "conversation.device_later")
    assert not card.isVisible()
    wait_for_device(node, "bob", mine_to_say=True)
    qtbot.waitUntil(card.isVisible)
    assert any("Bob uses a new device" in label.text() for label in card.findChildren(QLabel))
    assert part(card, "conversation.compare").isVisible()
    dialog = members_of(qtbot, talking)
    assert words(dialog, "alice")[1] == "new device · online · alice"
    assert "confirm_device" not in offered(dialog, "alice")
    do(dialog, "confirm_device", "bob")
    click(qtbot, dialog, "confirm.yes")
    qtbot.waitUntil(lambda: words(dialog, "bob")[1] == "Manager · offline · bob")
    assert node.asked("confirm_member_device") == [(LAB, "bob")]
    assert not card.isVisible()


def test_who_signed_in_on_another_device_is_told_what_comes_and_from_whom(
    qtbot, window: MainWindow, node: ScriptedNode
) -> None:
    window.login.signed_in.emit(make_session(other_devices=True))
    qtbot.waitUntil(part(window, "conversation.new_device_of_mine").isVisible)
    beside = [label.text() for label in part(window, "main.empty").findChildren(QLabel)]
    assert any("confirmed this new device" in text for text in beside), "all that a narrow window has room for"
    node.tell(events.Connected(make_session(other_devices=False)))
    qtbot.waitUntil(part(window, "conversation.first").isVisible)


def test_in_a_large_group_somebody_is_found_by_name_or_id(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    dialog = members_of(qtbot, talking)
    search = part(dialog, "members.search")
    assert not search.isVisible(), "four are found at a glance"
    more = tuple(make_member(f"student{number:02}", name=f"陈 {number}") for number in range(60))
    node.groups[LAB] = msgspec.structs.replace(GROUP, members=GROUP.members + more)
    node.tell(events.GroupChanged(node.groups[LAB]))
    qtbot.waitUntil(search.isVisible)
    rows = {member.user: part(dialog, f"members.row.{member.user}") for member in node.groups[LAB].members}
    for typed, found in (("STUDENT07", ["student07"]), ("陈 59", ["student59"]), ("bo", ["bob"])):
        search.setText(typed)
        assert [user for user, row in rows.items() if row.isVisible()] == found
    search.clear()
    assert all(row.isVisible() for row in rows.values())


def test_a_question_about_a_member_fits_a_narrow_window(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    talking.resize(360, 600)
    wait_for_device(node, "chen", mine_to_say=True)
    qtbot.waitUntil(lambda: talking._state.groups.group(LAB).members[3].new_device)
    talking.chat._show_members()
    dialog = talking.findChild(MembersDialog)
    do(dialog, "confirm_device", "chen")
    confirm = part(dialog, "confirm")
    assert confirm.width() <= 360
    for label in confirm.findChildren(QLabel):
        assert label.height() >= label.heightForWidth(label.width())
