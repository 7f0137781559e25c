"""The table of a call leads everywhere, and nowhere that it should not; two who follow it agree at the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.call_states import FIRST, NEXT, CallEvent, CallState, next_state

BEGUN = [state for state in CallState if state is not CallState.ENDED]


def after(state: CallState, events: list[CallEvent]) -> CallState:
    for event in events:
        state = next_state(state, event) or state
    return state


def reachable(*starts: CallState) -> set[CallState]:
    found, waiting = set(starts), list(starts)
    while waiting:
        state = waiting.pop()
        for (before, _), then in NEXT.items():
            if before is state and then not in found:
                found.add(then)
                waiting.append(then)
    return found


def test_every_state_can_come_to_be() -> None:
    assert reachable(*FIRST) == set(CallState)


@pytest.mark.parametrize("state", BEGUN)
def test_a_call_can_end_at_any_time(state: CallState) -> None:
    assert next_state(state, CallEvent.OVER) is CallState.ENDED


@pytest.mark.parametrize("event", CallEvent)
def test_what_ended_stays_ended(event: CallEvent) -> None:
    assert next_state(CallState.ENDED, event) is None


@pytest.mark.parametrize("state", [CallState.CALLING, CallState.RINGING, CallState.AVAILABLE])
def test_nobody_is_heard_before_there_was_an_answer(state: CallState) -> None:
    assert next_state(state, CallEvent.HEARD) is None


@pytest.mark.parametrize("state", [state for state in BEGUN if state is not CallState.AVAILABLE])
def test_a_call_of_a_group_can_be_left_at_any_time_and_joined_again(state: CallState) -> None:
    assert after(state, [CallEvent.LEFT, CallEvent.JOINED]) is CallState.CONNECTING


@given(st.sampled_from(FIRST), st.lists(st.sampled_from(CallEvent)))
def test_voices_pass_only_between_those_who_said_yes(start: CallState, events: list[CallEvent]) -> None:
    state, said_yes = start, False
    for event in events:
        said_yes |= event in (CallEvent.ANSWERED, CallEvent.JOINED)
        state = next_state(state, event) or state
        assert said_yes or state is not CallState.ACTIVE


@given(st.sampled_from(FIRST), st.lists(st.sampled_from(CallEvent)))
def test_whatever_happened_once_over_it_is_over(start: CallState, events: list[CallEvent]) -> None:
    assert after(start, [*events, CallEvent.OVER, *events]) is CallState.ENDED


# Of two people: what one does, and what the other is told by it.
TOLD = {CallEvent.ANSWERED: CallEvent.ANSWERED, CallEvent.RANG: CallEvent.RANG, CallEvent.OVER: CallEvent.OVER}


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([CallEvent.ANSWERED, CallEvent.OVER, CallEvent.HEARD, None]))))
def test_two_who_tell_each_other_what_they_did_agree_once_everything_has_arrived(
    steps: list[tuple[bool, CallEvent | None]],
) -> None:
    states = {True: CallState.CALLING, False: CallState.RINGING}
    under_way: dict[bool, list[CallEvent]] = {True: [CallEvent.RANG], False: []}

    def deliver(to: bool) -> None:
        if under_way[to]:
            states[to] = next_state(states[to], under_way[to].pop(0)) or states[to]

    for caller, event in steps:
        if event is None:
            deliver(caller)
        elif event is CallEvent.ANSWERED and (caller or states[False] is not CallState.RINGING):
            continue  # only who is rung answers
        elif (then := next_state(states[caller], event)) is not None:
            states[caller] = then
            if event in TOLD:
                under_way[not caller].append(TOLD[event])
    while under_way[True] or under_way[False]:
        deliver(True)
        deliver(False)
    is_over = {state is CallState.ENDED for state in states.values()}
    assert len(is_over) == 1, states
    if not is_over.pop():
        in_it = {CallState.CONNECTING, CallState.ACTIVE}
        assert {state in in_it for state in states.values()} in ({True}, {False}), states
