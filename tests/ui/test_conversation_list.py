import random

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from peer.views import Consent, MessageKind, MessageState, TypingView, UserId
from tests.ui.scripted_node import ME, conversation_id, make_contact, make_conversation, make_message
from ui.models.contact_book import ContactBook
from ui.models.conversation_list import ConversationListModel, UnreadFilter
from ui.models.roles import Role
from ui.models.typing_book import TypingBook


@pytest.fixture
def book(qapp) -> ContactBook:
    return ContactBook()


@pytest.fixture
def typing(qapp) -> TypingBook:
    return TypingBook()


@pytest.fixture
def model(book: ContactBook, typing: TypingBook) -> ConversationListModel:
    model = ConversationListModel(book, typing)
    model._tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    return model


def talk(user: str, number: int, **changes):
    return make_conversation(user, last_entry=make_message(number, user=user), **changes)


def titles(model) -> list[str]:
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_the_most_recent_stands_first(model: ConversationListModel) -> None:
    model.fill([talk("alice", 1), talk("bob", 3), talk("carol", 2), make_conversation("dave")])
    assert titles(model) == ["Bob", "Carol", "Alice", "Dave"]


def test_a_new_message_brings_its_row_to_the_top(model: ConversationListModel) -> None:
    model.fill([talk("alice", 1), talk("bob", 3), talk("carol", 2)])
    model.take(talk("alice", 4))
    assert titles(model) == ["Alice", "Bob", "Carol"]


def test_who_only_asked_is_not_listed(model: ConversationListModel) -> None:
    model.fill([make_conversation("alice", can_write=False)])
    model.take(make_conversation("bob", can_write=False))
    assert titles(model) == []


def test_a_row_goes_when_a_contact_without_a_word_is_no_contact_any_more(model: ConversationListModel) -> None:
    model.take(make_conversation("alice"))
    model.take(make_conversation("alice", can_write=False))
    assert titles(model) == []


def test_where_we_are_named_is_said(model: ConversationListModel) -> None:
    model.fill([talk("alice", 4, unread=2, names_me=True), talk("bob", 3, unread=1)])
    spoken = [model.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(2)]
    assert ["names you" in words for words in spoken] == [True, False]


def test_who_is_typing_stands_in_the_row(model: ConversationListModel, typing: TypingBook, qtbot) -> None:
    model.fill([talk("alice", 1)])
    with qtbot.waitSignal(model.dataChanged):
        typing.take(TypingView(conversation_id("alice"), UserId("alice"), "Alice"))
    assert model.index(0).data(Role.TYPING) == "Alice is typing…"
    assert model.index(0).data(Qt.ItemDataRole.AccessibleTextRole).endswith("Alice is typing…")
    typing.forget()
    assert model.index(0).data(Role.TYPING) == ""


def test_unread_messages_are_summed_up(model: ConversationListModel, qtbot) -> None:
    model.fill([talk("alice", 1, unread=2), talk("bob", 3)])
    with qtbot.waitSignal(model.unread_changed) as changed:
        model.take(talk("bob", 4, unread=3))
    assert changed.args == [5]
    assert model.unread == 5


def test_the_preview_says_who_wrote(model: ConversationListModel) -> None:
    mine = make_message(1, "two\nlines", mine=True)
    model.fill([make_conversation("alice", last_entry=mine), talk("bob", 2), make_conversation("carol")])
    previews = [model.index(row).data(Role.PREVIEW) for row in range(3)]
    assert previews == ["message 2", "You: two lines", "Not a contact"]


def test_what_i_deleted_does_not_say_twice_who_did(model: ConversationListModel) -> None:
    gone = make_message(1, "", mine=True, kind=MessageKind.DELETED, deleted_by=ME)
    model.fill([make_conversation("alice", last_entry=gone)])
    assert model.index(0).data(Role.PREVIEW) == "You deleted this message"


def test_without_a_word_the_preview_says_how_we_stand(model: ConversationListModel, book: ContactBook) -> None:
    model.fill([make_conversation("alice")])
    said = []
    for state in Consent:
        book.take(make_contact("alice", state=state))
        said.append(model.index(0).data(Role.PREVIEW))
    assert len(set(said)) == len(Consent)
    book.take(make_contact("alice", blocked=True))
    assert model.index(0).data(Role.PREVIEW) == "Blocked"


def test_a_delivery_turns_the_mark_of_the_row(model: ConversationListModel) -> None:
    message = make_message(1, mine=True)
    model.fill([make_conversation("alice", last_entry=message)])
    model.take_state(make_message(1, mine=True, state=MessageState.READ))
    assert model.conversation(conversation_id("alice")).last_entry.state is MessageState.READ


def test_a_screen_reader_hears_name_presence_unread_and_words(model: ConversationListModel) -> None:
    model.fill([talk("alice", 1, unread=2)])
    spoken = model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Alice, online, 2 unread, message 1"


def test_only_unread_ones_are_shown_on_demand(model: ConversationListModel) -> None:
    model.fill([talk("alice", 1, unread=2), talk("bob", 3), talk("carol", 2)])
    shown = UnreadFilter()
    shown.setSourceModel(model)
    tester = QAbstractItemModelTester(shown, QAbstractItemModelTester.FailureReportingMode.Fatal)
    shown.show_only_unread(only=True)
    assert titles(shown) == ["Alice"]
    shown.keep(conversation_id("bob"))
    assert titles(shown) == ["Bob", "Alice"]
    model.take(talk("alice", 1, unread=0))
    assert titles(shown) == ["Bob"]
    shown.show_only_unread(only=False)
    assert len(titles(shown)) == 3
    del tester


def test_any_order_of_changes_keeps_the_model_sound(model: ConversationListModel) -> None:
    chance = random.Random(3)
    for number in range(400):
        user = chance.choice(["alice", "bob", "carol", "dave", "erin"])
        last = make_message(chance.randrange(50), user=user) if chance.random() < 0.8 else None
        changed = make_conversation(user, last_entry=last, can_write=chance.random() < 0.8, unread=number % 4)
        model.take(changed)
    rows = [model.index(row).data(Role.VIEW) for row in range(model.rowCount())]
    stamps = [view.last_entry.written_at.timestamp() if view.last_entry else 0 for view in rows]
    assert stamps == sorted(stamps, reverse=True)
