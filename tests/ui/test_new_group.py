"""Making a group, by mouse and by keyboard alone."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from peer.errors import RefusalCode
from peer.views import Consent
from tests.ui.scripted_node import ScriptedNode, make_contact, make_conversation, make_group, make_session, refuse
from ui.groups.friend_picker import FriendPicker
from ui.groups.friends_list import ROW
from ui.groups.new_group_dialog import NewGroupDialog
from ui.main_window.window import MainWindow


@pytest.fixture
def dialog(qtbot, window: MainWindow, node: ScriptedNode) -> NewGroupDialog:
    """Opened by its button, with four friends to choose from."""
    node.people = [make_contact(user) for user in ("alice", "bob", "chen", "dan")]
    node.people.append(make_contact("erin", state=Consent.ASKED_BY_ME))
    node.people.append(make_contact("fay", blocked=True))
    node.talks = [make_conversation("alice")]
    node.keep_group(*make_group("Old one", "alice", "bob"))
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.contacts.rowCount() == 6)
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    qtbot.mouseClick(window.findChild(QAbstractButton, "main.new_group"), Qt.MouseButton.LeftButton)
    found = window.findChild(NewGroupDialog)
    assert found is not None
    return found


def part(dialog: QWidget, name: str, kind: type = QWidget):
    found = dialog.findChild(kind, name)
    assert found is not None, name
    return found


def picker(dialog: QWidget) -> FriendPicker:
    return dialog.findChildren(FriendPicker)[0]


def tick(qtbot, dialog: QWidget, name: str) -> None:
    """Click a friend in the list."""
    rows = picker(dialog).list
    model = rows.model()
    index = next(model.index(row, 0) for row in range(model.rowCount()) if model.index(row, 0).data() == name)
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=rows.visualRect(index).center())


def click(qtbot, dialog: QWidget, name: str) -> None:
    qtbot.mouseClick(part(dialog, name, QAbstractButton), Qt.MouseButton.LeftButton)


def offered(dialog: QWidget) -> list[str]:
    model = picker(dialog).list.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_friends_are_offered_and_nobody_else(dialog: NewGroupDialog) -> None:
    assert offered(dialog) == ["Alice", "Bob", "Chen", "Dan"]


def test_a_group_is_made_of_those_who_are_ticked_and_opened(
    qtbot, window: MainWindow, dialog: NewGroupDialog, node: ScriptedNode
) -> None:
    qtbot.keyClicks(part(dialog, "new_group.name"), "Lab 3")
    for name in ("Chen", "Dan", "Alice", "Dan"):
        tick(qtbot, dialog, name)
    assert part(dialog, "new_group.friends.count", QLabel).text() == "2 of 199"
    click(qtbot, dialog, "new_group.submit")
    qtbot.waitUntil(lambda: window.chat.pane.header._name.whole() == "Lab 3")
    assert node.asked("create_group") == [("Lab 3", ["chen", "alice"])]
    assert window.chat.pane.header._presence.whole().startswith("3 members")


def test_the_keyboard_is_enough(qtbot, window: MainWindow, dialog: NewGroupDialog, node: ScriptedNode) -> None:
    name, search, rows = part(dialog, "new_group.name"), picker(dialog).search, picker(dialog).list
    qtbot.keyClicks(name, "Lab 3")
    qtbot.keyClick(name, Qt.Key.Key_Return)
    qtbot.waitUntil(search.hasFocus)
    qtbot.keyClicks(search, "dan")
    assert offered(dialog) == ["Dan"]
    qtbot.keyClick(search, Qt.Key.Key_Return)
    assert search.text() == ""
    qtbot.keyClick(search, Qt.Key.Key_Down)
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    qtbot.keyClick(rows, Qt.Key.Key_Space)
    assert picker(dialog).chosen() == ["dan", "bob"]
    qtbot.keyClick(rows, Qt.Key.Key_Up)
    qtbot.keyClick(rows, Qt.Key.Key_Up)
    qtbot.waitUntil(search.hasFocus)
    qtbot.keyClick(search, Qt.Key.Key_Backspace)
    assert picker(dialog).chosen() == ["dan"]
    qtbot.keyClick(name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: node.asked("create_group") == [("Lab 3", ["dan"])])


def test_a_chip_takes_one_back(qtbot, dialog: NewGroupDialog) -> None:
    tick(qtbot, dialog, "Bob")
    tick(qtbot, dialog, "Chen")
    click(qtbot, dialog, "chip.bob")
    assert picker(dialog).chosen() == ["chen"]


def test_what_is_missing_is_said_where_it_is_missing(qtbot, dialog: NewGroupDialog, node: ScriptedNode) -> None:
    click(qtbot, dialog, "new_group.submit")
    assert part(dialog, "new_group.name.error", QLabel).text() == "Give the group a name."
    assert part(dialog, "new_group.friends.error", QLabel).text() == "Choose at least one contact."
    assert node.asked("group_with") == []


@pytest.mark.parametrize(("code", "field"), [(RefusalCode.BAD_NAME, "name"), (RefusalCode.NO_DEVICE, "friends")])
def test_a_refusal_stands_at_its_field(
    qtbot, dialog: NewGroupDialog, node: ScriptedNode, code: RefusalCode, field: str
) -> None:
    node.refusals["create_group"] = refuse(code)
    qtbot.keyClicks(part(dialog, "new_group.name"), "Lab 3")
    tick(qtbot, dialog, "Chen")
    click(qtbot, dialog, "new_group.submit")
    qtbot.waitUntil(lambda: part(dialog, f"new_group.{field}.error", QLabel).isVisible())
    assert part(dialog, "new_group.submit", QAbstractButton).isEnabled()


def ask_for_old_one(qtbot, dialog: NewGroupDialog) -> None:
    qtbot.keyClicks(part(dialog, "new_group.name"), "Lab 3")
    tick(qtbot, dialog, "Alice")
    tick(qtbot, dialog, "Bob")
    click(qtbot, dialog, "new_group.submit")
    qtbot.waitUntil(lambda: part(dialog, "new_group.offer").isVisible())
    assert "Old one" in part(dialog, "new_group.offer.text", QLabel).text()


def test_a_group_of_the_same_members_is_offered(
    qtbot, window: MainWindow, dialog: NewGroupDialog, node: ScriptedNode
) -> None:
    ask_for_old_one(qtbot, dialog)
    click(qtbot, dialog, "new_group.open")
    assert window.chat.pane.header._name.whole() == "Old one"
    assert node.asked("create_group") == []


def test_another_can_be_made_all_the_same(qtbot, dialog: NewGroupDialog, node: ScriptedNode) -> None:
    ask_for_old_one(qtbot, dialog)
    click(qtbot, dialog, "new_group.another")
    qtbot.waitUntil(lambda: node.asked("create_group") == [("Lab 3", ["alice", "bob"])])


def test_the_offer_goes_when_others_are_chosen(qtbot, dialog: NewGroupDialog) -> None:
    ask_for_old_one(qtbot, dialog)
    tick(qtbot, dialog, "Chen")
    assert not part(dialog, "new_group.offer").isVisible()
    assert part(dialog, "new_group.submit").isVisible()


def test_it_fits_into_the_smallest_window(qtbot, window: MainWindow, dialog: NewGroupDialog) -> None:
    dialog.reject()
    window.resize(360, 480)
    qtbot.mouseClick(window.findChild(QAbstractButton, "main.new_group"), Qt.MouseButton.LeftButton)
    small = next(each for each in window.findChildren(NewGroupDialog) if each.isVisible())
    tick(qtbot, small, "Alice")
    assert small.width() <= 360
    assert small.height() <= 480
    assert picker(small).list.height() >= 2 * ROW
