import asyncio
import random
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from peer.errors import RefusalCode
from peer.views import MessageState
from tests.ui.scripted_node import START, ScriptedNode, conversation_id, make_message, refuse
from ui.models.message_list import PAGE_ROWS, MessageListModel
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
    assert len(node.asked("messages")) == 2
    loaded.load_older()
    assert len(node.asked("messages")) == 2


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
    qtbot.waitUntil(lambda: bool(node.asked("messages")))
    model.take([make_message(1, mine=True, state=MessageState.READ), make_message(3)])
    with qtbot.waitSignal(model.loaded):
        node.loop.call_soon_threadsafe(node.gate.set)
    assert numbers(model) == [1, 2, 3]
    assert model.message(0).state is MessageState.READ


def test_a_page_that_could_not_be_fetched_is_told_and_can_be_fetched_again(
    model: MessageListModel, node: ScriptedNode, bridge: PeerBridge, qtbot
) -> None:
    node.refusals["messages"] = refuse(RefusalCode.DAMAGED_DATABASE, "The file is damaged.")
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
    model.open_at_unread(1)
    assert model.first_unread_row() == 3
    model.open_at_unread(0)
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
