import threading
import time
from collections import deque

import pytest
import shiboken6
from PySide6.QtCore import QObject, QThread

from peer import events
from peer.errors import RefusalCode
from tests.ui.scripted_node import ScriptedNode, make_contact, make_message, refuse
from ui import peer_bridge
from ui.peer_bridge import PeerBridge


@pytest.fixture
def owner(qapp) -> QObject:
    return QObject()


@pytest.fixture
def woken(qtbot, bridge: PeerBridge, node: ScriptedNode, owner: QObject) -> list[list[events.Event]]:
    """The batches that come, with the node made."""
    batches: list[list[events.Event]] = []
    bridge.events_arrived.connect(batches.append)
    bridge.ask(owner, lambda node: node.contacts())
    qtbot.waitUntil(lambda: node.loop is not None)
    return batches


def arrived(number: int) -> events.Event:
    return events.MessageArrived(make_message(number))


def flat(batches: list[list[events.Event]]) -> list[int]:
    return [event.message.arrival for batch in batches for event in batch]


def test_an_answer_comes_on_the_qt_thread(qtbot, bridge: PeerBridge, node: ScriptedNode, owner: QObject) -> None:
    node.people = [make_contact()]
    answers = []
    bridge.ask(owner, lambda node: node.contacts(), lambda people: answers.append((people, threading.current_thread())))
    qtbot.waitUntil(lambda: bool(answers))
    assert answers == [([make_contact()], threading.main_thread())]


def test_the_node_lives_on_the_network_thread(qtbot, bridge: PeerBridge, node: ScriptedNode, owner: QObject) -> None:
    threads = []

    async def where(_node) -> str:
        return threading.current_thread().name

    bridge.ask(owner, where, threads.append)
    qtbot.waitUntil(lambda: bool(threads))
    assert threads == ["network"]


def test_a_refusal_comes_with_its_code(qtbot, bridge: PeerBridge, node: ScriptedNode, owner: QObject) -> None:
    node.refusals["contacts"] = refuse(RefusalCode.OFFLINE, "Nobody is there.")
    refusals = []
    bridge.ask(owner, lambda node: node.contacts(), None, lambda code, message: refusals.append((code, message)))
    qtbot.waitUntil(lambda: bool(refusals))
    assert refusals == [(RefusalCode.OFFLINE, "Nobody is there.")]


def test_a_refusal_nobody_waits_for_is_still_told(
    qtbot, bridge: PeerBridge, node: ScriptedNode, owner: QObject
) -> None:
    node.refusals["contacts"] = refuse(RefusalCode.OFFLINE, "Nobody is there.")
    with qtbot.waitSignal(bridge.refused) as told:
        bridge.ask(owner, lambda node: node.contacts())
    assert told.args == ["Nobody is there."]


def test_a_bug_in_the_node_is_logged_and_told_in_plain_words(
    qtbot, bridge: PeerBridge, node: ScriptedNode, owner: QObject, expected_log
) -> None:
    expected_log.append("the node failed")
    node.refusals["contacts"] = RuntimeError("secret detail")
    refusals = []
    bridge.ask(owner, lambda node: node.contacts(), None, lambda code, message: refusals.append((code, message)))
    qtbot.waitUntil(lambda: bool(refusals))
    (refusal,) = refusals
    assert refusal[0] is RefusalCode.REFUSED
    assert "secret" not in refusal[1]


def test_an_answer_for_somebody_who_is_gone_is_dropped(
    qtbot, bridge: PeerBridge, node: ScriptedNode, owner: QObject
) -> None:
    import shiboken6

    answers: list[object] = []
    gone = QObject()
    bridge.ask(gone, lambda node: node.contacts(), answers.append)
    shiboken6.delete(gone)
    with qtbot.waitSignal(bridge.refused):
        node.refusals["conversations"] = refuse(RefusalCode.OFFLINE)
        bridge.ask(owner, lambda node: node.conversations())
    assert answers == []


def test_events_keep_their_order_and_come_in_batches(
    qtbot, woken: list[list[events.Event]], node: ScriptedNode
) -> None:
    node.tell(*map(arrived, range(5000)))
    qtbot.waitUntil(lambda: len(flat(woken)) == 5000)
    assert flat(woken) == list(range(5000))
    assert len(woken) < 500
    assert max(map(len, woken)) <= peer_bridge.EVENTS_PER_SLICE


def test_an_event_told_before_an_answer_comes_before_it(
    qtbot, bridge: PeerBridge, woken: list[list[events.Event]], node: ScriptedNode, owner: QObject
) -> None:
    seen: list[int] = []

    async def tell_then_answer(node: ScriptedNode) -> None:
        node._tell((arrived(1),))

    bridge.ask(owner, tell_then_answer, lambda _nothing: seen.append(len(flat(woken))))
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [1]


def test_no_wake_up_is_lost(qtbot, woken: list[list[events.Event]], node: ScriptedNode) -> None:
    # Events come one by one while the screen drains: each lost wake-up would leave some of them lying.
    for number in range(2000):
        node.tell(arrived(number))
        if number % 7 == 0:
            qtbot.wait(0)
    qtbot.waitUntil(lambda: len(flat(woken)) == 2000)
    assert flat(woken) == list(range(2000))


