import asyncio
import random
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from peer.errors import RefusalCode
from peer.views import MessageState, MessageView
from tests.ui.scripted_node import START, ScriptedNode, conversation_id, make_message, refuse
from ui.models.message_list import MOST_ROWS, PAGE_ROWS, MessageListModel
from ui.peer_bridge import PeerBridge

ALICE = conversation_id("alice")


@pytest.fixture
def model(bridge: PeerBridge) -> MessageListModel:
    model = MessageListModel(bridge, ALICE)
    model._tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    return model


@pytest.fixture
def loaded(model: MessageListModel, node: ScriptedNode, qtbot) -> MessageListModel:
    """With messages 1 to 300, of which the first 44 were not fetched yet."""
    node.history[ALICE] = [make_message(number) for number in range(1, 301)]
    with qtbot.waitSignal(model.loaded):
        model.load()
    return model


def numbers(model: MessageListModel) -> list[int]:
    return [model.message(row).arrival for row in range(model.rowCount())]


def test_the_newest_page_comes_first(loaded: MessageListModel) -> None:
    assert numbers(loaded) == list(range(300 - PAGE_ROWS + 1, 301))
    assert loaded.has_older


def test_older_pages_come_on_demand_until_there_are_no_more(
    loaded: MessageListModel, node: ScriptedNode, qtbot
) -> None:
    with qtbot.waitSignal(loaded.rowsInserted) as inserted:
        loaded.load_older()
        loaded.load_older()
    assert inserted.args[1:] == [0, 43]
    assert numbers(loaded) == list(range(1, 301))
    assert not loaded.has_older
    assert len(node.asked("page")) == 2
    loaded.load_older()
    assert len(node.asked("page")) == 2


def test_new_messages_are_appended_at_once(loaded: MessageListModel, qtbot) -> None:
    with qtbot.waitSignals([loaded.rowsInserted]) as _:
        loaded.take([make_message(number) for number in range(301, 401)])
    assert numbers(loaded)[-100:] == list(range(301, 401))


def test_a_message_told_twice_stands_once(loaded: MessageListModel) -> None:
    loaded.take([make_message(301), make_message(301)])
    loaded.take([make_message(301)])
    assert numbers(loaded).count(301) == 1


def test_a_late_message_takes_its_place_by_time(loaded: MessageListModel) -> None:
    late = make_message(999, written_at=START + timedelta(minutes=250, seconds=30))
    loaded.take([late])
    row = numbers(loaded).index(999)
    assert numbers(loaded)[row - 1 : row + 2] == [250, 999, 251]


def test_a_message_older_than_what_was_fetched_waits_for_its_page(loaded: MessageListModel) -> None:
    loaded.take([make_message(999, written_at=START)])
    assert 999 not in numbers(loaded)


def test_a_state_changes_in_place(loaded: MessageListModel, qtbot) -> None:
    loaded.take([make_message(301, mine=True)])
    with qtbot.waitSignal(loaded.dataChanged):
        loaded.take([make_message(301, mine=True, state=MessageState.DELIVERED)])
    assert loaded.message(loaded.rowCount() - 1).state is MessageState.DELIVERED
    assert numbers(loaded).count(301) == 1


def test_what_is_told_while_the_page_is_on_its_way_is_not_lost(
    model: MessageListModel, node: ScriptedNode, bridge: PeerBridge, qtbot
) -> None:
    node.history[ALICE] = [make_message(1, mine=True), make_message(2)]
    node.gate = asyncio.Event()
    model.load()
    qtbot.waitUntil(lambda: bool(node.asked("page")))
    model.take([make_message(1, mine=True, state=MessageState.READ), make_message(3)])
    with qtbot.waitSignal(model.loaded):
        node.loop.call_soon_threadsafe(node.gate.set)
    assert numbers(model) == [1, 2, 3]
    assert model.message(0).state is MessageState.READ


def test_a_page_that_could_not_be_fetched_is_told_and_can_be_fetched_again(
    model: MessageListModel, node: ScriptedNode, bridge: PeerBridge, qtbot
) -> None:
    node.refusals["page"] = refuse(RefusalCode.DAMAGED_DATABASE, "The file is damaged.")
    with qtbot.waitSignal(bridge.refused) as told:
        model.load()
    assert told.args == ["The file is damaged."]
    node.refusals.clear()
    with qtbot.waitSignal(model.loaded):
        model.load()


def test_messages_are_grouped_by_sender_and_ten_minutes(model: MessageListModel, node: ScriptedNode, qtbot) -> None:
    def at(number: int, minutes: float, *, mine: bool = False):
        return make_message(number, mine=mine, written_at=START + timedelta(minutes=minutes))

    node.history[ALICE] = [at(1, 0), at(2, 10), at(3, 20.1), at(4, 21, mine=True), at(5, 22, mine=True), at(6, 60 * 24)]
    with qtbot.waitSignal(model.loaded):
        model.load()
    placements = [model.placement(row) for row in range(6)]
    assert [each.starts_group for each in placements] == [True, False, True, True, False, True]
    assert [each.ends_group for each in placements] == [False, True, True, False, True, True]
    assert [each.starts_day for each in placements] == [True, False, False, False, False, True]


