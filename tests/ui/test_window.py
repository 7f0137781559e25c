from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPixmap
from PySide6.QtWidgets import QAbstractButton, QDialog, QLabel, QLineEdit, QToolButton, QWidget

from peer import events
from peer.errors import RefusalCode
from peer.views import Consent, EntryId, MessageState, UserId
from tests.ui.scripted_node import (
    SAFETY_NUMBER,
    ScriptedNode,
    conversation_id,
    make_contact,
    make_conversation,
    make_message,
    make_session,
    refuse,
)
from ui.main_window.window import MainWindow
from ui.main_window.window_memory import WindowMemory
from ui.models.roles import Role
from ui.screenshot import screenshot
from ui.screenshot.frozen_screens import FrozenScreen

ALICE = conversation_id("alice")


@pytest.fixture
def signed_in(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    node.people = [make_contact("alice"), make_contact("bob")]
    node.talks = [make_conversation("alice", last_entry=make_message(2)), make_conversation("bob")]
    node.history[ALICE] = [make_message(1), make_message(2)]
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    qtbot.waitUntil(lambda: window._state.contacts.rowCount() == 2)
    return window


@pytest.fixture
def talking(qtbot, signed_in: MainWindow) -> MainWindow:
    """With Alice's conversation open."""
    open_conversation(signed_in, qtbot, "alice")
    qtbot.waitUntil(lambda: signed_in.chat.pane.view.model().rowCount() == 2)
    return signed_in


def open_conversation(window: MainWindow, qtbot, user: str) -> None:
    rows = window.chat.sidebar.list
    row = next(row for row in range(rows.model().rowCount()) if rows.model().index(row, 0).data() == user.title())
    place = rows.visualRect(rows.model().index(row, 0)).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)


def part(window: QWidget, name: str, kind: type = QWidget):
    found = window.findChild(kind, name)
    assert found is not None, name
    return found


def click(window: QWidget, qtbot, name: str) -> None:
    qtbot.mouseClick(part(window, name, QAbstractButton), Qt.MouseButton.LeftButton)


def seen_text(window: MainWindow, name: str) -> str:
    label = part(window, name, QLabel)
    return label.text() if label.isVisible() else ""


# --- writing and reading ---------------------------------------------------------------------


def test_a_written_message_is_sent_and_shown(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    composer = talking.chat.pane.composer
    qtbot.keyClicks(composer.input, "hello Alice")
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: talking.chat.pane.view.model().rowCount() == 3)
    assert node.asked("send_text") == [(ALICE, "hello Alice")]


def test_what_could_not_be_sent_stands_in_the_composer_again(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["send_text"] = refuse(RefusalCode.TOO_LARGE, "That is too long for one message.")
    composer = talking.chat.pane.composer
    qtbot.keyClicks(composer.input, "very long")
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: composer.text() == "very long")
    assert talking.toast.text() == "That is too long for one message."


def test_a_draft_waits_while_another_conversation_is_open(qtbot, talking: MainWindow) -> None:
    composer = talking.chat.pane.composer
    qtbot.keyClicks(composer.input, "half a thought")
    open_conversation(talking, qtbot, "bob")
    assert composer.text() == ""
    open_conversation(talking, qtbot, "alice")
    assert composer.text() == "half a thought"


def reported(node: ScriptedNode) -> set[EntryId]:
    return {entry for _, entries in node.asked("mark_read") for entry in entries}


def arrive(node: ScriptedNode, number: int = 5) -> None:
    message = make_message(number, state=MessageState.ARRIVED, written_at=datetime.now(UTC))
    node.tell(
        events.MessageArrived(message),
        events.ConversationChanged(make_conversation("alice", last_entry=message, unread=1)),
    )


def test_a_message_on_the_screen_of_the_active_window_is_read(
    qtbot, talking: MainWindow, node: ScriptedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talking.chat.pane, "isActiveWindow", lambda: True)
    arrive(node)
    qtbot.waitUntil(lambda: bool(node.asked("mark_read")))
    assert node.asked("mark_read") == [(ALICE, [make_message(5).entry])]


