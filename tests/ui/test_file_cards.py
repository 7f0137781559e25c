from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, QRect, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QLabel, QMenu, QPushButton, QWidget

from peer import events
from peer.errors import RefusalCode
from peer.views import MessageKind, MessageView, TransferState
from tests.ui.scripted_node import (
    ScriptedNode,
    conversation_id,
    make_contact,
    make_conversation,
    make_file,
    make_holder,
    make_message,
    make_session,
    refuse,
)
from ui.main_window.window import MainWindow
from ui.theme.controls import Theme
from ui.transfers.acts import Act, acts
from ui.transfers.file_card import FileCard
from ui.translations import attachments

ALICE = conversation_id("alice")
SIZE = 86_200_000


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    """With Alice's conversation open, which holds one text."""
    node.people = [make_contact("alice")]
    node.talks = [make_conversation("alice", last_entry=make_message(1))]
    node.history[ALICE] = [make_message(1)]
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 1)
    window.chat.open(window._state.conversations.conversation(ALICE))
    qtbot.waitUntil(lambda: window.chat.pane.view.model().rowCount() == 1)
    return window


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    paths: list[Path] = []

    def open_url(url: QUrl) -> bool:
        paths.append(Path(url.toLocalFile()))
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    return paths


def show(window: MainWindow, qtbot, node: ScriptedNode, message: MessageView) -> MessageView:
    """Have a message arrive, or change, and be on the screen."""
    node.tell(events.MessageChanged(message))
    view = window.chat.pane.view
    qtbot.waitUntil(lambda: any(view.model().message(row) == message for row in range(view.model().rowCount())))
    view.viewport().repaint()
    return message


def row_of(window: MainWindow, message: MessageView) -> int:
    model = window.chat.pane.view.model()
    return next(row for row in range(model.rowCount()) if model.message(row).entry == message.entry)


def spot(window: MainWindow, message: MessageView, act: Act) -> QPoint | None:
    """Return a point of the viewport where a click does this."""
    view = window.chat.pane.view
    place: QRect = view.visualRect(view.model().index(row_of(window, message), 0))
    for y in range(place.top(), place.bottom(), 4):
        for x in range(place.left(), place.right(), 4):
            hit = view.hit(QPoint(x, y))
            if hit is not None and hit.pointer is not None and hit.pointer.act is act:
                return QPoint(x + 1, y + 1)
    return None


