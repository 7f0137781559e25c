"""Calls as the screen is told of them: their views, the events, the sentence with which one ends."""

from collections.abc import Callable
from datetime import datetime

from peer.call_views import CallLevel, CallLevelsView, CallPersonView, CallView
from peer.calls.call import Call
from peer.calls.known import KnownCall
from peer.calls.sentences import sentence
from peer.event_stream import EventStream
from peer.events import CallChanged, CallEnded, CallLevels, CallRinging, CallStarted
from peer.services.conversations import Conversations
from peer.voice.process_messages import Levels
from protocol.call_messages import CallWord
from protocol.call_states import CallEnd, CallState
from protocol.identity import UserId


class CallScreen:
    """Makes views, and tells of them."""

    def __init__(
        self, conversations: Conversations, events: EventStream, now: Callable[[], datetime], me: UserId
    ) -> None:
        """`now` is the wall clock."""
        self._conversations, self._events = conversations, events
        self.now = now
        self._me = me

    def view(self, call: Call) -> CallView:
        """Return a call that we are in, or that rings here."""
        conversation = call.conversation
        return call.view(
            lambda user: self._conversations.name_in(conversation, user), self._conversations.title_of(conversation)
        )

    def known_view(self, known: KnownCall) -> CallView:
        """Return a call of a group that goes on without us; over, once nobody told of is in it."""
        conversation = known.conversation
        people = tuple(each for each in known.people if each.user != self._me)
        return CallView(
            call=known.call,
            conversation=conversation.id,
            with_=people[0].user if people else None,
            title=self._conversations.title_of(conversation),
            is_group=True,
            is_incoming=True,
            state=CallState.AVAILABLE if people else CallState.ENDED,
            reason=None if people else CallEnd.HUNG_UP,
            message="",
            rang_at=known.heard_at,
            ended_at=None if people else self.now(),
            people=tuple(
                CallPersonView(each.user, self._conversations.name_in(conversation, each.user), CallState.ACTIVE)
                for each in people
            ),
        )

    def rings(self, call: Call) -> None:
        """It rings, here or there."""
        self._events.tell(CallRinging(self.view(call)))

    def started(self, call: Call) -> None:
        """The first voice was heard."""
        call.started_at = self.now()
        self._events.tell(CallStarted(self.view(call)))

    def changed(self, call: Call) -> None:
        """Something about it is not as it was."""
        self._events.tell(CallChanged(self.view(call)))

    def ended(self, call: Call, word: CallWord | None = None) -> None:
        """It is over; `word` is what the other side said, if it was they who ended it."""
        call.state, call.ended_at = CallState.ENDED, self.now()
        other = call.rang_by or call.conversation.kept.user
        name = self._conversations.name_in(call.conversation, other) if other else "This group"
        call.message = call.message or sentence(call.reason or CallEnd.HUNG_UP, name, word=word)
        self._events.tell(CallEnded(self.view(call)))

    def known_changed(self, known: KnownCall) -> CallView:
        """A call goes on without us, with others than before or no more; return it."""
        view = self.known_view(known)
        self._events.tell(CallEnded(view) if view.state is CallState.ENDED else CallChanged(view))
        return view

    def levels(self, call: Call, levels: Levels) -> None:
        """How loud everybody is."""
        users = {person.theirs.ssrc: person.user for person in call.those_in() if person.theirs is not None}
        people = tuple(CallLevel(users[leg.leg], leg.level, leg.speaks) for leg in levels.legs if leg.leg in users)
        self._events.tell(CallLevels(CallLevelsView(call.id, levels.level, levels.speaks, people)))
