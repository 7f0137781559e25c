"""What a call and each person in it have in common: a state of the table, and when it began."""

from protocol.call_states import CallEvent, CallState, next_state


class Standing:
    """Goes from state to state as the table says."""

    state: CallState
    since: float
    """When it came to be in this state, in s by the loop's clock."""

    def happen(self, event: CallEvent, now: float) -> bool:
        """Take in what happened; return whether that fits."""
        after = next_state(self.state, event)
        if after is None:
            return False
        self.state, self.since = after, now
        return True
