"""The table of transfer states leads everywhere, and nowhere that it should not."""

import pytest

from protocol.transfer_states import NEXT, UNDER_WAY, TransferEvent, TransferState, next_state


def reachable(start: TransferState) -> set[TransferState]:
    found, waiting = {start}, [start]
    while waiting:
        state = waiting.pop()
        for (before, _), after in NEXT.items():
            if before is state and after not in found:
                found.add(after)
                waiting.append(after)
    return found


@pytest.mark.parametrize("state", [state for state in TransferState if state is not TransferState.PREPARING])
def test_from_every_state_a_person_can_still_have_the_file(state: TransferState) -> None:
    assert TransferState.HERE in reachable(state)


def test_every_state_can_come_to_be() -> None:
    assert reachable(TransferState.PREPARING) | reachable(TransferState.OFFERED) == set(TransferState)


def test_only_what_was_loading_or_waiting_goes_on_by_itself() -> None:
    assert {TransferState.WAITING, TransferState.LOADING} == UNDER_WAY


def test_what_does_not_fit_changes_nothing() -> None:
    assert next_state(TransferState.HERE, TransferEvent.PAUSED) is None
    assert next_state(TransferState.DECLINED, TransferEvent.SOURCE_CAME) is None
