"""The calls of one account: what comes from others and from the voice, brought to the one call that we are in."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime

from peer.audio.switches import Switches
from peer.calls.call import Call
from peer.calls.call_entries import CallEntries
from peer.calls.engaged import EngagedCall
from peer.calls.known import KnownCall, KnownCalls
from peer.calls.limits import (
    CALL_TICK_SECONDS,
    CALLS_OVER_REMEMBERED,
)
from peer.calls.lines import CallLines
from peer.calls.offers import Offers
from peer.calls.screen import CallScreen
from peer.calls.sound import CallSound, MakeVoice
from peer.calls.verbs import CallVerbs
from peer.calls.voice_port import VoicePort
from peer.entries.conversation import Conversation
from peer.errors import Refusal
from peer.event_stream import EventStream
from peer.links.link import Link
from peer.services.conversations import Conversations
from peer.views import AudioChoice
from protocol import call_messages as said
from protocol.call_bodies import CallOutcome
from protocol.call_messages import CallPerson, CallWord
from protocol.call_states import CallEnd, CallState
from protocol.identity import CallId, UserId
from protocol.limits import CALL_LOST_SECONDS

log = logging.getLogger(__name__)
CallMessage = (
    said.CallOffer
    | said.CallRings
    | said.CallAnswer
    | said.CallStatus
    | said.CallPeople
    | said.CallOver
    | said.CallOverHeard
)


class CallService:
    """At most one call at a time; beside it what is known of groups' calls that go on without us."""

    def __init__(
        self,
        lines: CallLines,
        conversations: Conversations,
        events: EventStream,
        now: Callable[[], datetime],
        port: VoicePort,
        make_voice: MakeVoice,
        chosen: Callable[[], tuple[AudioChoice, Switches]],
        entries: CallEntries,
    ) -> None:
        """`now` is the wall clock; `chosen` returns what a call is spoken and heard with."""
        self.lines = lines
        self.conversations = conversations
        self.screen = CallScreen(conversations, events, now, lines.me)
        self.port, self._make_voice, self._chosen = port, make_voice, chosen
        self.entries = entries
        self.engaged: EngagedCall | None = None
        self.known = KnownCalls()
        self._offers = Offers(self)
        self.verbs = CallVerbs(self)
        self._over: OrderedDict[CallId, CallWord] = OrderedDict()
        """Calls that ended, and what is to be said to who has not heard of it."""
        self._tick: asyncio.TimerHandle | None = None
        self._is_closed = self._is_to_be_told = False
        self._ending: set[asyncio.Task[None]] = set()

    def chosen_changed(self) -> None:
        """A person chose other devices, or other things to be done to the sound."""
        if self.engaged is not None and self.engaged.sound is not None:
            choice, switches = self._chosen()
            self.engaged.sound.choose(choice)
            self.engaged.sound.process(switches)

    # --- what others and the session tell --------------------------------------------------------

    def handle(self, link: Link, message: CallMessage) -> None:
        """Take what came on a link."""
        if isinstance(message, said.CallOffer):
            self._offers.take(link, message)
        elif isinstance(message, said.CallPeople):
            self._take_people(link, message)
        elif isinstance(message, said.CallOverHeard):
            self.lines.heard_over(link, message.call)
        else:
            self._take_signal(link, message)

    def link_came_up(self, link: Link) -> None:
        """Say again what may have been lost."""
        self.lines.link_came_up(link)
        if self.engaged is not None:
            self.engaged.link_came_up(link)

    def relation_changed(self, user: UserId) -> None:
        """Somebody is a friend no more, or blocked, or in other groups."""
        engaged = self.engaged
        if engaged is None or user not in engaged.call.people:
            return
        conversation, person = engaged.call.conversation, engaged.call.people[user]
        device = person.device or next(iter(person.ours), None)
        may_talk = device is None or self.lines.may_talk(user, device, conversation)
        if not (may_talk and self.conversations.may_write(conversation)):
            engaged.part_with(person)

    def group_changed(self, group: Conversation) -> None:
        """Other people are in a group."""
        if not self.conversations.may_write(group):
            for known in self.known.forget_conversation(group):
                self._tell_known(known)
            if self.engaged is not None and self.engaged.call.conversation is group:
                self.engaged.leave(CallWord.HUNG_UP, CallEnd.HUNG_UP)
        elif self.engaged is not None and self.engaged.call.conversation is group:
            for user in tuple(self.engaged.call.people):
                self.relation_changed(user)

    def end_everything(self, end: CallEnd = CallEnd.HUNG_UP) -> None:
        """This device is used no more: hang up."""
        if self.engaged is not None:
            # What rings here may go on ringing where this person is now.
            word = CallWord.GONE if self.engaged.call.rings_here else CallWord.HUNG_UP
            self.engaged.leave(word, end)

    async def close(self) -> None:
        """Hang up, and wait until the voice has ended."""
        self._is_closed = True
        if self._tick is not None:
            self._tick.cancel()
        self.end_everything()
        await asyncio.gather(*self._ending, return_exceptions=True)

    # --- for `Offers` and `EngagedCall` ------------------------------------------------------------

    def engage(self, call: Call) -> EngagedCall:
        """Be busy with a call from now on."""
        assert self.engaged is None
        self.engaged = EngagedCall(call, self.lines, self)
        self._keep_looking()
        return self.engaged

    def new_call(self, call: CallId, conversation: Conversation, state: CallState, rang_by: UserId | None) -> Call:
        """Make one that begins now."""
        return Call(call, conversation, state, rang_by=rang_by, now=self.lines.now(), rang_at=self.screen.now())

    def ended_as(self, call: CallId) -> CallWord | None:
        """Return what to say of a call that ended here; None for one that is not known."""
        return self._over.get(call)

    def call_rings(self, engaged: EngagedCall) -> None:
        """See `CallHost`."""
        self.screen.rings(engaged.call)

    def call_started(self, engaged: EngagedCall) -> None:
        """See `CallHost`."""
        self.screen.started(engaged.call)

    def person_heard(self, engaged: EngagedCall, user: UserId) -> None:
        """See `CallHost`."""
        if engaged.call.we_rang:
            self.entries.joined(user)

    def person_declined(self, engaged: EngagedCall, user: UserId) -> None:
        """See `CallHost`."""
        if engaged.call.we_rang:
            self.entries.declined(user)

    def call_changed(self) -> None:
        """See `CallHost`: told once, however much changes at this moment."""
        if not self._is_to_be_told:
            self._is_to_be_told = True
            asyncio.get_running_loop().call_soon(self._tell_changed)

    def call_over(self, engaged: EngagedCall, word: CallWord | None) -> None:
        """See `CallHost`."""
        call = engaged.call
        assert self.engaged is engaged
        self.engaged = None
        if engaged.sound is not None:
            self._keep(engaged.sound.end())
        if call.we_rang:
            self._keep(asyncio.create_task(self._write_entry(call), name="line of a call"))
        known = self.known.get(call.wire)
        is_left = call.state is CallState.AVAILABLE and known is not None
        if not is_left or call.id != call.wire:
            word_later = _WORD_AFTER.get(call.reason or CallEnd.HUNG_UP, CallWord.GONE)
            self._remember_over({call.id, *(() if is_left else (call.wire, *call.former))}, word_later)
            self.screen.ended(call, word)
        if not is_left:
            self.known.forget(call.wire)
        if known is not None and is_left:
            self.screen.known_changed(known)

    def those_in(self, call: CallId) -> tuple[CallPerson, ...]:
        """See `CallHost`."""
        known = self.known.get(call)
        return () if known is None else tuple(each for each in known.people if each.user != self.lines.me)

    def make_sound(self, engaged: EngagedCall) -> CallSound:
        """See `CallHost`."""

        def failed(message: str) -> None:
            engaged.call.message = message
            engaged.leave(CallWord.VOICE_FAILED, CallEnd.VOICE_FAILED)

        voice = self._make_voice(
            self.port,
            on_levels=lambda levels: self.screen.levels(engaged.call, levels),
            on_figures=engaged.take_figures,
            on_sound=engaged.take_sound,
            on_crash=lambda refusal: sound.failed(refusal.message),
        )
        sound = CallSound(voice, *self._chosen(), failed)
        return sound

    # --- inside ------------------------------------------------------------------------------

    def _tell_changed(self) -> None:
        self._is_to_be_told = False
        if self.engaged is not None:
            self.screen.changed(self.engaged.call)

    def _take_people(self, link: Link, message: said.CallPeople) -> None:
        conversation = self.conversations.get(message.conversation)
        if conversation is None or conversation.group is None or not self.lines.may_use(link, conversation):
            return
        assert link.device is not None
        if self.ended_as(message.call) is not None and any(each.device == self.lines.device for each in message.people):
            return  # they said it before they heard that we left
        changed = self.known.take(
            message.call, conversation, link.device, message.people, self.lines.now(), self.screen.now()
        )
        self._keep_looking()
        if self.engaged is not None and self.engaged.call.is_named(message.call):
            self.engaged.take_people(link, message.people)
        for known in changed:
            self._tell_known(known)

    def _take_signal(
        self, link: Link, message: said.CallRings | said.CallAnswer | said.CallStatus | said.CallOver
    ) -> None:
        assert link.device is not None
        if isinstance(message, said.CallOver):
            link.send(said.CallOverHeard(message.call))
        engaged = self.engaged
        if engaged is None or not engaged.call.is_named(message.call):
            if isinstance(message, said.CallAnswer):
                word = self._over.get(message.call, CallWord.GONE)
                self.lines.tell_over(link.device, message.call, word, message.leg.ssrc)
            return
        match message:
            case said.CallRings():
                engaged.take_rings(link)
            case said.CallAnswer():
                engaged.take_answer(link, message)
            case said.CallStatus():
                engaged.take_status(link, message)
            case said.CallOver():
                engaged.take_over(link, message)

    def _keep_looking(self) -> None:
        """Have a look every second, as long as there is a call."""
        if self._tick is None and not self._is_closed and (self.engaged is not None or self.known.all()):
            self._tick = asyncio.get_running_loop().call_later(CALL_TICK_SECONDS, self._look_after)

    def _look_after(self) -> None:
        self._tick = None
        if self.engaged is not None:
            self.engaged.tick()
        for known in self.known.forget_older(self.lines.now() - CALL_LOST_SECONDS):
            self._tell_known(known)
        self._keep_looking()

    def is_engaged(self, known: KnownCall) -> bool:
        """Tell whether it is the very call that we are in, or that rings here."""
        return self.engaged is not None and self.engaged.call.is_named(known.call)

    def _remember_over(self, names: Iterable[CallId], word: CallWord) -> None:
        for name in names:
            self._over[name] = word
        while len(self._over) > CALLS_OVER_REMEMBERED:
            self._over.popitem(last=False)

    async def _write_entry(self, call: Call) -> None:
        """Leave a line in the conversation; of two calls that became one only who began the one that stayed does."""
        try:
            if call.former:
                await self.entries.drop(call.id)
            else:
                await self.entries.write_call(call.id, _outcome(call))
        except Refusal as refusal:
            log.warning("a call leaves no line: %s", refusal)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _tell_known(self, known: KnownCall) -> None:
        """Tell the screen of a call that goes on without us, or no more."""
        if not self.is_engaged(known) and self.screen.known_changed(known).state is CallState.ENDED:
            self._remember_over((known.call,), CallWord.GONE)


_OUTCOMES = {
    CallEnd.HUNG_UP: CallOutcome.WITHDRAWN,
    CallEnd.DECLINED: CallOutcome.DECLINED,
    CallEnd.BUSY: CallOutcome.BUSY,
    CallEnd.UNREACHABLE: CallOutcome.UNREACHABLE,
    CallEnd.LOST: CallOutcome.FAILED,
    CallEnd.VOICE_FAILED: CallOutcome.FAILED,
}
"""Of a call in which nobody was heard."""
_WORD_AFTER = {
    CallEnd.HUNG_UP: CallWord.HUNG_UP,
    CallEnd.DECLINED: CallWord.DECLINED,
    CallEnd.LOST: CallWord.LOST,
    CallEnd.MISSED: CallWord.NO_ANSWER,
    CallEnd.NO_ANSWER: CallWord.NO_ANSWER,
    CallEnd.VOICE_FAILED: CallWord.VOICE_FAILED,
}


def _outcome(call: Call) -> CallOutcome:
    if call.started_at is not None:
        return CallOutcome.ANSWERED
    return _OUTCOMES.get(call.reason or CallEnd.NO_ANSWER, CallOutcome.NO_ANSWER)