def click(window: MainWindow, qtbot, message: MessageView, act: Act) -> None:
    place = spot(window, message, act)
    assert place is not None, act
    qtbot.mouseClick(window.chat.pane.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def in_state(state: TransferState, number: int = 2, *, mine: bool = False, **about) -> MessageView:
    path = {"path": "/tmp/report.pdf"} if state is TransferState.HERE else {}
    return make_file(number, about={"state": state} | path | about, mine=mine)


@pytest.mark.parametrize("mine", [False, True], ids=["theirs", "mine"])
def test_a_row_keeps_its_height_whatever_the_state(qtbot, talking: MainWindow, node: ScriptedNode, mine: bool) -> None:
    heights = set()
    for state in TransferState:
        for about in ({}, {"done": SIZE // 2, "speed": 2e6, "seconds_left": 9.0}, {"reason": "Because. " * 9}):
            message = show(talking, qtbot, node, in_state(state, mine=mine, **about))
            view = talking.chat.pane.view
            heights.add(view.visualRect(view.model().index(row_of(talking, message), 0)).height())
    assert len(heights) == 1


def test_the_place_does_not_move_while_a_file_comes(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    message = show(talking, qtbot, node, in_state(TransferState.LOADING))
    view = talking.chat.pane.view
    before = view.visualRect(view.model().index(row_of(talking, message), 0))
    for done in (1, SIZE // 2, SIZE):
        state = TransferState.HERE if done == SIZE else TransferState.LOADING
        later = in_state(state, done=done, speed=1e6)
        node.tell(events.TransferProgressed(later) if done < SIZE else events.TransferFinished(later))
        qtbot.waitUntil(lambda later=later: view.model().message(1) == later)
        assert view.visualRect(view.model().index(1, 0)) == before


@pytest.mark.parametrize(
    ("state", "act", "method"),
    [
        (TransferState.OFFERED, Act.ACCEPT, "fetch_file"),
        (TransferState.OFFERED, Act.DECLINE, "decline_file"),
        (TransferState.LOADING, Act.PAUSE, "pause_file"),
        (TransferState.LOADING, Act.CANCEL, "cancel_file"),
        (TransferState.PAUSED, Act.RESUME, "resume_file"),
        (TransferState.WAITING, Act.CANCEL, "cancel_file"),
        (TransferState.FAILED, Act.RETRY, "fetch_file"),
        (TransferState.DECLINED, Act.ACCEPT, "fetch_file"),
    ],
)
def test_a_click_on_the_card_asks_the_node(
    qtbot, talking: MainWindow, node: ScriptedNode, state: TransferState, act: Act, method: str
) -> None:
    message = show(talking, qtbot, node, in_state(state))
    click(talking, qtbot, message, act)
    qtbot.waitUntil(lambda: len(node.asked(method)) == 1)
    assert node.asked(method)[0][0] == message.entry


def test_what_was_taken_back_before_it_was_sent_is_gone(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    sent = show(talking, qtbot, node, in_state(TransferState.HERE, 2, mine=True))
    taken = show(talking, qtbot, node, in_state(TransferState.PREPARING, 3, mine=True))
    view = talking.chat.pane.view
    rows = view.model().rowCount()
    node.tell(events.SendingWithdrawn(taken))
    qtbot.waitUntil(lambda: view.model().rowCount() == rows - 1)
    assert row_of(talking, sent) == rows - 2


def test_what_could_not_be_sent_is_tried_again_or_put_away() -> None:
    message = msgspec.structs.replace(in_state(TransferState.FAILED, mine=True), arrival=0)
    assert acts(message) == (Act.RETRY, Act.CANCEL)


@pytest.mark.parametrize("state", list(TransferState))
@pytest.mark.parametrize("mine", [False, True], ids=["theirs", "mine"])
def test_the_card_offers_nothing_that_the_menu_does_not(theme: Theme, state: TransferState, mine: bool) -> None:
    from PySide6.QtCore import QRectF

    message = in_state(state, mine=mine)
    card = FileCard(theme)
    place = QRectF(0, 0, *card.size(message, 264).toTuple())
    spots = card.spots(message, place)
    assert {each.act for each in spots} <= set(acts(message))
    assert all(place.adjusted(-4, -4, 4, 4).contains(each.place) for each in spots)


def test_the_menu_does_the_same_by_the_keyboard(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    message = show(talking, qtbot, node, in_state(TransferState.OFFERED))
    view = talking.chat.pane.view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.keyClick(view, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    menu = view.findChild(QMenu, "message.menu")
    offered = {action.objectName(): action for action in menu.actions()}
    of_files = ["message.accept", "message.save_as", "message.decline"]
    assert [name for name in offered if name in of_files] == of_files
    assert "message.open" not in offered
    offered["message.accept"].trigger()
    menu.close()
    qtbot.waitUntil(lambda: node.asked("fetch_file") == [(message.entry, None)])


def test_enter_does_what_is_most_likely(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    message = show(talking, qtbot, node, in_state(TransferState.LOADING))
    view = talking.chat.pane.view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: node.asked("pause_file") == [(message.entry,)])


def test_save_as_asks_where_and_fetches_to_there(
    qtbot, talking: MainWindow, node: ScriptedNode, tmp_path: Path
) -> None:
    message = show(talking, qtbot, node, in_state(TransferState.OFFERED))
    click(talking, qtbot, message, Act.SAVE_AS)
    dialog = talking.findChild(QFileDialog, "transfers.save_as")
    assert dialog is not None
    dialog.fileSelected.emit(str(tmp_path / "mine.pdf"))
    qtbot.waitUntil(lambda: node.asked("fetch_file") == [(message.entry, tmp_path / "mine.pdf")])
    dialog.close()


def test_a_copy_that_is_being_saved_shows_how_far_it_is_and_is_said_when_it_is_there(
    qtbot, talking: MainWindow, node: ScriptedNode, tmp_path: Path
) -> None:
    message = show(talking, qtbot, node, in_state(TransferState.HERE, path="/tmp/report.pdf"))
    assert spot(talking, message, Act.SHOW_IN_FOLDER) is not None
    saving = show(talking, qtbot, node, in_state(TransferState.HERE, path="/tmp/report.pdf", saving=SIZE // 2))
    assert spot(talking, saving, Act.SHOW_IN_FOLDER) is None, "the bar stands there"
    assert attachments.state(saving) == "Saving a copy"
    assert spot(talking, saving, Act.OPEN) is not None
    copied = in_state(TransferState.HERE, path=str(tmp_path / "mine.pdf"))
    node.fetched[message.entry] = copied
    talking.chat.pane.desk.act(message, Act.SAVE_AS)
    dialog = talking.findChild(QFileDialog, "transfers.save_as")
    dialog.fileSelected.emit(str(tmp_path / "mine.pdf"))
    qtbot.waitUntil(lambda: talking.toast.text() == f"Saved: {tmp_path / 'mine.pdf'}")
    dialog.close()


def test_a_refusal_is_said_in_one_sentence(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["fetch_file"] = refuse(RefusalCode.REFUSED, "The folder cannot be written to.")
    click(talking, qtbot, show(talking, qtbot, node, in_state(TransferState.OFFERED)), Act.ACCEPT)
    qtbot.waitUntil(lambda: talking.toast.text() == "The folder cannot be written to.")


def test_what_is_here_opens_by_a_click_only(
    qtbot, talking: MainWindow, node: ScriptedNode, opened: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"x")
    message = show(talking, qtbot, node, in_state(TransferState.HERE, path=str(path)))
    assert opened == []
    click(talking, qtbot, message, Act.OPEN)
    assert opened == [path]
    click(talking, qtbot, message, Act.SHOW_IN_FOLDER)
    assert opened == [path, tmp_path]


def test_a_program_is_asked_about_with_its_whole_name(
    qtbot, talking: MainWindow, node: ScriptedNode, opened: list[Path], tmp_path: Path
) -> None:
    name = f"holiday photo {'and more ' * 20}.jpg.exe"
    path = tmp_path / "a.exe"
    path.write_bytes(b"x")
    message = make_file(2, name, about={"state": TransferState.HERE, "path": str(path), "risky": True})
    click(talking, qtbot, show(talking, qtbot, node, message), Act.OPEN)
    dialog = talking.findChild(QWidget, "risky")
    assert opened == []
    assert dialog.findChild(QLabel, "risky.name").text().replace("\u200b", "") == name
    qtbot.mouseClick(dialog.findChild(QPushButton, "risky.yes"), Qt.MouseButton.LeftButton)
    assert opened == [path]


@pytest.mark.parametrize("kind", [MessageKind.FILE, MessageKind.PICTURE, MessageKind.VOICE])
@pytest.mark.parametrize("state", [TransferState.LOADING, TransferState.HERE])
def test_whatever_comes_opens_nothing(
    qtbot, talking: MainWindow, node: ScriptedNode, opened: list[Path], kind: MessageKind, state: TransferState
) -> None:
    node.refusals["picture"] = refuse(RefusalCode.UNSUPPORTED_PICTURE, "It is a program.")
    about = {"state": TransferState.LOADING, "risky": True, "width": 60, "height": 40, "duration": 3.0}
    message = make_file(2, "a.exe", kind=kind, about=about)
    show(talking, qtbot, node, message)
    come = make_file(2, "a.exe", kind=kind, about=about | {"state": state, "path": "/a.exe"})
    node.tell(events.TransferFinished(come))
    qtbot.waitUntil(lambda: talking.chat.pane.view.model().message(row_of(talking, come)) == come)
    talking.chat.pane._toggle_files()
    talking.chat.pane.view.viewport().repaint()
    qtbot.wait(30)
    assert opened == []
    assert node.asked("play") == []
    assert talking.findChild(QWidget, "risky") is None


def test_a_program_is_asked_about_by_the_keyboard_and_in_the_files_panel_too(
    qtbot, talking: MainWindow, node: ScriptedNode, opened: list[Path]
) -> None:
    message = make_file(2, "a.exe", about={"state": TransferState.HERE, "path": "/a.exe", "risky": True})
    node.history[ALICE].append(message)
    show(talking, qtbot, node, message)
    view = talking.chat.pane.view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    dialog = talking.findChild(QWidget, "risky")
    qtbot.mouseClick(dialog.findChild(QPushButton, "risky.no"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: talking.findChild(QWidget, "risky") is None)
    talking.chat.pane._toggle_files()
    files = talking.chat.pane.files.list
    qtbot.waitUntil(lambda: files.model().rowCount() == 1)
    row = files.visualRect(files.model().index(0, 0))
    qtbot.mouseClick(files.viewport(), Qt.MouseButton.LeftButton, pos=row.center())
    assert talking.findChild(QWidget, "risky").isVisible()
    assert opened == []


def test_a_file_that_vanished_is_said_and_not_opened(
    qtbot, talking: MainWindow, node: ScriptedNode, opened: list[Path], tmp_path: Path
) -> None:
    message = show(talking, qtbot, node, in_state(TransferState.HERE, path=str(tmp_path / "nothing.pdf")))
    click(talking, qtbot, message, Act.OPEN)
    assert opened == []
    assert talking.toast.text() == "The file is no longer in its place."


def test_pressing_on_one_button_and_letting_go_on_another_does_nothing(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    message = show(talking, qtbot, node, in_state(TransferState.LOADING))
    port = talking.chat.pane.view.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=spot(talking, message, Act.PAUSE))
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=spot(talking, message, Act.CANCEL))
    qtbot.wait(50)
    assert node.asked("pause_file") == node.asked("cancel_file") == []


def test_the_sender_sees_who_has_it(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    holders = (make_holder("bob", SIZE), make_holder("carol", SIZE // 2), make_holder("dan", 0))
    message = show(talking, qtbot, node, in_state(TransferState.HERE, mine=True, holders=holders))
    click(talking, qtbot, message, Act.WHO_HAS)
    board = talking.findChild(QWidget, "transfers.board")
    said = [each.accessibleName() for each in board.findChildren(QWidget) if "ha" in each.accessibleName()]
    assert said[0] == "Bob has it"
    texts = {label.text() for label in board.findChildren(QLabel)}
    assert {"1 of 3 have it", "Bob", "Carol", "Dan", "100\u00a0%", "50\u00a0%", "0\u00a0%"} <= texts
    qtbot.keyClick(board, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: talking.findChild(QWidget, "transfers.board") is None)


def test_a_screen_reader_hears_all_that_is_seen(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    message = make_file(
        2, "a.zip", text="for you", about={"state": TransferState.LOADING, "done": SIZE // 2, "size": SIZE}
    )
    show(talking, qtbot, node, message)
    view = talking.chat.pane.view
    heard = view.model().index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert heard.endswith(": File, a.zip, 86.2 MB, Downloading 50\u00a0%, for you")


@pytest.mark.parametrize(
    ("message", "seen"),
    [
        (make_file(2, "a.zip"), "📎 a.zip"),
        (make_file(2, "a.zip", text="the plan"), "📎 the plan"),
        (make_file(2, "a.png", kind=MessageKind.PICTURE), "🖼 Picture"),
        (make_file(2, "a.ogg", kind=MessageKind.VOICE, about={"duration": 14.2}), "🎤 Voice message · 0:14"),
    ],
)
def test_the_list_of_conversations_says_what_came(
    qtbot, talking: MainWindow, node: ScriptedNode, message: MessageView, seen: str
) -> None:
    node.tell(events.ConversationChanged(make_conversation("alice", last_entry=message)))
    rows = talking._state.conversations
    qtbot.waitUntil(lambda: rows.preview(rows.conversation(ALICE)) == seen)


def test_a_progress_of_99_and_a_half_is_not_100(qtbot) -> None:
    from ui.translations import attachments

    assert attachments.percent(1999, 2000) == "99\u00a0%"
    assert attachments.percent(0, 0) == "100\u00a0%"
