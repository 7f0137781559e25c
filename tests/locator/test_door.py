import itertools

import pytest

from locator import limits
from locator.door import Door
from locator.running import most_connections

LONG_AGO = -limits.QUICK_LOGIN_SECONDS


@pytest.fixture
def door() -> Door[str]:
    return Door(most=3)


def test_while_there_is_room_everybody_comes_in(door):
    assert [door.enter(visitor, "here", 0.0) for visitor in "abc"] == [(None, None)] * 3
    assert len(door) == 3


def test_without_room_the_one_that_nobody_logged_in_on_for_longest_goes(door):
    for visitor in "abc":
        door.enter(visitor, visitor, 0.0)
    door.is_known("a")
    assert [door.enter(visitor, visitor, 1.0).goes for visitor in "de"] == ["b", "c"]
    assert len(door) == 3


def test_who_is_logged_in_never_goes(door):
    for visitor in "abc":
        door.enter(visitor, visitor, 0.0)
        door.is_known(visitor)
    assert door.enter("d", "d", 1.0).refused
    door.leave("b")
    assert not door.enter("d", "d", 1.0).refused


def test_who_logs_out_is_a_new_stranger(door):
    for visitor in "abc":
        door.enter(visitor, visitor, 0.0)
    door.is_known("a")
    door.is_stranger("a", 5.0)
    assert door.enter("d", "d", 6.0).goes == "b"
    assert door.overdue(5.0 + limits.BEFORE_LOGIN_SECONDS) == ["c"]
    assert door.overdue(5.1 + limits.BEFORE_LOGIN_SECONDS) == ["c", "a"]


def test_who_is_gone_is_not_counted_again(door):
    door.enter("a", "here", 0.0)
    door.leave("a")
    door.is_stranger("a", 1.0)
    door.is_known("a")
    door.leave("a")
    assert (len(door), door.overdue(1_000.0)) == (0, [])


def test_those_who_sit_make_room_for_newcomers_of_their_address():
    door = Door(most=limits.CONNECTIONS)
    for number in range(limits.STRANGERS_PER_ADDRESS):
        door.enter(number, "here", LONG_AGO)
    assert door.enter("newcomer", "here", 0.0) == (None, 0)
    assert door.enter("elsewhere", "elsewhere", 0.0) == (None, None)


def test_a_crowd_is_served_in_its_order():
    door = Door(most=limits.CONNECTIONS)
    for number in range(limits.STRANGERS_PER_ADDRESS):
        door.enter(number, "here", 0.0)
    assert door.enter("late", "here", 1.0).refused
    door.is_known(0)
    assert door.enter("late", "here", 1.0) == (None, None)


def test_10_000_devices_behind_one_address_come_back_at_once():
    door = Door(most=limits.CONNECTIONS)
    for device in range(10_000):
        assert door.enter(device, "here", 0.0) == (None, None)
        door.is_known(device)
    assert len(door) == 10_000


def test_who_connects_without_end_is_slowed_to_a_hundred_a_second():
    door = Door(most=limits.CONNECTIONS)
    let_in = 0
    for step in range(200_000):  # twenty seconds at ten thousand a second
        if door.enter(step, "here", step / 10_000).refused is None:
            door.leave(step)
            let_in += 1
    assert let_in == pytest.approx(limits.CONNECTIONS_PER_ADDRESS.at_once + 20 * 100, abs=2)


def test_no_flood_keeps_a_newcomer_out_or_throws_it_out_before_it_could_log_in():
    door, seconds = Door(most=1_000), itertools.count()
    for number in range(5_000):
        door.enter(number, f"address {number}", 0.0)
    assert door.enter("newcomer", "elsewhere", float(next(seconds))).refused is None
    gone = {door.enter(-number, f"address {number}", 1.0).goes for number in range(1, 1_000)}
    assert "newcomer" not in gone
    assert len(door) == 1_000


def test_what_the_door_keeps_is_gone_with_the_connections():
    door = Door(most=1_000)
    for number in range(50_000):
        door.enter(number, f"address {number}", 0.0)
    for number in range(50_000):
        door.leave(number)
    assert (len(door), len(door._strangers), len(door._strangers_of)) == (0, 0, 0)
    assert len(door._arrivals) <= limits.BUCKETS


@pytest.mark.parametrize(
    ("files", "connections"), [(1_048_576, limits.CONNECTIONS), (20_000, 15_936), (1_024, 512), (256, 128)]
)
def test_connections_leave_open_files_for_the_rest(files, connections):
    assert most_connections(files) == connections