def test_new_messages_begin_at_the_first_unread_one(model: MessageListModel, node: ScriptedNode, qtbot) -> None:
    arrived = MessageState.ARRIVED
    node.history[ALICE] = [
        make_message(1),
        make_message(2),
        make_message(3, state=arrived),
        make_message(4, state=arrived),
    ]
    with qtbot.waitSignal(model.loaded):
        model.load()
    assert model.first_unread_row() == 2
    assert model.placement(2).starts_unread
    model.open_at(make_message(4).place)
    assert model.first_unread_row() == 3
    model.open_at(None)
    assert model.first_unread_row() == -1


def test_a_screen_reader_hears_sender_time_text_and_state(model: MessageListModel, node: ScriptedNode, qtbot) -> None:
    node.history[ALICE] = [make_message(1, "hi"), make_message(2, "yes?", mine=True, state=MessageState.DELIVERED)]
    with qtbot.waitSignal(model.loaded):
        model.load()
    spoken = [model.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(2)]
    clock = [(START + timedelta(minutes=number)).astimezone().strftime("%H:%M") for number in (1, 2)]
    assert spoken == [f"Alice, {clock[0]}: hi", f"You, {clock[1]}: yes?, delivered"]


def test_any_order_of_changes_keeps_the_model_sound(loaded: MessageListModel) -> None:
    chance = random.Random(11)
    for _ in range(50):
        some = [
            make_message(
                number,
                mine=number % 2 == 0,
                written_at=START + timedelta(minutes=number + chance.choice([0, 0, 0, 3.5])),
            )
            for number in (chance.randrange(200, 400) for _ in range(chance.randrange(1, 6)))
        ]
        loaded.take(some)
    places = [(loaded.message(row).written_at, loaded.message(row).arrival) for row in range(loaded.rowCount())]
    assert places == sorted(places)
    assert len({arrival for _time, arrival in places}) == len(places)


# --- one stretch of a long conversation ----------------------------------------------------------


@pytest.fixture
def long(model: MessageListModel, node: ScriptedNode, qtbot) -> MessageListModel:
    """With the first 4,000 of 6,000 messages let go again or never fetched, and read from the oldest that is here."""
    node.history[ALICE] = [make_message(number) for number in range(1, 6001)]
    with qtbot.waitSignal(model.loaded):
        model.load()
    while model.rowCount() <= MOST_ROWS:
        with qtbot.waitSignal(model.rowsInserted):
            model.load_older()
    model.let_go(0, 20)
    return model


def is_without_gaps(model: MessageListModel) -> bool:
    here = numbers(model)
    return here == list(range(here[0], here[0] + len(here)))


def load_newer_to_the_end(model: MessageListModel, qtbot) -> None:
    while model.has_newer:
        with qtbot.waitSignal(model.rowsInserted, raising=False, timeout=200):
            model.load_newer()
        assert is_without_gaps(model)


def test_what_is_far_below_is_let_go_and_comes_again(long: MessageListModel, qtbot) -> None:
    assert long.has_newer
    assert long.rowCount() < 600
    first = numbers(long)[0]
    load_newer_to_the_end(long, qtbot)
    assert numbers(long) == list(range(first, 6001))


def test_what_is_far_above_is_let_go_and_comes_again(long: MessageListModel, qtbot) -> None:
    load_newer_to_the_end(long, qtbot)
    long.let_go(long.rowCount() - 10, long.rowCount() - 1)
    assert long.rowCount() < 600
    assert long.has_older
    assert not long.has_newer
    with qtbot.waitSignal(long.rowsInserted):
        long.load_older()
    assert is_without_gaps(long)
    assert numbers(long)[-1] == 6000


def test_what_came_meanwhile_is_found_however_much_it_is(long: MessageListModel, node: ScriptedNode, qtbot) -> None:
    came: list[int] = []
    long.came_at_end.connect(came.append)
    fresh = [make_message(number) for number in range(6001, 7001)]
    node.history[ALICE] += fresh
    for at in range(0, 1000, 64):
        long.take(fresh[at : at + 64])
    assert sum(came) == 1000
    assert numbers(long)[-1] < 6000
    first = numbers(long)[0]
    load_newer_to_the_end(long, qtbot)
    assert numbers(long) == list(range(first, 7001))


def test_a_new_state_of_what_was_let_go_is_no_new_message(long: MessageListModel) -> None:
    came: list[int] = []
    long.came_at_end.connect(came.append)
    long.take([make_message(5999, state=MessageState.ARRIVED)])
    assert sum(came) == 0
    assert 5999 not in numbers(long)


def test_the_newest_are_reached_at_once_from_anywhere(long: MessageListModel, node: ScriptedNode, qtbot) -> None:
    with qtbot.waitSignal(long.modelReset):
        long.load_newest()
    assert numbers(long) == list(range(6000 - PAGE_ROWS + 1, 6001))
    assert not long.has_newer


