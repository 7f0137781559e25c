"""The shared folder of a conversation."""

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QLineEdit, QMenu, QToolButton, QWidget

from peer import events
from peer.errors import RefusalCode
from peer.views import MessageKind, TransferState
from tests.ui.scripted_node import (
    ScriptedNode,
    conversation_id,
    make_contact,
    make_conversation,
    make_file,
    make_message,
    make_session,
    refuse,
)
from ui.main_window.window import MainWindow
from ui.transfers.files_list import button_act, button_place
from ui.transfers.files_panel import WIDTH, FilesPanel
from ui.transfers.picture_viewer import PictureViewer
from ui.translations import attachments

ALICE = conversation_id("alice")
BOB = conversation_id("bob")


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    node.people = [make_contact("alice"), make_contact("bob")]
    node.talks = [make_conversation("alice", last_entry=make_message(1)), make_conversation("bob")]
    node.history.setdefault(ALICE, [make_message(1)])
    window.resize(1180, 700)
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    window.chat.open(window._state.conversations.conversation(ALICE))
    qtbot.waitUntil(lambda: window.chat.pane.view.model().rowCount() == min(256, len(node.history[ALICE])))
    return window


def toggle(window: MainWindow, qtbot) -> FilesPanel:
    qtbot.mouseClick(window.findChild(QToolButton, "conversation.files"), Qt.MouseButton.LeftButton)
    return window.chat.pane.files


def names(panel: FilesPanel) -> list[str]:
    model = panel.list.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_everything_shared_is_listed_the_newest_first(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.history[ALICE] += [
        make_file(2, "old.pdf"),
        make_message(3),
        make_file(4, "new.png", kind=MessageKind.PICTURE, mine=True),
    ]
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: names(panel) == ["new.png", "old.pdf"])
    assert panel.width() == WIDTH
    assert talking.chat.pane.view.isVisible()
    heard = panel.list.model().index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert heard == "File, old.pdf, 86.2 MB, Not downloaded, Alice · 3 Nov"
    toggle(talking, qtbot)
    assert not panel.isVisible()


def test_a_row_says_in_a_word_what_its_tooltip_says_in_a_sentence(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    about = {"state": TransferState.FAILED, "reason": "The disk is full. Make room for 50 MB and try again."}
    message = make_file(2, "a.pdf", about=about)
    node.history[ALICE].append(message)
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: names(panel) == ["a.pdf"])
    place = panel.list.visualRect(panel.list.model().index(0, 0)).center()
    qtbot.mouseMove(panel.list.viewport(), place)
    qtbot.waitUntil(lambda: "Make room for 50 MB" in panel.list.viewport().toolTip())
    assert attachments.brief_state(message) == "Failed"


def test_an_empty_conversation_says_what_to_do(qtbot, talking: MainWindow) -> None:
    panel = toggle(talking, qtbot)
    empty = panel.findChild(QWidget, "files.empty")
    qtbot.waitUntil(empty.isVisible)


def test_in_a_narrow_window_it_stands_in_the_place_of_the_conversation(qtbot, talking: MainWindow) -> None:
    talking.resize(380, 700)
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: panel.width() == talking.width())
    assert not talking.chat.pane.view.isVisible()
    qtbot.keyClick(panel.list, Qt.Key.Key_Escape)
    assert not panel.isVisible()
    assert talking.chat.pane.view.isVisible() or talking.chat.pane.composer.isVisible()


def test_growing_the_window_shows_both(qtbot, talking: MainWindow) -> None:
    talking.resize(380, 700)
    panel = toggle(talking, qtbot)
    talking.resize(1180, 700)
    qtbot.waitUntil(lambda: panel.width() == WIDTH)
    assert talking.chat.pane.composer.isVisible()


def test_it_follows_what_happens(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.history[ALICE].append(make_file(2, "a.pdf"))
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: names(panel) == ["a.pdf"])
    node.tell(
        events.MessageArrived(make_file(9, "b.pdf")),
        events.MessageArrived(make_file(10, "elsewhere.pdf", user="bob")),
        events.TransferProgressed(make_file(2, "a.pdf", about={"state": TransferState.LOADING, "done": 43_100_000})),
    )
    qtbot.waitUntil(lambda: names(panel) == ["b.pdf", "a.pdf"])
    assert "50" in panel.list.model().index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)


def test_what_was_taken_back_before_it_was_sent_is_gone(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    taken = make_file(9, "b.pdf", about={"state": TransferState.PREPARING}, mine=True)
    node.history[ALICE] += [make_file(2, "a.pdf"), taken]
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: names(panel) == ["b.pdf", "a.pdf"])
    node.tell(events.SendingWithdrawn(taken))
    qtbot.waitUntil(lambda: names(panel) == ["a.pdf"])


def test_another_conversation_has_other_files(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.history[ALICE].append(make_file(2, "a.pdf"))
    node.history[BOB] = [make_file(3, "b.pdf", user="bob")]
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: names(panel) == ["a.pdf"])
    talking.chat.open(talking._state.conversations.conversation(BOB))
    qtbot.waitUntil(lambda: names(panel) == ["b.pdf"])
    talking.chat.close_conversation()
    assert not panel.isVisible()


def test_the_button_of_a_row_does_what_it_shows(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    message = make_file(2, "a.pdf")
    node.history[ALICE].append(message)
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: names(panel) == ["a.pdf"])
    assert button_act(message) is not None
    row = panel.list.visualRect(panel.list.model().index(0, 0))
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=row.topLeft() + QPoint(20, 20))
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=button_place(row).center().toPoint())
    qtbot.waitUntil(lambda: node.asked("fetch_file") == [(message.entry, None)])