def test_what_was_not_on_the_screen_is_not_read_and_can_be_gone_to(
    qtbot, signed_in: MainWindow, node: ScriptedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_in.chat.pane, "isActiveWindow", lambda: True)
    node.history[ALICE] = [
        make_message(number, state=MessageState.ARRIVED if number > 50 else MessageState.SEEN)
        for number in range(1, 6001)
    ]
    first = make_message(51)
    unread = make_conversation("alice", last_entry=make_message(6000), unread=5950, first_unread=first.place)
    node.tell(events.ConversationChanged(unread))
    view = signed_in.chat.pane.view
    open_conversation(signed_in, qtbot, "alice")
    qtbot.waitUntil(lambda: first.entry in reported(node))
    at_first = reported(node)
    assert at_first == {make_message(number).entry for number in range(51, 51 + len(at_first))}
    assert len(at_first) < 40
    click(signed_in, qtbot, "conversation.jump")
    qtbot.waitUntil(lambda: make_message(6000).entry in reported(node))
    assert len(reported(node)) < 80, "what was jumped over is not read"
    rest = msgspec.structs.replace(unread, unread=5900, first_unread=make_message(70).place)
    node.tell(events.ConversationChanged(rest))
    above = part(signed_in, "conversation.unread_above", QAbstractButton)
    qtbot.waitUntil(lambda: above.text() == "5900 new")
    node.history[ALICE] = [
        make_message(number, state=MessageState.ARRIVED if number >= 70 else MessageState.SEEN)
        for number in range(1, 6001)
    ]
    click(signed_in, qtbot, "conversation.unread_above")
    qtbot.waitUntil(lambda: view.model().rowCount() > 0)
    qtbot.waitUntil(lambda: 70 in [view.model().message(row).arrival for row in view.visible_rows()])
    qtbot.waitUntil(above.isHidden)


def test_all_that_passes_by_at_the_end_of_the_list_is_read(
    qtbot, talking: MainWindow, node: ScriptedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talking.chat.pane, "isActiveWindow", lambda: True)
    qtbot.waitUntil(lambda: talking.chat.pane.view.follows)
    qtbot.wait(50)
    now = datetime.now(UTC)
    flood = [
        make_message(10 + number, state=MessageState.ARRIVED, written_at=now + timedelta(milliseconds=number))
        for number in range(600)
    ]
    for at in range(0, 600, 100):
        node.tell(*map(events.MessageArrived, flood[at : at + 100]))
        qtbot.wait(20)
    qtbot.waitUntil(lambda: len(reported(node)) == 600)
    assert all(len(entries) <= 500 for _, entries in node.asked("mark_read"))


