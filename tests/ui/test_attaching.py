"""Files on their way into the tray, and out of it."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QToolButton, QWidget

from peer.errors import RefusalCode
from tests.ui.scripted_node import (
    ScriptedNode,
    conversation_id,
    make_contact,
    make_conversation,
    make_message,
    make_session,
    refuse,
)
from ui.main_window.window import MainWindow
from ui.transfers.tray import MOST_ITEMS, TrayItem

ALICE = conversation_id("alice")
BOB = conversation_id("bob")


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    node.people = [make_contact("alice"), make_contact("bob")]
    node.talks = [make_conversation("alice", last_entry=make_message(1)), make_conversation("bob")]
    node.history[ALICE] = [make_message(1)]
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    open_talk(window, ALICE)
    qtbot.waitUntil(lambda: window.chat.pane.view.model().rowCount() == 1)
    return window


def open_talk(window: MainWindow, conversation) -> None:
    window.chat.open(window._state.conversations.conversation(conversation))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("one.pdf", "两个.txt", "three.png")]
    for path in paths:
        path.write_bytes(b"content")
    return paths


def mime_of(paths: list[Path]) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def waiting(window: MainWindow) -> list[Path]:
    return [item.path for item in window.chat.pane.composer.tray.items]


def drag(pane: QWidget, data: QMimeData) -> QDragEnterEvent:
    event = QDragEnterEvent(
        QPoint(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(pane, event)
    return event


def drop(pane: QWidget, data: QMimeData) -> None:
    event = QDropEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(pane, event)


def test_files_dragged_over_a_conversation_are_offered_a_place(talking: MainWindow, files: list[Path]) -> None:
    pane = talking.chat.pane
    overlay = pane.findChild(QWidget, "conversation.drop")
    assert not overlay.isVisible()
    assert drag(pane, mime_of(files)).isAccepted()
    assert overlay.isVisible()
    assert overlay.geometry() == pane.rect()
    assert overlay.accessibleName() == "Drop here to send to Alice"
    QApplication.sendEvent(pane, QDragLeaveEvent())
    assert not overlay.isVisible()
    assert waiting(talking) == []


def test_dropped_files_and_folders_wait_in_the_tray_until_enter(
    qtbot, talking: MainWindow, node: ScriptedNode, files: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    paths = [*files, tmp_path / "folder"]
    drag(talking.chat.pane, mime_of(paths))
    drop(talking.chat.pane, mime_of(paths))
    assert waiting(talking) == paths
    assert not talking.chat.pane.findChild(QWidget, "conversation.drop").isVisible()
    composer = talking.chat.pane.composer
    qtbot.keyClicks(composer.input, "look")
    assert node.asked("send_file") == []
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(node.asked("send_file")) == 4)
    assert node.asked("send_file") == [(ALICE, path, "look" if path is paths[0] else "") for path in paths]
    assert node.asked("send_text") == []
    assert waiting(talking) == []
    assert composer.text() == ""


def test_words_dragged_over_a_conversation_are_not_taken_for_files(talking: MainWindow) -> None:
    data = QMimeData()
    data.setText("words")
    assert not drag(talking.chat.pane, data).isAccepted()


def test_links_to_the_web_are_no_files(talking: MainWindow) -> None:
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/a.png")])
    assert not drag(talking.chat.pane, data).isAccepted()


def test_where_nothing_can_be_written_nothing_can_be_dropped(
    qtbot, talking: MainWindow, node: ScriptedNode, files: list[Path]
) -> None:
    from peer import events

    node.tell(events.ConversationChanged(make_conversation("alice", last_entry=make_message(1), can_write=False)))
    qtbot.waitUntil(lambda: not talking.chat.pane.composer.isVisible())
    assert not drag(talking.chat.pane, mime_of(files)).isAccepted()


def test_a_pasted_picture_becomes_a_file(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    picture = QImage(40, 30, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    data = QMimeData()
    data.setImageData(picture)
    composer = talking.chat.pane.composer
    composer.input.insertFromMimeData(data)
    composer.input.insertFromMimeData(data)
    first, second = waiting(talking)
    assert first != second
    assert QImage(str(first)).size() == picture.size()
    assert composer.text() == ""
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [call[1] for call in node.asked("send_file")] == [first, second])


def test_words_with_a_picture_of_them_are_words(talking: MainWindow) -> None:
    data = QMimeData()
    data.setImageData(QImage(40, 30, QImage.Format.Format_RGB32))
    data.setText("a table")
    talking.chat.pane.composer.input.insertFromMimeData(data)
    assert waiting(talking) == []
    assert talking.chat.pane.composer.text() == "a table"


def test_pasted_files_wait_in_the_tray(talking: MainWindow, files: list[Path]) -> None:
    composer = talking.chat.pane.composer
    assert composer.input.canInsertFromMimeData(mime_of(files))
    composer.input.insertFromMimeData(mime_of(files))
    assert waiting(talking) == files
    assert composer.text() == ""


def test_escape_empties_the_tray_and_keeps_the_words(qtbot, talking: MainWindow, files: list[Path]) -> None:
    composer = talking.chat.pane.composer
    composer.add(TrayItem.of(path) for path in files)
    qtbot.keyClicks(composer.input, "words")
    qtbot.keyClick(composer.input, Qt.Key.Key_Escape)
    assert waiting(talking) == []
    assert not composer.tray.isVisible()
    assert composer.text() == "words"


def test_one_item_can_be_removed(qtbot, talking: MainWindow, files: list[Path]) -> None:
    composer = talking.chat.pane.composer
    composer.add(TrayItem.of(path) for path in files)
    buttons = composer.findChildren(QToolButton, "conversation.tray.remove")
    assert [button.accessibleName() for button in buttons] == [f"Remove {path.name}" for path in files]
    qtbot.mouseClick(buttons[1], Qt.MouseButton.LeftButton)
    assert waiting(talking) == [files[0], files[2]]


def test_the_same_file_waits_once(talking: MainWindow, files: list[Path]) -> None:
    composer = talking.chat.pane.composer
    composer.add([TrayItem.of(files[0])])
    composer.add([TrayItem.of(files[0])])
    assert waiting(talking) == [files[0]]


def test_too_many_at_once_are_said(qtbot, talking: MainWindow, tmp_path: Path) -> None:
    composer = talking.chat.pane.composer
    composer.add(TrayItem.of(tmp_path / f"{number}.txt") for number in range(MOST_ITEMS + 1))
    assert len(waiting(talking)) == MOST_ITEMS
    assert talking.toast.text() == "No more than 100 at once: put them into a folder."


def test_what_was_refused_stands_in_the_tray_again_with_its_caption(
    qtbot, talking: MainWindow, node: ScriptedNode, files: list[Path]
) -> None:
    node.refused_files = {"one.pdf": refuse(RefusalCode.REFUSED, "“one.pdf” cannot be read.")}
    composer = talking.chat.pane.composer
    composer.add(TrayItem.of(path) for path in files[:2])
    qtbot.keyClicks(composer.input, "look")
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: waiting(talking) == [files[0]])
    assert composer.text() == "look"
    assert talking.toast.text() == "“one.pdf” cannot be read."
    assert composer.tray.isVisible()


def test_the_node_is_given_all_files_at_once_in_their_order(
    qtbot, talking: MainWindow, node: ScriptedNode, files: list[Path]
) -> None:
    # The first needs its time; that those behind it wait for it is the node's affair, which keeps them meanwhile.
    node.refused_files = {files[1].name: refuse(RefusalCode.REFUSED, "No.")}
    node.gate = asyncio.Event()
    composer = talking.chat.pane.composer
    composer.add(TrayItem.of(path) for path in files)
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [path for _, path, _ in node.asked("send_file")] == files)
    node.loop.call_soon_threadsafe(node.gate.set)
    qtbot.waitUntil(lambda: waiting(talking) == [files[1]])


def test_what_the_node_goes_on_with_later_is_not_put_back(
    qtbot, talking: MainWindow, node: ScriptedNode, files: list[Path]
) -> None:
    signed_out = refuse(RefusalCode.NOT_SIGNED_IN, "It was not sent yet.")
    node.refused_files = {files[0].name: signed_out, files[1].name: refuse(RefusalCode.REFUSED, "No.")}
    composer = talking.chat.pane.composer
    composer.add(TrayItem.of(path) for path in files[:2])
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(waiting(talking)))
    assert waiting(talking) == [files[1]]


def test_what_was_refused_waits_in_its_own_conversation(
    qtbot, talking: MainWindow, node: ScriptedNode, files: list[Path]
) -> None:
    node.refused_files = {"one.pdf": refuse(RefusalCode.REFUSED, "No.")}
    composer = talking.chat.pane.composer
    composer.add([TrayItem.of(files[0])])
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    open_talk(talking, BOB)
    qtbot.waitUntil(lambda: talking.toast.text() == "No.")
    assert waiting(talking) == []
    open_talk(talking, ALICE)
    assert waiting(talking) == [files[0]]


def test_each_conversation_has_its_own_tray(talking: MainWindow, files: list[Path]) -> None:
    composer = talking.chat.pane.composer
    composer.add([TrayItem.of(files[0])])
    open_talk(talking, BOB)
    assert waiting(talking) == []
    composer.add([TrayItem.of(files[1])])
    open_talk(talking, ALICE)
    assert waiting(talking) == [files[0]]
    talking.chat.close_conversation()
    open_talk(talking, BOB)
    assert waiting(talking) == [files[1]]


def test_whoever_signs_in_next_finds_nothing_of_it(qtbot, talking: MainWindow, files: list[Path]) -> None:
    talking.chat.pane.composer.add([TrayItem.of(files[0])])
    talking._logged_out(None)
    talking.login.signed_in.emit(make_session(user="bob"))
    qtbot.waitUntil(lambda: talking._state.conversations.rowCount() == 2)
    open_talk(talking, ALICE)
    assert waiting(talking) == []


def test_files_are_chosen_with_the_button(qtbot, talking: MainWindow, files: list[Path]) -> None:
    button = talking.findChild(QToolButton, "conversation.attach")
    actions = {action.objectName(): action for action in button.menu().actions()}
    actions["conversation.attach.files"].trigger()
    dialog = talking.findChild(QFileDialog, "conversation.choose")
    assert dialog.fileMode() is QFileDialog.FileMode.ExistingFiles
    dialog.filesSelected.emit([str(path) for path in files])
    assert waiting(talking) == files
    dialog.close()


def test_a_file_alone_can_be_sent_without_words(qtbot, talking: MainWindow, files: list[Path]) -> None:
    send = talking.findChild(QToolButton, "conversation.send")
    assert not send.isEnabled()
    talking.chat.pane.composer.add([TrayItem.of(files[0])])
    assert send.isEnabled()
