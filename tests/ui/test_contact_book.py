import random
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from peer.views import Consent
from tests.ui.scripted_node import START, make_contact
from ui.models.contact_book import ContactBook


@pytest.fixture
def book(qapp) -> ContactBook:
    book = ContactBook()
    book._tester = QAbstractItemModelTester(book, QAbstractItemModelTester.FailureReportingMode.Fatal)
    return book


def names(book: ContactBook) -> list[str]:
    return [book.index(row).data() for row in range(book.rowCount())]


def test_people_are_sorted_by_name(book: ContactBook) -> None:
    book.fill([make_contact("bob", "bob"), make_contact("a", "Alice"), make_contact("z", "陈")])
    assert names(book) == ["Alice", "bob", "陈"]


def test_a_new_name_moves_the_row(book: ContactBook, qtbot) -> None:
    book.fill([make_contact("a", "Alice"), make_contact("b", "Bob")])
    with qtbot.waitSignal(book.person_changed) as changed:
        book.take(make_contact("a", "Zoë"))
    assert changed.args == ["a"]
    assert names(book) == ["Bob", "Zoë"]


def test_the_same_again_changes_nothing(book: ContactBook, qtbot) -> None:
    book.take(make_contact("a"))
    with qtbot.assertNotEmitted(book.person_changed):
        book.take(make_contact("a"))


def test_requests_are_found_the_newest_first(book: ContactBook) -> None:
    asking, asked = Consent.ASKED_BY_THEM, Consent.ASKED_BY_ME
    book.fill(
        [
            make_contact("old", state=asking, asked_at=START),
            make_contact("new", state=asking, asked_at=START + timedelta(hours=1)),
            make_contact("pest", state=asking, blocked=True),
            make_contact("mine", state=asked),
            make_contact("friend"),
        ]
    )
    assert [contact.user for contact in book.received()] == ["new", "old"]
    assert [contact.user for contact in book.sent()] == ["mine"]


def test_a_screen_reader_hears_the_presence(book: ContactBook) -> None:
    book.take(make_contact("a", "Alice", online=True, linked=True))
    assert book.index(0).data(Qt.ItemDataRole.AccessibleTextRole) == "Alice, online · direct connection"


def test_any_order_of_changes_keeps_the_model_sound(book: ContactBook) -> None:
    chance = random.Random(7)
    for _ in range(300):
        book.take(make_contact(chance.choice("abcdefgh"), chance.choice(["Ann", "bob", "Cy", "dee"])))
    assert names(book) == sorted(names(book), key=str.casefold)
    assert book.rowCount() == 8