def test_keys_do_it_too(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    message = make_file(2, "a.pdf")
    node.history[ALICE].append(message)
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: names(panel) == ["a.pdf"])
    qtbot.keyClick(panel.list, Qt.Key.Key_Down)
    qtbot.keyClick(panel.list, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    menu = panel.list.findChild(QMenu, "message.menu")
    assert "message.decline" in [action.objectName() for action in menu.actions()]
    menu.close()
    qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: node.asked("fetch_file") == [(message.entry, None)])


def test_a_picture_far_above_what_is_loaded_is_looked_at_all_the_same(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    shown = {"state": TransferState.HERE, "width": 40, "height": 30, "path": "/x.png"}
    old = [make_file(number, f"{number}.png", kind=MessageKind.PICTURE, about=shown) for number in (2, 3)]
    node.history[ALICE] += [*old, *(make_message(number) for number in range(4, 600))]
    node.refusals["picture"] = refuse(RefusalCode.DAMAGED_PICTURE, "It is damaged.")
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: names(panel) == ["3.png", "2.png"])
    row = panel.list.visualRect(panel.list.model().index(1, 0))
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=row.center())
    viewer = talking.findChild(PictureViewer, "viewer")
    assert viewer.current == old[0]
    qtbot.keyClick(viewer, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: viewer.current == old[1])


def press_tab(qtbot, panel: FilesPanel, name: str) -> None:
    qtbot.mouseClick(panel.findChild(QToolButton, f"files.tab.{name}"), Qt.MouseButton.LeftButton)


def test_it_is_searched_by_kind_and_by_words(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    shown = {"state": TransferState.OFFERED, "path": ""}
    node.history[ALICE] += [
        make_file(2, "lake.png", kind=MessageKind.PICTURE, about=shown),
        make_file(3, "Lake notes.pdf"),
        make_file(4, "plan.pdf"),
    ]
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: len(names(panel)) == 3)
    search = panel.findChild(QLineEdit, "files.search")
    qtbot.keyClicks(search, "lake")
    qtbot.waitUntil(lambda: names(panel) == ["Lake notes.pdf", "lake.png"])
    press_tab(qtbot, panel, "pictures")
    qtbot.waitUntil(lambda: names(panel) == ["lake.png"])
    node.tell(
        events.MessageArrived(make_file(8, "another lake.png", kind=MessageKind.PICTURE, about=shown)),
        events.MessageArrived(make_file(9, "hill.png", kind=MessageKind.PICTURE, about=shown)),
        events.MessageArrived(make_file(10, "lake.pdf")),
    )
    qtbot.waitUntil(lambda: names(panel) == ["another lake.png", "lake.png"])
    press_tab(qtbot, panel, "voice")
    qtbot.waitUntil(lambda: panel._pages.currentWidget().objectName() == "files.nothing")
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not panel._pause.isActive())
    press_tab(qtbot, panel, "files")
    qtbot.waitUntil(lambda: names(panel) == ["plan.pdf", "Lake notes.pdf"])
    assert panel.isVisible()
    search.setFocus()
    qtbot.keyClick(search, Qt.Key.Key_Down)
    assert talking.focusWidget() is panel.list
    assert panel.list.currentIndex().row() == 0
    qtbot.keyClick(panel.list, Qt.Key.Key_Escape)
    assert not panel.isVisible()


def test_what_was_deleted_for_everybody_is_gone(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    kept, gone = make_file(2, "a.pdf"), make_file(3, "b.pdf")
    node.history[ALICE] += [kept, gone]
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: names(panel) == ["b.pdf", "a.pdf"])
    node.tell(events.MessageChanged(msgspec.structs.replace(gone, kind=MessageKind.DELETED, attachment=None)))
    qtbot.waitUntil(lambda: names(panel) == ["a.pdf"])


def test_thousands_of_files_open_at_once_and_scroll_page_by_page(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    node.history[ALICE] += [make_file(number, f"{number}.txt") for number in range(2, 1_502)]
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: panel.list.model().rowCount() > 0)
    assert panel.list.model().rowCount() == 128, "no more is asked for than somebody looks at"
    painted: list[int] = []
    paint = panel.list._files.paint
    panel.list._files.paint = lambda painter, option, index: (
        painted.append(index.row()),
        paint(painter, option, index),
    )
    at_once = panel.list.viewport().height() // 68 + 2
    while panel.list.model().rowCount() < 1_500:
        rows = panel.list.model().rowCount()
        panel.list.scrollToBottom()
        qtbot.waitUntil(lambda rows=rows: panel.list.model().rowCount() > rows)
        painted.clear()
        panel.list.viewport().repaint()
        assert len(painted) <= at_once, "what a frame costs does not grow with what is listed"
    assert names(panel) == [f"{number}.txt" for number in range(1501, 1, -1)]


def test_the_menu_of_a_file_offers_nothing_that_does_not_work(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    message = make_file(2, "a.pdf", about={"state": TransferState.HERE, "path": "/a.pdf"})
    node.history[ALICE].append(message)
    panel = toggle(talking, qtbot)
    qtbot.waitUntil(lambda: names(panel) == ["a.pdf"])
    panel.take_focus()

    def menu() -> dict[str, QAction]:
        qtbot.keyClick(panel.list, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
        shown = panel.list.findChildren(QMenu, "message.menu")[-1]
        return {action.objectName(): action for action in shown.actions() if not action.isSeparator()}

    offered = menu()
    assert set(offered) == {
        "message.open", "message.show_in_folder", "message.save_as", "message.forward", "message.details",
        "message.delete_here",
    }  # fmt: skip
    offered["message.forward"].trigger()
    assert talking.findChild(QDialog, "forward").isVisible()
    talking.findChild(QDialog, "forward").reject()
    menu()["message.delete_here"].trigger()
    assert "eleted" in talking.toast.text()