def test_the_newest_are_reached_while_another_page_is_on_its_way(long: MessageListModel, qtbot) -> None:
    long.load_older()
    long.load_newest()
    with qtbot.waitSignal(long.modelReset):
        pass
    assert numbers(long)[-1] == 6000


def test_what_is_told_while_the_newest_are_on_their_way_is_not_lost(
    long: MessageListModel, node: ScriptedNode, qtbot
) -> None:
    node.gate = asyncio.Event()
    long.load_newest()
    long.take([make_message(6001)])
    with qtbot.waitSignal(long.modelReset):
        node.loop.call_soon_threadsafe(node.gate.set)
    assert numbers(long)[-2:] == [6000, 6001]


def test_what_is_selected_stays(long: MessageListModel, qtbot) -> None:
    load_newer_to_the_end(long, qtbot)
    first = long.message(100)
    long.let_go(long.rowCount() - 10, long.rowCount() - 1, (first.place, long.message(120).place))
    assert first.arrival in numbers(long)


def test_a_conversation_nobody_looks_at_keeps_one_page_at_most(long: MessageListModel, qtbot) -> None:
    long.load_older()
    long.rest()
    assert (long.rowCount(), long.is_loaded) == (0, False)
    with qtbot.waitSignal(long.loaded):
        long.load()
    assert numbers(long)[-1] == 6000
    while long.rowCount() < 1000:
        with qtbot.waitSignal(long.rowsInserted):
            long.load_older()
    long.rest()
    assert numbers(long) == list(range(6000 - PAGE_ROWS + 1, 6001))
    assert long.has_older


def unread_from(first: int, last: int) -> list[MessageView]:
    states = {True: MessageState.ARRIVED, False: MessageState.SEEN}
    return [make_message(number, state=states[number >= first]) for number in range(1, last + 1)]


def test_however_much_is_unread_the_first_of_it_is_where_one_begins(
    model: MessageListModel, node: ScriptedNode, qtbot
) -> None:
    node.history[ALICE] = unread_from(1301, 9000)
    with qtbot.waitSignal(model.loaded):
        model.load()
    assert model.message(model.first_unread_row()).arrival == 1301
    assert model.rowCount() <= PAGE_ROWS
    assert model.has_older
    assert model.has_newer
    load_newer_to_the_end(model, qtbot)
    assert numbers(model)[-1] == 9000


def test_coming_back_to_more_unread_than_is_kept_begins_at_the_first_again(
    model: MessageListModel, node: ScriptedNode, qtbot
) -> None:
    node.history[ALICE] = [make_message(number) for number in range(1, 301)]
    with qtbot.waitSignal(model.loaded):
        model.load()
    model.rest()
    for first in range(301, 3001, 100):
        fresh = [make_message(number, state=MessageState.ARRIVED) for number in range(first, first + 100)]
        node.history[ALICE] += fresh
        model.take(fresh)
    assert model.rowCount() <= 2 * PAGE_ROWS, "nobody looks: it does not grow"
    with qtbot.waitSignal(model.loaded):
        model.open_at(make_message(301).place)
    assert model.message(model.first_unread_row()).arrival == 301
    assert is_without_gaps(model)


def test_any_way_through_a_long_conversation_leaves_no_gap(model: MessageListModel, node: ScriptedNode, qtbot) -> None:
    node.history[ALICE] = [make_message(number) for number in range(1, 3001)]
    with qtbot.waitSignal(model.loaded):
        model.load()
    chance = random.Random(7)
    for _ in range(120):
        match chance.randrange(6):
            case 0:
                fresh = [
                    make_message(len(node.history[ALICE]) + 1 + number) for number in range(chance.choice([1, 300]))
                ]
                node.history[ALICE] += fresh
                model.take(fresh)
            case 1:
                model.load_newest()
            case 2:
                at = chance.randrange(max(1, model.rowCount()))
                model.let_go(at, at)
            case 3:
                model.load_newer()
            case _:
                model.load_older()
        qtbot.waitUntil(lambda: not model._is_loading)
        assert is_without_gaps(model)
        assert model.has_newer or numbers(model)[-1] == len(node.history[ALICE])
        assert model.has_older or numbers(model)[0] == 1


@pytest.mark.parametrize("how", ["rests", "lets go"])
def test_a_page_that_comes_too_late_leaves_no_gap(long: MessageListModel, qtbot, how: str) -> None:
    if how == "rests":
        load_newer_to_the_end(long, qtbot)
    while long.rowCount() <= MOST_ROWS:
        rows = long.rowCount()
        long.load_older()
        qtbot.waitUntil(lambda rows=rows: long.rowCount() > rows)
    long.load_older()
    if how == "rests":
        long.rest()
    else:
        long.let_go(long.rowCount() - 1, long.rowCount() - 1)
    qtbot.waitUntil(lambda: not long._is_loading)
    assert is_without_gaps(long)
    assert long.has_older
