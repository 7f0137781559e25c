"""What the call that we are in asks of, and tells, the calls of the account."""

from typing import TYPE_CHECKING, Protocol

from peer.calls.sound import CallSound
from protocol.call_messages import CallPerson, CallWord
from protocol.identity import CallId, UserId

if TYPE_CHECKING:
    from peer.calls.engaged import EngagedCall


class CallHost(Protocol):
    """Who has the call."""

    def call_rings(self, engaged: "EngagedCall") -> None:
        """It rings at the other side."""

    def call_started(self, engaged: "EngagedCall") -> None:
        """The first voice was heard."""

    def person_heard(self, engaged: "EngagedCall", user: UserId) -> None:
        """Somebody's voice came for the first time."""

    def person_declined(self, engaged: "EngagedCall", user: UserId) -> None:
        """Somebody does not want to talk."""

    def call_changed(self) -> None:
        """Something else about it is not as it was."""

    def call_over(self, engaged: "EngagedCall", word: CallWord | None) -> None:
        """It ended, or goes on without us; `word` is what the other side said, if it was they."""

    def those_in(self, call: CallId) -> tuple[CallPerson, ...]:
        """Return who is in a group's call, as they told."""

    def make_sound(self, engaged: "EngagedCall") -> CallSound:
        """Begin the voice of a call."""