class LateWriter(deque):
    """A deque into which somebody writes at the worst moment: after it was found empty for the last time."""

    def __init__(self, write, times: int) -> None:
        super().__init__()
        self.write = write
        self.left = times
        self.found_empty = 0

    def __bool__(self) -> bool:
        is_empty = len(self) == 0
        self.found_empty = self.found_empty + 1 if is_empty else 0
        # A slice ends, the loop ends, and nothing is left for a further round: three looks.
        if self.found_empty == 3 and self.left:
            self.left -= 1
            self.write(self.left)
        return not is_empty


def test_what_is_written_when_the_deque_was_just_found_empty_is_taken_too(
    qtbot, bridge: PeerBridge, woken: list[list[events.Event]]
) -> None:
    # Were the flag cleared after draining, the wake-up of these would be lost.
    bridge._deliveries = LateWriter(lambda left: bridge._deliver(arrived(left)), 6)
    bridge._deliver(arrived(6))
    qtbot.waitUntil(lambda: flat(woken) == [6, 5, 4, 3, 2, 1, 0])


def test_a_flood_leaves_time_to_paint(
    qtbot, bridge: PeerBridge, woken: list[list[events.Event]], node: ScriptedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_bridge, "EVENTS_PER_SLICE", 8)
    longest = 0.0
    took = bridge._take

    def timed() -> None:
        nonlocal longest
        began = time.monotonic()
        took()
        longest = max(longest, time.monotonic() - began)

    bridge._rest.timeout.disconnect()
    bridge._rest.timeout.connect(timed)
    # Each slice costs 1 ms, as a model and a view would.
    bridge.events_arrived.connect(lambda _batch: QThread.usleep(1000))
    node.tell(*map(arrived, range(800)))
    qtbot.waitUntil(lambda: len(flat(woken)) == 800)
    # The budget, one slice more, and a scheduler that is late on a busy machine.
    assert longest < peer_bridge.BUDGET_SECONDS + 0.030


def test_a_failing_listener_does_not_stop_the_flow(
    qtbot, bridge: PeerBridge, woken: list[list[events.Event]], node: ScriptedNode, owner: QObject
) -> None:
    def fail(_people: object) -> None:
        raise ValueError("a widget's bug")

    with qtbot.captureExceptions() as caught:
        bridge.ask(owner, lambda node: node.contacts(), fail)
        qtbot.waitUntil(lambda: bool(caught))
        node.tell(arrived(1))
        qtbot.waitUntil(lambda: flat(woken) == [1])
    assert [kind for kind, _value, _trace in caught] == [ValueError]


def test_closing_closes_the_node_and_the_thread(qapp, node: ScriptedNode, tmp_path, qtbot, owner: QObject) -> None:
    bridge = PeerBridge(lambda _profile: node, tmp_path)
    bridge.start()
    bridge.ask(owner, lambda node: node.contacts())
    qtbot.waitUntil(lambda: bool(node.questions))
    bridge.close()
    assert node.closed
    assert not bridge._thread._thread.is_alive()


def test_a_node_that_does_not_close_is_not_waited_for_long(
    qapp, node: ScriptedNode, tmp_path, qtbot, owner: QObject, monkeypatch: pytest.MonkeyPatch, expected_log
) -> None:
    async def hang() -> None:
        import asyncio

        await asyncio.sleep(3600)

    expected_log.append("did not close within 0.1 s")
    monkeypatch.setattr(peer_bridge, "CLOSE_SECONDS", 0.1)
    monkeypatch.setattr(node, "close", hang, raising=False)
    bridge = PeerBridge(lambda _profile: node, tmp_path)
    bridge.start()
    bridge.ask(owner, lambda node: node.contacts())
    qtbot.waitUntil(lambda: bool(node.questions))
    began = time.monotonic()
    bridge.close()
    assert time.monotonic() - began < 3


def test_a_wake_up_leaves_what_waits_for_the_next_paint_to_its_turn(bridge: PeerBridge, qtbot) -> None:
    told: list[events.Event] = []
    bridge.events_arrived.connect(told.extend)
    bridge._deliveries.append(arrived(1))
    bridge._rest.start()
    bridge._take()
    assert told == []
    qtbot.waitUntil(lambda: bool(told))


def test_work_runs_on_another_thread_and_its_answer_comes_here(qtbot, bridge: PeerBridge) -> None:
    owner = QObject()
    ran: list[int] = []
    told: list[tuple[object, int]] = []
    for number in range(20):
        bridge.compute(
            owner,
            lambda number=number: ran.append(threading.get_ident()) or number,
            lambda answer: told.append((answer, threading.get_ident())),
        )
    qtbot.waitUntil(lambda: len(told) == 20)
    assert sorted(answer for answer, _ in told) == list(range(20))
    assert {thread for _, thread in told} == {threading.get_ident()}
    assert threading.get_ident() not in ran


def test_work_of_which_nobody_wants_the_answer_any_more_is_dropped(qtbot, bridge: PeerBridge) -> None:
    owner, gate = QObject(), threading.Event()
    told: list[object] = []
    bridge.compute(owner, lambda: gate.wait(5), told.append)
    shiboken6.delete(owner)
    gate.set()
    other = QObject()
    bridge.compute(other, lambda: "other", told.append)
    qtbot.waitUntil(lambda: told == ["other"])
