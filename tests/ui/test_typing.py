"""Who is writing: shown in its own line, forgotten by itself; and that others are told of us, now and then."""

import pytest

from peer import events
from peer.views import TypingView, UserId
from tests.ui.scripted_node import ScriptedNode, conversation_id, make_conversation, make_session
from ui.conversation import writing
from ui.main_window.window import MainWindow
from ui.models import typing_book
from ui.models.typing_book import TypingBook
from ui.translations import people

ALICE = conversation_id("alice")


def typing(user: str = "alice", where=ALICE, *, writing: bool = True) -> TypingView:
    return TypingView(where, UserId(user), user.title(), writing)


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    node.talks = [make_conversation("alice", draft="a thought"), make_conversation("bob")]
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    window.chat.open(window._state.conversations.conversation(ALICE))
    return window


def line(window: MainWindow) -> str:
    return window.chat.pane.composer.typing.whole()


def test_who_writes_is_shown_until_told_that_they_stopped_and_nothing_moves(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    before = talking.chat.pane.view.geometry()
    node.tell(events.Typing(typing()), events.Typing(typing("bob", conversation_id("bob"))))
    qtbot.waitUntil(lambda: line(talking) == "Alice is typing…")
    assert talking.chat.pane.view.geometry() == before
    node.tell(events.Typing(typing(writing=False)))
    qtbot.waitUntil(lambda: line(talking) == "")
    talking.chat.open(talking._state.conversations.with_user("bob"))
    assert line(talking) == "Bob is typing…"


def test_who_is_not_told_of_again_has_stopped(qtbot, monkeypatch: pytest.MonkeyPatch) -> None:
    assert typing_book.EXPIRES_MS == 6_000
    monkeypatch.setattr(typing_book, "EXPIRES_MS", 50)
    book = TypingBook()
    with qtbot.waitSignal(book.changed):
        book.take(typing())
    assert book.names(ALICE) == ("Alice",)
    with qtbot.assertNotEmitted(book.changed, wait=20):
        book.take(typing())
    with qtbot.waitSignal(book.changed):
        pass
    assert book.names(ALICE) == ()


def test_a_crowd_is_told_in_one_line_and_a_flood_of_names_is_bounded() -> None:
    book = TypingBook()
    for number in range(1_000):
        book.take(typing(f"user{number}"))
    assert len(book.names(ALICE)) == 200
    assert people.typing(("Alice", "Bob")) == "Alice and Bob are typing…"
    assert people.typing(book.names(ALICE)) == "User0 and 199 others are typing…"
    book.forget()
    assert book.names(ALICE) == ()


def test_others_are_told_when_somebody_types_and_not_of_a_draft(
    qtbot, talking: MainWindow, node: ScriptedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert writing.TYPING_TOLD_MS == 3_000
    field = talking.chat.pane.composer.input
    assert field.toPlainText() == "a thought"
    qtbot.keyClicks(field, " of mine")
    qtbot.waitUntil(lambda: bool(node.asked("typing")))
    field.clear()
    qtbot.wait(20)
    assert node.asked("typing") == [(ALICE,)]
    monkeypatch.setattr(writing, "TYPING_TOLD_MS", 0)
    qtbot.keyClicks(field, "no")
    qtbot.waitUntil(lambda: node.asked("typing") == [(ALICE,)] * 3)


def test_another_conversation_is_told_at_once(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    qtbot.keyClicks(talking.chat.pane.composer.input, "x")
    talking.chat.open(talking._state.conversations.with_user("bob"))
    qtbot.keyClicks(talking.chat.pane.composer.input, "x")
    qtbot.waitUntil(lambda: node.asked("typing") == [(ALICE,), (conversation_id("bob"),)])