def test_new_messages_are_dismissed_from_the_menu(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    menu = part(talking, "conversation.more", QToolButton).menu()
    next(action for action in menu.actions() if "Dismiss" in action.text()).trigger()
    qtbot.waitUntil(lambda: node.asked("dismiss_unread") == [(ALICE,)])


def test_a_message_in_an_inactive_window_is_not_read(
    qtbot, talking: MainWindow, node: ScriptedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talking.chat.pane, "isActiveWindow", lambda: False)
    arrive(node)
    qtbot.waitUntil(lambda: talking.chat.pane.view.model().rowCount() == 3)
    qtbot.wait(300)
    assert node.asked("mark_read") == []


def test_coming_back_to_the_window_reads_what_came_meanwhile(
    qtbot, qapp, talking: MainWindow, node: ScriptedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talking.chat.pane, "isActiveWindow", lambda: False)
    arrive(node)
    qtbot.waitUntil(lambda: talking.chat.pane.view.model().rowCount() == 3)
    qtbot.wait(300)
    monkeypatch.setattr(talking.chat.pane, "isActiveWindow", lambda: True)
    qapp.focusWindowChanged.emit(talking.windowHandle())
    qtbot.waitUntil(lambda: bool(node.asked("mark_read")))


def test_a_message_below_the_edge_is_not_read(
    qtbot, signed_in: MainWindow, node: ScriptedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_in.chat.pane, "isActiveWindow", lambda: True)
    node.history[ALICE] = [make_message(number) for number in range(1, 101)]
    open_conversation(signed_in, qtbot, "alice")
    qtbot.waitUntil(lambda: signed_in.chat.pane.view.model().rowCount() == 100)
    signed_in.chat.pane.view.scroll_by(-2000)
    arrive(node, 200)
    qtbot.waitUntil(lambda: part(signed_in, "conversation.jump", QAbstractButton).text() == "1 new")
    qtbot.wait(300)
    assert node.asked("mark_read") == []
    click(signed_in, qtbot, "conversation.jump")
    qtbot.waitUntil(lambda: bool(node.asked("mark_read")))


def test_unread_messages_are_counted_in_tab_and_title(qtbot, signed_in: MainWindow, node: ScriptedNode) -> None:
    node.tell(events.ConversationChanged(make_conversation("bob", unread=14, last_entry=make_message(9, user="bob"))))
    qtbot.waitUntil(lambda: signed_in.windowTitle() == "(14) Hail")
    assert part(signed_in, "main.tab.unread", QAbstractButton).text() == "Unread 14"
    click(signed_in, qtbot, "main.tab.unread")
    assert signed_in.chat.sidebar.list.model().rowCount() == 1
    click(signed_in, qtbot, "main.tab.all")
    assert signed_in.chat.sidebar.list.model().rowCount() == 2


# --- how we stand ----------------------------------------------------------------------------


def stand(node: ScriptedNode, **changes) -> None:
    can_write = changes.get("state", Consent.FRIENDS) is Consent.FRIENDS and not changes.get("blocked")
    node.people = [make_contact("alice", **changes)]
    last = make_message(2)
    node.tell(
        events.ContactChanged(node.people[0]),
        events.ConversationChanged(make_conversation("alice", last_entry=last, can_write=can_write)),
    )


@pytest.mark.parametrize(
    ("changes", "sentence", "button"),
    [
        ({"state": Consent.ASKED_BY_ME}, "as soon as they accept", None),
        ({"state": Consent.DECLINED}, "You can ask Alice again", "conversation.ask"),
        ({"state": Consent.REMOVED}, "no longer contacts", "conversation.ask"),
        ({"blocked": True}, "You blocked Alice", "conversation.unblock"),
    ],
)
def test_where_nothing_can_be_written_it_says_why_and_what_to_do(
    qtbot, talking: MainWindow, node: ScriptedNode, changes, sentence: str, button: str | None
) -> None:
    stand(node, **changes)
    qtbot.waitUntil(lambda: not talking.chat.pane.composer.isVisible())
    assert sentence in seen_text(talking, "conversation.notice.text")
    for name in ("conversation.ask", "conversation.unblock"):
        assert part(talking, name).isVisible() == (name == button)
    if button is not None:
        click(talking, qtbot, button)
        action = "ask" if button.endswith("ask") else "unblock"
        qtbot.waitUntil(lambda: bool(node.asked(action)))


@pytest.mark.parametrize("answer", ["accept", "decline", "block"])
def test_a_request_can_be_answered_on_its_card(qtbot, talking: MainWindow, node: ScriptedNode, answer: str) -> None:
    stand(node, state=Consent.ASKED_BY_THEM, note="It is me, from the library")
    qtbot.waitUntil(lambda: part(talking, "request.accept").isVisible())
    shown = [label.text() for label in talking.chat.pane.findChildren(QLabel) if label.isVisible()]
    assert "It is me, from the library" in shown
    click(talking, qtbot, f"request.{answer}")
    qtbot.waitUntil(lambda: node.asked(answer) == [("alice",)])


def test_a_new_device_waits_for_a_confirmation(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    strip = part(talking, "conversation.new_device")
    assert not strip.isVisible()
    stand(node, new_device=True)
    qtbot.waitUntil(strip.isVisible)
    click(talking, qtbot, "conversation.confirm_device")
    qtbot.waitUntil(lambda: not strip.isVisible())
    assert node.asked("confirm_device") == [("alice",)]


def test_the_header_says_how_they_can_be_reached(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    presence = talking.chat.pane.header._presence
    assert presence.whole() == "online · direct connection"
    gone = make_contact("alice", online=False, linked=False, since=datetime.now(UTC) - timedelta(days=400))
    node.tell(events.PresenceChanged(gone))
    qtbot.waitUntil(lambda: presence.whole().startswith("offline · last seen "))


# --- the session -----------------------------------------------------------------------------


def test_being_offline_is_said_and_taken_back(qtbot, signed_in: MainWindow, node: ScriptedNode) -> None:
    banner = part(signed_in, "main.banner")
    assert not banner.isVisible()
    node.tell(events.Disconnected(make_session(connected=False), RefusalCode.LOCATOR_UNREACHABLE, "gone"))
    qtbot.waitUntil(banner.isVisible)
    assert "Offline" in seen_text(signed_in, "main.banner.text")
    assert not part(signed_in, "main.use_here").isVisible()
    node.tell(events.Connected(make_session()))
    qtbot.waitUntil(lambda: not banner.isVisible())


def test_being_signed_in_elsewhere_can_be_ended_by_a_click(qtbot, signed_in: MainWindow, node: ScriptedNode) -> None:
    node.tell(events.Superseded(make_session(superseded=True)))
    qtbot.waitUntil(lambda: "another device" in seen_text(signed_in, "main.banner.text"))
    click(signed_in, qtbot, "main.use_here")
    qtbot.waitUntil(lambda: not part(signed_in, "main.banner").isVisible())
    assert node.asked("resume") == [()]


def test_a_device_that_is_taken_no_more_is_told_to_sign_in(qtbot, signed_in: MainWindow, node: ScriptedNode) -> None:
    session = make_session(connected=False, must_sign_in=True)
    node.tell(events.Disconnected(session, RefusalCode.UNKNOWN_DEVICE, "another password"))
    qtbot.waitUntil(lambda: "sign in again" in seen_text(signed_in, "main.banner.text"))


def test_a_warning_is_shown_for_a_moment(qtbot, signed_in: MainWindow, node: ScriptedNode) -> None:
    node.tell(events.Warned(RefusalCode.DISK_FULL, "The disk is full."))
    qtbot.waitUntil(lambda: signed_in.toast.text() == "The disk is full.")
    qtbot.mouseClick(signed_in.toast, Qt.MouseButton.LeftButton)
    assert signed_in.toast.text() == ""


def test_logging_out_leaves_nothing_behind(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    talking.chat.pane.composer.set_text("secret draft")
    talking._menu.log_out.emit()
    qtbot.waitUntil(talking.login.isVisible)
    assert node.asked("log_out") == [()]
    assert talking._state.conversations.rowCount() == talking._state.contacts.rowCount() == 0
    assert talking.chat.pane.composer.text() == ""
    assert talking.chat.pane.view.model() is None
    assert talking.chat.pane.drafts._kept == {}


def test_somebody_else_can_sign_in_afterwards(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    talking._menu.log_out.emit()
    qtbot.waitUntil(talking.login.isVisible)
    node.people, node.talks = [], []
    talking.login.signed_in.emit(make_session(name="Somebody Else"))
    qtbot.waitUntil(lambda: part(talking, "main.empty").isVisible())


def test_events_that_overtake_the_lists_count(qtbot, window: MainWindow, node: ScriptedNode) -> None:
    node.people = [make_contact("alice", online=False)]
    node.talks = [make_conversation("alice", unread=0)]
    window.login.signed_in.emit(make_session())
    window._state.take(
        [
            events.PresenceChanged(make_contact("alice", online=True)),
            events.ConversationChanged(make_conversation("alice", unread=3)),
        ]
    )
    qtbot.waitUntil(lambda: window._state._told_conversations is None)
    assert window._state.contacts.contact("alice").online
    assert window._state.conversations.unread == 3


# --- people ----------------------------------------------------------------------------------


def dialog(window: MainWindow, qtbot, name: str) -> QDialog:
    qtbot.waitUntil(lambda: any(each.isVisible() for each in window.findChildren(QDialog, name)))
    return next(each for each in window.findChildren(QDialog, name) if each.isVisible())


def test_somebody_is_added_by_their_id(qtbot, signed_in: MainWindow, node: ScriptedNode) -> None:
    click(signed_in, qtbot, "main.add_contact")
    asking = dialog(signed_in, qtbot, "add_contact")
    qtbot.keyClicks(part(asking, "add_contact.user", QLineEdit), " carol ")
    qtbot.keyClicks(part(asking, "add_contact.note", QLineEdit), "It is me")
    qtbot.keyClick(part(asking, "add_contact.note", QLineEdit), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "You asked Carol" in signed_in.toast.text())
    assert node.asked("ask") == [("carol", "It is me")]
    assert [contact.user for contact in signed_in._state.contacts.sent()] == ["carol"]


@pytest.mark.parametrize(
    "code", [RefusalCode.UNKNOWN_USER, RefusalCode.YOURSELF, RefusalCode.ALREADY_ASKED, RefusalCode.BAD_USER_ID]
)
def test_what_is_wrong_with_an_id_stands_below_it(
    qtbot, signed_in: MainWindow, node: ScriptedNode, code: RefusalCode
) -> None:
    node.refusals["ask"] = refuse(code)
    click(signed_in, qtbot, "main.add_contact")
    asking = dialog(signed_in, qtbot, "add_contact")
    qtbot.keyClicks(part(asking, "add_contact.user", QLineEdit), "who")
    click(asking, qtbot, "add_contact.submit")
    error = part(asking, "add_contact.user.error", QLabel)
    qtbot.waitUntil(error.isVisible)
    assert part(asking, "add_contact.submit").isEnabled()
    assert error.height() >= error.heightForWidth(error.width())
    asking.close()


def test_requests_are_counted_and_can_be_answered(qtbot, signed_in: MainWindow, node: ScriptedNode) -> None:
    asking = make_contact("carol", state=Consent.ASKED_BY_THEM, note="hello")
    node.people.append(asking)
    node.tell(events.ContactAsked(asking), events.ContactChanged(make_contact("dave", state=Consent.ASKED_BY_ME)))
    button = part(signed_in, "main.requests", QAbstractButton)
    qtbot.waitUntil(lambda: button.accessibleName() == "Contact requests, 1 waiting")
    assert signed_in.toast.text() == "Carol wants to be your contact."
    click(signed_in, qtbot, "main.requests")
    shown = dialog(signed_in, qtbot, "requests")
    click(shown, qtbot, "requests.accept.carol")
    qtbot.waitUntil(lambda: button.accessibleName() == "Contact requests")
    click(shown, qtbot, "requests.cancel.dave")
    qtbot.waitUntil(lambda: part(shown, "requests.empty").isVisible())
    assert node.asked("accept") == [("carol",)]
    assert node.asked("remove") == [("dave",)]
    shown.close()


# --- the window itself -------------------------------------------------------------------------


def test_a_narrow_window_shows_one_column(qtbot, talking: MainWindow) -> None:
    assert talking.chat.sidebar.isVisible()
    talking.resize(400, 500)
    qtbot.waitUntil(lambda: not talking.chat.sidebar.isVisible())
    assert talking.chat.pane.isVisible()
    click(talking, qtbot, "conversation.back")
    assert talking.chat.sidebar.isVisible()
    assert not talking.chat.pane.isVisible()
    talking.resize(1000, 600)
    qtbot.waitUntil(part(talking, "conversation.none").isVisible)


def test_the_smallest_window_holds_everything(qtbot, talking: MainWindow) -> None:
    talking.resize(360, 480)
    assert (talking.width(), talking.height()) == (360, 480)
    send = part(talking, "conversation.send")
    assert send.visibleRegion().boundingRect().size() == send.size()


def test_the_size_is_remembered(qtbot, window: MainWindow, theme, appearance, bridge, tmp_path) -> None:
    window.resize(700, 520)
    window.close()
    again = MainWindow(theme, bridge, WindowMemory(tmp_path), appearance)
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (700, 520)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"geometry": 5}', b'{"geometry": "%"}', b"\xff\xfe"])
def test_a_damaged_memory_is_no_trouble(tmp_path, content: bytes) -> None:
    (tmp_path / "window.json").write_bytes(content)
    assert WindowMemory(tmp_path).geometry() is None


def test_every_button_and_input_has_a_name(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.people += [
        make_contact("carol", state=Consent.ASKED_BY_THEM),
        make_contact("dave", state=Consent.ASKED_BY_ME),
    ]
    talking._state.contacts.fill(node.people)
    click(talking, qtbot, "main.requests")
    click(talking, qtbot, "main.add_contact")
    mute = []
    for each in talking.findChildren(QAbstractButton) + talking.findChildren(QLineEdit):
        # The parts of a spin box or a calendar that Qt itself adds carry qt_ names.
        if each.objectName().startswith("qt_"):
            continue
        words = getattr(each, "text", str)() if isinstance(each, QAbstractButton) else ""
        if not each.objectName() or not (each.accessibleName() or words):
            mute.append((type(each).__name__, each.objectName()))
    for each in talking.findChildren(QDialog):
        each.close()
    assert mute == []


# --- drafts --------------------------------------------------------------------------------------


def test_a_draft_is_kept_while_it_is_being_written(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    qtbot.keyClicks(talking.chat.pane.composer.input, "half a thou")
    qtbot.waitUntil(lambda: bool(node.asked("keep_draft")))
    assert node.asked("keep_draft")[-1][0] == ALICE


def test_a_draft_is_there_at_the_next_sign_in(qtbot, window: MainWindow, node: ScriptedNode) -> None:
    node.people, node.talks = [make_contact("alice")], [make_conversation("alice", draft="half a thought")]
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 1)
    rows = window.chat.sidebar.list.model()
    assert rows.index(0, 0).data(Role.DRAFT) == "Draft: half a thought"
    assert "Draft: half a thought" in rows.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    open_conversation(window, qtbot, "alice")
    assert window.chat.pane.composer.text() == "half a thought"


def test_closing_in_the_middle_of_a_word_keeps_it(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    qtbot.keyClicks(talking.chat.pane.composer.input, "ha")
    talking.close()
    qtbot.waitUntil(lambda: node.asked("keep_draft") == [(ALICE, "ha")])


def test_logging_out_keeps_the_draft_first(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    qtbot.keyClicks(talking.chat.pane.composer.input, "ha")
    talking._menu.log_out.emit()
    qtbot.waitUntil(talking.login.isVisible)
    names = [call[0] for call in node.questions]
    assert names.index("keep_draft") < names.index("log_out")
    assert node.asked("keep_draft") == [(ALICE, "ha")]


def test_what_was_sent_is_no_draft_any_more(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    composer = talking.chat.pane.composer
    qtbot.keyClicks(composer.input, "hello")
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: node.asked("keep_draft")[-1:] == [(ALICE, "")])


def test_a_draft_that_cannot_be_kept_is_said_and_stays(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["keep_draft"] = refuse(RefusalCode.DISK_FULL, "The disk is full.")
    qtbot.keyClicks(talking.chat.pane.composer.input, "half")
    qtbot.waitUntil(lambda: talking.toast.text() == "The disk is full.")
    assert talking.chat.pane.composer.text() == "half"
    open_conversation(talking, qtbot, "bob")
    open_conversation(talking, qtbot, "alice")
    assert talking.chat.pane.composer.text() == "half", "what the disk does not take, the window keeps"


def test_what_came_back_joins_the_draft_that_was_begun_meanwhile(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    pane = talking.chat.pane
    node.talks[0] = make_conversation("alice", last_entry=make_message(2), draft="second thought")
    node.tell(events.ConversationChanged(node.talks[0]))
    qtbot.waitUntil(lambda: talking._state.conversations.conversation(ALICE).draft == "second thought")
    open_conversation(talking, qtbot, "bob")
    pane.drafts.give_back(ALICE, "first")
    qtbot.waitUntil(lambda: (ALICE, "first\nsecond thought") in node.asked("keep_draft"))


def test_who_signs_out_through_the_socket_is_shown_no_more(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.tell(events.Disconnected(make_session(connected=False), RefusalCode.NOT_SIGNED_IN, "Signed out."))
    qtbot.waitUntil(talking.login.isVisible)
    assert talking._state.conversations.rowCount() == 0


def test_somebody_else_through_the_socket_does_not_see_the_first_ones_messages(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    node.talks, node.people = [], []
    node.here = make_session(user=UserId("mallory"), name="Mallory")
    node.tell(events.Connected(node.here))
    qtbot.waitUntil(lambda: talking._state.session is not None and talking._state.session.user == "mallory")
    qtbot.waitUntil(lambda: talking._state.conversations.rowCount() == 0)
    assert talking.chat.pane.conversation is None


# --- trust, and one's own account ------------------------------------------------------------------


def test_the_safety_number_is_shown_in_groups_and_taken(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    talking.chat.pane.header.safety_wanted.emit()
    dialog = part(talking, "safety", QDialog)
    qtbot.waitUntil(part(dialog, "safety.match").isEnabled)
    shown = [label.text() for label in part(dialog, "safety.number").findChildren(QLabel)]
    assert " ".join(shown) == SAFETY_NUMBER
    click(dialog, qtbot, "safety.match")
    qtbot.waitUntil(lambda: node.asked("verify") == [("alice", SAFETY_NUMBER)])
    qtbot.waitUntil(lambda: "verified" in seen_text(talking, "conversation.presence"))


def test_a_safety_number_that_differs_is_said_in_the_dialog(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["verify"] = refuse(RefusalCode.REFUSED, "These are not the same digits.")
    talking.chat.pane.header.safety_wanted.emit()
    dialog = part(talking, "safety", QDialog)
    qtbot.waitUntil(part(dialog, "safety.match").isEnabled)
    click(dialog, qtbot, "safety.match")
    qtbot.waitUntil(lambda: any("not the same" in label.text() for label in dialog.findChildren(QLabel)))


def test_a_new_device_is_named_and_confirmed_by_a_click(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    card = part(talking, "conversation.new_device")
    assert not card.isVisible()
    node.tell(events.ContactChanged(make_contact("alice", new_device=True)))
    qtbot.waitUntil(card.isVisible)
    assert any("Alice signed in on a new device" in label.text() for label in card.findChildren(QLabel))
    click(card, qtbot, "conversation.confirm_device")
    qtbot.waitUntil(lambda: node.asked("confirm_device") == [("alice",)])


def test_removing_a_contact_asks_once_more(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    talking.chat.pane.header.removal_wanted.emit()
    click(part(talking, "confirm", QDialog), qtbot, "confirm.no")
    assert node.asked("remove") == []
    qtbot.waitUntil(lambda: talking.findChild(QDialog, "confirm") is None)
    talking.chat.pane.header.removal_wanted.emit()
    click(part(talking, "confirm", QDialog), qtbot, "confirm.yes")
    qtbot.waitUntil(lambda: node.asked("remove") == [("alice",)])


@pytest.fixture
def password(talking: MainWindow, qtbot) -> QDialog:
    talking._menu.change_password.emit()
    dialog = part(talking, "password", QDialog)
    for name, words in (("old", "correct horse"), ("new", "battery staple"), ("repeat", "battery staple")):
        part(dialog, f"password.{name}", QLineEdit).setText(words)
    return dialog


def test_the_password_is_changed(qtbot, talking: MainWindow, node: ScriptedNode, password: QDialog) -> None:
    click(password, qtbot, "password.submit")
    qtbot.waitUntil(lambda: node.asked("change_password") == [("correct horse", "battery staple")])
    qtbot.waitUntil(lambda: talking.toast.text() == "Your password was changed.")


def test_a_new_password_that_was_mistyped_goes_nowhere(qtbot, node: ScriptedNode, password: QDialog) -> None:
    part(password, "password.repeat", QLineEdit).setText("battery stable")
    click(password, qtbot, "password.submit")
    assert seen_in(password, "password.repeat.error") == "This is not the same password."
    assert node.asked("change_password") == []


def test_a_wrong_old_password_is_said_beside_it(qtbot, node: ScriptedNode, password: QDialog) -> None:
    node.refusals["change_password"] = refuse(RefusalCode.WRONG_PASSWORD)
    click(password, qtbot, "password.submit")
    qtbot.waitUntil(lambda: seen_in(password, "password.old.error") == "This is not your password now.")
    assert part(password, "password.submit").isEnabled()


@pytest.fixture
def with_given_password(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    """Somebody signed in with a password that has to be changed."""
    qtbot.waitUntil(lambda: node.loop is not None)
    window.login.signed_in.emit(make_session(must_change_password=True))
    return window


def test_a_password_that_was_given_out_is_asked_to_be_changed_at_once(
    qtbot, with_given_password: MainWindow, node: ScriptedNode
) -> None:
    dialog = part(with_given_password, "password", QDialog)
    assert dialog.windowTitle() == "Choose your own password"
    assert "nobody sees you" in seen_text(with_given_password, "main.banner.text")
    assert with_given_password.chat.sidebar.own_line._presence.whole() == "offline · li.wei"
    for name, words in (("old", "given out"), ("new", "battery staple"), ("repeat", "battery staple")):
        part(dialog, f"password.{name}", QLineEdit).setText(words)
    click(dialog, qtbot, "password.submit")
    qtbot.waitUntil(lambda: node.asked("change_password") == [("given out", "battery staple")])
    node.tell(events.Connected(make_session()))
    qtbot.waitUntil(lambda: not part(with_given_password, "main.banner").isVisible())
    qtbot.waitUntil(lambda: with_given_password.findChild(QDialog, "password") is None)


def test_it_can_wait_and_the_window_says_why_nothing_else_works(
    qtbot, with_given_password: MainWindow, node: ScriptedNode
) -> None:
    click(part(with_given_password, "password", QDialog), qtbot, "password.cancel")
    qtbot.waitUntil(lambda: with_given_password.findChild(QDialog, "password") is None)
    node.tell(events.Connected(make_session(must_change_password=True)))
    qtbot.wait(50)
    assert with_given_password.findChild(QDialog, "password") is None, "asked once, not at every reconnect"
    click(with_given_password, qtbot, "main.choose_password")
    assert part(with_given_password, "password", QDialog).isVisible()


def test_when_a_script_changed_it_the_question_goes_away(
    qtbot, with_given_password: MainWindow, node: ScriptedNode
) -> None:
    node.tell(events.Connected(make_session()))
    qtbot.waitUntil(lambda: with_given_password.findChild(QDialog, "password") is None)


def test_the_given_password_again_is_no_new_one(qtbot, with_given_password: MainWindow, node: ScriptedNode) -> None:
    node.refusals["change_password"] = refuse(RefusalCode.WEAK_PASSWORD)
    dialog = part(with_given_password, "password", QDialog)
    for name in ("old", "new", "repeat"):
        part(dialog, f"password.{name}", QLineEdit).setText("given out")
    click(dialog, qtbot, "password.submit")
    qtbot.waitUntil(lambda: seen_in(dialog, "password.new.error") == "Choose another one than before.")


def seen_in(dialog: QDialog, name: str) -> str:
    label = part(dialog, name, QLabel)
    return label.text() if label.isVisible() else ""


def test_a_sign_in_through_the_socket_shows_in_the_window(qtbot, window: MainWindow, node: ScriptedNode) -> None:
    qtbot.waitUntil(lambda: node.loop is not None)
    node.here = make_session()
    node.tell(events.Connected(make_session()))
    qtbot.waitUntil(window.chat.isVisible)


def test_a_sign_in_on_the_card_is_shown_once(qtbot, window: MainWindow, node: ScriptedNode) -> None:
    qtbot.waitUntil(lambda: node.loop is not None)
    node.here = make_session()
    node.tell(events.Connected(make_session()))
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: bool(node.asked("contacts")))
    qtbot.wait(300)
    assert node.asked("contacts") == [()]


def test_the_new_device_card_is_whole_in_a_narrow_window(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    talking.resize(360, 600)
    node.tell(events.ContactChanged(make_contact("alice", new_device=True)))
    card = part(talking, "conversation.new_device")
    qtbot.waitUntil(card.isVisible)
    qtbot.wait(50)
    for label in card.findChildren(QLabel):
        if label.wordWrap():
            assert label.height() >= label.heightForWidth(label.width())
    for button in filter(QWidget.isVisible, card.findChildren(QAbstractButton)):
        assert button.width() >= button.minimumSizeHint().width()
        assert card.rect().contains(QRect(button.mapTo(card, QPoint()), button.size()))


# --- emoji -----------------------------------------------------------------------------------------


def test_an_emoji_goes_where_the_cursor_is(qtbot, talking: MainWindow) -> None:
    composer = talking.chat.pane.composer
    qtbot.keyClicks(composer.input, "ab")
    qtbot.keyClick(composer.input, Qt.Key.Key_Left)
    click(talking, qtbot, "conversation.emoji")
    search = part(talking, "emoji.search", QLineEdit)
    assert search.hasFocus()
    qtbot.keyClicks(search, "party pop")
    qtbot.keyClick(search, Qt.Key.Key_Return)
    assert composer.text() == "a🎉b"
    assert composer.input.hasFocus()


def test_the_emoji_picker_opens_and_closes_by_its_key_and_its_button(qtbot, talking: MainWindow) -> None:
    composer = talking.chat.pane.composer
    qtbot.keyClick(composer.input, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    picker = part(talking, "emoji")
    assert picker.isVisible()
    qtbot.keyClick(part(talking, "emoji.search"), Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert not picker.isVisible()
    assert composer.input.hasFocus()
    click(talking, qtbot, "conversation.emoji")
    assert picker.isVisible()
    open_conversation(talking, qtbot, "bob")
    assert not picker.isVisible()


# --- screenshots -----------------------------------------------------------------------------------


def test_a_screenshot_goes_into_the_tray(qtbot, talking: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = QPixmap(300, 200)
    picture.fill(QColor("orange"))
    frozen = FrozenScreen(QRect(0, 0, 300, 200), picture, QGuiApplication.primaryScreen())
    monkeypatch.setattr(screenshot, "freeze", lambda: [frozen])
    composer = talking.chat.pane.composer
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(composer.input, Qt.Key.Key_S, both)
    taking = talking.chat.pane._screenshot
    qtbot.waitUntil(lambda: len(taking._overlays) == 1)
    qtbot.keyClick(taking._overlays[0], Qt.Key.Key_Return)
    assert [item.is_picture for item in composer.tray.items] == [True]
    assert QImage(str(composer.tray.items[0].path)).size() == QSize(300, 200)
    assert part(talking, "conversation.send").isEnabled()


def test_a_narrow_composer_leaves_screenshots_to_the_menu(qtbot, talking: MainWindow) -> None:
    talking.resize(1000, 700)
    assert part(talking, "conversation.screenshot").isVisible()
    talking.resize(380, 640)
    assert not part(talking, "conversation.screenshot").isVisible()
    menu = part(talking, "conversation.attach", QToolButton).menu()
    assert "conversation.attach.screenshot" in [action.objectName() for action in menu.actions()]
