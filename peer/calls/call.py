"""One call as it stands on this device: a value that changes, without links, clock or voice."""

from collections.abc import Callable, Iterator
from datetime import datetime

from peer.call_views import CallView
from peer.calls.limits import CALL_TICK_SECONDS
from peer.calls.person import Person
from peer.calls.standing import Standing
from peer.entries.conversation import Conversation
from protocol.call_messages import CallPerson
from protocol.call_states import CallEnd, CallState
from protocol.identity import CallId, DeviceId, UserId
from protocol.limits import CALL_RING_SECONDS


class Call(Standing):
    """A call that we are in, that we ring for, or that rings here."""

    def __init__(
        self,
        call: CallId,
        conversation: Conversation,
        state: CallState,
        *,
        rang_by: UserId | None,
        now: float,
        rang_at: datetime,
    ) -> None:
        """`rang_by` is None if we rang; `now` in s, monotonic."""
        self.id = call
        """Its name on this device, from the beginning to the end."""
        self.wire = call
        """Its name among all: another one, if it became one with a call that somebody else began at the same time."""
        self.former: set[CallId] = set()
        self.conversation = conversation
        self.state = state
        self.rang_by = rang_by
        self.began = now
        """When it began to ring, as far as is known."""
        self.since = now
        self.rang_at = rang_at
        self.started_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.reason: CallEnd | None = None
        self.message = ""
        self.is_muted = False
        self.has_microphone = self.has_speaker = True
        self.sound_notice = ""
        self.people: dict[UserId, Person] = {}

    @property
    def is_group(self) -> bool:
        """Whether more than two may be in it."""
        return self.conversation.group is not None

    @property
    def we_rang(self) -> bool:
        """Whether it was begun here."""
        return self.rang_by is None

    @property
    def rings_here(self) -> bool:
        """Whether it waits for us."""
        return self.state is CallState.RINGING and not self.we_rang

    @property
    def is_over(self) -> bool:
        """Whether it is over, or goes on without us."""
        return self.state in (CallState.ENDED, CallState.AVAILABLE)

    @property
    def takes_part(self) -> bool:
        """Whether we are in it, or rang."""
        return not self.rings_here and not self.is_over

    def is_named(self, call: CallId) -> bool:
        """Tell whether this is its name, here or among all, now or formerly."""
        return call in (self.id, self.wire) or call in self.former

    def those_in(self) -> Iterator[Person]:
        """Walk through the others who are in it."""
        return (person for person in self.people.values() if person.is_in)

    def those_awaited(self) -> Iterator[Person]:
        """Walk through those who may still come in."""
        return (person for person in self.people.values() if person.is_awaited)

    def who_is_in(self, me: CallPerson) -> tuple[CallPerson, ...]:
        """Return everybody in it, us among them."""
        others = ((person.user, person.device) for person in self.those_in())
        return (me, *(CallPerson(user, device) for user, device in others if isinstance(device, DeviceId)))

    def goes_on(self, me: UserId, others: set[UserId], now: float) -> bool:
        """Tell whether a group's call goes on without us, as `others` were told to be in it.

        One who is left alone stays only for whom they still ring.
        """
        left = others - {user for user, person in self.people.items() if person.end is CallEnd.HUNG_UP}
        if len(left) != 1:
            return bool(left)
        has_rung = self.rang_by in left or bool(self.former)
        may_ring = now - self.began < CALL_RING_SECONDS + CALL_TICK_SECONDS
        return has_rung and may_ring and bool(self.conversation.members - left - {me})

    def view(self, name_of: Callable[[UserId], str], title: str) -> CallView:
        """Return it as a screen shows it."""
        return CallView(
            call=self.id,
            conversation=self.conversation.id,
            with_=self.rang_by if self.is_group else self.conversation.kept.user,
            title=title,
            is_group=self.is_group,
            is_incoming=not self.we_rang,
            state=self.state,
            reason=self.reason,
            message=self.message,
            rang_at=self.rang_at,
            started_at=self.started_at,
            ended_at=self.ended_at,
            is_muted=self.is_muted,
            has_microphone=self.has_microphone,
            has_speaker=self.has_speaker,
            sound_notice=self.sound_notice,
            people=tuple(person.view(name_of(person.user)) for person in self.people.values()),
        )
