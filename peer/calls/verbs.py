"""What a person does about calls: each raises Refusal, in words, where it cannot be done."""

import asyncio
import secrets
from typing import TYPE_CHECKING

from peer.call_views import CallView
from peer.calls.engaged import EngagedCall
from peer.calls.known import KnownCall
from peer.calls.limits import CALL_MEMBERS_RUNG, CALLS_STARTED_A_SECOND, CALLS_STARTED_AT_ONCE
from peer.entries.conversation import Conversation
from peer.errors import Refusal, RefusalCode
from peer.pace import Pace
from protocol.call_messages import CallWord
from protocol.call_states import CallEnd, CallState
from protocol.identity import CallId, UserId
from protocol.limits import CALL_ID_BYTES, CALL_PEOPLE

if TYPE_CHECKING:
    from peer.calls.service import CallService


class CallVerbs:
    """Every thing that can be asked for."""

    def __init__(self, calls: "CallService") -> None:
        self._calls = calls
        self._pace = Pace(CALLS_STARTED_AT_ONCE, CALLS_STARTED_A_SECOND)

    def current(self) -> tuple[CallView, ...]:
        """Return the call that we are in or that rings here, and those that can be joined."""
        calls = self._calls
        views = () if calls.engaged is None else (calls.screen.view(calls.engaged.call),)
        others = (known for known in calls.known.all() if not calls.is_engaged(known))
        return (*views, *map(calls.screen.known_view, others))

    async def start(self, conversation: Conversation) -> CallView:
        """Ring everybody in a conversation, or join the call of a group that goes on."""
        engaged = self._calls.engaged
        if engaged is not None:
            if engaged.call.conversation is not conversation:
                raise Refusal(RefusalCode.BUSY_HERE, "You are in another call. End that one first.")
            return await self.answer(engaged.call.id)
        if not self._calls.conversations.may_write(conversation):
            if conversation.group is None:
                raise Refusal(RefusalCode.NOT_A_FRIEND, "You can call friends only. Ask them first.")
            raise Refusal(RefusalCode.NOT_A_MEMBER, "You are not in this group any more.")
        known = self._calls.known.of(conversation)
        if known is not None:
            return await self._join(known)
        users = self._to_ring(conversation)
        if not users:
            name = self._calls.conversations.title_of(conversation)
            sorry = "Nobody of this group is here now." if conversation.group else f"{name} is not here now."
            raise Refusal(RefusalCode.OFFLINE, f"{sorry} Try again later.")
        self._need_voice_port()
        wait = self._pace.take(self._calls.lines.now())
        if wait:
            raise Refusal(RefusalCode.RATE_LIMITED, "You call too often. Wait a moment.", retry_after=wait)
        call = self._calls.new_call(CallId(secrets.token_bytes(CALL_ID_BYTES)), conversation, CallState.CALLING, None)
        engaged = self._calls.engage(call)
        engaged.ring(users)
        self._calls.screen.changed(call)
        await self._calls.entries.rang(conversation, call.id, users)
        return await self._begun(engaged)

    async def answer(self, call: CallId) -> CallView:
        """Go into a call that rings here, or into one of a group that goes on."""
        engaged = self._calls.engaged
        if engaged is None or not engaged.call.is_named(call):
            known = self._known(call)
            if engaged is not None:
                raise Refusal(RefusalCode.BUSY_HERE, "You are in another call. End that one first.")
            return await self._join(known)
        if engaged.call.rings_here:
            self._need_voice_port()
            self._check_room(self._calls.known.get(engaged.call.wire))
            engaged.answer()
        return await self._begun(engaged)

    def decline(self, call: CallId) -> CallView:
        """Do not want to talk; a group's call can be joined later all the same."""
        engaged = self._calls.engaged
        if engaged is None or not engaged.call.is_named(call):
            return self._calls.screen.known_view(self._known(call))
        if engaged.call.rings_here:
            engaged.leave(CallWord.DECLINED, CallEnd.DECLINED)
            return self._calls.screen.view(engaged.call)
        return self.hang_up(call)

    def hang_up(self, call: CallId) -> CallView:
        """Be out of a call; one that rings here is declined by it."""
        engaged = self._engaged_in(call)
        if engaged.call.rings_here:
            return self.decline(call)
        is_unanswered = engaged.call.we_rang and engaged.call.state in (CallState.CALLING, CallState.RINGING)
        engaged.leave(CallWord.WITHDRAWN if is_unanswered else CallWord.HUNG_UP, CallEnd.HUNG_UP)
        return self._calls.screen.view(engaged.call)

    def mute(self, call: CallId, *, muted: bool) -> CallView:
        """Send silence, or what is said; the others are told."""
        engaged = self._engaged_in(call)
        engaged.mute(muted=muted)
        return self._calls.screen.view(engaged.call)

    def set_volume(self, call: CallId, user: UserId, volume: float) -> CallView:
        """Make somebody louder or quieter, for us."""
        engaged = self._engaged_in(call)
        person = engaged.call.people.get(user)
        if person is None:
            raise Refusal(RefusalCode.NOT_A_MEMBER, "They are not in this call.")
        engaged.set_volume(person, volume)
        return self._calls.screen.view(engaged.call)

    def view(self, call: CallId) -> CallView:
        """Return a call as it stands."""
        engaged = self._calls.engaged
        if engaged is not None and engaged.call.is_named(call):
            return self._calls.screen.view(engaged.call)
        return self._calls.screen.known_view(self._known(call))

    # --- inside ------------------------------------------------------------------------------

    async def _join(self, known: KnownCall) -> CallView:
        self._need_voice_port()
        self._check_room(known)
        call = self._calls.new_call(known.call, known.conversation, CallState.AVAILABLE, known.people[0].user)
        engaged = self._calls.engage(call)
        engaged.join_at(self._calls.those_in(known.call))
        self._calls.screen.changed(call)
        return await self._begun(engaged)

    async def _begun(self, engaged: EngagedCall) -> CallView:
        """Wait for the voice; a call without one has ended."""
        assert engaged.sound is not None
        refusal = await asyncio.shield(engaged.sound.begun)
        if refusal is not None:
            raise refusal
        if engaged.call.is_group and engaged.call.reason is CallEnd.BUSY:
            raise _full()
        return self._calls.screen.view(engaged.call)

    def _to_ring(self, conversation: Conversation) -> list[UserId]:
        there = (
            user for user in conversation.members if user != self._calls.lines.me and self._calls.lines.is_there(user)
        )
        return sorted(there)[:CALL_MEMBERS_RUNG]

    def _check_room(self, known: KnownCall | None) -> None:
        if known is not None and len(known.people) >= CALL_PEOPLE:
            raise _full()

    def _need_voice_port(self) -> None:
        if not self._calls.port.number:
            raise Refusal(RefusalCode.VOICE_FAILED, "No voice port is free here. Sign out and in again.")

    def _engaged_in(self, call: CallId) -> EngagedCall:
        if self._calls.engaged is None or not self._calls.engaged.call.is_named(call):
            self._known(call)
            raise Refusal(RefusalCode.CALL_OVER, "You are not in this call.")
        return self._calls.engaged

    def _known(self, call: CallId) -> KnownCall:
        known = self._calls.known.get(call)
        if known is None and self._calls.ended_as(call) is not None:
            raise Refusal(RefusalCode.CALL_OVER, "This call has ended.")
        if known is None:
            raise Refusal(RefusalCode.NO_SUCH_CALL, "There is no such call.")
        return known


def _full() -> Refusal:
    return Refusal(RefusalCode.CALL_FULL, f"{CALL_PEOPLE} people are in this call already.")
